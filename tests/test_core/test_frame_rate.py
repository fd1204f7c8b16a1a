# Copyright (c) hanet_mm contributors. All rights reserved.
"""Frame rates and time stamps of sequences and streams."""

import json

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from safetensors import safe_open
from small_refiners import (
    K,
    T,
    WindowCount,
    close,
    idle_refiner,
    make_poses,
    make_refiner,
    run_stream,
    stack,
)

from hanet_mm import StreamingRefiner, load_refiner
from hanet_mm.core.refine.frame_rate import at_positions, count_phases

RATES = [15, 25, 30, 50, 60]


class Windows:
    """All windows that a network saw."""

    def __init__(self, refiner):
        self.seen = []
        refiner.network.register_forward_pre_hook(
            lambda _, inputs: self.seen.extend(inputs[0].numpy())
        )


def test_the_rate_is_kept_in_the_file(tmp_path):
    path = tmp_path / 'refiner.safetensors'
    make_refiner(fps=25).save(path)
    assert load_refiner(path).fps == 25
    assert 'fps=25' in repr(load_refiner(path))


def test_files_without_a_rate_load(tmp_path):
    path = tmp_path / 'refiner.safetensors'
    make_refiner().save(path)
    with safe_open(str(path), framework='pt') as file:
        assert 'fps' not in json.loads(file.metadata()['hanet_mm'])
    assert load_refiner(path).fps is None


@pytest.mark.parametrize('fps', [0, -25, np.inf, np.nan, 'fast'])
def test_a_refiner_of_no_rate(fps):
    with pytest.raises(ValueError, match='fps: expected frames per second'):
        make_refiner(fps=fps)


@pytest.mark.parametrize(
    'times',
    [
        dict(fps=30),
        dict(fps=30000 / 1001),
        dict(timestamps=7 + np.arange(21) / 30),
        # Of a file that counts in ms.
        dict(timestamps=np.round(np.arange(21) / 30, 3)),
    ],
)
@pytest.mark.parametrize('stride', [1, 2])
def test_equal_rates_give_the_plain_result_exactly(times, stride):
    refiner, poses = make_refiner(fps=30, stride=stride), make_poses(21)
    poses[4:7, 1] = np.nan
    plain, result = refiner.refine(poses), refiner.refine(poses, **times)
    np.testing.assert_array_equal(result.keypoints, plain.keypoints)
    np.testing.assert_array_equal(result.filled, plain.filled)


def test_a_refiner_of_unknown_rate_takes_that_of_the_sequence():
    refiner, poses = make_refiner(), make_poses(21)
    plain = refiner.refine(poses).keypoints
    even = np.arange(21) / 7
    for times in (dict(fps=7), dict(timestamps=even)):
        result = refiner.refine(poses, **times).keypoints
        np.testing.assert_array_equal(result, plain)
    # Uneven ones count in the median interval.
    even[10:] += 0.1
    known = make_refiner(fps=7).refine(poses, timestamps=even).keypoints
    result = refiner.refine(poses, timestamps=even).keypoints
    close(result, known)
    assert np.abs(result - plain).max() > 0.01


@settings(deadline=None, max_examples=30)
@given(
    # Steps within 5 % of one frame count as one; not just at that limit.
    steps=st.lists(
        st.floats(0.2, 0.94)
        | st.floats(0.96, 1.04)
        | st.floats(1.06, T - 0.5),
        min_size=1,
        max_size=20,
    ),
    rate=st.floats(5, 100),
)
def test_goes_to_the_refiners_frames_and_back_linearly(steps, rate):
    position = np.concatenate([[0], np.cumsum(steps)])
    refiner = idle_refiner(fps=rate)
    poses = make_poses(len(position))
    refined = refiner.refine(poses, timestamps=3 + position / rate).keypoints
    near = np.abs(np.diff(position) - 1) <= 0.05  # taken as equal
    position = np.concatenate([[0], np.where(near, 1, steps).cumsum()])
    # At a multiple of the rate also from the frames in between on, each up to
    # the last frame; what none of these reaches is told by the first one,
    # which goes beyond.
    phases = count_phases(np.diff(position))
    starts = np.arange(phases) / phases
    ends = starts + np.floor(position[-1] - starts + 1e-6)
    reached = (position >= starts[:, None] - 1e-6) & (
        position <= ends[:, None] + 1e-6
    )
    reached[0] |= ~reached.any(0)
    ends[0] = np.ceil(position[-1] - 1e-6)
    for joint, axis in np.ndindex(K, 2):
        total = 0
        for start, end, inside in zip(starts, ends, reached):
            grid = np.arange(start, max(end, start) + 1e-6)
            on_grid = np.interp(grid, position, poses[:, joint, axis])
            total += np.interp(position, grid, on_grid) * inside
        np.testing.assert_allclose(
            refined[:, joint, axis],
            total / reached.sum(0),
            rtol=0,
            atol=2e-2,
        )


