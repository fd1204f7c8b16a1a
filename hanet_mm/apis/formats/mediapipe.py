# Copyright (c) hanet_mm contributors. All rights reserved.
"""Landmarks of MediaPipe Pose, dumped as JSON.

A list with an entry for each frame: the 33 landmarks ``{x, y, z,
visibility}``; or a list of such lists, one for each person; or ``null`` or
``[]`` if nobody was found; or a dict with one of these as ``landmarks`` or
``pose_landmarks`` and optionally ``frame``, ``frame_id`` or ``frame_index``.
The list may be the ``frames`` of a dict with ``width`` and ``height``.

x and y are fractions of the image size, which has to be known because a
refiner works in pixels. z is copied. ``visibility`` tells whether a landmark
is hidden, not how well it is placed.
"""

from typing import Any, Dict, List, Optional, Sequence, Tuple

import numpy as np

from hanet_mm.core.data.files import PathLike, to_lists, write_json
from hanet_mm.core.poses.skeleton_data import SKELETONS
from hanet_mm.core.refine.refiner import RefineResult

from .base import DetectionFile, Detections, Source
from .values import merge_changes, stack_numbers

NAMES = SKELETONS['mediapipe33'].keypoint_names
_LANDMARKS = ('landmarks', 'pose_landmarks', 'poseLandmarks')
_FRAME = ('frame', 'frame_id', 'frame_index')

Landmarks = List[Dict[str, Any]]


def matches(source: Source) -> bool:
    """Whether JSON looks like such landmarks."""
    entries = source.content
    if isinstance(entries, dict):
        entries = entries.get('frames')
    if not isinstance(entries, list):
        return False
    first = next((entry for entry in entries if entry), None)
    if isinstance(first, dict):
        return any(key in first for key in _LANDMARKS)
    return first is None or isinstance(first, list)


class MediaPipeLandmarks(DetectionFile):
    """Landmarks of a video.

    Refined coordinates replace ``x`` and ``y``; the input is kept as
    ``x_input`` and ``y_input`` of each landmark, and ``filled`` marks the
    landmarks that were missing.
    """

    def __init__(self, source: Source):
        path, self.content = source.path, source.content
        self.keypoint_names = list(NAMES)
        self.image_size = np.array(_image_size(source))
        self.people: List[Landmarks] = []
        where, frames = [], []
        for number, people in _read_frames(self.content, path):
            for landmarks in people:
                self.people.append(landmarks)
                frames.append(number)
                where.append(f'{path}: frame {number}')
        points, scores = _read_landmarks(self.people, where)
        numbers = np.array(frames, np.int64)
        points = points * self.image_size
        ids = [None] * len(frames)
        found = Detections(numbers, points, scores, ids, is_visibility=True)
        super().__init__(source, found)
        for track in self.tracks:
            track.image_size = self.image_size

    def save(self, out: PathLike, refined: Sequence[RefineResult]) -> None:
        """See :meth:`PoseFile.save`."""
        keypoints, filled = self.collect(refined)
        keypoints = to_lists(keypoints / self.image_size)
        changes = {
            id(landmark): dict(
                x=x,
                y=y,
                x_input=landmark['x'],
                y_input=landmark['y'],
                filled=flag,
            )
            for landmarks, points, flags in zip(
                self.people, keypoints, filled.tolist()
            )
            for landmark, (x, y), flag in zip(landmarks, points, flags)
        }
        keys = (*_LANDMARKS, 'frames')
        write_json(out, merge_changes(self.content, changes, keys), self.path)


read = MediaPipeLandmarks


def _image_size(source: Source) -> Sequence[float]:
    content = source.content
    if source.image_size is not None:
        return source.image_size
    if isinstance(content, dict) and {'width', 'height'} <= {*content}:
        size = content['width'], content['height']
        if all(type(x) in (int, float) and x > 0 for x in size):
            return size
        raise ValueError(
            f'{source.path}: width, height: expected numbers above 0, found '
            f'{size}'
        )
    raise ValueError(
        f'{source.path}: MediaPipe coordinates are fractions of the image '
        'size, which is not in the file: give it with --image-size W H'
    )


def _read_frames(
    content: Any, path: PathLike
) -> List[Tuple[int, List[Landmarks]]]:
    """Number of each frame and its people."""
    entries = content['frames'] if isinstance(content, dict) else content
    frames, seen = [], set()
    for position, entry in enumerate(entries):
        number, landmarks = position, entry
        if isinstance(entry, dict):
            key = next((key for key in _LANDMARKS if key in entry), None)
            if key is None:
                raise ValueError(
                    f'{path}: frame {position}: expected a dict with '
                    f'{" or ".join(_LANDMARKS)}'
                )
            landmarks = entry[key]
            number = next((entry[x] for x in _FRAME if x in entry), position)
        if type(number) is not int or number < 0 or number in seen:
            raise ValueError(
                f'{path}: entry {position}: expected the number of each '
                f'frame once and from 0, found {number!r}'
            )
        seen.add(number)
        landmarks = landmarks or []
        if not isinstance(landmarks, list):
            raise ValueError(
                f'{path}: frame {number}: expected a list of landmarks, '
                f'found {type(landmarks).__name__}'
            )
        alone = bool(landmarks) and isinstance(landmarks[0], dict)
        people = [landmarks] if alone else [x for x in landmarks if x]
        frames.append((number, people))
    return frames


def _read_landmarks(
    people: List[Landmarks], where: List[str]
) -> Tuple[np.ndarray, Optional[np.ndarray]]:
    """x, y (N, 33, 2) as in the file, and visibility (N, 33) or None."""
    for landmarks, place in zip(people, where):
        found = len(landmarks) if isinstance(landmarks, list) else 'none'
        if found != len(NAMES):
            raise ValueError(
                f'{place}: expected {len(NAMES)} landmarks, found {found}'
            )
        for index, landmark in enumerate(landmarks):
            if not isinstance(landmark, dict) or not {'x', 'y'} <= {*landmark}:
                raise ValueError(
                    f'{place}: landmark {index}: expected a dict with x, y, '
                    f'z and visibility, found {landmark!r}'
                )
    if not people:
        return np.zeros((0, len(NAMES), 2)), None
    values = [[[x['x'], x['y']] for x in landmarks] for landmarks in people]
    points = stack_numbers(values, 'landmarks', '(33, 2)', where)
    if not any('visibility' in x for landmarks in people for x in landmarks):
        return points, None
    values = [[x.get('visibility') for x in one] for one in people]
    return points, stack_numbers(values, 'visibility', '(33,)', where)
