# Copyright (c) hanet_mm contributors. All rights reserved.
"""Refiners in threads, processes, copies and pickles give one result."""

import copy
import multiprocessing
import pickle
import warnings
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from hanet_mm import StreamingRefiner, load_refiner
from hanet_mm.core.data.sequences import (
    PoseSequences,
    load_pose_sequences,
    save_pose_sequences,
)
from hanet_mm.filters import KalmanFilter


@pytest.fixture(scope='module')
def refiner():
    return load_refiner('coco17-2d')


def make_poses(seed):
    rng = np.random.default_rng(seed)
    body = 300 + 60 * rng.normal(size=(17, 2))
    poses = body + rng.normal(size=(20, 17, 2)).cumsum(0)
    poses[4:7, seed % 17] = np.nan
    return poses.astype(np.float32)


def stream_of(refiner, poses):
    stream, frames = StreamingRefiner(refiner, lookahead=5), []
    for pose in poses:
        frames += stream.push(pose)
    return np.stack([x.keypoints for x in frames + stream.flush(0)])


def refine_in_process(refiner, poses, queue):
    warnings.simplefilter('ignore')
    queue.put(refiner.refine(poses).keypoints)


@pytest.mark.filterwarnings('ignore:.*training distribution')
def test_threads_share_a_refiner(refiner):
    poses = [make_poses(x) for x in range(4)]
    expected = [refiner.refine(x).keypoints for x in poses]
    streamed = [stream_of(refiner, x) for x in poses]
    with ThreadPoolExecutor(4) as pool:
        found = [*pool.map(lambda x: refiner.refine(x).keypoints, poses * 2)]
        streams = [*pool.map(lambda x: stream_of(refiner, x), poses)]
    for one, other in zip(found, expected * 2):
        np.testing.assert_array_equal(one, other)
    for one, other in zip(streams, streamed):
        np.testing.assert_array_equal(one, other)


@pytest.mark.filterwarnings('ignore:.*training distribution')
@pytest.mark.parametrize('method', ['fork', 'spawn'])
def test_processes(refiner, method):
    if method not in multiprocessing.get_all_start_methods():
        pytest.skip(f'no {method} on this system')
    context = multiprocessing.get_context(method)
    poses, queue = make_poses(0), context.Queue()
    expected = refiner.refine(poses).keypoints
    process = context.Process(
        target=refine_in_process, args=(refiner, poses, queue)
    )
    process.start()
    try:
        found = queue.get(timeout=120)
    finally:
        process.join(30)
    np.testing.assert_array_equal(found, expected)


@pytest.mark.filterwarnings('ignore:.*training distribution')
@pytest.mark.parametrize(
    'again', [copy.deepcopy, lambda x: pickle.loads(pickle.dumps(x))]
)
def test_copies(refiner, again):
    poses = make_poses(3)
    result = refiner.refine(poses)
    other = again(refiner)
    np.testing.assert_array_equal(
        other.refine(poses).keypoints, result.keypoints
    )
    assert str(other) == str(refiner)
    for name in ('keypoints', 'filled', 'expected_error', 'reason'):
        np.testing.assert_array_equal(
            getattr(again(result), name), getattr(result, name)
        )
    smoother = KalmanFilter(1e-3, 1.0)
    np.testing.assert_array_equal(
        again(smoother).refine(poses).keypoints,
        smoother.refine(poses).keypoints,
    )
    # In the middle of a stream: both go on alike, and by themselves.
    stream = StreamingRefiner(refiner, lookahead=5)
    for pose in poses[:9]:
        stream.push(pose)
    second = again(stream)
    for pose in poses[9:]:
        one, two = stream.push(pose), second.push(pose)
        for x, y in zip(one, two):
            np.testing.assert_array_equal(x.keypoints, y.keypoints)
    assert len(stream.flush(0)) == len(second.flush(0)) == 5


def test_a_file_that_several_write_is_one_of_theirs(tmp_path):
    path = tmp_path / 'a.npz'

    def write(seed):
        save_pose_sequences(
            path,
            PoseSequences(
                make_poses(seed),
                np.ones((20, 17)),
                np.array([20]),
                np.array([str(seed)]),
            ),
        )
        return load_pose_sequences(path)

    with ThreadPoolExecutor(8) as pool:
        found = [*pool.map(write, range(40))]
    for seqs in found:
        expected = make_poses(int(seqs.seq_name[0]))
        np.testing.assert_array_equal(seqs.keypoints_est, expected)
    assert [x.name for x in tmp_path.iterdir()] == ['a.npz']
