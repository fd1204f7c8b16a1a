"""Landmarks of MediaPipe Pose, dumped as JSON.

A list with an entry for each frame: the list of the 33 landmarks ``{x, y, z,
visibility}``; or a list of such lists, one for each person; or nothing
(``null`` or ``[]``) where nobody was found; or a dict with that as
``landmarks`` or ``pose_landmarks``, and where it is there ``frame``,
``frame_id`` or ``frame_index``. The list may be the ``frames`` of a dict,
with ``width`` and ``height``.

MediaPipe divides x by the width and y by the height of the image: the size
of the image has to be known, for a refiner works in pixels. z is passed
through.
"""

from typing import Any, Dict, List, Optional, Sequence, Tuple

import numpy as np

from hanet_mm.core.data.files import PathLike, to_lists, write_json
from hanet_mm.core.poses.skeleton_data import SKELETONS
from hanet_mm.core.refine.refiner import RefineResult

from .persons import DetectionFile, Detections, stack_numbers

NAMES = SKELETONS['mediapipe33'].keypoint_names
_LANDMARKS = ('landmarks', 'pose_landmarks', 'poseLandmarks')
_FRAME = ('frame', 'frame_id', 'frame_index')

Landmarks = List[Dict[str, Any]]


class MediaPipeLandmarks(DetectionFile):
    """Landmarks of a video.

    Refined coordinates take the place of ``x`` and ``y``; those that came
    are kept as ``x_input`` and ``y_input`` of each landmark, and ``filled``
    tells which of them were missing.

    Args:
        path: The file.
        content: What is in it.
        image_size: W, H in pixels, in place of what the file says.
        tracker: See :class:`DetectionFile`; without it there can be one
            person only.

    Raises:
        ValueError: One line naming the file, the frame and the field.
    """

    def __init__(
        self,
        path: PathLike,
        content: Any,
        image_size: Optional[Sequence[float]] = None,
        tracker: Optional[Any] = None,
    ):
        self.content = content
        self.keypoint_names = list(NAMES)
        self.image_size = np.array(_image_size(content, image_size, path))
        self.people: List[Landmarks] = []
        where, frames = [], []
        for number, people in _read_frames(content, path):
            for landmarks in people:
                self.people.append(landmarks)
                frames.append(number)
                where.append(f'{path}: frame {number}')
        points, scores = _read_landmarks(self.people, where)
        found = Detections(
            np.array(frames, np.int64),
            points * self.image_size,
            scores,
            [None] * len(frames),
            'track id',
            'persons',
        )
        super().__init__(path, found, tracker)
        for track in self.tracks:
            track.image_size = self.image_size

    def save(self, out: PathLike, refined: Sequence[RefineResult]) -> None:
        """See :meth:`PoseFile.save`."""
        keypoints, filled = self.collect(refined)
        changed = {
            id(landmarks): [
                {
                    **landmark,
                    'x': x,
                    'y': y,
                    'x_input': landmark['x'],
                    'y_input': landmark['y'],
                    'filled': flag,
                }
                for landmark, (x, y), flag in zip(landmarks, points, flags)
            ]
            for landmarks, points, flags in zip(
                self.people,
                to_lists(keypoints / self.image_size),
                filled.tolist(),
            )
        }
        write_json(out, _replace(self.content, changed), self.path)


def is_mediapipe(content: Any) -> bool:
    """Whether JSON seems to be such landmarks."""
    entries = content
    if isinstance(content, dict):
        entries = content.get('frames')
    if not isinstance(entries, list):
        return False
    first = next((entry for entry in entries if entry), None)
    if isinstance(first, dict):
        return any(key in first for key in _LANDMARKS)
    return first is None or isinstance(first, list)


def _image_size(
    content: Any, given: Optional[Sequence[float]], path: PathLike
) -> Tuple[float, float]:
    if given is not None:
        return tuple(given)
    if isinstance(content, dict) and {'width', 'height'} <= {*content}:
        size = content['width'], content['height']
        if all(type(x) in (int, float) and x > 0 for x in size):
            return size
        raise ValueError(
            f'{path}: width, height: expected numbers above 0, found {size}'
        )
    raise ValueError(
        f'{path}: MediaPipe divides by the size of the image, which the file '
        'does not say: give it with --image-size W H'
    )


def _read_frames(
    content: Any, path: PathLike
) -> List[Tuple[int, List[Landmarks]]]:
    """Number of each frame and the people in it."""
    entries = content['frames'] if isinstance(content, dict) else content
    frames, seen = [], set()
    for position, entry in enumerate(entries):
        number, landmarks = position, entry
        if isinstance(entry, dict):
            keys = [key for key in _LANDMARKS if key in entry]
            if not keys:
                raise ValueError(
                    f'{path}: frame {position}: expected a dict with '
                    f'{" or ".join(_LANDMARKS)}'
                )
            landmarks = entry[keys[0]]
            number = next((entry[x] for x in _FRAME if x in entry), position)
        if type(number) is not int or number < 0 or number in seen:
            raise ValueError(
                f'{path}: entry {position}: expected the number of each '
                f'frame once and from 0 on, found {number!r}'
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
    """x, y (N, 33, 2) as in the file, and visibility (N, 33) if there."""
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


def _replace(content: Any, changed: Dict[int, Landmarks]) -> Any:
    """Put changed landmarks in the place of those in the content."""
    if id(content) in changed:
        return changed[id(content)]
    if isinstance(content, dict):
        return {
            key: _replace(value, changed)
            if key in (*_LANDMARKS, 'frames')
            else value
            for key, value in content.items()
        }
    if isinstance(content, list):
        return [_replace(entry, changed) for entry in content]
    return content
