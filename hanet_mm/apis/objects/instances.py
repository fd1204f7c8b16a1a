# Copyright (c) hanet_mm contributors. All rights reserved.
"""People of a frame as a list of dicts, one for each: the instances of MMPose
or the poses of other estimators.
"""

from typing import Any, Dict, List

import numpy as np

from .base import People, replace_coordinates, to_numpy

_SCORES = ('keypoint_scores', 'scores')
_IDS = ('track_id', 'id')


def are_instances(frame: Any) -> bool:
    """Whether it is a list of dicts with the keypoints (K, D) of a person."""
    return (
        isinstance(frame, list)
        and bool(frame)
        and all(isinstance(x, dict) and 'keypoints' in x for x in frame)
        and np.ndim(to_numpy(frame[0]['keypoints'])) == 2
    )


def read_instances(frame: List[Dict[str, Any]]) -> People:
    """Read keypoints, scores and ids."""
    points = _stack(frame, 'keypoints')
    scores = None
    for key in _SCORES:
        if all(key in x for x in frame):
            scores = _stack(frame, key)
            break
    ids = None
    for key in _IDS:
        if any(x.get(key) is not None for x in frame):
            ids = [x.get(key) for x in frame]
            break
    if scores is not None and scores.shape != points.shape[:2]:
        raise ValueError(
            f'expected scores (N, K) = {points.shape[:2]}, found '
            f'{scores.shape}'
        )
    return People(points, scores, ids)


def write_instances(
    frame: List[Dict[str, Any]], keypoints: np.ndarray
) -> List[Dict[str, Any]]:
    """Copy the dicts with other keypoints."""
    return [
        {**one, 'keypoints': replace_coordinates(one['keypoints'], points)}
        for one, points in zip(frame, keypoints)
    ]


def _stack(frame: List[Dict[str, Any]], key: str) -> np.ndarray:
    values = [to_numpy(x[key]) for x in frame]
    shapes = sorted({x.shape for x in values})
    if len(shapes) > 1:
        raise ValueError(f'{key}: expected one shape, found {shapes}')
    return np.stack(values)
