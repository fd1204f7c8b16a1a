# Copyright (c) hanet_mm contributors. All rights reserved.
"""Dicts of a frame as Detectron2, torchvision and others return them.

``{'instances': ...}`` with ``pred_keypoints`` (N, K, 3) of x, y and score;
``{'keypoints': (N, K, 2 or 3)}`` of x, y and score, torchvision's with
visibility and ``keypoints_scores`` that are logits, which are left alone; or a
list of dicts with ``keypoints`` (K, D) and ``scores`` (K,) of each person.
"""

import copy
from typing import Any, Optional

import numpy as np

from ..formats.coco import COCO_SKELETONS
from .base import (
    NO_PEOPLE,
    People,
    nan_at_origin,
    replace_coordinates,
    to_numpy,
)
from .instances import are_instances, read_instances, write_instances

TITLE = 'keypoint dicts'
SKELETONS = COCO_SKELETONS
_FIELD = 'pred_keypoints'


def matches(result: Any) -> bool:
    """Whether it is one of these dicts or lists."""
    if are_instances(result):
        return True
    if not isinstance(result, dict):
        return False
    if 'instances' in result:
        return _get(result['instances'], _FIELD) is not None
    return 'keypoints' in result and np.ndim(result['keypoints']) == 3


def read(result: Any) -> People:
    """Read keypoints, scores and ids."""
    if are_instances(result):
        return read_instances(result)
    if 'instances' in result:
        values = to_numpy(_get(result['instances'], _FIELD))
        ids = _get(result['instances'], 'track_ids')
    else:
        values = to_numpy(result['keypoints'])
        ids = result.get('track_ids')
    if not values.size:
        return NO_PEOPLE
    scores = None
    if 'keypoint_scores' in result:
        scores = to_numpy(result['keypoint_scores'])
    elif values.shape[-1] == 3:
        if 'keypoints_scores' not in result:
            scores = values[..., 2]
        values = values[..., :2]
    ids = None if ids is None else [int(x) for x in ids]
    return People(nan_at_origin(values), scores, ids)


def write(result: Any, keypoints: np.ndarray) -> Any:
    """Copy a result with other keypoints."""
    if are_instances(result):
        return write_instances(result, keypoints)
    new = dict(result)
    if not len(keypoints):
        return new
    if 'instances' not in result:
        given = result['keypoints']
        new['keypoints'] = replace_coordinates(given, keypoints)
        return new
    found = result['instances']
    points = replace_coordinates(_get(found, _FIELD), keypoints)
    if isinstance(found, dict):
        new['instances'] = {**found, _FIELD: points}
    elif hasattr(found, 'get_fields'):  # shares its fields with a copy
        fields = {**found.get_fields(), _FIELD: points}
        new['instances'] = type(found)(found.image_size, **fields)
    else:
        new['instances'] = copy.copy(found)
        setattr(new['instances'], _FIELD, points)
    return new


def _get(found: Any, name: str) -> Optional[Any]:
    if isinstance(found, dict):
        return found.get(name)
    return getattr(found, name, None)
