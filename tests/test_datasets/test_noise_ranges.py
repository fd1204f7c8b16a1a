# Copyright (c) hanet_mm contributors. All rights reserved.
"""An estimator of its own for each sequence."""

import dataclasses

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hanet_mm.core.poses.skeleton_data import SKELETONS
from hanet_mm.datasets.simulation import (
    NOISE_PRESETS,
    EstimatorNoise,
    EstimatorNoiseRanges,
    Range,
    noise_source,
    simulate_estimator_noise,
)
from hanet_mm.datasets.simulation.keypoints import keypoint_parts
from hanet_mm.datasets.simulation.signals import bursts, smooth_noise
from hanet_mm.datasets.transforms import SimulateEstimatorNoise

pytestmark = pytest.mark.mm

COCO = SKELETONS['coco17'].keypoint_names
RANGE_PRESETS = ('any', 'any-lifter')
FIELDS = [field.name for field in dataclasses.fields(EstimatorNoise)]
QUIET = EstimatorNoise(
    **{name: 0.0 for name in FIELDS if name.endswith('_share')},
    jitter=0.0,
    occlusion_std=0.0,
)


def poses(num=8, frames=30, dims=2, seed=0):
    rng = np.random.default_rng(seed)
    place = rng.uniform(0, 100, (num, 1, 17, dims))
    steps = rng.normal(0, 1, (num, frames, 17, dims))
    return (place + np.cumsum(steps, axis=1)).astype(np.float32)


def simulate(truth, params, seed=0):
    image = np.float32([90, 80]) if truth.shape[-1] == 2 else None
    return simulate_estimator_noise(
        truth, 100.0, np.random.default_rng(seed), params, COCO, image
    )


@settings(max_examples=12, deadline=None)
@given(st.integers(0, 10**6), st.sampled_from((*RANGE_PRESETS, 'real-lifter')))
def test_one_number_or_the_same_for_each_sequence(seed, preset):
    dims = 3 if 'lifter' in preset else 2
    drawn = noise_source(preset).draw(np.random.default_rng(seed), 1)
    one = {name: float(np.squeeze(getattr(drawn, name))) for name in FIELDS}
    many = {name: np.full(8, value) for name, value in one.items()}
    truth = poses(dims=dims, seed=seed)
    for a, b in zip(
        simulate(truth, EstimatorNoise(**one), seed),
        simulate(truth, EstimatorNoise(**many), seed),
    ):
        np.testing.assert_array_equal(a, b)


def test_each_sequence_has_its_own_amounts():
    truth = poses(300, 30)
    jitter = np.repeat([0.0, 0.01, 0.04], 100)
    swaps = np.tile([0.0, 0.5], 150)
    params = dataclasses.replace(
        QUIET, jitter=jitter, jitter_spread=0.0, body_swap_share=swaps
    )
    estimates, _ = simulate(truth, params)
    still, moved = (jitter == 0) & (swaps == 0), (jitter == 0) & (swaps > 0)
    np.testing.assert_array_equal(estimates[still], truth[still])
    mirror = keypoint_parts(COCO, 2).mirror
    swapped = (estimates[moved] == truth[moved][:, :, mirror]).all((2, 3))
    assert swapped.mean() == pytest.approx(0.5, abs=0.07)
    difficulty = keypoint_parts(COCO, 2).difficulty
    for amount in (0.01, 0.04):
        chosen = (jitter == amount) & (swaps == 0)
        error = (estimates - truth)[chosen] / difficulty[:, None]
        assert error.std() == pytest.approx(100 * amount, rel=0.03)


def test_durations_are_those_of_each_sequence():
    frames = np.array([1.5, 6.0, 20.0])
    active, *_ = bursts(np.random.default_rng(0), (3, 6000, 60), 0.05, frames)
    begins = (active[:, 1:] & ~active[:, :-1]).sum(axis=(1, 2))
    lasting = active.sum(axis=(1, 2)) / begins
    np.testing.assert_allclose(lasting, frames, rtol=0.12)
    np.testing.assert_allclose(active.mean(axis=(1, 2)), 0.05, rtol=0.15)
    slow = smooth_noise(np.random.default_rng(0), (3, 6000, 60), frames)
    pole = np.exp(-1 / frames)
    lag = np.mean(slow[:, 1:] * slow[:, :-1], axis=(1, 2))
    expected = pole * (1 + (1 - pole**2) / (1 + pole**2))
    np.testing.assert_allclose(
        lag / slow.var(axis=(1, 2)), expected, rtol=0.02
    )


