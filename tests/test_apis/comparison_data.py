# Copyright (c) hanet_mm contributors. All rights reserved.
"""Persons and files for the tests of comparisons."""

import json

import numpy as np

from hanet_mm.core.data.sequences import PoseSequences, save_pose_sequences

K = 4
NAMES = ['nose', 'left_wrist', 'right_wrist', 'left_ankle']
LENGTHS = (40, 25, 31)


def make_motion(times, seed=0, dims=2):
    """Smooth motion of K points in px at any times, (T, K, dims)."""
    rng = np.random.default_rng(seed)
    times = np.asarray(times, float)[:, None, None, None]
    waves = rng.uniform(0.05, 0.5, (1, K, dims, 6))
    phase = rng.uniform(0, 6, (1, K, dims, 6))
    place = rng.uniform(50, 250, (1, K, dims))
    return place + (8 * np.sin(times * waves + phase)).sum(-1)


def make_people(dims=2):
    return [make_motion(range(n), i, dims) for i, n in enumerate(LENGTHS)]


def save_flat(path, people, scores=None, units='px', names=NAMES, **fields):
    points = np.concatenate(people)
    lengths = [len(x) for x in people]
    if scores is None:
        scores = np.ones(points.shape[:2])
    meta = dict(units=units, keypoint_names=names)
    save_pose_sequences(
        path,
        PoseSequences(
            keypoints_est=points,
            scores=scores,
            seq_len=lengths,
            seq_name=[f'walk{i}' for i in range(len(people))],
            meta={key: value for key, value in meta.items() if value},
            **fields,
        ),
    )
    return path


def save_plain(path, person, **arrays):
    np.savez(path, keypoints=person, **arrays)
    return path


def save_mmpose(path, people, first=5, scores=None):
    """The list of an inferencer; persons come one frame after the other."""
    frames = {}
    for who, person in enumerate(people):
        for t, points in enumerate(person):
            certain = np.ones(K) if scores is None else scores[who][t]
            instance = dict(
                track_id=who,
                keypoints=np.where(np.isnan(points), None, points).tolist(),
                keypoint_scores=np.asarray(certain).tolist(),
            )
            frames.setdefault(first + who + t, []).append(instance)
    content = [
        dict(frame_id=frame, instances=instances)
        for frame, instances in sorted(frames.items())
    ]
    path.write_text(json.dumps(content))
    return path
