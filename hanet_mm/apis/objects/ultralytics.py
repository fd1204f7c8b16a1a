# Copyright (c) hanet_mm contributors. All rights reserved.
"""``Results`` of Ultralytics pose models; ids from ``model.track``.

(0, 0) is a missing keypoint. Boxes, picture and all else are shared with the
input, not copied.
"""

import copy
from typing import Any

from ..formats.coco import COCO_SKELETONS
from .base import (
    NO_PEOPLE,
    People,
    nan_at_origin,
    replace_coordinates,
    to_numpy,
)

TITLE = 'ultralytics results'
SKELETONS = {17: COCO_SKELETONS[17]}
# Properties that are computed once.
_CACHED = ('xy', 'xyn', 'conf')


def matches(result: Any) -> bool:
    """Whether it looks like ``Results``."""
    return all(
        hasattr(result, x) for x in ('keypoints', 'boxes', 'orig_shape')
    )


def read(result: Any) -> People:
    """Read keypoints, ids and the size of the picture."""
    if result.keypoints is None:
        raise ValueError('has no keypoints: it is not of a pose model')
    values = to_numpy(result.keypoints.data)
    if not values.size:
        return NO_PEOPLE
    ids = None
    if result.boxes is not None and result.boxes.id is not None:
        ids = [int(x) for x in result.boxes.id]
    height, width = result.orig_shape[:2]
    return People(
        nan_at_origin(values[..., :2]),
        values[..., 2] if values.shape[-1] > 2 else None,
        ids,
        image_size=(width, height),
    )


def write(result: Any, keypoints: Any) -> Any:
    """Copy a result with other keypoints, scores as they were."""
    new, points = copy.copy(result), copy.copy(result.keypoints)
    if len(keypoints):
        # The class would hide keypoints of low scores again.
        points.data = replace_coordinates(points.data, keypoints)
        for name in _CACHED:
            points.__dict__.pop(name, None)
    new.keypoints = points
    return new
