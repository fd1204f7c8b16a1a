# Copyright (c) hanet_mm contributors. All rights reserved.
"""StreamingRefiner with several persons who come and go."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from small_refiners import (
    K,
    T,
    WindowCount,
    close,
    make_poses,
    make_refiner,
    run_stream,
    stack,
    stack_filled,
)

from hanet_mm import StreamingRefiner


def collect(into, results):
    for key, frames in results.items():
        into.setdefault(key, []).extend(frames)


@settings(deadline=None, max_examples=5)
@given(
    lookahead=st.integers(0, 6),
    starts=st.lists(st.integers(0, 12), min_size=2, max_size=4),
)
def test_persons_together_are_as_each_alone(lookahead, starts):
    refiner = make_refiner()
    people = {f'p{n}': make_poses(18, n)[s:] for n, s in enumerate(starts)}
    stream, together = StreamingRefiner(refiner, lookahead), {}
    for number in range(18):
        found = {
            key: (poses[number - start], None)
            for (key, poses), start in zip(people.items(), starts)
            if number >= start
        }
        collect(together, stream.push_many(found))
    collect(together, stream.flush())
    for (key, poses), start in zip(people.items(), starts):
        alone = run_stream(StreamingRefiner(refiner, lookahead), poses)
        close(stack(together[key]), stack(alone))
        indices = [x.index for x in together[key]]
        assert indices == list(range(start, 18))


def test_one_network_call_for_all_persons():
    refiner = make_refiner()
    count = WindowCount(refiner)
    stream = StreamingRefiner(refiner)
    for frame in make_poses(12):
        stream.push_many({n: (frame, None) for n in range(7)})
    assert count.calls == [7] * 12
    count.calls.clear()
    stream.push_many({3: (make_poses(1)[0], None)})  # the others are missed
    assert count.calls == [7]
    stream.push_many({})
    assert count.calls == [7, 7]


def test_pushes_of_several_persons_in_turns():
    refiner = make_refiner()
    stream, results = StreamingRefiner(refiner, 2), {'a': [], 'b': []}
    people = {'a': make_poses(9, 1), 'b': make_poses(9, 2)}
    for number in range(9):
        for key in people:
            results[key] += stream.push(people[key][number], track_id=key)
    for key, poses in people.items():
        rest = stream.flush(key)
        alone = run_stream(StreamingRefiner(refiner, 2), poses)
        close(stack(results[key] + rest), stack(alone))


@pytest.mark.parametrize('how', ['push_many', 'index', 'nan'])
def test_missed_frames_are_missing_data(how):
    refiner, poses = make_refiner(), make_poses(15)
    gone = [6, 7]
    stream, frames = StreamingRefiner(refiner, T + 1), []
    for number, pose in enumerate(poses):
        if how == 'push_many':
            found = {} if number in gone else {0: (pose, None)}
            frames += stream.push_many(found).get(0, [])
        elif number not in gone:
            frames += stream.push(pose, index=number)
        elif how == 'nan':
            frames += stream.push(np.full_like(pose, np.nan))
    frames += stream.flush(0)
    poses[gone] = np.nan
    expected = refiner.refine(poses)
    close(stack(frames), expected.keypoints)
    np.testing.assert_array_equal(stack_filled(frames), expected.filled)
    assert [x.index for x in frames] == list(range(15))


def test_one_person_missed_does_not_change_another():
    refiner = make_refiner()
    a, b = make_poses(20, 1), make_poses(20, 2)
    stream, frames = StreamingRefiner(refiner, 3), {}
    for number in range(20):
        found = {'a': (a[number], None)}
        if number % 4:
            found['b'] = (b[number], None)
        collect(frames, stream.push_many(found))
    collect(frames, stream.flush())
    alone = run_stream(StreamingRefiner(refiner, 3), a)
    close(stack(frames['a']), stack(alone))
    assert stack_filled(frames['b']).sum() == 4 * K  # frames 4, 8, 12, 16


def test_who_has_left_ends_and_begins_anew():
    refiner, poses = make_refiner(), make_poses(6)
    stream, frames = StreamingRefiner(refiner, 2), []
    for pose in poses:
        frames += stream.push_many({'a': (pose, None)})['a']
    for number in range(30):
        frames += stream.push_many({}).get('a', [])
        # Not seen in T frames of the refiner: forgotten.
        assert stream.track_ids == (['a'] if number < T - 1 else [])
    assert [x.index for x in frames] == list(range(6 + T))
    again = stream.push_many({'a': (poses[0], None)})['a']
    again += stream.push_many({'a': (poses[1], None)})['a']
    again += stream.flush('a')
    assert [x.index for x in again] == [36, 37]
    close(stack(again), refiner.refine(poses[:2]).keypoints)


def test_a_jump_of_the_frame_number_begins_anew():
    refiner, poses = make_refiner(), make_poses(8)
    stream = StreamingRefiner(refiner, 3)
    for pose in poses[:5]:
        stream.push(pose)
    frames = stream.push(poses[5], index=1_000_000)
    # The rest of the first part, and nothing in between.
    assert [x.index for x in frames] == [2, 3, 4]
    close(stack(frames), refiner.refine(poses[:5]).keypoints[2:])
    assert [x.index for x in stream.flush(0)] == [1_000_000]


def test_flush_and_reset():
    refiner, poses = make_refiner(), make_poses(7)
    stream = StreamingRefiner(refiner, T - 1)
    for pose in poses:
        stream.push_many({'a': (pose, None), 'b': (pose, None)})
    rest = stream.flush('a')
    close(stack(rest), refiner.refine(poses).keypoints[3:])
    assert stream.track_ids == ['b']
    assert stream.flush('a') == [] == stream.flush('never')
    stream.reset('b')
    assert stream.track_ids == []
    assert stream.flush() == {}
    stream.push_many({'c': (poses[0], None)})
    assert [x.index for x in stream.flush('c')] == [7]
    stream.reset()
    stream.push_many({'c': (poses[0], None)})
    assert [x.index for x in stream.flush()['c']] == [0]


BAD = [
    (
        dict(keypoints=np.zeros((3, 2))),
        r'track 7: .* \(4, 2\), found \(3, 2\)',
    ),
    (dict(keypoints=np.zeros((1, K, 2))), r'track 7: .*found \(1, 4, 2\)'),
    (dict(keypoints=np.float32(3)), r'track 7: .*found \(\)'),
    (dict(keypoints=np.full((K, 2), np.inf)), 'track 7: infinite'),
    (dict(scores=np.ones(3)), r'track 7: expected scores .* found \(3,\)'),
    (dict(timestamp=0.4), r'track 7: .* above 0.4 s, found 0.4'),
    (dict(timestamp=0.1), r'track 7: .* above 0.4 s, found 0.1'),
    (dict(timestamp=np.nan), r'expected a timestamp in seconds, found nan'),
    (dict(timestamp=None), r'track 7: expected a timestamp as with the'),
    (dict(index=4), r'track 7: expected a frame number above 4, found 4'),
]


@pytest.mark.parametrize(('change', 'message'), BAD)
def test_errors_name_the_person_and_change_nothing(change, message):
    refiner, poses = make_refiner(), make_poses(8)
    stream = StreamingRefiner(refiner, 3)
    frames = []
    for number, pose in enumerate(poses):
        if number == 5:
            wrong = dict(keypoints=pose, scores=None, timestamp=0.5)
            with pytest.raises(ValueError, match=message) as info:
                stream.push(**{**wrong, **change}, track_id=7)
            assert '\n' not in str(info.value)
        frames += stream.push(pose, None, number / 10, track_id=7)
    frames += stream.flush(7)
    close(
        stack(frames), stack(run_stream(StreamingRefiner(refiner, 3), poses))
    )
    assert [x.timestamp for x in frames] == [n / 10 for n in range(8)]


def test_a_timestamp_after_frames_without():
    stream = StreamingRefiner(make_refiner())
    pose = make_poses(1)[0]
    stream.push(pose)
    with pytest.raises(ValueError, match='expected no timestamp'):
        stream.push(pose, timestamp=1.0)


def test_one_bad_person_stops_nobody():
    stream = StreamingRefiner(make_refiner())
    pose = make_poses(1)[0]
    with pytest.raises(ValueError, match='track b: infinite'):
        stream.push_many({'a': (pose, None), 'b': (pose * np.inf, None)})
    assert stream.track_ids == []
    assert [x.index for x in stream.push_many({'a': (pose, None)})['a']] == [0]
