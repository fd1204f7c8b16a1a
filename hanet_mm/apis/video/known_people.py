# Copyright (c) hanet_mm contributors. All rights reserved.
"""People whom a tracker knows, and where they should be next.

M: people, K: keypoints; boxes x1, y1, x2, y2 px.
"""

from typing import NamedTuple, Sequence

import numpy as np

from hanet_mm.core.poses.boxes import box_centers

from .box_motion import predict_motion, start_motion, update_motion
from .jumps import relative_moves

_MIN_HEIGHT, _MIN_ASPECT = 1.0, 1e-2  # px; keep a hidden person's box


class People(NamedTuple):
    """People of one frame, float64."""

    boxes: np.ndarray  # (N, 4) px, finite
    keypoints: np.ndarray  # (N, K, 2) px
    valid: np.ndarray  # (N, K) bool

    def take(self, index: np.ndarray) -> 'People':
        """Select people by number or mask."""
        return People(*(array[index] for array in self))


class KnownPerson:
    """Last sight of a person, whose pose moves with the middle of its box.

    Attributes:
        mean, covariance: Of the motion of the box, (8, ) and (8, 8).
        box, keypoints, valid: As last seen, (4, ), (K, 2) and (K, ).
        anchor: Middle of the box when it was seen, (2, ).
        last_frame: When that was.
        segment: Number of the jumps so far.
        hits, missed: Frames with the person, and calls since the last one.
    """

    mean: np.ndarray
    covariance: np.ndarray
    box: np.ndarray
    keypoints: np.ndarray
    valid: np.ndarray
    anchor: np.ndarray
    last_frame: int

    def __init__(self, track_id: int) -> None:
        self.track_id = track_id
        self.segment = self.hits = self.missed = 0


def predict_all(known: Sequence[KnownPerson], num_frames: int) -> None:
    """Move the boxes of people on by some frames."""
    if not known:
        return
    mean = np.stack([person.mean for person in known])
    covariance = np.stack([person.covariance for person in known])
    missed = np.array([person.missed > 0 for person in known])
    for _ in range(num_frames):
        mean[missed, 7] = 0  # what hides a person shrinks its box first
        mean, covariance = predict_motion(mean, covariance)
    mean[:, 2] = np.maximum(mean[:, 2], _MIN_ASPECT)
    mean[:, 3] = np.maximum(mean[:, 3], _MIN_HEIGHT)
    for person, row in zip(known, zip(mean, covariance)):
        person.mean, person.covariance = row


def predicted_people(known: Sequence[KnownPerson]) -> People:
    """People as they should be now."""
    mean = np.stack([person.mean for person in known])
    middle, height = mean[:, :2], mean[:, 3]
    half = np.stack([mean[:, 2] * height, height], -1) / 2
    boxes = np.concatenate([middle - half, middle + half], -1)
    moved = middle - np.stack([person.anchor for person in known])
    keypoints = np.stack([person.keypoints for person in known])
    valid = np.stack([person.valid for person in known])
    return People(boxes, keypoints + moved[:, None], valid)


def see_all(
    people: Sequence[KnownPerson],
    found: People,
    frame_index: int,
    max_jump: float,
) -> None:
    """Take the places of detections; a long way begins a segment."""
    if not people:
        return
    size = np.maximum(found.boxes[:, 2:] - found.boxes[:, :2], _MIN_HEIGHT)
    aspect, height = size[:, :1] / size[:, 1:], size[:, 1:]
    centers = box_centers(found.boxes)
    measured = np.concatenate([centers, aspect, height], -1)
    mean, covariance = start_motion(measured)
    jumped = np.zeros(len(people), bool)
    again = np.flatnonzero([person.hits > 0 for person in people])
    if len(again):
        before = [people[row] for row in again]
        jumped[again] = _have_jumped(
            before, found.take(again), frame_index, max_jump
        )
        going = again[~jumped[again]]
        if len(going):
            mean[going], covariance[going] = update_motion(
                np.stack([people[row].mean for row in going]),
                np.stack([people[row].covariance for row in going]),
                measured[going],
            )
    rows = zip(people, jumped, mean, covariance, *found)
    for person, jump, *state in rows:
        person.mean, person.covariance = state[:2]
        person.box, person.keypoints, person.valid = state[2:]
        person.anchor = person.mean[:2].copy()
        person.last_frame = frame_index
        person.segment += int(jump)
        person.hits += 1
        person.missed = 0


def _have_jumped(
    people: Sequence[KnownPerson],
    found: People,
    frame_index: int,
    max_jump: float,
) -> np.ndarray:
    """Who moved by more than max_jump body sizes a frame, bool (M, )."""
    last = tuple(
        np.stack([getattr(person, name) for person in people])
        for name in ('keypoints', 'valid', 'box')
    )
    new = found.keypoints, found.valid, found.boxes
    frames = frame_index - np.array([x.last_frame for x in people])
    return relative_moves(last, new) > max_jump * frames
