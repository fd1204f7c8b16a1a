# Copyright (c) hanet_mm contributors. All rights reserved.
"""The tracker with anything in its input, and for long."""

import tracemalloc
import warnings

import numpy as np
import pytest

from hanet_mm.apis.tracking import PoseTracker


def make_scene(rng, frames=12):
    """Arguments of ``update`` of each frame."""
    count = int(rng.choice([1, 2, 3, 17]))
    places = rng.uniform(0, 600, (6, 1, 2))
    bodies = places + rng.choice([0, 1, 50]) * rng.normal(size=(6, count, 2))
    unit = rng.choice([1, 1, 1 / 640, 1e-30, 1e4, 1e30])
    frame = 0
    for _ in range(frames):
        frame += int(rng.choice([1, 1, 1, 1, 5, 10**9, 0, -1]))
        people = int(rng.integers(0, 7))
        step = rng.choice([0, 3, 1e3]) * rng.normal(size=(people, 1, 2))
        points = unit * (bodies[:people] + step)
        points[some(rng, points[..., 0], 0.1)] = odd(rng)
        scores = boxes = box_scores = None
        if rng.random() < 0.7:
            scores = rng.random((people, count))
            scores[some(rng, scores, 0.1)] = odd(rng)
        if rng.random() < 0.6:
            boxes = np.concatenate([points.min(1), points.max(1)], 1)
            boxes[some(rng, boxes, 0.1)] = odd(rng)
        if rng.random() < 0.5:
            values = [0, 0.1, 0.5, 0.9, 1, np.nan, np.inf, -1, 50]
            box_scores = rng.choice(values, size=people)
        if rng.random() < 0.03:
            boxes = np.zeros((people + 1, 4))
        yield frame, boxes, box_scores, points, scores


def some(rng, values, share):
    return (rng.random(values.shape) < share) & (rng.random() < 0.4)


def odd(rng):
    return rng.choice([np.nan, 0, -1, np.inf, -np.inf, 1e300, 1e7])


def attempt(tracker, arguments):
    """What an update returns, or the message with which it is refused."""
    with warnings.catch_warnings():
        warnings.simplefilter('error')
        try:
            return tracker.update(*arguments), ''
        except ValueError as error:
            return None, str(error)


@pytest.mark.fuzz(60)
def test_a_frame_is_refused_or_each_person_has_one_id(seed):
    tracker, other = PoseTracker(), PoseTracker()
    for arguments in make_scene(np.random.default_rng(seed)):
        found, message = attempt(tracker, arguments)
        if found is None:
            assert message.startswith(f'frame {arguments[0]}: expected') or (
                ' expected ' in message or 'must have shape' in message
            )
            assert '\n' not in message
            continue
        assert len(found.track_ids) == len(arguments[3])
        ids = found.track_ids[found.track_ids >= 0]
        assert len(set(ids.tolist())) == len(ids)
        # What was refused has changed nothing.
        again = other.update(*arguments)
        np.testing.assert_array_equal(again.track_ids, found.track_ids)


@pytest.mark.parametrize('value', [np.inf, -np.inf, 1e300, 2.0**25])
def test_what_no_coordinate_can_be(value):
    points = np.arange(12.0).reshape(2, 3, 2)
    boxes = np.array([[0.0, 0, 5, 5], [5, 5, 9, 9]])
    arguments = [0, boxes, None, points, None]
    tracker = PoseTracker()
    points[1, 0, 0] = boxes[1, 3] = value
    with pytest.raises(ValueError, match=r'frame 0: .* of person 1'):
        tracker.update(*arguments)
    points[1, 0, 0] = 5
    assert tracker.update(*arguments).track_ids.tolist() == [0, 1]


def test_memory_does_not_grow():
    """Noise that nobody confirms is forgotten."""
    rng = np.random.default_rng(0)
    body = 30 * rng.normal(size=(17, 2))

    def follow(first, last):
        for frame in range(first, last):
            places = rng.uniform(0, 9000, (8, 1, 2))
            places[0] = frame
            tracker.update(frame, None, None, places + body)
        return tracemalloc.get_traced_memory()[0]

    tracker = PoseTracker()
    tracemalloc.start()
    try:
        begin = follow(0, 60)
        assert follow(60, 180) < 1.5 * begin + 50_000
    finally:
        tracemalloc.stop()


def test_many_people():
    rng = np.random.default_rng(0)
    places = 300.0 * np.stack(np.divmod(np.arange(100), 10), -1)[:, None]
    body = 30 * rng.normal(size=(100, 17, 2))
    tracker = PoseTracker()
    for frame in range(10):
        noise = rng.normal(size=body.shape)
        found = tracker.update(frame, None, None, places + body + noise)
        if frame == 0:
            first = found.track_ids
            assert sorted(first.tolist()) == [*range(100)]
        np.testing.assert_array_equal(found.track_ids, first)
