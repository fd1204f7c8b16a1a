# Copyright (c) hanet_mm contributors. All rights reserved.
"""Sequences as bad as they come: refused in one line, or refined sensibly.

``make fuzz`` tries many more; the seed of a case is in the name of its test.
"""

import numpy as np
import pytest

from hanet_mm import StreamingRefiner, load_refiner
from hanet_mm.core.data.plausible import ignored_keypoints

K = 17


@pytest.fixture(scope='module')
def refiner():
    return load_refiner('coco17-2d')


def make_case(seed):
    """Keypoints, scores or None, and times or None."""
    rng = np.random.default_rng(seed)
    frames = int(rng.choice([1, 2, 3, 5, 12, 30, 60]))
    spread = rng.choice([0, 1, 60, 200])
    body = 300 + spread * rng.normal(size=(K, 2))
    walk = rng.choice([0, 0.5, 4]) * rng.normal(size=(frames, K, 2))
    poses = body + walk.cumsum(0)

    def some(share):
        return rng.random((frames, K)) < share

    if rng.random() < 0.3:
        poses[some(rng.choice([0.1, 0.9]))] = np.nan
    if rng.random() < 0.2:
        poses[:, rng.integers(1, K) :] = np.nan
    if rng.random() < 0.3:
        poses[some(0.2)] = rng.choice([0, -1, -999])
    if rng.random() < 0.4:
        far = 10.0 ** rng.uniform(3, 7)
        poses[some(0.03)] = far * rng.normal(size=2)
    if rng.random() < 0.1:
        value = rng.choice([np.inf, -np.inf, 1e15, 1e37, 1e300])
        poses[rng.integers(frames), rng.integers(K), 0] = value
    poses = poses * rng.choice([1, 1, 1 / 640, 1000])
    scores = None
    if rng.random() < 0.6:
        scores = rng.random((frames, K))
        if rng.random() < 0.3:
            scores[some(0.2)] = rng.choice([0, np.nan, 1.3, -0.05])
        if rng.random() < 0.1:
            scores[some(0.2)] = rng.choice([np.inf, 95, -7])
    times = None
    if rng.random() < 0.3:
        times = np.cumsum(rng.uniform(0.005, 0.2, frames))
    return poses, scores, times


def offline(refiner, case):
    poses, scores, times = case
    try:
        return refiner.refine(poses, scores, timestamps=times)
    except ValueError as error:
        message = str(error)
    assert '\n' not in message
    assert len(message) <= 300
    return None


def streamed(refiner, case):
    poses, scores, times = case
    stream, frames = StreamingRefiner(refiner, lookahead=2000), []
    for i, pose in enumerate(poses):
        score = None if scores is None else scores[i]
        time = None if times is None else times[i]
        frames += stream.push(pose, score, time)
    return frames + stream.flush(0)


def unit(poses, counted):
    seen = poses[counted]
    size = np.ptp(seen, axis=0).max()
    return max(float(size), 1e-3 * float(np.abs(seen).max()), 1e-6)


def counted_keypoints(poses, scores):
    missing = np.isnan(poses).any(-1)
    if scores is not None:
        missing |= ~(scores > 0)
    return ~missing & ~ignored_keypoints(poses, missing).any


@pytest.mark.fuzz(40)
def test_a_sequence_is_refused_or_refined(refiner, seed):
    poses, scores, times = case = make_case(seed)
    result = offline(refiner, case)
    if result is None:
        return
    assert np.isfinite(result.keypoints).all()
    counted = counted_keypoints(poses.astype(np.float32), scores)
    size = unit(poses, counted)
    # Nothing leaves the region of the person.
    low, high = poses[counted].min(0), poses[counted].max(0)
    assert (result.keypoints >= low - size).all()
    assert (result.keypoints <= high + size).all()
    alone = result.keypoints
    batch = refiner.refine(
        [poses, np.full((9, K, 2), 7.0)],
        None if scores is None else [scores, np.ones((9, K))],
        timestamps=None if times is None else [times, np.arange(9) / 30],
    )
    np.testing.assert_allclose(batch[0].keypoints, alone, atol=1e-4 * size)
    frames = streamed(refiner, case)
    assert len(frames) == len(poses)
    found = np.stack([x.keypoints for x in frames])
    np.testing.assert_allclose(found, alone, atol=1e-3 * size)
