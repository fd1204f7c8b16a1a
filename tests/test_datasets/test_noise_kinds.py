# Copyright (c) hanet_mm contributors. All rights reserved.
"""Blur, tails, hidden joints, halves, frames, borders, scales of scores."""

import dataclasses

import numpy as np
import pytest
from scipy.stats import kurtosis

from hanet_mm.datasets.simulation import (
    JHMDB_KEYPOINT_NAMES,
    EstimatorNoise,
    simulate_estimator_noise,
)
from hanet_mm.datasets.simulation.keypoints import keypoint_parts
from hanet_mm.datasets.simulation.noise import scores_of_errors

PARTS = keypoint_parts(JHMDB_KEYPOINT_NAMES, 2)
NOTHING = {
    field.name: 0.0
    for field in dataclasses.fields(EstimatorNoise)
    if field.name.endswith('_share')
    or field.name in ('jitter', 'jitter_spread', 'occlusion_std')
}
ALL_HIDDEN = dict(
    occlusion_share=0.3, occlusion_frames=15.0, occlusion_freeze=0.0
)


def only(**kwargs):
    return EstimatorNoise(**{**NOTHING, **kwargs})


def poses(num=20, frames=60, dims=2, seed=0):
    """Joints far apart that move evenly."""
    rng = np.random.default_rng(seed)
    place = rng.uniform(0, 100, (num, 1, 15, dims))
    speed = rng.uniform(-1, 1, (num, 1, 15, dims))
    time = np.arange(frames)[:, None, None]
    return (place + speed * time).astype(np.float32)


def simulate(truth, params, seed=0, **kwargs):
    rng = np.random.default_rng(seed)
    return simulate_estimator_noise(truth, 100.0, rng, params, **kwargs)


def test_bias_is_constant_and_unknown_to_the_scores():
    truth = poses(400)
    params = only(bias=0.05, jitter=0.001, score_noise=0.0)
    estimates, scores = simulate(truth, params)
    error = estimates - truth
    constant = error.mean(axis=1)
    np.testing.assert_allclose(
        constant.std(axis=(0, 2)), 5 * PARTS.difficulty, rtol=0.1
    )
    assert (error - constant[:, None]).std() < 0.2
    _, expected = simulate(truth, only(jitter=0.001, score_noise=0.0))
    np.testing.assert_array_equal(scores, expected)


@pytest.mark.parametrize('information', [0.0, 0.5, 1.0])
def test_scores_follow_errors_as_far_as_they_are_informed(information):
    truth = poses(200)
    params = only(
        jitter=0.03,
        jitter_correlation=0.0,
        score_noise=0.0,
        score_information=information,
    )
    estimates, scores = simulate(truth, params)
    far = np.linalg.norm(estimates - truth, axis=-1) / PARTS.difficulty
    # Own and other error are independent and alike: in logarithms the
    # correlation is w / sqrt(w^2 + (1 - w)^2).
    doubt = np.log(1 / scores.clip(1e-3, 1 - 1e-6) - 1)
    same = PARTS.difficulty == 1.0  # of one joint: no correlation of joints
    found = np.corrcoef(
        np.log(far)[..., same].ravel(), doubt[..., same].ravel()
    )[0, 1]
    expected = information / np.hypot(information, 1 - information)
    assert found == pytest.approx(expected, abs=0.03)


def test_blur_is_proportional_to_the_speed():
    truth = np.zeros((400, 40, 15, 2), np.float32)
    speed = np.linspace(0, 6, 15)
    # 3-4-5: joint k moves by speed[k] px in a frame.
    way = np.arange(40)[:, None] * speed
    truth[..., 0], truth[..., 1] = 0.6 * way, 0.8 * way
    error = simulate(truth, only(jitter_blur=0.25))[0] - truth
    deviation = error.std(axis=(0, 1, 3))
    np.testing.assert_allclose(deviation, 0.25 * speed, rtol=0.03, atol=1e-6)
    # On top of the jitter, from the first frame to the last.
    params = only(jitter=0.01, jitter_blur=0.25, jitter_correlation=0.0)
    error = simulate(truth, params)[0] - truth
    expected = 1.0 * PARTS.difficulty + 0.25 * speed
    for span in (slice(None), slice(0, 1), slice(-1, None)):
        found = error[:, span].std(axis=(0, 1, 3))
        np.testing.assert_allclose(found, expected, rtol=0.15)


