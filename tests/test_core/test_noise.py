# Copyright (c) hanet_mm contributors. All rights reserved.
"""Noise is told from motion, and what is clean is left alone."""

import numpy as np
import pytest
from scipy.special import comb

from hanet_mm.core.refine.noise import (
    fast_noise,
    frame_windows,
    largest_near,
    local_quantile,
    typical_noise,
    weight_of_noise,
)
from hanet_mm.core.refine.robust_path import robust_path
from hanet_mm.core.refine.trust import limit_to_noise

FPS = 30.0


def moving(frames, period, size=300.0, joints=5):
    """Joints on circles of up to a sixth of a body of about that size."""
    phase = 2 * np.pi * np.arange(frames)[:, None] / period
    phase = phase + 2 * np.arange(joints)
    circle = np.stack([np.cos(phase), np.sin(phase)], -1)
    radius = size / 6 * np.arange(1, joints + 1)[:, None] / joints
    place = np.stack([np.zeros(joints), np.linspace(0, size, joints)], -1)
    return radius * circle + place


def test_windows_are_those_of_numpy():
    frames = np.arange(7.0 * 3 * 2).reshape(7, 3, 2)
    expected = np.lib.stride_tricks.sliding_window_view(frames, 5, axis=0)
    np.testing.assert_array_equal(frame_windows(frames, 5), expected)


def nothing(poses):
    return np.zeros(poses.shape[:2], bool)


@pytest.mark.parametrize('fps', [30.0, 60.0, 120.0])
def test_white_noise_has_its_own_length(fps):
    noise = np.random.default_rng(0).normal(0, 3.0, (4000, 2, 2))
    fast = fast_noise(noise, nothing(noise), fps)
    rms = np.sqrt(np.nanmean(fast**2, axis=0))
    np.testing.assert_allclose(rms, 3 * np.sqrt(2), rtol=0.05)


@pytest.mark.parametrize('fps', [30.0, 60.0])
@pytest.mark.parametrize('hertz', [1.0, 2.0, 4.0])
def test_motion_is_no_noise(fps, hertz):
    poses = moving(200, fps / hertz)
    fast = fast_noise(poses, nothing(poses), fps)
    # Each difference multiplies a wave by 2 sin(pi f); those of a joint on a
    # circle have a constant length.
    gain = (2 * np.sin(np.pi * hertz / 30)) ** 6
    gain /= np.sqrt(sum(comb(6, k) ** 2 for k in range(7)))
    radius = 50 * np.arange(1, 6) / 5
    middle = fast[20:-20]
    expected = np.broadcast_to(gain * radius, middle.shape)
    np.testing.assert_allclose(middle, expected, rtol=1e-6)
    assert gain < 0.011


def test_differences_with_missing_frames_are_unknown():
    poses = moving(40, 30.0)
    missing = nothing(poses)
    missing[20, 1] = True
    known = np.isfinite(fast_noise(poses, missing, FPS))
    assert not known[:3].any()
    assert not known[-3:].any()
    assert known[3:-3, 0].all()
    np.testing.assert_array_equal(
        np.flatnonzero(~known[3:-3, 1]) + 3, np.arange(17, 24)
    )
    assert not np.isfinite(fast_noise(poses[:6], missing[:6], FPS)).any()


def test_weights_are_the_inverse_of_the_variance():
    fast = np.full((50, 4), np.nan)
    fast[3:-3] = [0.005, 0.01, 0.03, np.nan]
    weights = weight_of_noise(typical_noise(fast, FPS))
    expected = np.broadcast_to([4.0, 1.0, 1.0, 1.0], weights.shape)
    np.testing.assert_allclose(weights, expected)


def test_largest_near_is_of_all_differences_of_a_frame():
    fast = np.zeros((40, 2))
    fast[20, 0] = 7.0
    fast[:, 1] = np.nan
    found = largest_near(fast, FPS)
    np.testing.assert_array_equal(
        np.flatnonzero(found[:, 0]), np.arange(16, 25)
    )
    assert np.isinf(found[:, 1]).all()


