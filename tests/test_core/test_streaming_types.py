# Copyright (c) hanet_mm contributors. All rights reserved.
"""Wrong types are told, jumps cost nothing, refused pushes change nothing."""

import tracemalloc

import numpy as np
import pytest
import torch

from hanet_mm import StreamingRefiner, load_refiner

POSE = np.random.default_rng(0).normal(size=(17, 2)) * 60 + 300


@pytest.fixture(scope='module')
def refiner():
    return load_refiner('coco17-2d')


@pytest.mark.parametrize(
    ('arguments', 'message'),
    [
        (dict(keypoints=[None]), r'track 0: expected keypoints \(K, D\) as'),
        (dict(keypoints='pose'), r'expected keypoints .* found str'),
        (dict(scores=['a'] * 17), r'expected scores .* found list'),
        (dict(index='3'), "index: expected a whole number or None, found '3'"),
        (dict(index=1.5), 'index: expected a whole number'),
        (dict(index=True), 'index: expected a whole number'),
        (dict(timestamp='1 s'), 'timestamp: expected seconds or None'),
    ],
)
def test_wrong_types(refiner, arguments, message):
    stream = StreamingRefiner(refiner, lookahead=2)
    with pytest.raises(TypeError, match=message):
        stream.push(**{'keypoints': POSE, **arguments})
    assert stream.track_ids == []


@pytest.mark.parametrize('people', [[POSE], {0: POSE}, {0: (POSE,)}])
def test_wrong_people(refiner, people):
    stream = StreamingRefiner(refiner, lookahead=2)
    with pytest.raises(TypeError, match=r'expected .*keypoints and scores'):
        stream.push_many(people)
    assert stream.track_ids == []


def test_lists_are_arrays(refiner):
    first = StreamingRefiner(refiner).push(POSE.tolist(), [0.5] * 17)
    second = StreamingRefiner(refiner).push(POSE, np.full(17, 0.5))
    np.testing.assert_array_equal(first[0].keypoints, second[0].keypoints)


@pytest.mark.parametrize('times', [(None, None), (0.0, 1e7)])
def test_a_jump_of_frame_numbers_allocates_nothing(refiner, times):
    stream = StreamingRefiner(refiner, lookahead=3)
    stream.push(POSE, timestamp=times[0], index=0)
    tracemalloc.start()
    frames = stream.push(POSE, timestamp=times[1], index=10**9)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 50e6
    assert [x.index for x in frames] == [0]
    assert [x.index for x in stream.flush(0)] == [10**9]


def test_numbers_of_numpy_come_back_as_those_of_python(refiner):
    stream = StreamingRefiner(refiner)
    stream.push(POSE, index=np.int64(0), timestamp=np.float32(0))
    frames = stream.push(POSE, index=np.int64(2), timestamp=np.float32(0.5))
    assert [type(x.index) for x in frames] == [int, int]
    assert [type(x.timestamp) for x in frames] == [float, float]


@pytest.mark.parametrize(
    'wrong',
    [
        *(torch.tensor(3), torch.tensor([3, 4]), np.array(3)),
        *(np.array([3, 4]), float('nan'), np.float32('nan')),
    ],
)
def test_an_id_that_equals_no_other_is_refused(refiner, wrong):
    # Each frame would begin a person of its own.
    stream = StreamingRefiner(refiner)
    for call in (
        lambda: stream.push(POSE, track_id=wrong),
        lambda: stream.flush(wrong),
        lambda: stream.reset(wrong),
    ):
        with pytest.raises(TypeError, match='track_id: expected a number'):
            call()
    assert stream.track_ids == []


def test_tensors_as_ids_of_many_are_refused(refiner):
    stream = StreamingRefiner(refiner)
    with pytest.raises(TypeError, match=r'int\(id\), found Tensor'):
        stream.push_many({torch.tensor(3): (POSE, None)})
    assert stream.track_ids == []


def test_nobody_among_arrays_is_refused(refiner):
    stream = StreamingRefiner(refiner)
    stream.push(POSE)
    with pytest.raises(TypeError, match='track 0: expected keypoints'):
        stream.push(None)
