# Copyright (c) hanet_mm contributors. All rights reserved.
"""Results of ultralytics as JSON: ``summary()`` or ``to_json()`` of frames.

A list with an entry for each frame, or a dict of them by the number of the
frame: a list of ``{name, class, confidence, box, track_id, keypoints: {x, y,
visible}}``, or the text of such a list, as ``to_json`` gives it. Of
``summary(normalize=True)`` the coordinates are fractions of the image. What
was found without keypoints is copied. A keypoint at 0, 0 was not found.
"""

import json
from typing import Any, Dict, List, Optional, Sequence, Tuple

import numpy as np

from hanet_mm.core.data.files import write_json
from hanet_mm.core.data.gaps import UNKNOWN_SCORE
from hanet_mm.core.refine.refiner import RefineResult

from .base import DetectionFile, Detections, Source
from .coco import COCO_SKELETONS
from .frame_names import frame_numbers
from .values import add_ids, merge_changes, stack_numbers

_KEYPOINTS = 'keypoints'


def matches(source: Source) -> bool:
    """Whether JSON looks like such results."""
    frames = source.content
    if isinstance(frames, dict):
        frames = [*frames.values()]
    if not isinstance(frames, list):
        return False
    for frame in frames:
        for found in _parse(frame) or ():
            return isinstance(found, dict) and (
                {'box', 'confidence'} <= {*found} or _has_keypoints(found)
            )
    return False


class UltralyticsResults(DetectionFile):
    """Results of a video, or of one frame as a list.

    Refined keypoints replace ``keypoints``, with their scores; the input is
    kept as ``keypoints_input``, ``filled`` marks keypoints that were missing.
    """

    def __init__(self, source: Source):
        path, content = source.path, source.content
        self.content = content
        self.path = path
        frames = _frames_of(content)
        numbers = np.arange(len(frames))
        if isinstance(content, dict):
            numbers = frame_numbers(list(content), path, 'frame')
        self.frames: List[Any] = []
        self.people: List[Dict[str, Any]] = []
        where, rows = [], []
        for number, frame in zip(numbers.tolist(), frames):
            found = _parse(frame)
            if found is None:
                raise ValueError(
                    f'{path}: frame {number}: expected a list of what was '
                    f'found, found {type(frame).__name__}'
                )
            self.frames.append(found)
            for index, person in enumerate(found):
                if isinstance(person, dict) and _has_keypoints(person):
                    self.people.append(person)
                    where.append(f'{path}: frame {number}: entry {index}')
                    rows.append(number)
        points, scores = _read_keypoints(self.people, where)
        ids = [person.get('track_id') for person in self.people]
        for value, place in zip(ids, where):
            if type(value) not in (int, type(None)):
                raise ValueError(
                    f'{place}: track_id: expected an integer, found {value!r}'
                )
        self.use_convention(COCO_SKELETONS, points.shape[1])
        found_people = Detections(
            np.array(rows, np.int64), points, scores, ids, 'track_id'
        )
        super().__init__(source, found_people)

    def save(self, out: Any, refined: Sequence[RefineResult]) -> None:
        """See :meth:`PoseFile.save`."""
        keypoints, filled = self.collect(refined)
        keypoints = np.nan_to_num(keypoints)  # 0: not found
        changes: Dict[int, Dict[str, Any]] = {
            id(person): {
                _KEYPOINTS: dict(
                    person[_KEYPOINTS],
                    x=points[:, 0].tolist(),
                    y=points[:, 1].tolist(),
                ),
                f'{_KEYPOINTS}_input': person[_KEYPOINTS],
                'filled': flags,
            }
            for person, points, flags in zip(
                self.people, keypoints, filled.tolist()
            )
        }
        add_ids(changes, self.people, 'track_id', self.new_ids)
        given = self.content
        new: List[Any] = []
        for frame, found in zip(_frames_of(given), self.frames):
            changed = merge_changes(found, changes, ())
            is_text = isinstance(frame, str)
            new.append(json.dumps(changed) if is_text else changed)
        content: Any = new
        if isinstance(given, dict):
            content = dict(zip(given, new))
        elif not _is_list_of_frames(given):
            content = new[0]
        write_json(out, content, self.path)


def read(source: Source) -> UltralyticsResults:
    """Read the results."""
    return UltralyticsResults(source)


def _is_list_of_frames(content: List[Any]) -> bool:
    return not any(isinstance(x, dict) for x in content)


def _frames_of(content: Any) -> List[Any]:
    """Entries of the frames; a list of what was found is one frame."""
    if isinstance(content, dict):
        return [*content.values()]
    return content if _is_list_of_frames(content) else [content]


def _parse(frame: Any) -> Optional[List[Any]]:
    """What was found in a frame; None if it is something else."""
    if isinstance(frame, str):
        try:
            frame = json.loads(frame)
        except (ValueError, RecursionError):
            return None
    if isinstance(frame, dict) and 'box' in frame:
        return [frame]
    if frame is None or frame == {}:
        return []
    return frame if isinstance(frame, list) else None


def _has_keypoints(found: Dict[str, Any]) -> bool:
    points = found.get(_KEYPOINTS)
    return isinstance(points, dict) and bool(points.get('x'))


def _read_keypoints(
    people: List[Dict[str, Any]], where: List[str]
) -> Tuple[np.ndarray, Optional[np.ndarray]]:
    """Keypoints (N, K, 2) and scores (N, K) or None."""
    if not people:
        return np.zeros((0, 0, 2)), None
    x, y = (
        stack_numbers(
            [person[_KEYPOINTS].get(axis) for person in people],
            f'{_KEYPOINTS}: {axis}',
            '(K,)',
            where,
        )
        for axis in 'xy'
    )
    if x.shape != y.shape:
        raise ValueError(
            f'{where[0]}: {_KEYPOINTS}: expected as many y as x '
            f'({x.shape[1]}), found {y.shape[1]}'
        )
    points = np.stack([x, y], -1)
    given = [person[_KEYPOINTS].get('visible') for person in people]
    if not any(given):
        return points, None
    unknown = [UNKNOWN_SCORE] * x.shape[1]
    scores = stack_numbers(
        [value or unknown for value in given],
        f'{_KEYPOINTS}: visible',
        '(K,)',
        where,
    )
    if scores.shape != x.shape:
        raise ValueError(
            f'{where[0]}: {_KEYPOINTS}: visible: expected {x.shape[1]} '
            f'numbers, found {scores.shape[1]}'
        )
    return points, scores
