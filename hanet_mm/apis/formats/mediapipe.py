# Copyright (c) hanet_mm contributors. All rights reserved.
"""Landmarks of MediaPipe Pose, dumped as JSON.

An entry for each frame, in a list, in ``frames`` of a dict with ``width``,
``height`` and ``fps`` beside it, or in a dict by the number of the frame. An
entry is the 33 landmarks of a person, or a list of such, or a dict with one
of these as ``landmarks`` or ``pose_landmarks`` and optionally ``frame``,
``frame_id`` or ``frame_index``; nothing (``null``, ``[]``, ``{}``) where
nobody was found. The landmarks may be in ``landmark``, as protobuf prints
them, or in a dict by their names. A landmark is ``{x, y, z, visibility}`` or
a list of these numbers.

x and y are fractions of the image size, which has to be known because a
refiner works in pixels. z is copied. ``visibility`` tells whether a landmark
is hidden, not how well it is placed.
"""

from typing import Any, Dict, List, Optional, Sequence, Tuple

import numpy as np

from hanet_mm.core.data.files import PathLike, to_lists, write_json
from hanet_mm.core.poses.skeleton import plain_name
from hanet_mm.core.poses.skeleton_data import SKELETONS
from hanet_mm.core.refine.refiner import RefineResult

from .base import DetectionFile, Detections, Source
from .frame_times import rate_of_entries
from .values import is_absent, stack_numbers

NAMES = SKELETONS['mediapipe33'].keypoint_names
_PLAIN = [plain_name(name) for name in NAMES]
_LANDMARKS = ('landmarks', 'pose_landmarks', 'poseLandmarks')
_FRAME = ('frame', 'frame_id', 'frame_index', 'frame_number')
_WRAP = 'landmark'

Landmarks = List[Any]


def matches(source: Source) -> bool:
    """Whether JSON looks like such landmarks."""
    entries = source.content
    if isinstance(entries, dict):
        if 'frames' not in entries and not _is_numbered(entries):
            return False
        entries = entries.get('frames', [*entries.values()])
    if not isinstance(entries, list):
        return False
    first = next((x for x in entries if not _is_nobody(x)), None)
    if isinstance(first, dict):
        return any(key in first for key in (*_LANDMARKS, _WRAP)) or (
            _are_named(first)
        )
    while isinstance(first, list) and first:
        first = next((x for x in first if not is_absent(x)), None)
    if isinstance(first, dict):
        return _WRAP in first or not {'keypoints', 'box'} & {*first}
    return first is None or isinstance(first, (int, float))


class MediaPipeLandmarks(DetectionFile):
    """Landmarks of a video.

    Refined coordinates replace ``x`` and ``y``; the input is kept as
    ``x_input`` and ``y_input`` of each landmark, and ``filled`` marks the
    landmarks that were missing. Landmarks that are lists of numbers become
    such dicts. Persons that were tracked have ``track_id`` in each landmark.
    The image size goes beside ``frames``, else into the first landmark of each
    person as ``image_size``.
    """

    def __init__(self, source: Source):
        path, self.content = source.path, source.content
        self.keypoint_names = list(NAMES)
        self.people: List[Landmarks] = []
        self.given: List[Any] = []  # the people as the file has them
        where, frames = [], []
        entries = _read_frames(self.content, path)
        rate = _find_rate(
            self.content, [number for number, _ in entries], path
        )
        for number, people in entries:
            for person in people:
                place = f'{path}: frame {number}'
                self.given.append(person)
                self.people.append(_parse_landmarks(person, place))
                frames.append(number)
                where.append(place)
        self.image_size = _image_size(source, self.people)
        points, scores = _read_numbers(self.people, where)
        ids = [person[0].get('track_id') for person in self.people]
        found = Detections(
            np.array(frames, np.int64),
            points,
            scores,
            ids,
            'track_id',
            is_visibility=True,
            image_size=self.image_size,
            fps=rate,
            fractions=True,
        )
        super().__init__(source, found)

    def save(self, out: PathLike, refined: Sequence[RefineResult]) -> None:
        """See :meth:`PoseFile.save`."""
        keypoints, filled = self.collect(refined)
        changes: Dict[int, List[Dict[str, Any]]] = {}
        for row, (points, flags) in enumerate(
            zip(to_lists(keypoints), filled.tolist())
        ):
            changes[id(self.given[row])] = [
                dict(
                    landmark,
                    x=x,
                    y=y,
                    x_input=landmark['x'],
                    y_input=landmark['y'],
                    filled=flag,
                )
                for landmark, (x, y), flag in zip(
                    self.people[row], points, flags
                )
            ]
            if self.new_ids is not None:
                for landmark in changes[id(self.given[row])]:
                    landmark['track_id'] = self.new_ids[row]
        size = [float(x) for x in self.detections.image_size or ()]
        has_place = isinstance(self.content, dict) and 'frames' in self.content
        if size and not has_place:
            for landmarks in changes.values():
                landmarks[0]['image_size'] = size
        content = _with_changes(self.content, changes)
        if has_place:
            content = dict(content, **dict(zip(('width', 'height'), size)))
            if self.tracks[0].fps:
                content['fps'] = self.tracks[0].fps
        write_json(out, content, self.path)


