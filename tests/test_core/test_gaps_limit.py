# Copyright (c) hanet_mm contributors. All rights reserved.
"""max_gap: what is filled and what is left empty."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from small_refiners import K, make_poses, make_refiner

from hanet_mm.core.data.gaps import long_gaps


def long_by_hand(column, max_gap):
    """Runs of True longer than max_gap, all if there is nothing else."""
    text = ''.join('x' if x else '.' for x in column)
    if '.' not in text:
        return [True] * len(text)
    return [
        flag
        for run in text.replace('x.', 'x .').replace('.x', '. x').split()
        for flag in [run[0] == 'x' and len(run) > max_gap] * len(run)
    ]


@settings(deadline=None)
@given(
    st.lists(st.booleans(), min_size=1, max_size=30),
    st.integers(0, 6),
)
def test_runs_longer_than_the_limit(column, max_gap):
    found = long_gaps(np.array(column)[:, None], max_gap)[:, 0]
    assert found.tolist() == long_by_hand(column, max_gap)


def test_a_gap_may_begin_before_the_frames():
    missing = np.array([[True, True, True], [False, False, True]])
    since, seen_before = np.array([2, 3, 0]), np.array([True, True, True])
    # Gaps of 3, 4 and 2 frames, the last one open.
    found = long_gaps(missing, 3, since, seen_before)
    assert found.tolist() == [[False, True, False], [False, False, False]]


def test_no_limit_leaves_nothing_empty():
    assert not long_gaps(np.ones((9, 2), bool), None).any()


def gappy_poses():
    poses = make_poses(20)
    missing = np.zeros((20, K), bool)
    missing[:2, 0] = True  # at the start, short
    missing[5:9, 0] = True  # in the middle, long
    missing[:4, 1] = True  # at the start, long
    missing[10:13, 1] = True  # as long as allowed
    missing[16:, 2] = True  # at the end, long
    missing[17:, 3] = True  # at the end, as long as allowed
    poses[missing] = np.nan
    empty = np.zeros_like(missing)
    empty[5:9, 0] = empty[:4, 1] = empty[16:, 2] = True
    return poses, missing, empty


@pytest.mark.parametrize('normalization', ['none', 'box'])
def test_long_gaps_stay_empty_and_the_rest_is_as_without_limit(normalization):
    refiner = make_refiner(normalization)
    poses, missing, empty = gappy_poses()
    everything = refiner.refine(poses)
    limited = refiner.refine(poses, max_gap=3)
    np.testing.assert_array_equal(
        np.isnan(limited.keypoints), np.repeat(empty[..., None], 2, -1)
    )
    np.testing.assert_array_equal(limited.filled, missing & ~empty)
    np.testing.assert_array_equal(
        limited.keypoints[~empty], everything.keypoints[~empty]
    )
    np.testing.assert_array_equal(everything.filled, missing)


def test_zero_fills_nothing():
    poses, missing, _ = gappy_poses()
    result = make_refiner().refine(poses, max_gap=0)
    np.testing.assert_array_equal(np.isnan(result.keypoints[..., 0]), missing)
    assert not result.filled.any()


def test_a_joint_never_seen_is_not_invented():
    poses = make_poses(3)
    poses[:, 1] = np.nan
    refiner = make_refiner()
    assert refiner.refine(poses).filled[:, 1].all()
    result = refiner.refine(poses, max_gap=100)
    assert np.isnan(result.keypoints[:, 1]).all()
    assert not result.filled.any()
    assert np.isfinite(result.keypoints[:, [0, 2, 3]]).all()


def test_several_sequences_and_tensors():
    poses, missing, empty = gappy_poses()
    first, second = make_refiner().refine(
        [torch.from_numpy(poses), torch.from_numpy(make_poses(6))], max_gap=3
    )
    np.testing.assert_array_equal(
        first.keypoints.isnan().all(-1).numpy(), empty
    )
    np.testing.assert_array_equal(first.filled.numpy(), missing & ~empty)
    assert not second.filled.any()
    assert second.keypoints.isfinite().all()


@pytest.mark.parametrize('shape', [(20, K, 3), (20, 3 * K)])
def test_rotations_as_axis_angle(shape):
    refiner = make_refiner('rot6d', coords=6)
    vectors = np.random.default_rng(0).normal(0, 1, (20, K, 3))
    vectors[4:9, 2] = np.nan
    result = refiner.refine(vectors.reshape(shape), max_gap=4)
    empty = np.isnan(result.keypoints.reshape(20, K, 3))
    expected = np.zeros((20, K, 3), bool)
    expected[4:9, 2] = True
    np.testing.assert_array_equal(empty, expected)


@pytest.mark.parametrize('max_gap', [-1, 1.5, True, '3'])
def test_a_limit_that_is_no_number_of_frames(max_gap):
    with pytest.raises(ValueError, match='max_gap: expected None or a numb'):
        make_refiner().refine(make_poses(5), max_gap=max_gap)
