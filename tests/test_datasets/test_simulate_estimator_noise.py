# Copyright (c) hanet_mm contributors. All rights reserved.
"""Simulated estimator errors, kind by kind."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from noise_cases import NOTHING, poses
from scipy.signal import lfilter
from scipy.stats import spearmanr

from hanet_mm.datasets.simulation import (
    JHMDB_KEYPOINT_NAMES,
    EstimatorNoise,
    simulate_estimator_noise,
)
from hanet_mm.datasets.simulation.signals import bursts, correlated_noise

pytestmark = pytest.mark.mm


# Right and left joints of JHMDB-15 stand side by side from number 3 on.
FLIP = np.array([0, 1, 2, 4, 3, 6, 5, 8, 7, 10, 9, 12, 11, 14, 13])


def only(**kwargs):
    return EstimatorNoise(**{**NOTHING, **kwargs})


def simulate(truth, params=None, size=100.0, seed=0, **kwargs):
    rng = np.random.default_rng(seed)
    return simulate_estimator_noise(truth, size, rng, params, **kwargs)


def runs(mask):
    """Lengths of the runs of True along the first axis of (T,)."""
    edges = np.flatnonzero(np.diff(np.r_[0, mask.astype(int), 0]))
    return edges[1::2] - edges[::2]


def test_no_errors_no_change():
    truth = poses()
    estimates, scores = simulate(truth, only())
    np.testing.assert_array_equal(estimates, truth)
    assert scores.min() > 0.999


@pytest.mark.parametrize('correlation', [0.0, 0.5, 0.9, 0.99])
def test_correlated_noise_is_a_first_order_recursion(correlation):
    # Drawn frame by frame.
    white = np.random.default_rng(3).standard_normal(
        (200, 4, 3), dtype=np.float32
    )
    white = white.swapaxes(0, 1)
    found = correlated_noise(
        np.random.default_rng(3), (4, 200, 3), correlation
    )
    white[:, 1:] *= np.sqrt(1 - correlation**2)
    expected = lfilter([1], [1, -correlation], white, axis=1)
    np.testing.assert_allclose(found, expected, atol=2e-5)


@pytest.mark.parametrize('correlation', [0.0, 0.5, 0.85])
def test_jitter_has_its_size_and_correlation(correlation):
    truth = poses(200, 50)
    params = only(
        jitter=0.03, jitter_spread=0.0, jitter_correlation=correlation
    )
    error = simulate(truth, params)[0] - truth
    # Same at the first frame as at the last, and between neighbours.
    deviation = error.std(axis=(0, 3))
    np.testing.assert_allclose(deviation[0], deviation[-1], rtol=0.25)
    lag = np.sum(error[:, 1:] * error[:, :-1]) / np.sqrt(
        np.sum(error[:, 1:] ** 2) * np.sum(error[:, :-1] ** 2)
    )
    assert lag == pytest.approx(correlation, abs=0.02)
    # 3 % of the size, times the joint's difficulty; ends of limbs are worse.
    joint = dict(zip(JHMDB_KEYPOINT_NAMES, deviation.mean(axis=0)))
    assert 3 * 0.7 < np.mean(list(joint.values())) < 3 * 1.5
    assert joint['left_wrist'] > joint['left_elbow'] > joint['left_shoulder']
    assert joint['right_ankle'] > joint['right_knee'] > joint['right_hip']


def test_joints_of_a_sequence_differ_in_quality():
    truth = poses(400, 50)
    spread = []
    for sigma in (0.0, 0.5):
        params = only(jitter=0.03, jitter_spread=sigma, jitter_correlation=0.0)
        error = simulate(truth, params)[0] - truth
        spread.append(np.log(error.std(axis=(1, 3))).std(axis=0).mean())
    # 100 samples leave 1 / sqrt(2 * 100) by chance.
    assert spread[0] == pytest.approx(0.07, abs=0.02)
    assert spread[1] == pytest.approx(np.hypot(0.5, 0.07), rel=0.1)


@settings(max_examples=15, deadline=None)
@given(st.floats(0.0, 0.9), st.floats(1.0, 10.0), st.integers(0, 1000))
def test_bursts_cover_their_share_in_every_frame(share, frames, seed):
    rng = np.random.default_rng(seed)
    active, onset, until = bursts(rng, (500, 25, 20), share, frames)
    # 10000 draws: 5 standard deviations are below 0.025.
    np.testing.assert_allclose(active.mean(axis=(0, 2)), share, atol=0.025)
    # From the onset on without a gap until the end, and no further.
    frame = np.arange(25)[:, None]
    assert ((onset <= frame) & (until > frame))[active].all()
    who, when, which = np.nonzero(active)
    begin, end = onset[who, when, which], until[who, when, which]
    ended = end < 25
    assert not active[who[ended], end[ended], which[ended]].any()
    late = begin > 0
    assert not active[who[late], begin[late] - 1, which[late]].any()
    total = np.concatenate([np.zeros((500, 1, 20)), active.cumsum(1)], axis=1)
    inside = total[who, np.minimum(end, 25), which] - total[who, begin, which]
    np.testing.assert_array_equal(inside, np.minimum(end, 25) - begin)


@pytest.mark.parametrize('frames', [1.0, 4.0, 9.0])
def test_rare_bursts_last_as_long_as_asked(frames):
    rng = np.random.default_rng(0)
    active, *_ = bursts(rng, (1, 20000, 50), 0.02, frames)
    lasting = np.concatenate([runs(mask) for mask in active[0].T])
    assert lasting.mean() == pytest.approx(frames, rel=0.06)


def test_whole_body_swaps_exchange_left_and_right():
    truth = poses()
    params = only(body_swap_share=0.3, body_swap_frames=5.0)
    estimates, scores = simulate(truth, params)
    same = (estimates == truth).all(axis=(2, 3))
    swapped = (estimates == truth[:, :, FLIP]).all(axis=(2, 3))
    assert (same ^ swapped).all()
    assert swapped.mean() == pytest.approx(0.3, abs=0.08)
    lasting = np.concatenate([runs(mask) for mask in swapped])
    assert 3.5 < lasting.mean() < 8
    # An estimator that confuses sides is sure of itself.
    assert scores.min() > 0.999


def test_limb_swaps_exchange_an_arm_or_a_leg():
    truth = poses()
    estimates, _ = simulate(truth, only(limb_swap_share=0.3))
    swapped = (estimates != truth).any(axis=-1)
    np.testing.assert_array_equal(
        estimates[swapped], truth[:, :, FLIP][swapped]
    )
    assert not swapped[..., :7].any()
    for upper, lower in ((7, 11), (9, 13)):
        limb = swapped[..., [upper, upper + 1, lower, lower + 1]]
        assert (limb.all(-1) == limb.any(-1)).all()
        assert limb.mean() == pytest.approx(0.3, abs=0.08)


def test_a_limb_swapped_in_a_swapped_body_is_right_again():
    truth = poses()
    estimates, _ = simulate(
        truth, only(limb_swap_share=0.5, body_swap_share=0.5)
    )
    swapped = (estimates != truth).any(axis=-1)
    assert (swapped[..., 3] & ~swapped[..., 11]).any()
    # Each estimate is used exactly once: a permutation.
    np.testing.assert_array_equal(
        np.sort(estimates, axis=2), np.sort(truth, axis=2)
    )


def test_swaps_take_the_scores_along():
    truth = poses()
    params = dict(jitter=0.05, jitter_correlation=0.5)
    _, before = simulate(truth, only(**params))
    _, after = simulate(truth, only(body_swap_share=0.9, **params))
    moved = (after != before).any(axis=-1)
    np.testing.assert_array_equal(after[moved], before[moved][:, FLIP])
    assert moved.mean() > 0.5


def test_missing_joints_are_nan_with_score_zero():
    truth = poses()
    estimates, scores = simulate(
        truth, only(missing_share=0.2, missing_frames=4.0)
    )
    missing = np.isnan(estimates).any(axis=-1)
    np.testing.assert_array_equal(missing, np.isnan(estimates).all(axis=-1))
    np.testing.assert_array_equal(missing, scores == 0)
    np.testing.assert_array_equal(estimates[~missing], truth[~missing])
    assert missing.mean() == pytest.approx(0.2, abs=0.03)
    columns = missing.transpose(0, 2, 1).reshape(-1, 60)
    assert 3 < np.concatenate([runs(mask) for mask in columns]).mean() < 6


def test_unknown_truth_is_missing():
    truth = poses(1, 5)
    truth[0, 2, 7, 0] = np.nan
    estimates, scores = simulate(truth)
    assert np.isnan(estimates[0, 2, 7]).all()
    assert scores[0, 2, 7] == 0


def test_frozen_joints_stay_where_they_were():
    truth = poses(30, 60)
    params = only(
        occlusion_share=0.1, occlusion_frames=15.0, occlusion_freeze=1.0
    )
    estimates, _ = simulate(truth, params)
    hidden = (estimates != truth).any(axis=-1)
    still = (np.diff(estimates, axis=1) == 0).all(axis=-1)
    # The truth always moves; only a hidden joint can stand still.
    assert not (np.diff(truth, axis=1) == 0).all(axis=-1).any()
    assert hidden[:, 1:][still].all()
    assert still.sum() > 0.4 * hidden.sum()


def test_drifting_joints_move_towards_their_mirror_image():
    truth = poses(30, 60)
    params = only(occlusion_share=0.2, occlusion_freeze=0.0)
    estimates, _ = simulate(truth, params)
    assert not (estimates != truth)[..., :3, :].any()
    moved = (estimates != truth).any(axis=-1)
    way = (truth[:, :, FLIP] - truth)[moved].astype(np.float64)
    shift = (estimates - truth)[moved].astype(np.float64)
    part = np.sum(shift * way, -1) / np.sum(way**2, -1)
    np.testing.assert_allclose(shift, part[:, None] * way, atol=1e-3)
    assert part.min() > 0
    assert part.max() <= 1.0001


def test_outliers_are_single_and_far():
    truth = poses()
    estimates, scores = simulate(
        truth, only(outlier_share=0.03, outlier_std=0.4)
    )
    out = (estimates != truth).any(axis=-1)
    assert out.mean() == pytest.approx(0.03, abs=0.005)
    deviation = (estimates - truth)[out].std()
    assert deviation == pytest.approx(0.4 * 100, rel=0.1)
    assert np.median(scores[out]) < 0.4


def test_scores_fall_with_the_error():
    truth = poses(100)
    params = only(jitter=0.08, score_noise=0.0)
    estimates, scores = simulate(truth, params)
    error = np.linalg.norm(estimates - truth, axis=-1)
    above = scores > 1e-3
    assert spearmanr(error[above], scores[above])[0] < -0.9999
    # One half at an error as large as the tolerance (13 of 100).
    near = np.abs(error - 13) < 0.1
    np.testing.assert_allclose(scores[near], 0.5, atol=0.01)
    # By default the tie is looser, but there.
    estimates, scores = simulate(truth)
    error = np.linalg.norm(estimates - truth, axis=-1)
    found = scores > 0
    assert -0.9 < spearmanr(error[found], scores[found])[0] < -0.4
    assert (scores >= 0).all()
    assert (scores <= 1).all()


@settings(max_examples=25, deadline=None)
@given(st.floats(0.01, 50.0), st.integers(0, 10**6), st.sampled_from([2, 3]))
def test_errors_scale_with_the_person(scale, seed, dims):
    truth = poses(3, 20, dims)
    one, scores = simulate(truth, size=80.0, seed=seed)
    other, same = simulate(truth * scale, size=80.0 * scale, seed=seed)
    np.testing.assert_allclose(other / scale, one, rtol=1e-3, atol=1e-3)
    np.testing.assert_allclose(same, scores, atol=1e-4)


@settings(max_examples=25, deadline=None)
@given(st.floats(-500, 500), st.integers(0, 10**6))
def test_errors_do_not_depend_on_the_place(offset, seed):
    truth = poses(3, 20)
    one, scores = simulate(truth, seed=seed)
    other, same = simulate(truth + np.float32(offset), seed=seed)
    np.testing.assert_allclose(other - offset, one, atol=2e-3)
    np.testing.assert_allclose(same, scores, atol=1e-3)


def test_one_sequence_or_a_batch_of_one():
    truth = poses(1, 30)
    size = np.linspace(50, 90, 30)
    batch = simulate(truth, size=size[None])
    single = simulate(truth[0], size=size)
    for a, b in zip(batch, single):
        np.testing.assert_array_equal(a[0], b)


def test_other_skeletons_by_name():
    names = ('nose', 'left_eye', 'left_wrist', 'right_wrist')
    truth = poses(5, 40)[:, :, :4]
    estimates, _ = simulate(
        truth, only(body_swap_share=0.5), keypoint_names=names
    )
    # An eye without its pair has nothing to be swapped with.
    np.testing.assert_array_equal(estimates[:, :, :2], truth[:, :, :2])
    swapped = (estimates == truth[:, :, [0, 1, 3, 2]]).all(axis=(2, 3))
    assert 0.2 < swapped.mean() < 0.8


@pytest.mark.parametrize(
    ('shape', 'size', 'message'),
    [
        ((5, 15, 4), 9.0, r'keypoints: .*found \(5, 15, 4\)'),
        ((15, 2), 9.0, r'keypoints: .*found \(15, 2\)'),
        ((0, 15, 2), 9.0, r'keypoints: expected at least 1 frame'),
        ((5, 14, 2), 9.0, r'keypoints: expected 15 .*found 14'),
        ((5, 15, 2), 0.0, r'size: expected > 0, found 0'),
        ((5, 15, 2), np.ones(4), r'size: .*\(5,\), found \(4,\)'),
    ],
)
def test_bad_input(shape, size, message):
    with pytest.raises(ValueError, match=message):
        simulate(np.zeros(shape), size=size)


@pytest.mark.parametrize(
    ('kwargs', 'message'),
    [
        (dict(jitter=-0.1), 'jitter: expected >= 0, found -0.1'),
        (dict(jitter_correlation=1.0), r'expected in \[0, 1\), found 1.0'),
        (dict(missing_share=1.0), r'missing_share: expected in \[0, 1\)'),
        (dict(body_swap_frames=0.5), 'body_swap_frames: expected >= 1'),
        (dict(outlier_std=float('nan')), 'outlier_std: .*found nan'),
        (dict(score_tolerance=0.0), 'score_tolerance: expected > 0'),
    ],
)
def test_bad_parameters(kwargs, message):
    with pytest.raises(ValueError, match=message):
        EstimatorNoise(**kwargs)
