# Copyright (c) hanet_mm contributors. All rights reserved.
"""Where a track is torn."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hanet_mm.apis.tracking import split_jumps
from hanet_mm.apis.video.jumps import split_cuts

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


STEPS = np.array([0.3, 0.9, 0.2, 1, 1, 6, 0.8, 1, 0.1, 0.9, 0.4])


def cuts(steps):
    """Frames after a cut, of the body moved by steps along x."""
    parts = split_cuts(moved(0, *np.cumsum(steps)))
    return (np.flatnonzero(np.diff(parts)) + 1).tolist()


def test_a_move_that_stands_out_is_a_cut():
    assert cuts(STEPS) == [6]
    assert cuts(-STEPS) == [6]
    assert cuts(STEPS * 0.8) == []  # 4.8, less than half of 10
    for index in (1, 4, 6, 9):
        steps = STEPS.copy()
        steps[index] = 2  # not four times as far
        assert cuts(steps) == []


def test_both_sides_of_a_cut_are_long_enough():
    for count in (9, 10, 11):
        assert cuts(STEPS[:count]) == ([6] if count > 9 else [])
    for first in (0, 1, 2):
        assert cuts(STEPS[first:]) == ([6 - first] if first < 2 else [])


def test_who_goes_astray_and_comes_back_is_not_cut():
    for frames in (1, 2, 4):
        steps = np.zeros(30)
        steps[10], steps[10 + frames] = 90, -90
        assert cuts(steps) == []
    steps = np.zeros(30)
    steps[10], steps[15] = 90, -90
    assert cuts(steps) == [11, 16]


def test_frames_that_are_repeated_are_not_cut():
    """Ten places, five to a dozen frames each."""
    for count in (5, 9, 12):
        track = moved(*np.repeat(np.arange(10) * 7, count))
        assert split_cuts(track).max() == (9 if count > 10 else 0)


def test_another_size_and_a_mirror_image_are_cuts():
    larger = np.concatenate([moved(*[5] * 9), 3 * moved(*[5] * 9)])
    mirrored = np.concatenate([moved(*[9] * 9), moved(*[9] * 9) * [-1, 1]])
    for track in (larger, mirrored):
        assert np.diff(split_cuts(track)).nonzero()[0].tolist() == [8]


def test_swapped_sides_are_no_cut():
    """Most of the body moves, but not the place that it takes."""
    track = moved(*[0] * 18)
    track[9:] = track[9:, [1, 3, 2, 4, 0]]
    assert np.median(np.linalg.norm(track[9] - track[8], axis=-1)) > 5
    assert split_cuts(track).max() == 0


def test_missing_frames_and_keypoints_make_no_cut():
    track = moved(*[0] * 9, *[np.nan] * 3, *[30] * 9)
    assert split_cuts(track).tolist() == [0] * 12 + [1] * 9
    track = moved(*[0] * 9, *[np.nan] * 9, *[30] * 9)  # 3 in each
    assert split_cuts(track).max() == 0
    track = moved(*[0] * 18)
    track[9:, :2] += 100
    scores = np.ones(track.shape[:2])
    assert split_cuts(track, scores).max() == 0  # of three keypoints none
    scores[9:, 2] = 0
    assert split_cuts(track, scores).max() == 1


@pytest.mark.parametrize('count', [1, 2, 3, 4])
def test_few_keypoints_are_no_body_that_is_cut(count):
    """A point that rests, moves and rests: far in terms of its size."""
    steps = np.zeros(19)
    steps[9] = 20
    track = moved(0, *np.cumsum(steps))[:, :count]
    assert split_cuts(track).max() == (1 if count > 3 else 0)
    track[:, 0] += [0, 0.5]
    assert split_cuts(track).max() == (1 if count > 3 else 0)


@pytest.mark.parametrize('frames', [0, 1, 2, 9])
def test_nobody_is_not_cut(frames):
    for track in (np.full((frames, 5, 2), np.nan), np.zeros((frames, 5, 2))):
        assert split_cuts(track).tolist() == [0] * frames