def test_arrays_have_to_fit_the_sequences():
    params = dataclasses.replace(QUIET, drift=np.full(5, 0.1))
    with pytest.raises(ValueError, match=r'drift: .*\(8,\), found \(5,\)'):
        simulate(poses(), params)
    with pytest.raises(ValueError, match=r'one length, found .*4.*5'):
        EstimatorNoise(drift=np.ones(4), jitter=np.ones(5))
    with pytest.raises(ValueError, match=r'jitter: expected >= 0, found -2'):
        EstimatorNoise(jitter=np.array([1.0, -2.0]))


@settings(max_examples=20, deadline=None)
@given(
    st.floats(0.001, 5.0),
    st.floats(1.0, 50.0),
    st.booleans(),
    st.floats(0.0, 0.9),
)
def test_draws_stay_in_their_range(low, factor, log, off):
    scale = Range(low, low * factor, log, off)
    drawn = scale.draw(np.random.default_rng(0), 4000)
    on = drawn[drawn > 0]
    assert on.min() >= low * (1 - 1e-9)
    assert on.max() <= low * factor * (1 + 1e-9)
    assert 1 - len(on) / 4000 == pytest.approx(off, abs=0.04)
    middle = low * np.sqrt(factor) if log else 0.5 * low * (1 + factor)
    slack = 0.15 if len(on) > 1000 else 0.35
    assert np.median(on) == pytest.approx(middle, rel=slack)


@pytest.mark.parametrize('preset', RANGE_PRESETS)
def test_presets_draw_from_their_whole_ranges(preset):
    ranges = NOISE_PRESETS[preset]
    noise = noise_source(preset).draw(np.random.default_rng(1), 3000)
    for name, ends in ranges.items():
        drawn = getattr(noise, name)
        on = drawn[drawn > 0]
        low, high, off = (ends.get(k, 0) for k in ('low', 'high', 'off'))
        assert on.min() >= low
        assert on.max() <= high * (1 + 1e-9)
        assert np.mean(drawn == 0) == pytest.approx(off, abs=0.05)
        assert on.max() > 0.9 * high
    # What the presets leave out has the default.
    rest = set(FIELDS) - set(ranges)
    assert all(getattr(noise, k) == getattr(EstimatorNoise(), k) for k in rest)


def test_recent_estimators_lie_within_the_preset():
    noise = noise_source('any').draw(np.random.default_rng(0), 4000)
    # A third of the frames inverted, for one frame up to a second; drift
    # above jitter; scores that are constant.
    assert noise.body_swap_share.max() > 0.3
    assert noise.body_swap_frames.min() < 1.1
    assert noise.body_swap_frames.max() > 28
    assert 0.2 < (noise.drift > noise.jitter).mean() < 0.7
    assert (noise.score_span == 0).any()


def test_inverted_bodies_have_the_scores_of_others():
    truth = poses(400, 40)
    truth[:, :, 1::2, 0] += 1e5  # left and right cannot be mistaken
    image = np.float32([1e6, 1e6])
    noise = EstimatorNoiseRanges(
        dict(NOISE_PRESETS['any'], body_swap_share=0.3)
    )
    estimates, scores = simulate_estimator_noise(
        truth,
        100.0,
        np.random.default_rng(0),
        noise.draw(np.random.default_rng(1), 400),
        COCO,
        image,
    )
    inverted = np.abs(estimates - truth)[..., 0] > 5e4
    found = scores > 0
    share = (inverted & found).sum() / found.sum()
    assert share > 0.2
    high = [np.mean(scores[found & x] > 0.5) for x in (inverted, ~inverted)]
    assert high[0] == pytest.approx(high[1], abs=0.05)


@pytest.mark.parametrize('fps', [15.0, 60.0])
def test_durations_in_seconds_last_as_long_at_every_rate(fps):
    noise = noise_source(
        dict(
            body_swap_seconds=0.2,
            occlusion_seconds=dict(low=0.5, high=1.0),
            outlier_share=0.0,
            jitter_seconds=0.05,
            limb_swap_seconds=0.01,
        )
    )
    drawn = noise.draw(np.random.default_rng(0), 500, fps)
    assert drawn.body_swap_frames == pytest.approx(0.2 * fps)
    assert drawn.occlusion_frames.min() >= 0.5 * fps
    assert drawn.occlusion_frames.max() <= fps
    # Correlations fall to 1/e in 0.05 s; nothing is shorter than a frame.
    assert drawn.jitter_correlation ** (0.05 * fps) == pytest.approx(np.e**-1)
    assert drawn.limb_swap_frames == 1
    rates = np.linspace(15, 60, 500)
    drawn = noise.draw(np.random.default_rng(0), 500, rates)
    np.testing.assert_allclose(drawn.body_swap_frames, 0.2 * rates)