@pytest.mark.parametrize('fps', RATES)
@pytest.mark.parametrize('streaming', [False, True])
def test_the_network_sees_velocities_of_its_own_rate(fps, streaming):
    # Everything moves by 60 px/s.
    refiner = make_refiner('none', fps=30)
    windows = Windows(refiner)
    poses = np.zeros((fps, K, 2), np.float32)
    poses += 60 * (np.arange(fps) / fps)[:, None, None]
    if streaming:
        run_stream(StreamingRefiner(refiner, T - 1, fps=fps), poses)
    else:
        refiner.refine(poses, fps=fps)
    steps = np.diff(np.stack(windows.seen), axis=1)
    assert len(steps) >= 20
    # The last window that reaches to the end may be padded by part of a frame.
    even = np.isclose(steps, 60 / 30, atol=1e-4).all((1, 2, 3))
    assert even.sum() >= len(steps) - 1
    assert steps[~even].max(initial=0) < 60 / 30 + 1e-4


@pytest.mark.parametrize('fps', RATES)
@pytest.mark.parametrize('lookahead', [0, T - 1])
def test_streams_at_any_rate_are_as_offline(fps, lookahead):
    refiner, poses = make_refiner(fps=30), make_poses(40)
    stream = StreamingRefiner(refiner, lookahead, fps=fps)
    if lookahead:
        frames = run_stream(stream, poses)
        close(stack(frames), refiner.refine(poses, fps=fps).keypoints)
        times = [x.timestamp for x in frames]
        np.testing.assert_allclose(times, np.arange(40) / fps)
        return
    for newest in range(40):
        (frame,) = stream.push(poses[newest])
        so_far = refiner.refine(poses[: newest + 1], fps=fps).keypoints
        close(frame.keypoints, so_far[-1], 2e-6)


@settings(deadline=None, max_examples=25)
@given(
    st.lists(st.floats(0.005, 0.16), min_size=1, max_size=30),
    st.booleans(),
)
def test_streams_with_uneven_time_stamps_are_as_offline(steps, gaps):
    times = 100 + np.concatenate([[0], np.cumsum(steps)])
    refiner, poses = make_refiner(fps=30), make_poses(len(times))
    # Even ones are those of a frame rate: at twice the refiner's and more all
    # frames are used offline; streams have to be told the rate for that.
    assume(count_phases(np.diff(times) * 30) == 1)
    if gaps:  # of one frame, which closes within five of the refiner's
        poses[1:-1:3, 2] = np.nan
    stream = StreamingRefiner(refiner, T - 1 + 11)
    frames = run_stream(stream, poses, timestamps=times)
    expected = refiner.refine(poses, timestamps=times).keypoints
    close(stack(frames), expected, 3e-6)
    np.testing.assert_array_equal([x.timestamp for x in frames], times)


@pytest.mark.parametrize(('fps', 'windows'), [(15, [2]), (30, [1]), (60, [1])])
def test_one_network_call_with_the_windows_in_between(fps, windows):
    refiner = make_refiner(fps=30)
    count = WindowCount(refiner)
    stream = StreamingRefiner(refiner, T - 1, fps=fps)
    for pose in make_poses(60):
        stream.push(pose)
    calls = [x for x in windows if x]
    assert set(count.calls[2:]) == set(calls)
    pushes = 60 - (T - 1) * fps / 30
    expected = pushes * np.mean([x > 0 for x in windows])
    assert abs(len(count.calls) - expected) <= 1


