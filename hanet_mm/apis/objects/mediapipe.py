# Copyright (c) hanet_mm contributors. All rights reserved.
"""Results of MediaPipe Pose, of ``solutions`` and of ``tasks``, or their
``pose_landmarks``.

x and y are fractions of the image size, which only results with segmentation
masks say. ``visibility`` tells whether a landmark is hidden, not how well it
is placed. z and ``pose_world_landmarks`` are copied.
"""

import copy
from typing import Any, List, Optional, Sequence

import numpy as np

from ..formats.mediapipe import NAMES
from .base import NO_PEOPLE, People

TITLE = 'mediapipe results'
SKELETONS = {len(NAMES): NAMES}
_NAME = 'pose_landmarks'


def matches(result: Any) -> bool:
    """Whether it is a result, its ``pose_landmarks``, or one person's."""
    if hasattr(result, _NAME) or hasattr(result, 'landmark'):
        return True
    first = result
    for _ in range(2):
        if not isinstance(first, (list, tuple)) or not first:
            break
        first = first[0]
    return hasattr(first, 'x') and hasattr(first, 'visibility')


def read(result: Any) -> People:
    """Read x, y and visibility, and the image size if there is a mask."""
    people = _people(_landmarks(result))
    if not people:
        return NO_PEOPLE
    for landmarks in people:
        if len(landmarks) != len(NAMES):
            raise ValueError(
                f'expected {len(NAMES)} landmarks of a pose, found '
                f'{len(landmarks)}'
            )
    points = [[(x.x, x.y) for x in landmarks] for landmarks in people]
    seen = [[_visibility(x) for x in landmarks] for landmarks in people]
    scores = np.array(seen, np.float64)
    return People(
        np.array(points, np.float64),
        None if np.isnan(scores).any() else scores,
        image_size=_mask_size(result),
        is_visibility=True,
        is_fraction=True,
    )


def write(result: Any, keypoints: np.ndarray) -> Any:
    """Copy a result with other x and y of its landmarks."""
    landmarks = copy.deepcopy(_landmarks(result))
    for person, points in zip(_people(landmarks), keypoints.tolist()):
        for landmark, (x, y) in zip(person, points):
            if x == x:  # not NaN
                landmark.x, landmark.y = x, y
    if not hasattr(result, _NAME):
        return landmarks
    if isinstance(result, type):  # solutions return a class, not an instance
        return type(result.__name__, (result,), {_NAME: landmarks})
    new = copy.copy(result)
    new.pose_landmarks = landmarks
    return new


def _landmarks(result: Any) -> Any:
    return getattr(result, _NAME, result)


def _people(landmarks: Any) -> List[Sequence[Any]]:
    """The landmarks of each person."""
    if not landmarks:
        return []
    if hasattr(landmarks, 'landmark'):
        return [landmarks.landmark]
    if hasattr(landmarks[0], 'x'):
        return [landmarks]
    return [getattr(x, 'landmark', x) for x in landmarks]


def _visibility(landmark: Any) -> float:
    """NaN if it is not set."""
    if hasattr(landmark, 'HasField') and not landmark.HasField('visibility'):
        return np.nan
    value = landmark.visibility
    return np.nan if value is None else value


def _mask_size(result: Any) -> Optional[Sequence[float]]:
    """W, H of a segmentation mask, which is as large as the image."""
    mask = getattr(result, 'segmentation_mask', None)
    if mask is not None:
        return mask.shape[1], mask.shape[0]
    masks = getattr(result, 'segmentation_masks', None)
    return (masks[0].width, masks[0].height) if masks else None