def test_preset_of_real_clips_covers_what_estimators_do():
    noise = noise_source('real').draw(np.random.default_rng(0), 4000, 60.0)
    # Fast noise from 0.2 % of the box, both coordinates together; swaps of
    # one frame up to a second; drift and bias above the jitter.
    assert np.sqrt(2) * noise.jitter.min() < 0.002
    assert noise.body_swap_frames.min() < 2
    assert 55 < noise.body_swap_frames.max() <= 60
    assert 0.4 < (noise.drift > noise.jitter).mean() < 0.8
    assert (noise.score_information == 0).any()


def test_sources_of_configs():
    assert noise_source(None) == EstimatorNoise()
    assert noise_source('lifter').depth_factor == 2.0
    assert noise_source(dict(drift=0.5)) == EstimatorNoise(drift=0.5)
    mixed = noise_source(dict(drift=dict(low=0.1, high=0.2), jitter=0.01))
    assert noise_source(mixed) is mixed
    drawn = mixed.draw(np.random.default_rng(0), 6)
    assert drawn.jitter == 0.01
    assert drawn.drift.shape == (6,)
    assert QUIET.draw(np.random.default_rng(0), 6) is QUIET
    with pytest.raises(ValueError, match=r"one of .*got 'all'"):
        noise_source('all')


@pytest.mark.parametrize(
    ('ranges', 'message'),
    [
        (dict(drifts=1.0), r"found \['drifts'\]"),
        (dict(drift_seconds=-1.0), 'drift_seconds: expected >= 0, found -1'),
        (dict(bias_seconds=1.0), r"found \['bias_seconds'\]"),
        (
            dict(drift_frames=2.0, drift_seconds=1.0),
            'drift_frames: expected o',
        ),
        (dict(drift=dict(low=2, high=1)), 'drift: expected low <= high'),
        (dict(drift=dict(low=0, high=1, log=True)), 'drift: .*low > 0 if log'),
        (dict(drift=dict(low=0, high=1, off=2)), 'drift: off: .*found 2'),
        (dict(missing_share=dict(low=0, high=2)), 'missing_share: .*found 2'),
        (dict(drift_frames=dict(low=0, high=2)), 'drift_frames: .*>= 1'),
        (
            dict(drift_frames=dict(low=2, high=3, off=0.1)),
            'drift_frames: .*>= 1, found 0',
        ),
        (
            dict(score_tolerance=dict(low=1, high=2, off=0.1)),
            'score_tolerance: .*> 0',
        ),
    ],
)
def test_bad_ranges(ranges, message):
    with pytest.raises(ValueError, match=message):
        EstimatorNoiseRanges(ranges)


@pytest.mark.parametrize('fps', [0.0, np.array([30.0, np.nan])])
def test_frame_rates_are_above_0(fps):
    with pytest.raises(ValueError, match=r'fps: expected > 0, found (0|nan)'):
        noise_source('real').draw(np.random.default_rng(0), 2, fps)


def window(**more):
    truth = poses(1, 20)[0]
    boxes = np.concatenate([truth.min(axis=1), truth.max(axis=1)], axis=1)
    return dict(keypoints_gt=truth, bboxes=boxes, **more)


def test_transform_draws_an_estimator_for_each_window():
    transform = SimulateEstimatorNoise(noise='any')
    amounts = []
    for _ in range(60):
        results = transform(window(keypoint_names=COCO))
        error = results['keypoints'] - results['keypoints_gt']
        amounts.append(np.median(np.linalg.norm(error, axis=-1)))
        assert np.isfinite(results['keypoints']).all()
        valid = results['keypoint_scores'] > 0
        np.testing.assert_array_equal(results['keypoints_valid'], valid)
    # Not one noise: the best estimator is far better than the worst.
    assert max(amounts) > 6 * min(amounts)


def test_transform_takes_the_names_of_the_data_set():
    transform = SimulateEstimatorNoise(
        noise=dict(dataclasses.asdict(QUIET), body_swap_share=0.5)
    )
    results = transform(window(keypoint_names=COCO))
    truth, found = results['keypoints_gt'], results['keypoints']
    mirror = keypoint_parts(COCO, 2).mirror
    same = (found == truth).all(axis=(1, 2))
    swapped = (found == truth[:, mirror]).all(axis=(1, 2))
    assert (same ^ swapped).all()
    with pytest.raises(ValueError, match='expected keypoint_names'):
        transform(window())


def test_transform_knows_the_border_of_the_image():
    transform = SimulateEstimatorNoise(
        dict(dataclasses.asdict(QUIET), outside_clamp=1.0), COCO
    )
    results = transform(window(image_size=np.float32([60, 50])))
    expected = np.clip(results['keypoints_gt'], 0, [60, 50])
    np.testing.assert_array_equal(results['keypoints'], expected)