def test_latency_at_another_rate():
    # A frame waits for both phases: in one of them it lies between frames.
    stream = StreamingRefiner(make_refiner(fps=30), 2, fps=60)
    done = [[x.index for x in stream.push(p)] for p in make_poses(10)]
    assert done == [[]] * 4 + [[0], [], [1], [2], [3], [4]]


def test_memory_at_a_high_rate_is_bounded():
    stream = StreamingRefiner(make_refiner(fps=30), T - 1, fps=240)
    sizes = []
    for pose in make_poses(300):
        stream.push(pose)
        track = stream._tracks[0]
        sizes.append(len(track.buffer))
        assert len(track.phases) == 8
        for phase in track.phases:
            assert len(phase.outputs) <= T + 1
    assert max(sizes) <= 8 * (T + 1)


def test_a_keypoint_between_two_frames_has_the_score_of_the_nearer_one():
    poses = np.arange(3, dtype=np.float32).reshape(3, 1, 1)
    scores = np.array([[0.5], [0], [0.75]])
    wanted = np.array([-1, 0, 0.9, 1.1, 2, 2.9, 3.1, 4, 4.9, 5, 9])
    positions = np.array([0.0, 2.0, 4.0])
    found, known = at_positions(poses, scores, positions, wanted)
    expected = [0, 0, 0.45, 0.55, 1, 1.45, 1.55, 2, 2, 2, 2]
    np.testing.assert_allclose(found[:, 0, 0], expected, atol=1e-6)
    # From a frame after the last one on there is no estimate.
    expected = [0.5] * 3 + [0] * 3 + [0.75] * 3 + [0] * 2
    assert known[:, 0].tolist() == expected


@pytest.mark.parametrize('how', ['index', 'push_many'])
def test_missed_frames_of_a_stream_with_time_stamps(how):
    refiner, poses = make_refiner(fps=30), make_poses(16)
    times = np.arange(16) / 20
    stream, frames = StreamingRefiner(refiner, T + 4), []
    for number, (pose, time) in enumerate(zip(poses, times)):
        missed = number in (6, 7)
        if how == 'push_many':
            found = {} if missed else {0: (pose, None)}
            frames += stream.push_many(found, time)[0]
        elif not missed:
            frames += stream.push(pose, None, time, index=number)
    frames += stream.flush(0)
    poses[6:8] = np.nan
    expected = refiner.refine(poses, timestamps=times).keypoints
    close(stack(frames), expected, 3e-6)
    np.testing.assert_allclose([x.timestamp for x in frames], times)


def test_gaps_are_filled_in_time():
    # Missing at 0.1 s, between 0 and 0.4 s: a quarter of the way.
    poses = np.zeros((3, K, 2), np.float32)
    poses[1, 0], poses[2] = np.nan, 8
    times = np.array([0, 0.1, 0.4])
    result = idle_refiner(fps=10).refine(poses, timestamps=times)
    np.testing.assert_allclose(result.keypoints[1, 0], 2, atol=1e-5)


@pytest.mark.parametrize('streaming', [False, True])
def test_nothing_reaches_across_a_long_pause(streaming):
    refiner = make_refiner(fps=10)
    first, second = make_poses(8, 1), make_poses(7, 2)
    times = np.concatenate([np.arange(8) / 10, 90 + np.arange(7) / 10])
    poses = np.concatenate([first, second])
    if streaming:
        stream = StreamingRefiner(refiner, T - 1)
        refined = stack(run_stream(stream, poses, timestamps=times))
    else:
        refined = refiner.refine(poses, timestamps=times).keypoints
    close(refined[:8], refiner.refine(first).keypoints)
    close(refined[8:], refiner.refine(second).keypoints)


def test_a_part_between_pauses_in_which_nothing_was_seen():
    poses = make_poses(9)
    poses[3:6] = np.nan
    times = np.array([0, 1, 2, 53, 54, 55, 106, 107, 108]) / 10
    result = idle_refiner(fps=10).refine(poses, timestamps=times)
    assert np.isnan(result.keypoints[3:6]).all()
    assert not result.filled.any()
    close(result.keypoints[[0, 1, 2, 6, 7, 8]], poses[[0, 1, 2, 6, 7, 8]])


