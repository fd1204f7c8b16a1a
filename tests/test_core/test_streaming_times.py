# Copyright (c) hanet_mm contributors. All rights reserved.
"""Rates and time stamps: streams as offline, whatever the rate."""

import tracemalloc

import numpy as np
import pytest
from small_refiners import (
    T,
    close,
    make_poses,
    make_refiner,
    run_stream,
    stack,
)

from hanet_mm import StreamingRefiner

REFINER = make_refiner()


def even(frames):
    return 7 + np.arange(frames) / 25


def uneven(frames, seed=0):
    rng = np.random.default_rng(seed)
    return np.cumsum(rng.uniform(0.01, 0.06, frames))


def with_pause(times, frame, seconds):
    return times + seconds * (np.arange(len(times)) >= frame)


@pytest.mark.parametrize(
    'times',
    [
        uneven(30),
        with_pause(uneven(30, 1), 12, 0.4),
        with_pause(uneven(30, 2), 1, 0.4),
        with_pause(even(30), 9, 0.5),
        with_pause(uneven(30, 3), 9, 3600),
    ],
)
@pytest.mark.parametrize('scale', [1, 1000])
def test_full_lookahead_is_the_offline_result(times, scale):
    poses = make_poses(30)
    stream = StreamingRefiner(REFINER, lookahead=100)
    frames = run_stream(stream, poses, timestamps=scale * times)
    expected = REFINER.refine(poses, timestamps=times).keypoints
    close(stack(frames), expected, 1e-5)
    assert np.abs(expected - REFINER.refine(poses).keypoints).max() > 1


@pytest.mark.parametrize('pause', [0.5, 3600])
def test_even_times_with_a_pause_need_no_more_than_a_window(pause):
    poses, times = make_poses(30), with_pause(even(30), 12, pause)
    stream = StreamingRefiner(REFINER, lookahead=T - 1)
    frames = run_stream(stream, poses, timestamps=times)
    expected = REFINER.refine(poses, timestamps=times).keypoints
    close(stack(frames), expected, 1e-5)


@pytest.mark.parametrize('lookahead', [0, 1, 3])
def test_frames_wait_for_the_lookahead_alone(lookahead):
    stream = StreamingRefiner(REFINER, lookahead=lookahead)
    for t, (pose, time) in enumerate(zip(make_poses(20), even(20))):
        found = [x.index for x in stream.push(pose, timestamp=time)]
        assert found == [t - lookahead][: t + 1 - lookahead]
    assert len(stream.flush(0)) == lookahead


def test_persons_have_rates_of_their_own():
    poses = make_poses(24)
    stream = StreamingRefiner(REFINER, lookahead=T - 1)
    found = {'fast': [], 'slow': []}
    for t, pose in enumerate(poses):
        people = {'fast': (pose, None)}
        if t % 3 == 0:
            people['slow'] = (pose, None)
        for who, (points, _) in people.items():
            index = t if who == 'fast' else t // 3
            found[who] += stream.push(points, None, t / 30, who, index)
    for who, frames in stream.flush().items():
        found[who] += frames
    close(stack(found['fast']), REFINER.refine(poses).keypoints)
    close(stack(found['slow']), REFINER.refine(poses[::3]).keypoints)


@pytest.mark.parametrize('end', ['flush', 'reset'])
def test_who_begins_anew_has_another_rate(end):
    poses = make_poses(20)
    stream = StreamingRefiner(REFINER, lookahead=T - 1)
    for pose, time in zip(poses, even(20)):
        stream.push(pose, timestamp=time)
    getattr(stream, end)(0)
    assert stream.track_ids == []
    frames = run_stream(stream, poses, timestamps=100 * even(20))
    close(stack(frames), REFINER.refine(poses).keypoints)


def test_a_refused_push_changes_nothing_while_the_rate_is_unknown():
    poses, times = make_poses(20), uneven(20)
    stream = StreamingRefiner(REFINER, lookahead=100)
    for t, (pose, time) in enumerate(zip(poses, times)):
        stream.push(pose, timestamp=time)
        if t == 6:
            with pytest.raises(ValueError, match='expected a timestamp above'):
                stream.push(pose, timestamp=time)
            with pytest.raises(ValueError, match='expected a timestamp as'):
                stream.push(pose)
    expected = REFINER.refine(poses, timestamps=times).keypoints
    close(stack(stream.flush(0)), expected, 1e-5)


def test_a_jump_of_frame_numbers_ends_the_wait():
    stream = StreamingRefiner(REFINER, lookahead=100)
    first, second = make_poses(2)
    assert stream.push(first, timestamp=0.0, index=0) == []
    frames = stream.push(second, timestamp=1e7, index=10**9)
    assert [x.index for x in frames] == [0]
    assert [x.index for x in stream.flush(0)] == [10**9]


@pytest.mark.parametrize('fps', [50, 60, 75, 100, 120])
@pytest.mark.parametrize('frames', [2, 9, 20])
@pytest.mark.parametrize('normalization', ['box', 'rot6d'])
def test_short_sequences_at_several_times_the_rate(frames, fps, normalization):
    """Where windows are filled up at the end, in each phase."""
    coords = 6 if normalization == 'rot6d' else 2
    refiner = make_refiner(normalization, coords=coords, fps=25)
    poses = make_poses(frames, coords=coords)
    stream = StreamingRefiner(refiner, lookahead=100, fps=fps)
    expected = refiner.refine(poses, fps=fps).keypoints
    close(stack(run_stream(stream, poses)), expected, 1e-5)


@pytest.mark.parametrize('rate', [None, 25])
def test_rotations_at_uneven_times(rate):
    refiner = make_refiner('rot6d', coords=6, fps=rate)
    poses, times = make_poses(12, coords=6), uneven(12)
    stream = StreamingRefiner(refiner, lookahead=100)
    frames = run_stream(stream, poses, timestamps=times)
    expected = refiner.refine(poses, timestamps=times).keypoints
    close(stack(frames), expected, 1e-5)


def test_frames_between_those_of_the_refiner_may_be_all_that_is_known():
    poses = make_poses(3)
    poses[[0, 2]] = np.nan
    result = make_refiner(fps=10).refine(poses, timestamps=[0, 0.03, 0.1])
    assert np.isfinite(result.keypoints).all()
    np.testing.assert_array_equal(result.keypoints[1], poses[1])


@pytest.mark.parametrize('fps', [1e-300, 1e-9, 1e6, 1e9, 1e300])
def test_absurd_rates_cost_no_memory(fps):
    poses = make_poses(6)
    refiner = make_refiner(
        fps=30, trust=True, keypoint_names=['left_a', 'right_a', 'b', 'c']
    )
    tracemalloc.start()
    times = np.arange(6) / fps
    ways = [dict(fps=fps)]
    if np.all(np.diff(times) > 0) and np.isfinite(times).all():
        ways.append(dict(timestamps=times))
    for way in ways:
        assert np.isfinite(refiner.refine(poses, **way).keypoints).all()
    stream = StreamingRefiner(refiner, fps=fps, lookahead=2)
    frames = run_stream(stream, poses)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert np.isfinite(stack(frames)).all()
    assert peak < 50e6