def test_a_single_frame_has_no_speed():
    truth = poses(3, 1)
    estimates, _ = simulate(truth, only(jitter_blur=0.5))
    np.testing.assert_array_equal(estimates, truth)


def test_tails_are_heavy_and_keep_the_mean_square():
    truth = poses(1500, 30)
    params = dict(jitter=0.02, jitter_correlation=0.0)
    error = (
        simulate(
            truth, only(jitter_tails=0.4, jitter_tail_frames=1.0, **params)
        )[0]
        - truth
    )
    error /= 2.0 * PARTS.difficulty[:, None]
    assert np.mean(error**2) == pytest.approx(1, rel=0.02)
    # A normal number times exp(s z): 3 exp(4 s^2), less 3 of the normal.
    found = kurtosis(error.ravel())
    assert found == pytest.approx(3 * np.exp(4 * 0.4**2) - 3, rel=0.1)


def test_bad_times_last_and_concern_a_limb():
    truth = poses(600, 60)
    params = only(
        jitter=0.02,
        jitter_correlation=0.0,
        jitter_tails=1.0,
        jitter_tail_frames=8.0,
    )
    error = simulate(truth, params)[0] - truth
    size = np.log(np.abs(error[..., 0]) + 1e-9)
    size -= size.mean(axis=(0, 1))
    # log |normal| has variance pi^2 / 8; only the magnitude is tied.
    total = 1 + np.pi**2 / 8
    assert size[..., 7].var() == pytest.approx(total, rel=0.1)

    def tie(a, b):
        return np.mean(a * b) / total

    pole = np.exp(-1 / 8)
    lag = pole**4 * (1 + 4 * (1 - pole**2) / (1 + pole**2))
    wrist, elbow, ankle = size[..., 11], size[..., 7], size[..., 13]
    assert tie(wrist, elbow) == pytest.approx(1 / total, abs=0.05)
    assert tie(wrist[:, 4:], wrist[:, :-4]) == pytest.approx(
        lag / total, abs=0.05
    )
    assert abs(tie(wrist, ankle)) < 0.05


def test_hidden_joints_drift_to_joints_of_the_body():
    truth = poses(30, 40)
    estimates, _ = simulate(truth, only(**ALL_HIDDEN, occlusion_limb=1.0))
    moved = (estimates != truth).any(axis=-1)
    who, when, which = np.nonzero(moved)
    # The middle of the body as well, which has no mirrored joint.
    assert set(which) == set(range(15))
    shift = (estimates - truth)[moved].astype(np.float64)
    ways = truth[who, when].astype(np.float64) - truth[moved][:, None]
    part = np.einsum('nd,nkd->nk', shift, ways)
    part /= np.maximum(np.sum(ways**2, axis=-1), 1e-9)
    off = np.linalg.norm(shift[:, None] - part[..., None] * ways, axis=-1)
    off[(part <= 0) | (part > 1.0001)] = np.inf
    assert off.min(axis=1).max() < 1e-3
    # Not only to the mirrored one.
    assert (off.argmin(axis=1) == PARTS.mirror[which]).mean() < 0.3


def test_hidden_joints_drift_to_somebody_who_moves_alike():
    truth = poses(30, 60)
    estimates, _ = simulate(truth, only(**ALL_HIDDEN, occlusion_other=1.0))
    shift = (estimates - truth).astype(np.float64)
    sides = []
    for moves in shift:
        flat = moves.reshape(-1, 2)
        beside = flat[np.abs(flat[:, 0]).argmax()]
        assert 25 - 1e-3 <= abs(beside[0]) <= 80 + 1e-3
        # On the way to one place beside, and most of them there.
        part = flat[:, 0] / beside[0]
        np.testing.assert_allclose(flat, part[:, None] * beside, atol=1e-3)
        assert (part[part > 0] > 0.999).mean() > 0.4
        sides.append(beside[0] > 0)
    assert 0.2 < np.mean(sides) < 0.8


def test_kinds_of_hiding_have_their_probabilities():
    truth = poses(300, 30)[:, :, :, :1].repeat(2, axis=-1)
    rates = dict(occlusion_freeze=0.1, occlusion_limb=0.2, occlusion_other=0.3)
    params = only(occlusion_share=0.2, occlusion_frames=1.0, **rates)
    estimates, _ = simulate(truth, params)
    shift = estimates - truth
    moved = shift.any(axis=-1)
    # Joints lie on the diagonal, somebody beside does not.
    beside = np.abs(shift[..., 0] - shift[..., 1])[moved] > 1e-3
    share = moved.mean() / (0.2 * PARTS.difficulty).mean()
    # Of the others, those that last one frame freeze where they are, those
    # of the middle of the body have no mirrored joint, one in 15 is chosen
    # as its own target.
    assert beside.mean() * share == pytest.approx(0.3, abs=0.03)


