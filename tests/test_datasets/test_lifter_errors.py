# Copyright (c) hanet_mm contributors. All rights reserved.
"""Depths of single limbs, the scale of the body, presets of lifters."""

import dataclasses

import numpy as np
import pytest

from hanet_mm.core.poses.skeleton_data import SKELETONS
from hanet_mm.datasets.simulation import (
    NOISE_PRESETS,
    EstimatorNoise,
    NoiseMixture,
    noise_source,
    simulate_estimator_noise,
)
from hanet_mm.datasets.simulation.keypoints import keypoint_parts

pytestmark = pytest.mark.mm

NAMES = SKELETONS['h36m17'].keypoint_names
QUIET = {
    field.name: 0.0
    for field in dataclasses.fields(EstimatorNoise)
    if field.name.endswith('_share') or field.name.startswith('jitter')
    if not field.name.endswith('_frames')
}
BONES = [
    (f'{side}_{start}', f'{side}_{end}')
    for side in ('left', 'right')
    for start, end in (
        ('shoulder', 'elbow'),
        ('elbow', 'wrist'),
        ('hip', 'knee'),
        ('knee', 'foot'),
    )
]
START, END = ([NAMES.index(b[i]) for b in BONES] for i in (0, 1))
# The first bones of limbs and the ones that hang on them.
UPPER, LOWER = slice(0, None, 2), slice(1, None, 2)
REST = [i for i in range(17) if i not in END]


def people(num=40, frames=200, seed=0):
    rng = np.random.default_rng(seed)
    place = rng.uniform(-0.7, 0.7, (num, 1, 17, 3))
    walk = rng.uniform(-0.01, 0.01, (num, 1, 1, 3))
    truth = place + walk * np.arange(frames)[:, None, None]
    return (truth + [0, 0, 4]).astype(np.float32)


def simulate(truth, seed=0, **amounts):
    params = EstimatorNoise(**{**QUIET, **amounts})
    rng = np.random.default_rng(seed)
    return simulate_estimator_noise(truth, 1.7, rng, params, NAMES)


def bones(poses):
    return poses[:, :, END] - poses[:, :, START]


def test_bones_are_mirrored_in_depth_for_a_while():
    truth = people()
    found, _ = simulate(truth, depth_flip_share=0.2, depth_flip_frames=8.0)
    before, after = bones(truth), bones(found)
    np.testing.assert_array_equal(found[..., :2], truth[..., :2])
    np.testing.assert_array_equal(found[:, :, REST], truth[:, :, REST])
    flipped = np.abs(after[..., 2] - before[..., 2]) > 1e-4
    expected = np.where(flipped, -before[..., 2], before[..., 2])
    np.testing.assert_allclose(after[..., 2], expected, atol=2e-5)
    # Of bones that point into the depth at all.
    steep = np.abs(before[:, 0, :, 2]) > 0.01
    events = flipped.transpose(0, 2, 1)[steep]
    assert events.mean() == pytest.approx(0.2, abs=0.02)
    begins = (events[:, 1:] & ~events[:, :-1]).sum()
    assert events.sum() / begins == pytest.approx(8, rel=0.15)


def test_the_end_of_a_limb_moves_along_with_its_first_bone():
    truth = people()
    found, _ = simulate(truth, depth_flip_share=0.3)
    moved = found[..., 2] - truth[..., 2]
    upper = np.abs(moved[:, :, END][:, :, UPPER]) > 1e-4
    lower = np.abs((bones(found) - bones(truth))[..., LOWER, 2]) > 1e-4
    along = upper & ~lower
    assert along.any()
    np.testing.assert_allclose(
        moved[:, :, END][:, :, LOWER][along],
        moved[:, :, END][:, :, UPPER][along],
        atol=2e-5,
    )
    # Each bone for itself.
    both = (upper & lower).mean()
    assert both == pytest.approx(upper.mean() * lower.mean(), abs=0.02)


def test_the_body_grows_and_shrinks_about_its_root_slowly():
    truth = people(200, 100)
    sigma, frames = 0.1, 20.0
    found, _ = simulate(truth, scale_drift=sigma, scale_drift_frames=frames)
    own, given = (x - x[:, :, :1] for x in (found, truth))
    np.testing.assert_allclose(found[:, :, 0], truth[:, :, 0], atol=1e-5)
    factor = np.linalg.norm(own, axis=-1)[..., 1:]
    factor = factor / np.linalg.norm(given, axis=-1)[..., 1:]
    scale = factor[..., :1]
    np.testing.assert_allclose(factor, scale.repeat(16, -1), rtol=2e-4)
    np.testing.assert_allclose(own, scale[..., None] * given, atol=1e-4)
    log = np.log(scale[..., 0].astype(np.float64))
    assert log.std() == pytest.approx(sigma, rel=0.1)
    # See smooth_noise.
    pole = np.exp(-1 / frames)
    for lag in (1, 10):
        slope = (1 - pole**2) / (1 + pole**2)
        tie = np.mean(log[:, lag:] * log[:, :-lag]) / np.mean(log**2)
        assert tie == pytest.approx(pole**lag * (1 + lag * slope), abs=0.03)


