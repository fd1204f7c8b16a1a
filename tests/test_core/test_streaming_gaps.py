# Copyright (c) hanet_mm contributors. All rights reserved.
"""StreamingRefiner where keypoints are missing."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from small_refiners import (
    K,
    T,
    close,
    idle_refiner,
    make_poses,
    make_refiner,
    run_stream,
    stack,
    stack_filled,
)

from hanet_mm import StreamingRefiner

# Missing in runs of up to three frames, seen at least once between them.
RUNS = st.lists(
    st.tuples(st.integers(1, 6), st.integers(1, 3)), min_size=1, max_size=6
)


def mask_of(runs_of_joints, frames, begins_missing):
    missing = np.zeros((frames, K), bool)
    for joint, runs in enumerate(runs_of_joints):
        place = 0
        for seen, gone in runs:
            if place or not begins_missing:
                place += seen
            missing[place : place + gone, joint] = True
            place += gone
            place += place == gone  # seen once after a gap at the start
    missing[-1] = False
    return missing


@settings(deadline=None, max_examples=40)
@given(
    runs=st.lists(RUNS, min_size=K, max_size=K),
    frames=st.integers(8, 30),
    begins_missing=st.booleans(),
    max_gap=st.sampled_from([None, 0, 1, 2, 3]),
)
def test_gaps_that_close_in_time_are_those_of_offline(
    runs, frames, begins_missing, max_gap
):
    missing = mask_of(runs, frames, begins_missing)
    poses = make_poses(frames)
    poses[missing] = np.nan
    refiner = make_refiner()
    expected = refiner.refine(poses, max_gap=max_gap)
    # Windows wait for three frames, the longest gap.
    stream = StreamingRefiner(refiner, T - 1 + 3, max_gap=max_gap)
    results = run_stream(stream, poses)
    np.testing.assert_array_equal(stack_filled(results), expected.filled)
    close(stack(results), expected.keypoints)


def test_gaps_long_before_the_window_are_remembered():
    # Seen in frame 0, again in 20: in between more frames than are kept.
    poses = make_poses(24)
    poses[1:20, 2] = np.nan
    refiner = idle_refiner()
    stream = StreamingRefiner(refiner, lookahead=4)
    results = run_stream(stream, poses)
    filled = np.interp(range(24), [0, 20], poses[[0, 20], 2, 1])
    # A frame comes out of windows that end at the four frames after it;
    # those that end from frame 20 on know where the joint has gone.
    refined = stack(results)[:, 2, 1]
    start = poses[0, 2, 1]
    np.testing.assert_allclose(refined[:16], start, rtol=1e-5)
    for frame in range(16, 20):
        knowing = frame + T - 20
        known = knowing * filled[frame] + (T - knowing) * start
        np.testing.assert_allclose(refined[frame], known / T, rtol=1e-5)
    np.testing.assert_allclose(refined[20:], poses[20:, 2, 1], rtol=1e-5)


def test_an_open_gap_keeps_the_last_place():
    poses = make_poses(8)
    given_poses = poses.copy()
    given_poses[4:7, 1] = np.nan
    results = run_stream(StreamingRefiner(idle_refiner()), given_poses)
    expected = poses.copy()
    expected[4:7, 1] = poses[3, 1]
    close(stack(results), expected)
    assert stack_filled(results)[:, 1].tolist() == [False] * 4 + [True] * 3 + [
        False
    ]
    assert not stack_filled(results)[:, [0, 2, 3]].any()


def test_a_joint_not_seen_yet_is_amid_the_others():
    poses = make_poses(3)
    given_poses = poses.copy()
    given_poses[:2, 3] = np.nan
    results = run_stream(StreamingRefiner(idle_refiner()), given_poses)
    close(stack(results)[:2, 3], poses[:2, :3].mean(1))
    close(stack(results)[2], poses[2])


def test_scores_of_zero_are_missing():
    poses = make_poses(5)
    scores = np.ones((5, K))
    scores[2, 0] = 0
    poses[2, 0] = 1e6
    results = run_stream(StreamingRefiner(idle_refiner()), poses, scores)
    close(stack(results)[2, 0], poses[1, 0])
    assert stack_filled(results).sum() == stack_filled(results)[2, 0] == 1


@pytest.mark.parametrize(('lookahead', 'filled'), [(0, 2), (1, 1), (2, 0)])
def test_a_long_gap_is_left_empty_as_soon_as_it_is_known(lookahead, filled):
    poses = make_poses(12)
    poses[4:9, 1] = np.nan
    stream = StreamingRefiner(idle_refiner(), lookahead, max_gap=2)
    results = run_stream(stream, poses)
    empty = np.isnan(stack(results)).all(-1)
    expected = np.zeros((12, K), bool)
    expected[4 + filled : 9, 1] = True
    np.testing.assert_array_equal(empty, expected)
    # What is neither seen nor empty is flagged.
    flags = np.zeros((12, K), bool)
    flags[4 : 4 + filled, 1] = True
    np.testing.assert_array_equal(stack_filled(results), flags)


def test_a_gap_longer_than_the_buffer_is_still_long_at_its_end():
    poses = make_poses(40)
    poses[3:30, 1] = np.nan
    stream = StreamingRefiner(idle_refiner(), 0, max_gap=20)
    empty = np.isnan(stack(run_stream(stream, poses)))[:, 1, 0]
    assert np.flatnonzero(empty).tolist() == list(range(3 + 20, 30))


def test_nothing_is_known_before_anything_was_seen():
    nothing = np.full((K, 2), np.nan)
    poses = make_poses(4)
    stream = StreamingRefiner(idle_refiner())
    first, second = stream.push(nothing), stream.push(nothing)
    for (frame,) in (first, second):
        assert np.isnan(frame.keypoints).all()
        assert not frame.filled.any()
    (third,) = stream.push(poses[0])
    close(third.keypoints, poses[0])


def test_frames_without_anybody_come_out_each_once():
    nothing = np.full((K, 2), np.nan)
    stream = StreamingRefiner(idle_refiner(), lookahead=2)
    frames = stream.push(make_poses(1)[0])
    for _ in range(50):
        frames += stream.push(nothing)
        for track in stream._tracks.values():
            assert len(track.buffer) <= T
    frames += stream.flush(0)
    kept = [x for x in frames if not np.isnan(x.keypoints).any()]
    # Filled for as long as a window reaches, then the person has ended.
    assert 1 < len(kept) <= T
    assert all(x.filled.all() for x in kept[1:])
    close(kept[-1].keypoints, make_poses(1)[0])
