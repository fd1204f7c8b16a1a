# Copyright (c) hanet_mm contributors. All rights reserved.
"""Corrections are as large as the evidence in a sequence allows."""

import numpy as np
import pytest
from scipy.signal import butter, sosfreqz

from hanet_mm.core.refine import trust
from hanet_mm.core.refine.robust_path import (
    RobustPath,
    robust_path,
    smooth_evenly,
)
from hanet_mm.core.refine.trust import (
    MISSING,
    NOISE,
    OUTLIER,
    SWAPPED,
    believed_scores,
    gap_allowance,
    limit_to_noise,
)

FPS = 30.0


def moving(frames=120, period=30.0, joints=5):
    """Joints on circles of growing radius, 100 units apart, (T, K, 2)."""
    phase = 2 * np.pi * np.arange(frames)[:, None] / period
    phase = phase + np.arange(joints)
    circle = np.stack([np.cos(phase), np.sin(phase)], -1)
    radius = 10.0 * np.arange(joints)[:, None]
    return radius * circle + 100 * np.arange(joints)[:, None]


def nothing(poses):
    return np.zeros(poses.shape[:2], bool)


def test_smoothing_is_the_least_squares_solution():
    values = np.random.default_rng(0).normal(size=(12, 3, 2))
    cutoff = 0.2
    stiff = (2 * np.sin(np.pi * cutoff)) ** -4
    bend = np.diff(np.eye(12), 2, axis=0)
    expected = np.linalg.solve(
        np.eye(12) + stiff * bend.T @ bend, values.reshape(12, -1)
    )
    found = smooth_evenly(values, cutoff)
    np.testing.assert_allclose(found.reshape(12, -1), expected, atol=1e-12)


def test_weights_of_keypoints_are_those_of_the_least_squares():
    rng = np.random.default_rng(0)
    values, weights = rng.normal(size=(12, 2, 3)), rng.uniform(1, 9, (12, 2))
    stiff = (2 * np.sin(np.pi * 0.1)) ** -4
    bend = np.diff(np.eye(12), 2, axis=0)
    found = smooth_evenly(values, 0.1, weights)
    for k in range(2):
        given = np.diag(weights[:, k])
        expected = np.linalg.solve(
            given + stiff * bend.T @ bend, given @ values[:, k]
        )
        np.testing.assert_allclose(found[:, k], expected, atol=1e-12)


@pytest.mark.parametrize('frames', [1, 2, 3, 4, 5])
def test_short_sequences_are_smoothed(frames):
    line = np.arange(frames)[:, None] * [1.0, -2.0] + 3
    np.testing.assert_allclose(smooth_evenly(line, 0.2), line, atol=1e-12)


@pytest.mark.parametrize('cutoff', [0.05, 0.1, 0.2, 0.4])
def test_gain_at_the_cutoff_is_a_half(cutoff):
    wave = np.cos(2 * np.pi * cutoff * np.arange(1000))
    found = smooth_evenly(wave, cutoff)
    np.testing.assert_allclose(found[300:700], wave[300:700] / 2, atol=1e-6)


def test_gain_is_about_that_of_butterworth_both_ways():
    for frequency in (0.02, 0.05, 0.1):
        wave = np.cos(2 * np.pi * frequency * np.arange(2000))
        gain = (smooth_evenly(wave, 0.2) / wave)[1000]
        sections = butter(2, 0.2, output='sos', fs=1.0)
        _, response = sosfreqz(sections, [frequency], fs=1.0)
        assert abs(gain - np.abs(response[0]) ** 2) < 0.04


@pytest.mark.parametrize('fps', [12.0, 30.0, 60.0, 120.0])
def test_steady_and_uniform_motion_are_kept(fps):
    frames = np.arange(80)[:, None, None]
    poses = np.array([[3.0, 7.0], [50.0, 90.0]]) + frames * [1.5, -0.5]
    path = robust_path(poses, nothing(poses), fps)
    np.testing.assert_allclose(path.keypoints, poses, atol=1e-4)
    assert not path.outlier.any()


@pytest.mark.parametrize('fps', [30.0, 60.0, 120.0])
@pytest.mark.parametrize(
    ('seconds', 'least'), [(1.0, 0.999), (0.5, 0.995), (0.25, 0.98)]
)
def test_range_of_clean_motion_is_kept(fps, seconds, least):
    poses = moving(int(6 * fps), seconds * fps)
    path = robust_path(poses, nothing(poses), fps)
    middle = slice(int(fps), -int(fps))
    kept = np.ptp(path.keypoints[middle], axis=0)
    kept = kept[1:] / np.ptp(poses[middle], axis=0)[1:]
    assert kept.min() > least
    assert kept.max() < 1.01


