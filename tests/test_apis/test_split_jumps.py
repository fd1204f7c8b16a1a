# Copyright (c) hanet_mm contributors. All rights reserved.
"""Where a track is torn."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hanet_mm.apis.tracking import split_jumps

BODY = np.array([[0, 0], [0, 10], [4, 5], [3, 2], [1, 7.0]])  # 10 tall


def moved(*places):
    """The body at places along x, NaN: not there."""
    return np.stack([BODY + [x, 0] for x in places])


def test_more_than_a_body_in_one_frame_is_a_jump():
    assert split_jumps(moved(0, 9.9, 19.8)).tolist() == [0, 0, 0]
    assert split_jumps(moved(0, 10.1, 20.2)).tolist() == [0, 1, 2]
    track = moved(0, 6, 12)
    assert split_jumps(track, max_jump=0.5).tolist() == [0, 1, 2]


def test_a_gap_allows_more():
    nan = np.nan
    assert split_jumps(moved(nan, 0, nan, nan, 29)).max() == 0
    track = moved(nan, 0, nan, nan, 31)
    assert split_jumps(track).tolist() == [0, 0, 0, 0, 1]


def test_the_box_gives_the_size():
    boxes = [[0, 0, 40, 20.0]] * 2
    assert split_jumps(moved(0, 39), bboxes=boxes).tolist() == [0, 0]
    assert split_jumps(moved(0, 41), bboxes=boxes).tolist() == [0, 1]
    boxes[1] = [np.nan] * 4  # the keypoints' own, the first is larger
    assert split_jumps(moved(0, 39), bboxes=boxes).tolist() == [0, 0]


def test_the_median_of_what_was_seen_twice_counts():
    track = moved(0, 1)
    track[1, :2] += 100
    assert split_jumps(track).tolist() == [0, 0]
    track[1, 2] += 100
    boxes = np.array([[0, 0, 5, 10.0]] * 2)
    assert split_jumps(track, bboxes=boxes).tolist() == [0, 1]
    scores = np.ones((2, 5))
    scores[1, :2] = 0.2
    assert split_jumps(track, scores, boxes).tolist() == [0, 0]
    assert split_jumps(track, scores, boxes, keypoint_thr=0.1).max() == 1


def test_without_common_keypoints_the_box_counts():
    track = moved(0, 5, 40)
    track[::2, :2] = np.nan
    track[1, 2:] = np.nan
    assert split_jumps(track).tolist() == [0, 0, 1]


def test_nobody_at_all():
    assert split_jumps(np.full((3, 5, 2), np.nan)).tolist() == [0, 0, 0]
    assert split_jumps(np.zeros((0, 5, 2))).shape == (0,)


@settings(max_examples=40, deadline=None)
@given(seed=st.integers(0, 10**6), dims=st.sampled_from([2, 3]))
def test_against_plain_loops(seed, dims):
    rng = np.random.default_rng(seed)
    track = rng.normal(0, 1, (30, 6, dims))
    track[:, :, 0] += rng.choice([0, 0, 0, 4], 30).cumsum()[:, None]
    track[rng.random((30, 6)) < 0.3] = np.nan
    track[rng.random(30) < 0.2] = np.nan

    expected, last, segment = [], None, 0
    for frame, pose in enumerate(track):
        if not np.isnan(pose).all():
            if last is not None:
                before = track[last]
                size = max(
                    (np.nanmax(x, 0) - np.nanmin(x, 0)).max()
                    for x in (before, pose)
                )
                move = np.linalg.norm(pose - before, axis=1)
                if np.isnan(move).all():
                    middles = [
                        (np.nanmax(x, 0) + np.nanmin(x, 0)) / 2
                        for x in (before, pose)
                    ]
                    move = np.linalg.norm(middles[1] - middles[0])
                allowed = frame - last
                segment += bool(np.nanmedian(move) > size * allowed)
            last = frame
        expected.append(segment)
    assert split_jumps(track).tolist() == expected


def test_shapes_are_checked():
    with pytest.raises(ValueError, match=r'\(T, K, D\), got \(5, 2\)'):
        split_jumps(BODY)
    with pytest.raises(ValueError, match=r'keypoint_scores .*\(2, 5\)'):
        split_jumps(moved(0, 1), np.ones(2))
    with pytest.raises(ValueError, match=r'bboxes .*\(2, 4\)'):
        split_jumps(moved(0, 1), bboxes=np.zeros((3, 4)))