def test_scores_may_not_tell_of_hidden_joints():
    truth = poses(100, 40)
    place = only(**ALL_HIDDEN, occlusion_other=1.0)
    seen, low = simulate(truth, place)
    half, mixed = simulate(
        truth, dataclasses.replace(place, occlusion_unseen=0.4)
    )
    none, high = simulate(
        truth, dataclasses.replace(place, occlusion_unseen=1.0)
    )
    np.testing.assert_array_equal(seen, none)
    np.testing.assert_array_equal(seen, half)
    far = np.linalg.norm(seen - truth, axis=-1) > 25
    assert np.median(low[far]) < 0.4
    assert high.min() > 0.999
    assert (mixed[far] > 0.999).mean() == pytest.approx(0.4, abs=0.07)


def test_halves_of_the_body_are_exchanged():
    truth = poses(60, 60)
    params = only(half_swap_share=0.3, half_swap_frames=5.0)
    estimates, scores = simulate(truth, params)
    swapped = (estimates != truth).any(axis=-1)
    np.testing.assert_array_equal(
        estimates[swapped], truth[:, :, PARTS.mirror][swapped]
    )
    upper = swapped[..., [3, 4, 7, 8, 11, 12]]
    lower = swapped[..., [5, 6, 9, 10, 13, 14]]
    for half in (upper, lower):
        assert (half.all(-1) == half.any(-1)).all()
        assert half.mean() == pytest.approx(0.3, abs=0.05)
    assert (upper[..., 0] & ~lower[..., 0]).any()
    assert not swapped[..., :3].any()
    assert scores.min() > 0.999


def test_a_half_exchanged_in_a_swapped_body_is_right_again():
    truth = poses(60, 60)
    estimates, _ = simulate(
        truth, only(half_swap_share=0.5, body_swap_share=0.5)
    )
    swapped = (estimates != truth).any(axis=-1)
    lower, upper = swapped[..., 5], swapped[..., 3]
    # Each for itself: all four combinations are equally frequent.
    for a, b in ((lower, upper), (~lower, upper), (lower, ~upper)):
        assert (a & b).mean() == pytest.approx(0.25, abs=0.05)


def test_nobody_is_found_in_some_frames():
    truth = poses(100, 60)
    params = only(frame_missing_share=0.2, frame_missing_frames=3.0)
    estimates, scores = simulate(truth, params)
    missing = np.isnan(estimates).any(axis=-1)
    assert (missing.all(-1) == missing.any(-1)).all()
    np.testing.assert_array_equal(missing, scores == 0)
    assert missing.mean() == pytest.approx(0.2, abs=0.03)
    begins = missing[:, 1:, 0] & ~missing[:, :-1, 0]
    assert missing.sum() / 15 / begins.sum() == pytest.approx(3, rel=0.2)


def border(truth, size=(90, 70)):
    return ((truth < 0) | (truth > np.float32(size))).any(axis=-1)


def test_joints_outside_are_reported_at_the_border():
    truth = poses(50, 40)
    image = np.float32([90, 70])
    estimates, scores = simulate(
        truth, only(outside_clamp=1.0), image_size=image
    )
    outside = border(truth)
    np.testing.assert_array_equal(estimates, np.clip(truth, 0, image))
    assert scores[~outside].min() > 0.999
    far = np.linalg.norm(estimates - truth, axis=-1)
    assert np.median(scores[far > 20]) < 0.4
    # Half of the joints, throughout their sequences.
    half, _ = simulate(truth, only(outside_clamp=0.5), image_size=image)
    kept = (half == truth).all(axis=-1)
    ever = outside.any(axis=1)
    clamped = (~kept).any(axis=1)
    assert (kept | outside).all()
    assert clamped[ever].mean() == pytest.approx(0.5, abs=0.07)
    assert not ((~kept).any(axis=1) & (kept & outside).any(axis=1)).any()