read = MediaPipeLandmarks


def _image_size(
    source: Source, people: Sequence[Landmarks]
) -> Optional[Sequence[float]]:
    content, size, where = source.content, None, 'image_size'
    if source.image_size is not None:
        return source.image_size
    if isinstance(content, dict) and {'width', 'height'} <= {*content}:
        size, where = (content['width'], content['height']), 'width, height'
    else:
        sizes = (person[0].get('image_size') for person in people)
        size = next((x for x in sizes if x is not None), None)
    if size is None:
        return None
    if (
        isinstance(size, (list, tuple))
        and len(size) == 2
        and all(type(x) in (int, float) and x > 0 for x in size)
    ):
        return size
    raise ValueError(
        f'{source.path}: {where}: expected numbers above 0, found {size!r:.60}'
    )


def _find_rate(
    content: Any, frames: Sequence[int], path: PathLike
) -> Optional[float]:
    """Frames per second that the file says, or that frames with times have."""
    value, entries = None, content
    if isinstance(content, dict):
        value = content.get('fps')
        entries = content.get('frames', [*content.values()])
    if value is None:
        return rate_of_entries(entries, frames)
    if type(value) not in (int, float) or not value > 0:
        raise ValueError(
            f'{path}: fps: expected a number above 0, found {value!r}'
        )
    return float(value)


def _is_nobody(value: Any) -> bool:
    """Whether an entry of a frame holds no landmarks."""
    if isinstance(value, dict):
        keys = [key for key in (*_LANDMARKS, _WRAP) if key in value]
        return not value or (bool(keys) and _is_nobody(value[keys[0]]))
    return is_absent(value)


def _is_numbered(content: Dict[Any, Any]) -> bool:
    return bool(content) and all(
        key.isdecimal() and len(key) < 20 for key in content
    )


def _are_named(value: Any) -> bool:
    """Whether a dict holds the landmarks by their names."""
    return isinstance(value, dict) and len(
        {*map(plain_name, map(str, value))} & {*_PLAIN}
    ) == len(NAMES)


def _is_person(value: Any) -> bool:
    """Whether a value is one person, not a list of them."""
    if not isinstance(value, list):
        return isinstance(value, dict)
    first = value[0] if value else None
    if isinstance(first, list):
        return not is_absent(first) and not isinstance(first[0], (dict, list))
    return isinstance(first, dict) and _WRAP not in first


