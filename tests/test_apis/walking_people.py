# Copyright (c) hanet_mm contributors. All rights reserved.
"""Scripted scenes: people who walk, hide each other, come and go.

Seen from the side, 17 keypoints in COCO's order, in pixels. Who stands lower
in the picture is nearer and hides what is behind.
"""

from dataclasses import dataclass
from typing import Dict, List, Sequence, Tuple

import numpy as np

NOBODY = np.zeros((0, 17, 2))
# Upright at height 1, feet at 0, x to the right and y down. Limbs swing.
_STANDING = np.array(
    [
        (0.03, -0.93), (0.04, -0.95), (0.02, -0.95), (0.02, -0.94),
        (-0.02, -0.94), (0.07, -0.81), (-0.07, -0.81), (0.09, -0.64),
        (-0.09, -0.64), (0.10, -0.48), (-0.10, -0.48), (0.05, -0.52),
        (-0.05, -0.52), (0.05, -0.27), (-0.05, -0.27), (0.05, -0.03),
        (-0.05, -0.03),
    ]
)  # fmt: skip
# Of each keypoint: left ones one way, right ones the other.
_SWING = np.array(
    [0, 0, 0, 0, 0, 0, 0, -1, 1, -2.2, 2.2, 0, 0, 1, -1, 2.2, -2.2]
)


@dataclass
class Walker:
    """One person.

    Attributes:
        way: Points (x, y) px where the feet are at ``times``.
        times: Numbers of frames, rising; the person is there from the first
            to the last.
        height: In px.
        phase: Of the gait, rad.
        stride: Of the gait, rad per frame.
    """

    way: Sequence[Tuple[float, float]]
    times: Sequence[float]
    height: float = 180.0
    phase: float = 0.0
    stride: float = 0.2

    def there(self, frame: int) -> bool:
        return self.times[0] <= frame <= self.times[-1]

    def pose(self, frame: int) -> np.ndarray:
        """Keypoints, (17, 2)."""
        x, y = (np.interp(frame, self.times, axis) for axis in zip(*self.way))
        swing = 0.09 * _SWING * np.sin(self.phase + self.stride * frame)
        body = _STANDING + np.stack([swing, np.zeros(17)], 1)
        return np.array([x, y]) + self.height * body


def across(start: float, end: float, y: float, times, **kwargs) -> Walker:
    """Someone who walks across the picture at a steady pace."""
    return Walker([(start, y), (end, y)], times, **kwargs)


def film(
    walkers: Sequence[Walker],
    num_frames: int,
    seed: int = 0,
    noise: float = 0.015,
    miss: float = 0.0,
    ghosts: float = 0.0,
    twice: float = 0.0,
    hidden: float = 0.5,
) -> List[Dict[str, np.ndarray]]:
    """What a detector and a pose estimator find in each frame.

    Args:
        walkers: The persons.
        num_frames: Of the scene.
        seed: Of everything random.
        noise: Of keypoints and boxes, in heights.
        miss: Chance to miss a person.
        ghosts: Chance of a detection of nobody in a frame.
        twice: Chance that a person is found twice.
        hidden: Share of a box hidden by someone nearer from which the person
            is missed; from half of it on, the score is low.

    Returns:
        For each frame in the order of the detections, which is random,
        ``keypoints``, ``keypoint_scores``, ``bboxes``, ``bbox_scores``, and
        ``person`` (n, ), the number of the walker, -1 for a ghost.
    """
    rng = np.random.default_rng(seed)
    frames = []
    for frame in range(num_frames):
        there = [
            (index, walker.pose(frame), walker.height)
            for index, walker in enumerate(walkers)
            if walker.there(frame)
        ]
        found = []
        for index, pose, height in there:
            nearer = [
                x for _, x, _ in there if x[:, 1].max() > pose[:, 1].max()
            ]
            share = max([_hidden_share(pose, x) for x in nearer], default=0)
            if share >= hidden or rng.random() < miss:
                continue
            score = 0.15 if share >= hidden / 2 else 0.9
            times = 2 if rng.random() < twice else 1
            found += [
                (index, pose, height, score - 0.02 * n) for n in range(times)
            ]
        if rng.random() < ghosts:
            where = rng.uniform((0, 300), (1280, 700))
            pose = where + 120 * rng.normal(0, 0.2, (17, 2))
            found.append((-1, pose, 120.0, rng.uniform(0.2, 0.5)))
        found = [found[i] for i in rng.permutation(len(found))]
        frames.append(_observe(found, noise, rng))
    return frames


def _observe(found, noise, rng) -> Dict[str, np.ndarray]:
    heights = np.array([x[2] for x in found])
    points = np.array([x[1] for x in found]).reshape(-1, 17, 2)
    boxes = np.array([_box(x) for x in points]).reshape(-1, 4)
    scale = noise * heights
    points = points + scale[:, None, None] * rng.normal(0, 1, points.shape)
    boxes = boxes + scale[:, None] * rng.normal(0, 1, boxes.shape)
    scores = np.array([x[3] for x in found])
    return dict(
        keypoints=points.astype(np.float32),
        keypoint_scores=rng.uniform(0.5, 1, points.shape[:2]),
        bboxes=boxes.astype(np.float32),
        bbox_scores=scores + rng.uniform(0, 0.1, scores.shape),
        person=np.array([x[0] for x in found], np.int64),
    )


def _box(pose: np.ndarray) -> np.ndarray:
    low, high = pose.min(0), pose.max(0)
    margin = 0.05 * (high[1] - low[1])
    return np.concatenate([low - margin, high + margin])


def _hidden_share(pose: np.ndarray, nearer: np.ndarray) -> float:
    box, front = _box(pose), _box(nearer)
    low = np.maximum(box[:2], front[:2])
    high = np.minimum(box[2:], front[2:])
    return np.clip(high - low, 0, None).prod() / (box[2:] - box[:2]).prod()


def count_switches(frames, ids) -> int:
    """How often a person goes on under another id (CLEAR MOT)."""
    last, switches = {}, 0
    for frame, found in zip(frames, ids):
        for person, track_id in zip(frame['person'], found):
            if person < 0 or track_id < 0:
                continue
            switches += last.get(person, track_id) != track_id
            last[person] = track_id
    return switches