@pytest.mark.parametrize('length', [1, 2, 3])
def test_outliers_are_named_and_do_not_bend_the_path(length):
    clean = moving(120, 60.0)
    poses = clean + np.random.default_rng(0).normal(0, 0.5, clean.shape)
    poses[50 : 50 + length, 3] += 80
    path = robust_path(poses, nothing(poses), FPS)
    assert path.outlier[50 : 50 + length, 3].all()
    error = np.linalg.norm(path.keypoints - clean, axis=-1)
    # Of 113, of which smoothing alone would leave most.
    assert error.max() < 0.2 * 113


def test_noise_is_measured_where_it_is():
    rng = np.random.default_rng(0)
    clean = moving(240, 60.0)
    poses = clean + rng.normal(0, 1, clean.shape)
    poses[120:, 2] += rng.normal(0, 8, (120, 2))
    noise = robust_path(poses, nothing(poses), FPS).noise
    assert np.median(noise[130:, 2]) > 5 * np.median(noise[:110, 2])
    assert np.median(noise[130:, 1]) < 2 * np.median(noise[:110, 1])


def test_path_goes_with_time_place_and_unit():
    rng = np.random.default_rng(0)
    poses = moving() + rng.normal(0, 2, (120, 5, 2))
    poses[40, 2] += 60
    none = nothing(poses)
    path = robust_path(poses, none, FPS)
    backward = robust_path(poses[::-1], none, FPS)
    np.testing.assert_allclose(
        backward.keypoints[::-1], path.keypoints, atol=1e-3
    )
    other = robust_path(0.01 * poses - 3, none, FPS)
    np.testing.assert_allclose(
        100 * (other.keypoints + 3), path.keypoints, atol=1e-3
    )
    np.testing.assert_allclose(100 * other.noise, path.noise, rtol=1e-6)


def test_poses_may_be_limited_in_place():
    rng = np.random.default_rng(0)
    poses = rng.normal(0, 1, (1300, 4, 2)) + 100 * np.arange(4)[:, None]
    none = nothing(poses)
    path = robust_path(poses, none, FPS)
    refined = (path.keypoints + rng.normal(0, 3, poses.shape)).astype('f4')
    wanted = limit_to_noise(refined, path, none)
    error = np.empty(none.shape, np.float32)
    found = limit_to_noise(refined, path, none, out=(refined, error))
    assert found.keypoints is refined
    assert found.expected_error is error
    for name in ('keypoints', 'reason', 'expected_error'):
        np.testing.assert_array_equal(
            getattr(found, name), getattr(wanted, name)
        )


@pytest.mark.parametrize('dims', [2, 3])
def test_no_correction_is_beyond_the_noise(dims):
    rng = np.random.default_rng(0)
    poses = rng.normal(0, 1, (60, 4, dims)) + 100 * np.arange(4)[:, None]
    none = nothing(poses)
    path = robust_path(poses, none, FPS)
    refined = path.keypoints + rng.normal(0, 30, poses.shape)
    found = limit_to_noise(refined, path, none)
    moved = np.linalg.norm(found.keypoints - path.keypoints, axis=-1)
    assert (moved <= found.limit + 1e-4).all()
    np.testing.assert_allclose(
        moved[found.limited], found.limit[found.limited], rtol=1e-3
    )
    assert found.limited.mean() > 0.9
    # Small ones: the part that is taken, whatever the noise.
    refined = path.keypoints + 0.01
    found = limit_to_noise(refined, path, none)
    assert not found.limited.any()
    np.testing.assert_allclose(
        found.keypoints - path.keypoints, 0.004, atol=2e-4
    )


@pytest.mark.parametrize(
    ('noise', 'part', 'most'),
    [(0.01, 0.4, 1.2), (0.025, 0.65, 2.6), (0.05, 0.9, 4.0)],
)
def test_where_the_whole_body_is_noisy_the_network_is_believed_further(
    noise, part, most
):
    poses = moving(60, 60.0)
    none = nothing(poses)
    poses[:, :2] = np.float32([[-300, -300], [700, 700]])  # of size 1000
    path = robust_path(poses, none, FPS)
    path = path._replace(noise=np.full(none.shape, 1000 * noise))
    # One joint alone says nothing of the body.
    path.noise[:, 0] = 5.0
    for length, limited in ((1.0, False), (1e4, True)):
        refined = path.keypoints + np.float32([length, 0.0])
        found = limit_to_noise(refined, path, none)
        moved = np.linalg.norm(found.keypoints - path.keypoints, axis=-1)
        wanted = 1000 * noise * most if limited else part * length
        np.testing.assert_allclose(moved[:, 1:], wanted, rtol=2e-3)
        assert (found.limited == limited).all()
        np.testing.assert_allclose(found.limit[:, 0], 5.0 * most, rtol=1e-3)


