# Copyright (c) hanet_mm contributors. All rights reserved.
"""Filling of missing keypoints."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hanet_mm.core.data.gaps import fill_missing, missing_keypoints


def test_what_is_missing():
    keypoints = np.zeros((1, 4, 2))
    keypoints[0, 1, 1] = np.nan
    scores = np.array([[1, 1, 0, np.nan]])
    missing = missing_keypoints(keypoints, scores)
    assert missing.tolist() == [[False, True, True, True]]


@settings(max_examples=50, deadline=None)
@given(
    st.lists(st.integers(1, 12), min_size=1, max_size=4),
    st.integers(0, 9999),
    st.floats(0.1, 0.8),
)
def test_is_the_interpolation_of_numpy(lengths, seed, share):
    rng = np.random.default_rng(seed)
    total = sum(lengths)
    keypoints = rng.normal(size=(total, 3, 2))
    missing = rng.random((total, 3)) < share
    starts = np.cumsum(lengths) - lengths
    missing[starts] = False  # every keypoint is seen somewhere
    given = np.where(missing[..., None], np.nan, keypoints)
    filled = fill_missing(given, missing, np.array(lengths))
    for start, length in zip(starts, lengths):
        frames = np.arange(start, start + length)
        for k in range(3):
            seen = frames[~missing[frames, k]]
            for d in range(2):
                expected = np.interp(frames, seen, keypoints[seen, k, d])
                np.testing.assert_allclose(
                    filled[frames, k, d], expected, atol=1e-12
                )


def test_nothing_comes_from_another_sequence():
    keypoints = np.array([1.0, np.nan, np.nan, 9.0]).reshape(4, 1, 1)
    missing = np.isnan(keypoints)[..., 0]
    filled = fill_missing(keypoints, missing, np.array([2, 2]))
    assert filled.ravel().tolist() == [1, 1, 9, 9]


def test_a_keypoint_never_seen_is_fill_with_mean_the_others():
    keypoints = np.array([[[0, 0], [4, 2], [7, 7]]] * 2, dtype=np.float32)
    missing = np.zeros((2, 3), dtype=bool)
    missing[:, 2] = True
    filled = fill_missing(keypoints, missing, np.array([2]))
    assert filled[:, 2].tolist() == [[2, 1], [2, 1]]
    assert filled.dtype == np.float32


def test_filling_twice_changes_nothing():
    rng = np.random.default_rng(0)
    keypoints = rng.normal(size=(20, 3, 2))
    missing = rng.random((20, 3)) < 0.5
    once = fill_missing(keypoints, missing, np.array([20]))
    twice = fill_missing(once, missing, np.array([20]))
    np.testing.assert_allclose(once, twice)


def test_input_is_not_written_to():
    keypoints = np.full((3, 1, 1), 5.0)
    keypoints[1] = np.nan
    before = keypoints.copy()
    fill_missing(keypoints, np.isnan(keypoints)[..., 0], np.array([3]))
    np.testing.assert_array_equal(keypoints, before)


def test_a_sequence_without_any_keypoint_is_named():
    missing = np.zeros((5, 2), dtype=bool)
    missing[3:] = True
    with pytest.raises(ValueError, match='sequence 1 has no keypoint'):
        fill_missing(np.zeros((5, 2, 2)), missing, np.array([3, 2]))