def test_joints_outside_are_taken_for_others_inside():
    truth = poses(50, 40)
    image = np.float32([90, 70])
    estimates, _ = simulate(truth, only(outside_stray=1.0), image_size=image)
    outside = border(truth)
    np.testing.assert_array_equal(estimates[~outside], truth[~outside])
    assert not border(estimates[outside]).any()
    who, when, _ = np.nonzero(outside)
    others = np.clip(truth[who, when], 0, image)
    same = (others == estimates[outside][:, None]).all(-1)
    assert same.any(axis=1).all()
    assert (estimates[outside] != np.clip(truth, 0, image)[outside]).any()


def test_borders_are_of_pictures_only():
    truth = poses(5, 20)
    params = only(outside_clamp=1.0)
    np.testing.assert_array_equal(simulate(truth, params)[0], truth)
    truth = poses(5, 20, 3)
    found, _ = simulate(truth, params, image_size=np.float32([90, 70]))
    np.testing.assert_array_equal(found, truth)


def test_scores_on_another_scale():
    truth = poses()
    plain = dict(jitter=0.08, missing_share=0.1)
    _, scores = simulate(truth, only(**plain))
    _, scaled = simulate(
        truth,
        only(**plain, score_high=0.9, score_span=0.6, score_power=0.5),
    )
    found = scores > 0
    np.testing.assert_allclose(
        scaled[found], 0.9 - 0.6 * (1 - np.sqrt(scores[found])), rtol=1e-5
    )
    np.testing.assert_array_equal(scaled == 0, ~found)
    _, same = simulate(truth, only(**plain, score_high=0.7, score_span=0.0))
    np.testing.assert_array_equal(same[found], np.float32(0.7))
    # Never 0: that would be missing.
    _, low = simulate(truth, only(**plain, score_high=0.3))
    assert low[found].min() == np.float32(1e-3)


@pytest.mark.parametrize('correlation', [0.0, 0.8])
def test_doubts_of_the_score_last(correlation):
    rng = np.random.default_rng(0)
    error = np.ones((50, 400, 15), np.float32)
    scores = scores_of_errors(rng, error, 0.7, np.float64(correlation))
    doubt = np.log(1 / scores - 1)
    assert doubt.std() == pytest.approx(0.7, rel=0.02)
    lag = np.mean(doubt[1:] * doubt[:-1]) / doubt.var()
    assert lag == pytest.approx(correlation, abs=0.01)
    # The same of an error that stays: joints far outside of the image.
    still = np.float32([200, 200]) + poses(300, 1).repeat(40, axis=1)
    params = only(
        outside_clamp=1.0,
        score_tolerance=1.0,
        score_noise=0.7,
        score_correlation=correlation,
    )
    _, scores = simulate(still, params, image_size=np.float32([90, 70]))
    doubt = np.log(1 / scores - 1)
    doubt -= doubt.mean(axis=1, keepdims=True)
    rest = np.random.default_rng(0).standard_normal((9000, 40))
    for i in range(1, 40):
        rest[:, i] = correlation * rest[:, i - 1] + rest[:, i] * np.sqrt(
            1 - correlation**2
        )
    rest -= rest.mean(axis=1, keepdims=True)
    # Less than the correlation: forty frames do not tell the mean.
    expected = np.mean(rest[:, 1:] * rest[:, :-1]) / rest.var()
    lag = np.mean(doubt[:, 1:] * doubt[:, :-1]) / doubt.var()
    assert lag == pytest.approx(expected, abs=0.02)


def test_faces_are_told_more_exactly_than_limbs_in_pictures():
    names = ('nose', 'left_eye', 'left_ear', 'left_hip', 'left_wrist')
    face = keypoint_parts(names, 2).difficulty
    assert face[:3].max() < face[3] < face[4]


@pytest.mark.parametrize(
    ('kwargs', 'message'),
    [
        (
            dict(occlusion_freeze=0.6, occlusion_other=0.5),
            r'occlusion_freeze \+ occlusion_limb \+ occlusion_other: '
            'expected at most 1, found 1.1',
        ),
        (dict(outside_clamp=1.5), 'expected at most 1, found 1.5'),
        (dict(score_high=0.0), 'score_high: expected > 0'),
        (dict(score_high=1.2), 'score_high: expected at most 1'),
        (dict(score_power=0.0), 'score_power: expected > 0'),
        (dict(half_swap_share=1.0), r'half_swap_share: expected in \[0, 1\)'),
    ],
)
def test_bad_amounts(kwargs, message):
    with pytest.raises(ValueError, match=message):
        EstimatorNoise(**kwargs)