def test_expected_error_grows_with_noise_and_with_what_was_not_done():
    poses = moving(60, 60.0)
    none = nothing(poses)
    # Two keypoints far from the others: the box is the same in all frames.
    poses[:, :2] = np.float32([[-300, -300], [700, 700]])
    path = robust_path(poses, none, FPS)
    size = 1000.0

    def expected(noise, way):
        other = path._replace(noise=np.full(none.shape, noise * size))
        refined = path.keypoints + np.float32([way * size, 0])
        return limit_to_noise(refined, other, none).expected_error / size

    # As fitted to annotated recordings: 2.1 % of the body without noise,
    # sqrt(.2 noise) with it, and 1.3 times the way beyond the limit.
    np.testing.assert_allclose(expected(0, 0), 0.0212, rtol=1e-3)
    wanted = np.hypot(0.0212, np.sqrt(0.2 * 0.01))
    np.testing.assert_allclose(expected(0.01, 0), wanted, rtol=1e-3)
    far = np.sqrt(1.7) * (0.1 - 1.2 * 0.01)
    wanted = np.hypot(wanted, far)
    np.testing.assert_allclose(expected(0.01, 0.1), wanted, rtol=1e-3)


def test_clean_motion_is_left_whatever_the_network_says():
    poses = moving(120, 45.0)
    none = nothing(poses)
    path = robust_path(poses, none, FPS)
    found = limit_to_noise(poses + 500, path, none)
    moved = np.linalg.norm(found.keypoints - poses, axis=-1)
    assert moved.mean() < 0.004 * 450
    assert moved.max() < 0.01 * 450


def test_reasons():
    clean = moving(60, 60.0)
    poses = clean + np.random.default_rng(0).normal(0, 0.5, clean.shape)
    missing, swapped = nothing(poses), nothing(poses)
    missing[10:15, 1] = swapped[20:25, 1:3] = swapped[14, 1] = True
    poses[40, 4] += 100
    path = robust_path(poses, missing, FPS)
    reason = limit_to_noise(poses, path, missing, swapped).reason
    assert (reason[10:15, 1] == MISSING).all()
    assert (reason[20:25, 1:3] == SWAPPED).all()
    assert reason[40, 4] == OUTLIER
    assert (reason[0:9, 0] <= OUTLIER).all()
    assert (reason == NOISE).mean() > 0.8
    assert trust.REASONS[OUTLIER] == 'outlier'


def test_gap_allowance_is_what_a_line_misses():
    poses = moving(240, 30.0, 17).astype(np.float32)
    none = nothing(poses)
    path = RobustPath(poses, np.ones(none.shape), none)
    missing = none.copy()
    missing[100:109, 3] = True
    allowance = gap_allowance(path, missing, FPS)
    assert (allowance[~missing] == 0).all()
    # A circle of radius 30 leaves the line over +-g by 30 (1 - cos g w).
    distance = np.array([1, 2, 3, 4, 5, 4, 3, 2, 1])
    line = 30 * (1 - np.cos(2 * np.pi * distance / 30))
    known = 1 - 4 / 17
    np.testing.assert_allclose(allowance[100:109, 3], known * line, rtol=1e-3)


def test_a_frame_without_keypoints_allows_nothing():
    poses = moving(120, 30.0, 17)
    missing = nothing(poses)
    missing[50:60] = True
    path = robust_path(poses, missing, FPS)
    assert not gap_allowance(path, missing, FPS).any()
    missing[:] = False
    missing[50:60, :5] = True  # more than a quarter
    assert not gap_allowance(path, missing, FPS).any()
    missing[:, 0] = True
    assert np.isfinite(gap_allowance(path, missing, FPS)).all()


def test_scores_are_drawn_as_far_as_they_are_not_believed():
    scores = np.array([[0.0, 0.1, 0.8, 1.0]])
    np.testing.assert_allclose(believed_scores(scores, 1.0), scores)
    np.testing.assert_allclose(
        believed_scores(scores, 0.0), [[0, 0.625, 0.8, 0.85]], rtol=1e-6
    )


@pytest.mark.parametrize('frames', [1, 2, 3, 4, 7])
def test_very_short_sequences(frames):
    poses = moving(frames)
    missing = nothing(poses)
    missing[:1, 1] = frames > 1
    path = robust_path(poses, missing, FPS)
    found = limit_to_noise(poses, path, missing)
    assert np.isfinite(found.keypoints).all()
    assert np.abs(found.keypoints - poses).max() < 10
