# Copyright (c) hanet_mm contributors. All rights reserved.
"""Pauses as long as a window, and times that are taken for such."""

import numpy as np
import pytest
from small_refiners import T, close, make_poses, make_refiner

from hanet_mm import StreamingRefiner
from hanet_mm.core.refine.pauses import split_pauses


def test_a_pause_of_exactly_one_window_divides_a_sequence():
    positions = np.array([0, 1, 1 + T, 2 + T, 1 + 2 * T])
    parts = split_pauses(positions, T)
    assert [(part.start, part.stop) for part in parts] == [(0, 2), (2, 5)]


@pytest.mark.parametrize(
    'times',
    [dict(timestamps=np.arange(9) * 1000 / 30), dict(fps=1 / 30)],
)
def test_milliseconds_are_told(times):
    """Frames half a minute apart; one alone is as it is without times."""
    refiner, poses = make_refiner(fps=30), make_poses(9)
    with pytest.warns(UserWarning, match='each is refined alone.* millisec'):
        result = refiner.refine(poses, **times).keypoints
    close(result[:1], refiner.refine(poses[:1]).keypoints)


def test_a_stream_in_milliseconds_is_told_once():
    stream, poses = StreamingRefiner(make_refiner(fps=30)), make_poses(20)
    times = np.arange(20) * 1000 / 30
    with pytest.warns(UserWarning, match=r'33\.3333 s apart') as warned:
        _ = [stream.push(*x, timestamp=t) for *x, t in zip(poses, times)]
    assert len(warned) == 1


@pytest.mark.filterwarnings('error')
@pytest.mark.parametrize('fps', [None, 30])
def test_numbers_of_frames_far_apart_say_nothing_of_seconds(fps):
    stream, poses = StreamingRefiner(make_refiner(), fps=fps), make_poses(9)
    for t, pose in enumerate(poses):
        stream.push(pose, index=200 * t)


@pytest.mark.filterwarnings('error')
def test_pauses_among_others_are_not_told():
    refiner, poses = make_refiner(fps=30), make_poses(20)
    times = np.arange(20) / 30
    times[10:] += np.arange(10) * 60
    refiner.refine(poses, timestamps=times)
    stream = StreamingRefiner(refiner)
    for pose, time in zip(poses, times):
        stream.push(pose, timestamp=time)