def test_local_quantile_is_that_of_the_known_values():
    rng = np.random.default_rng(0)
    values, known = rng.random((20, 3)), rng.random((20, 3)) > 0.3
    found = local_quantile(values, known, 5, 0.75)
    for t in range(20):
        for k in range(3):
            rows = np.arange(max(t - 5, 0), min(t + 6, 20))
            near = np.sort(values[rows[known[rows, k]], k])
            if len(near) > 2:
                place = int(np.round(0.75 * (len(near) - 1)))
                assert found[t, k] == near[place]
    known[2:, 0] = False
    found = local_quantile(values, known, 3, 0.5)
    assert (found[10:, 0] == np.sort(values[:2, 0])[0]).all()


@pytest.mark.parametrize('fps', [30.0, 60.0, 120.0])
@pytest.mark.parametrize('seconds', [1.0, 0.5, 0.25])
def test_without_noise_the_path_is_the_input_however_fast(fps, seconds):
    poses = moving(int(4 * fps), seconds * fps)
    path = robust_path(poses, nothing(poses), fps)
    moved = np.linalg.norm(path.keypoints - poses, axis=-1) / 300
    assert moved.mean() < 0.002
    assert not path.outlier.any()
    found = limit_to_noise(poses + 500, path, nothing(poses), fps=fps)
    moved = np.linalg.norm(found.keypoints - poses, axis=-1) / 300
    assert moved.mean() < 0.005


@pytest.mark.parametrize('noise', [0.25, 0.5, 1.0])
@pytest.mark.parametrize(('period', 'least'), [(15, 0.94), (30, 0.97)])
def test_range_of_fast_motion_is_kept_under_noise(noise, period, least):
    clean = moving(300, period)
    poses = clean + np.random.default_rng(0).normal(0, noise, clean.shape)
    path = robust_path(poses, nothing(poses), FPS).keypoints
    # Half of the amplitude of the wave at this period, free of noise.
    turn = np.exp(-2j * np.pi * np.arange(300) / period)[:, None, None]
    kept = np.abs((turn * path).mean(0)) / np.abs((turn * clean).mean(0))
    assert kept.min() > least
    moved = np.linalg.norm(path - poses, axis=-1) / 300
    assert moved.mean() < 0.004
    assert np.percentile(moved, 95) < 0.015


def test_heavy_noise_is_smoothed_as_before():
    rng = np.random.default_rng(0)
    clean = moving(400, 60.0)
    poses = clean + rng.normal(0, 9.0, clean.shape)
    path = robust_path(poses, nothing(poses), FPS).keypoints
    error = np.sqrt(((path - clean)[20:-20] ** 2).mean())
    # What Whittaker's smoother leaves of white noise at 6 of 30 Hz.
    stiff = (2 * np.sin(np.pi * 0.2)) ** -4
    bend = np.diff(np.eye(101), 2, axis=0)
    row = np.linalg.inv(np.eye(101) + stiff * bend.T @ bend)[50]
    assert error == pytest.approx(9 * np.sqrt((row**2).sum()), rel=0.15)


def test_joints_in_noise_do_not_change_those_without():
    clean = moving(120, 15.0)
    poses = clean.copy()
    poses[:, 2] += np.random.default_rng(0).normal(0, 9, (120, 2))
    path = robust_path(poses, nothing(poses), FPS).keypoints
    moved = np.linalg.norm(path - poses, axis=-1).mean(axis=0) / 300
    assert moved[[0, 1, 3, 4]].max() < 0.001
    assert moved[2] > 0.01


def test_mirrored_poses_have_mirrored_paths():
    rng = np.random.default_rng(0)
    poses = moving(90, 20.0) + rng.normal(0, 2, (90, 5, 2))
    mirror = np.array([-1.0, 1.0])
    path = robust_path(poses, nothing(poses), FPS)
    other = robust_path(mirror * poses, nothing(poses), FPS)
    np.testing.assert_allclose(
        other.keypoints, mirror * path.keypoints, atol=1e-4
    )
