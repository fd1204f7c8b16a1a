# Copyright (c) hanet_mm contributors. All rights reserved.
"""``supervision.KeyPoints``; ids are ``data['tracker_id']``, if there.

(0, 0), and what is not ``visible``, is missing.
"""

import copy
from typing import Any

import numpy as np

from hanet_mm.core.data.gaps import scores_or_default

from ..formats.coco import COCO_SKELETONS
from ..formats.mediapipe import NAMES as MEDIAPIPE
from .base import (
    NO_PEOPLE,
    People,
    nan_at_origin,
    replace_coordinates,
    to_numpy,
)

TITLE = 'supervision key points'
SKELETONS = {17: COCO_SKELETONS[17], len(MEDIAPIPE): MEDIAPIPE}


def matches(result: Any) -> bool:
    """Whether it looks like ``KeyPoints``."""
    return all(hasattr(result, x) for x in ('xy', 'class_id', 'data'))


def read(result: Any) -> People:
    """Read keypoints, confidence and ids."""
    points = to_numpy(result.xy)
    if not points.size:
        return NO_PEOPLE
    # Releases before 0.29 call it confidence.
    name = 'keypoint_confidence'
    given = getattr(result, name if hasattr(result, name) else 'confidence')
    scores = None if given is None else to_numpy(given)
    visible = getattr(result, 'visible', None)
    if visible is not None:
        scores = scores_or_default(scores, points.shape[:2])
        scores = np.where(np.asarray(visible, bool), scores, 0)
    ids = (result.data or {}).get('tracker_id')
    return People(
        nan_at_origin(points),
        scores,
        None if ids is None else [int(x) for x in ids],
        is_visibility=points.shape[1] == len(MEDIAPIPE),
    )


def write(result: Any, keypoints: np.ndarray) -> Any:
    """Copy key points with other coordinates."""
    new = copy.copy(result)
    if len(keypoints):
        new.xy = replace_coordinates(result.xy, keypoints)
    return new
