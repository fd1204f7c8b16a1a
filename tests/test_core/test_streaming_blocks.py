# Copyright (c) hanet_mm contributors. All rights reserved.
"""StreamingRefiner: frames that are decided together."""

import numpy as np
import pytest
from small_refiners import (
    K,
    WindowCount,
    close,
    make_poses,
    make_refiner,
    run_stream,
    stack,
    stack_filled,
)

from hanet_mm import StreamingRefiner

# Blocks of 2 frames, the first one of 1 or 2.
T, STRIDE, LOOKAHEAD = 9, 4, 4


def make_blocks(stride=STRIDE, **options):
    return make_refiner(stride=stride, taper=True, window=T, **options)


def make_stream():
    return StreamingRefiner(make_blocks(), LOOKAHEAD)


def last_known(index, turn):
    """Newest frame when a frame is decided, by the rule in words."""
    begin = max(index - (index - 1 - turn) % 2, 0)  # of its block
    return begin + LOOKAHEAD


@pytest.mark.parametrize('track_id', [0, 1, 6, 'somebody'])
def test_frames_are_those_of_the_frames_known_to_their_block(track_id):
    stream, poses = make_stream(), make_poses(20)
    frames = []
    for newest, pose in enumerate(poses):
        done = stream.push(pose, track_id=track_id)
        # One in, one out, at the latency of the look-ahead.
        expected = [newest - LOOKAHEAD] if newest >= LOOKAHEAD else []
        assert [x.index for x in done] == expected
        frames += done
    matches = {}
    for turn in (0, 1):
        known = [last_known(x.index, turn) for x in frames]
        wanted = [
            stream.refiner.refine(poses[: newest + 1]).keypoints[x.index]
            for x, newest in zip(frames, known)
        ]
        assert min(n - x.index for x, n in zip(frames, known)) == LOOKAHEAD - 1
        apart = np.abs(stack(frames) - wanted).max()
        matches[turn] = apart < 1e-6 * np.abs(poses).max()
    own = track_id % 2 if isinstance(track_id, int) else matches[1]
    assert matches == {own: True, 1 - own: False}


def windows_of(people, frames=40):
    """Windows that the network sees in each push."""
    refiner = make_blocks()
    count = WindowCount(refiner)
    stream, windows = StreamingRefiner(refiner, LOOKAHEAD), []
    for pose in make_poses(frames):
        stream.push_many({track_id: (pose, None) for track_id in people})
        windows.append(sum(count.calls))
        count.calls.clear()
    return np.array(windows)


def test_the_network_is_called_once_a_block_and_people_take_turns():
    even, odd = windows_of([0]), windows_of([1])
    assert not even[:LOOKAHEAD].any()
    for windows in (even, odd):
        # The first frame that is due, then every other push.
        assert windows[LOOKAHEAD]
        begun = windows[LOOKAHEAD + 1 :] > 0
        assert not (begun[1:] & begun[:-1]).any()
        assert begun.sum() in (len(begun) // 2, len(begun) // 2 + 1)
    both = (even > 0) & (odd > 0)
    assert both.sum() == 1
    np.testing.assert_array_equal(windows_of(range(6)), 3 * (even + odd))


def test_people_are_refined_as_each_alone():
    people = {n: make_poses(18, n) for n in range(4)}
    stream, together = make_stream(), {n: [] for n in people}
    for number in range(18):
        found = {n: (x[number], None) for n, x in people.items()}
        for key, frames in stream.push_many(found).items():
            together[key] += frames
    for key, frames in stream.flush().items():
        together[key] += frames
    for key, poses in people.items():
        alone = run_stream(make_stream(), poses, track_id=key)
        close(stack(together[key]), stack(alone))


@pytest.mark.parametrize('fps', [15, 20, 45, 60])
@pytest.mark.parametrize('track_id', [0, 1])
def test_at_other_rates_frames_come_out_as_one_by_one(fps, track_id):
    poses = make_poses(50)
    streams = [
        StreamingRefiner(make_blocks(stride, fps=30), LOOKAHEAD, fps=fps)
        for stride in (1, STRIDE)
    ]
    for number, pose in enumerate(poses):
        if number in (20, 21):
            continue
        single, block = (
            [x.index for x in stream.push(pose, None, None, track_id, number)]
            for stream in streams
        )
        assert single == block
    rest = [[x.index for x in s.flush(track_id)] for s in streams]
    assert rest[0] == rest[1]


def test_who_leaves_within_a_block_gets_all_frames_once():
    poses = make_poses(30)
    stream, frames = make_stream(), []
    for number in range(12):
        frames += stream.push_many({3: (poses[number], None)})[3]
    while stream.track_ids:
        frames += stream.push_many({}).get(3, [])
    assert [x.index for x in frames] == list(range(12 + T))
    seen = ~stack_filled(frames)[:12]
    assert seen.all()
    assert np.isfinite(stack(frames)[:12]).all()
    # And begins anew.
    again = [stream.push_many({3: (x, None)})[3] for x in poses[12:20]]
    again = [x.index for frames in again for x in frames]
    assert again == list(range(12 + T, 12 + T + 8 - LOOKAHEAD))


def test_keypoints_missing_within_a_block_are_filled():
    poses = make_poses(20)
    poses[8:10, 1] = np.nan
    frames = run_stream(make_stream(), poses, track_id=1)
    filled = stack_filled(frames)
    expected = np.zeros((20, K), bool)
    expected[8:10, 1] = True
    np.testing.assert_array_equal(filled, expected)
    assert np.isfinite(stack(frames)).all()