def test_rotations_after_a_part_in_which_nothing_was_seen():
    refiner = make_refiner('rot6d', coords=6, fps=10)
    vectors = np.random.default_rng(0).normal(0, 1, (9, K, 3))
    vectors[3:6] = np.nan
    times = np.array([0, 1, 2, 53, 54, 55, 106, 107, 108]) / 10
    refined = refiner.refine(vectors, timestamps=times).keypoints
    assert np.isnan(refined[3:6]).all()
    assert np.isfinite(refined[6:]).all()
    last = refiner.refine(vectors[6:]).keypoints
    turns = np.linalg.norm(refined[6:] - last, axis=-1) / (2 * np.pi)
    np.testing.assert_allclose(turns, np.round(turns), atol=1e-4)


def test_each_sequence_has_its_own_rate():
    refiner = make_refiner(fps=30)
    poses = [make_poses(12, 1), make_poses(20, 2)]
    both = refiner.refine(poses, fps=[15, 60])
    for points, fps, result in zip(poses, (15, 60), both):
        alone = refiner.refine(points, fps=fps).keypoints
        close(result.keypoints, alone)
    both = refiner.refine(
        poses, timestamps=[np.arange(12) / 15, np.arange(20) / 60]
    )
    close(both[1].keypoints, refiner.refine(poses[1], fps=60).keypoints)


@pytest.mark.parametrize(
    ('times', 'message'),
    [
        (dict(fps=0), 'fps: expected frames per second above 0, found 0'),
        (dict(fps=-3), 'found -3'),
        (dict(fps=np.nan), 'found nan'),
        (dict(fps=30, timestamps=np.arange(4)), 'fps or timestamps, found bo'),
        (dict(timestamps=np.arange(3)), r'expected shape \(4,\).*\(3,\)'),
        (dict(timestamps=[0, 1, 1, 2]), 'increase, found 1 in frame 2 after'),
        (dict(timestamps=[0, 2, 1, 3]), 'found 1 in frame 2 after 2'),
        (dict(timestamps=[0, np.nan, 1, 3]), 'frame 1 is not finite'),
        (
            dict(timestamps=np.arange(4).astype('datetime64[ms]')),
            r'seconds as numbers, found datetime64\[ms\]',
        ),
    ],
)
def test_wrong_times_are_named(times, message):
    with pytest.raises(ValueError, match=message) as info:
        make_refiner(fps=30).refine(make_poses(4), **times)
    assert '\n' not in str(info.value)


def test_wrong_times_of_one_of_several_sequences_are_named():
    refiner, poses = make_refiner(fps=30), [make_poses(3), make_poses(2)]
    with pytest.raises(ValueError, match=r'of sequence 1: .* in frame 1'):
        refiner.refine(poses, timestamps=[[0, 1, 2], [1, 0]])
    with pytest.raises(ValueError, match=r'2 sequences .* but 3 of fps'):
        refiner.refine(poses, fps=[1, 2, 3])
    with pytest.raises(ValueError, match=r'2 sequences .* but 1 of timestam'):
        refiner.refine(poses, timestamps=[[0, 1, 2]])


@pytest.mark.parametrize('fps', [20, 25, 38])
def test_rates_of_the_training_are_refined_as_they_are(tmp_path, fps):
    path = tmp_path / 'refiner.safetensors'
    make_refiner(fps=30, fps_range=(22, 38)).save(path)
    refiner, poses = load_refiner(path), make_poses(30)
    plain = refiner.refine(poses).keypoints
    result = refiner.refine(poses, fps=fps).keypoints
    assert np.array_equal(result, plain) == (fps != 20)
    stream = StreamingRefiner(refiner, T - 1, fps=fps)
    close(stack(run_stream(stream, poses)), result)


@pytest.mark.parametrize('wrong', [(31, 40), (20, 29), (0, 30)])
def test_a_range_of_rates_that_leaves_out_its_own(wrong):
    with pytest.raises(ValueError, match='fps_range'):
        make_refiner(fps=30, fps_range=wrong)
