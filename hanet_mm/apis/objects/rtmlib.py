# Copyright (c) hanet_mm contributors. All rights reserved.
"""Keypoints (N, K, D) and scores (N, K) of a frame, as rtmlib returns them."""

from typing import Any

import numpy as np

from hanet_mm.core.poses.skeleton_data import SKELETONS as KNOWN

from ..formats.coco import COCO_SKELETONS
from .base import (
    NO_PEOPLE,
    People,
    nan_at_origin,
    replace_coordinates,
    to_numpy,
)

TITLE = 'rtmlib results'
SKELETONS = {**COCO_SKELETONS, 18: KNOWN['openpose18'].keypoint_names}


def matches(result: Any) -> bool:
    """Whether it is a pair of such arrays, or of two without people."""
    if not isinstance(result, (list, tuple)) or len(result) != 2:
        return False
    shapes = [_shape(x) for x in result]
    if all(shape[:1] == (0,) for shape in shapes):
        return True
    return len(shapes[0]) == 3 and shapes[0][:2] == shapes[1]


def read(result: Any) -> People:
    """Read keypoints and scores."""
    keypoints, scores = map(to_numpy, result)
    if not keypoints.size:
        return NO_PEOPLE
    return People(nan_at_origin(keypoints), scores)


def write(result: Any, keypoints: np.ndarray) -> Any:
    """Copy a pair with other keypoints."""
    if len(keypoints):
        result = (replace_coordinates(result[0], keypoints), *result[1:])
    return type(result)(result)


def _shape(values: Any) -> tuple:
    """Shape of an array, () of anything else; (0,) of an empty list."""
    if isinstance(values, list):
        return (0,) if not values else ()
    return tuple(getattr(values, 'shape', ()))