@pytest.mark.parametrize(
    'amounts', [dict(depth_flip_share=0.4), dict(scale_drift=0.2)]
)
def test_scores_and_pictures_know_nothing_of_it(amounts):
    truth = people(5, 30)
    found, scores = simulate(truth, **amounts)
    _, expected = simulate(truth)
    assert (found != truth).any()
    np.testing.assert_array_equal(scores, expected)
    flat = truth[..., :2].copy()
    found, _ = simulate(flat, **amounts)
    np.testing.assert_array_equal(found, flat)


def test_unknown_joints_stay_alone():
    truth = people(5, 30)
    elbow, wrist = (NAMES.index(f'left_{x}') for x in ('elbow', 'wrist'))
    truth[:, :, elbow] = np.nan
    found, scores = simulate(truth, depth_flip_share=0.4, scale_drift=0.1)
    missing = np.isnan(found).any(-1)
    assert missing[:, :, elbow].all()
    assert not np.delete(missing, elbow, axis=2).any()
    assert (scores[:, :, wrist] > 0).all()


def test_parents_are_the_joints_before():
    parent = keypoint_parts(NAMES, 3).parent
    np.testing.assert_array_equal(parent[END], START)
    assert (parent[REST] == -1).all()


def errors_of(preset, fps=30.0, num=300, frames=60):
    truth = people(num, frames)
    rng = np.random.default_rng(1)
    noise = noise_source(preset).draw(rng, num, fps)
    found, scores = simulate_estimator_noise(truth, 1.7, rng, noise, NAMES)
    relative = [x - x[:, :, :1] for x in (found, truth)]
    return (relative[0] - relative[1])[:, :, 1:], scores


@pytest.mark.parametrize('preset', ['real-lifter', 'good-lifter'])
def test_errors_of_lifters_are_in_depth_and_last(preset):
    shares = {k: 0.0 for k in QUIET if k.endswith('_share')}
    error, _ = errors_of({**NOISE_PRESETS[preset], **shares})
    spread = np.sqrt(np.mean(error.astype(np.float64) ** 2, (0, 1, 2)))
    assert spread[2] > 1.3 * max(spread[:2])
    shift = error - error.mean(1, keepdims=True)
    lag = np.mean(shift[:, 1:] * shift[:, :-1]) / np.mean(shift**2)
    assert lag > 0.6


def test_lifters_from_good_to_bad():
    def usual(preset):
        error, _ = errors_of(preset)
        return np.nanmean(np.linalg.norm(error, axis=-1))

    clean, good, any_one, real = map(
        usual, ('clean', 'good-lifter', 'any-lifter', 'real-lifter')
    )
    assert clean < 0.003
    assert 3 * clean < good < 0.5 * any_one
    assert any_one < real


def test_scores_of_lifters_are_high_or_there_are_none():
    _, scores = errors_of('real-lifter')
    found = scores > 0
    assert np.median(scores[found]) > 0.8
    alike = [np.ptp(x[y]) < 1e-6 for x, y in zip(scores, found) if y.any()]
    assert np.mean(alike) == pytest.approx(0.3, abs=0.08)


@pytest.mark.parametrize('fps', [15.0, 60.0])
def test_flips_and_scale_last_as_long_at_every_rate(fps):
    noise = noise_source('real-lifter').draw(
        np.random.default_rng(0), 500, fps
    )
    assert noise.depth_flip_frames.min() >= 1
    assert noise.depth_flip_frames.max() <= 0.8 * fps
    assert noise.depth_flip_frames.max() > 0.7 * fps
    assert noise.scale_drift_frames.min() >= 0.3 * fps


def test_each_sequence_has_one_of_several_sources():
    given = [dict(drift=0.5, bias=0.1), dict(drift=dict(low=2, high=3))]
    noise = noise_source(given)
    assert isinstance(noise, NoiseMixture)
    assert noise_source(noise) is noise
    drawn = noise.draw(np.random.default_rng(0), 2000)
    first = drawn.drift == 0.5
    assert first.mean() == pytest.approx(0.5, abs=0.05)
    assert ((drawn.drift[~first] >= 2) & (drawn.drift[~first] <= 3)).all()
    np.testing.assert_array_equal(drawn.bias, np.where(first, 0.1, 0.0))
    # What no source says has the default.
    assert (drawn.jitter == EstimatorNoise().jitter).all()


def test_sources_draw_with_the_rates_of_their_sequences():
    rates = np.linspace(15, 60, 400)
    noise = noise_source([dict(body_swap_seconds=0.5), dict(drift=0.1)])
    drawn = noise.draw(np.random.default_rng(0), 400, rates)
    first = drawn.drift == 0
    np.testing.assert_allclose(drawn.body_swap_frames[first], rates[first] / 2)


def test_bad_mixtures():
    with pytest.raises(ValueError, match='noise: expected at least one'):
        noise_source([])
    with pytest.raises(ValueError, match=r"one of .*got 'lifters'"):
        noise_source(['lifter', 'lifters'])