def _read_frames(content: Any, path: PathLike) -> List[Tuple[int, List[Any]]]:
    """Number of each frame and its people."""
    entries = content
    if isinstance(content, dict):
        entries = content.get('frames')
        if entries is None:
            entries = [
                {'frame': int(key), 'landmarks': value}
                if _is_person(value) and not _entry_key(value)
                else {'frame': int(key), **value}
                if isinstance(value, dict)
                else {'frame': int(key), 'landmarks': value}
                for key, value in content.items()
            ]
    frames, seen = [], set()
    for position, entry in enumerate(entries):
        number, landmarks = position, entry
        if isinstance(entry, dict) and not _are_named(entry):
            key = _entry_key(entry)
            if key is None and _WRAP not in entry and entry:
                raise ValueError(
                    f'{path}: frame {position}: expected a dict with '
                    f'{" or ".join(_LANDMARKS)}'
                )
            landmarks = entry if key is None else entry[key]
            number = next((entry[x] for x in _FRAME if x in entry), position)
        if type(number) is not int or number < 0 or number in seen:
            raise ValueError(
                f'{path}: entry {position}: expected the number of each '
                f'frame once and from 0, found {number!r}'
            )
        seen.add(number)
        if _is_nobody(landmarks):
            frames.append((number, []))
            continue
        if not isinstance(landmarks, (list, dict)):
            raise ValueError(
                f'{path}: frame {number}: expected a list of landmarks, '
                f'found {type(landmarks).__name__}'
            )
        people = [landmarks] if _is_person(landmarks) else landmarks
        frames.append((number, [x for x in people if not _is_nobody(x)]))
    return frames


def _entry_key(entry: Any) -> Optional[str]:
    if not isinstance(entry, dict):
        return None
    return next((key for key in _LANDMARKS if key in entry), None)


def _parse_landmarks(person: Any, where: str) -> List[Dict[str, Any]]:
    """The 33 landmarks of a person as dicts with x and y."""
    if isinstance(person, dict) and _WRAP in person:
        person = person[_WRAP]
    if _are_named(person):
        by_name = {plain_name(name): x for name, x in person.items()}
        person = [by_name[name] for name in _PLAIN]
    found = len(person) if isinstance(person, list) else 'none'
    if found != len(NAMES):
        raise ValueError(
            f'{where}: expected {len(NAMES)} landmarks, found {found}'
        )
    landmarks = []
    for index, landmark in enumerate(person):
        if isinstance(landmark, list) and 2 <= len(landmark) <= 5:
            keys = ('x', 'y', 'z', 'visibility', 'presence')
            landmark = dict(zip(keys, landmark))
        if not isinstance(landmark, dict) or not {'x', 'y'} <= {*landmark}:
            raise ValueError(
                f'{where}: landmark {index}: expected a dict with x, y, '
                f'z and visibility, found {landmark!r:.100}'
            )
        landmarks.append(landmark)
    return landmarks


def _read_numbers(
    people: List[Landmarks], where: List[str]
) -> Tuple[np.ndarray, Optional[np.ndarray]]:
    """x, y (N, 33, 2) as in the file, and visibility (N, 33) or None."""
    if not people:
        return np.zeros((0, len(NAMES), 2)), None
    values = [[[x['x'], x['y']] for x in landmarks] for landmarks in people]
    points = stack_numbers(values, 'landmarks', '(33, 2)', where)
    if not any('visibility' in x for landmarks in people for x in landmarks):
        return points, None
    values = [[x.get('visibility') for x in one] for one in people]
    return points, stack_numbers(values, 'visibility', '(33,)', where)


def _with_changes(content: Any, changes: Dict[int, List[Any]]) -> Any:
    """Copy JSON with other landmarks of the people, by their ``id``."""
    if id(content) in changes:
        new = changes[id(content)]
        if isinstance(content, dict) and _WRAP in content:
            return dict(content, **{_WRAP: new})
        if isinstance(content, dict):
            by_name = dict(zip(_PLAIN, new))
            return {name: by_name[plain_name(name)] for name in content}
        return new
    if isinstance(content, list):
        return [_with_changes(x, changes) for x in content]
    if isinstance(content, dict):
        return {
            key: _with_changes(value, changes)
            for key, value in content.items()
        }
    return content
