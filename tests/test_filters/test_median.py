# Copyright (c) hanet_mm contributors. All rights reserved.
"""The median filter against its definition."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hanet_mm.filters import MedianFilter

K, D = 3, 2


def make_poses(frames, seed=0):
    rng = np.random.default_rng(seed)
    return rng.normal(0, 5, (frames, K, D)).astype(np.float32)


def smooth(window, poses):
    return MedianFilter(window).refine(poses).keypoints


@pytest.mark.parametrize('window', [1, 3, 9])
@pytest.mark.parametrize('frames', [1, 2, 7, 30])
def test_is_the_median_of_a_window_with_repeated_ends(window, frames):
    poses, half = make_poses(frames), window // 2
    expected = np.empty_like(poses)
    for frame in range(frames):
        around = range(frame - half, frame + half + 1)
        around = [min(max(i, 0), frames - 1) for i in around]
        expected[frame] = np.median(poses[around], axis=0)
    np.testing.assert_array_equal(smooth(window, poses), expected)


@settings(deadline=None, max_examples=20)
@given(frames=st.integers(1, 40), half=st.integers(0, 9))
def test_what_only_rises_is_kept(frames, half):
    poses = make_poses(frames).cumsum(0)
    rising = np.maximum.accumulate(poses, axis=0)
    np.testing.assert_array_equal(smooth(2 * half + 1, rising), rising)
    np.testing.assert_array_equal(smooth(2 * half + 1, -rising), -rising)


def test_an_outlier_leaves_no_trace_before_it_fills_half_the_window():
    poses = np.repeat(make_poses(1), 30, axis=0)
    for frames, kept in ((3, True), (4, False)):
        spoilt = poses.copy()
        spoilt[10 : 10 + frames] += 50
        found = smooth(7, spoilt)
        assert np.array_equal(found, poses) == kept


@settings(deadline=None, max_examples=20)
@given(frames=st.integers(1, 40))
def test_does_not_know_the_arrow_of_time_nor_of_space(frames):
    poses = make_poses(frames)
    there = smooth(5, poses)
    np.testing.assert_array_equal(smooth(5, poses[::-1])[::-1], there)
    np.testing.assert_array_equal(smooth(5, -poses), -there)
