# Copyright (c) hanet_mm contributors. All rights reserved.
"""Frames with their people, as OpenPose and AlphaPose write them.

OpenPose: a folder with a file for each frame, ``{"people": [{"person_id":
[-1], "pose_keypoints_2d": [x1, y1, score1, ...]}, ...]}``. AlphaPose with
``--format open`` or ``cmu`` writes such a dict for each image, in the second
case with ``bodies`` of ``joints``; its ``sep-json`` is a folder of them.
"""

from functools import partial
from pathlib import Path
from typing import Any, Dict, List, Sequence, Tuple

import numpy as np

from hanet_mm.core.data.files import PathLike, read_json, write_json
from hanet_mm.core.poses.boxes import person_size
from hanet_mm.core.poses.skeleton_data import SKELETONS
from hanet_mm.core.refine.refiner import RefineResult

from .base import DetectionFile, Detections, Source
from .folders import list_files, write_folder
from .frame_names import frame_numbers
from .values import (
    add_ids,
    changed_triples,
    is_absent,
    merge_changes,
    read_triples,
)

OPENPOSE_SKELETONS: Dict[int, Sequence[str]] = {
    len(SKELETONS[name]): SKELETONS[name].keypoint_names
    for name in ('openpose18', 'openpose25')
}
# Lists of people and their keypoints; the last is of OpenPose in 2017.
_FIELDS: Tuple[Tuple[str, str], ...] = (
    ('people', 'pose_keypoints_2d'),
    ('bodies', 'joints'),
    ('people', 'pose_keypoints'),
)
# In sizes of a person; a neck is nearer to the middle of the shoulders.
_NEAR = 0.12


def matches(source: Source) -> bool:
    """Whether a folder looks like one with a file for each frame."""
    files = list_files(source.path, '.json')
    if any(x.endswith('_keypoints.json') for x in files):
        return True
    try:
        return bool(files) and has_people(read_json(source.path / files[0]))
    except ValueError:
        return False


class PeopleFrames(DetectionFile):
    """Frames with their people, by the name of their file or image. Refined
    keypoints replace the given ones, with their scores; the input is kept as
    ``<field>_input``, ``filled`` marks keypoints that were missing; hands,
    face and other fields are copied.
    """

    def __init__(self, source: Source, frames: Dict[str, Any]):
        self.path, self.frames = source.path, frames
        numbers = frame_numbers(list(frames), self.path, 'name of a frame')
        # Each person and the field of the keypoints.
        self.people: List[Tuple[Dict[str, Any], str]] = []
        where, rows, ids = [], [], []
        for number, (name, content) in zip(numbers, frames.items()):
            place = self.describe(name)
            for index, person in enumerate(_find_people(content, place)):
                self.people.append(person)
                where.append(f'{place}: person {index}')
                rows.append(number)
                ids.append(_person_id(person[0], where[-1]))
        keypoints, scores = read_triples(
            [person[field] for person, field in self.people],
            self.people[0][1] if self.people else '',
            where,
        )
        self.use_convention(OPENPOSE_SKELETONS, keypoints.shape[1])
        if _is_25b(keypoints, scores):
            self.keypoint_names = list(SKELETONS['openpose25b'].keypoint_names)
            self.names_by = 'by where they are'
        numbers = np.array(rows, np.int64)
        found = Detections(numbers, keypoints, scores, ids, 'person_id')
        super().__init__(source, found)

    def describe(self, name: str) -> str:
        """Name a frame in a message."""
        return f'{self.path}: {name}'

    def refined_frames(
        self, refined: Sequence[RefineResult]
    ) -> Dict[str, Any]:
        """The frames with refined keypoints."""
        keypoints, filled = self.collect(refined)
        changes = changed_triples(self.people, keypoints, filled)
        ids = self.new_ids
        if ids is not None:
            ids = [
                [number] if isinstance(x.get('person_id'), list) else number
                for number, (x, _) in zip(ids, self.people)
            ]
        people = [person for person, _ in self.people]
        add_ids(changes, people, 'person_id', ids)
        return {
            name: merge_changes(content, changes, ('people', 'bodies'))
            for name, content in self.frames.items()
        }


class OpenPoseFolder(PeopleFrames):
    """A folder with a JSON file for each frame."""

    def __init__(self, source: Source):
        self.path = source.path
        names = list_files(source.path, '.json')
        frames = {name: read_json(self._file(name)) for name in names}
        super().__init__(source, frames)

    def _file(self, name: str) -> Path:
        return Path(self.path) / name

    def describe(self, name: str) -> str:
        """The file of a frame."""
        return str(self._file(name))

    def save(self, out: PathLike, refined: Sequence[RefineResult]) -> None:
        """Write a folder, which must not exist or be empty."""
        frames = self.refined_frames(refined)
        write_folder(
            out, {name: partial(self._write, x) for name, x in frames.items()}
        )

    def _write(self, content: Any, path: Path) -> None:
        write_json(path, content, self._file(path.name))


read = OpenPoseFolder


def has_people(content: Any) -> bool:
    """Whether JSON looks like the people of one frame."""
    return isinstance(content, dict) and any(
        isinstance(content.get(key, 0), (list, type(None)))
        for key, _ in _FIELDS
    )


def _find_people(content: Any, where: str) -> List[Tuple[Dict[str, Any], str]]:
    if not has_people(content):
        raise ValueError(
            f"{where}: expected a dict with a list 'people' or 'bodies', "
            f'found {type(content).__name__}'
        )
    key = 'people' if 'people' in content else 'bodies'
    fields = [field for holder, field in _FIELDS if holder == key]
    people = []
    for index, person in enumerate(content[key] or ()):
        known = person if isinstance(person, dict) else {}
        field = next((x for x in fields if x in known), None)
        if field is None:
            raise ValueError(
                f'{where}: person {index}: expected a dict with '
                f'{" or ".join(fields)}'
            )
        if not is_absent(person[field]):
            people.append((person, field))
    return people


def _person_id(person: Dict[str, Any], where: str) -> int:
    value = person.get('person_id', -1)
    if isinstance(value, list) and len(value) == 1:
        value = value[0]
    if type(value) is not int:
        raise ValueError(
            f'{where}: person_id: expected an integer, or a list with one, '
            f'found {value!r}'
        )
    return value


def _is_25b(keypoints: np.ndarray, scores: np.ndarray) -> bool:
    """Whether 25 keypoints (N, 25, 2) are in the order of BODY_25B.

    In BODY_25 keypoint 1 is the neck, between the shoulders 2 and 5, and 8 is
    between the hips 9 and 12; in BODY_25B keypoint 17 is above the neck,
    between the shoulders 5 and 6.
    """
    if keypoints.shape[1] != 25:
        return False
    points = np.where(scores[..., None] > 0, keypoints, np.nan)

    def beside_middle(k: int, a: int, b: int) -> float:
        middle = (points[:, a] + points[:, b]) / 2
        distances = np.linalg.norm(points[:, k] - middle, axis=-1)
        known = distances[np.isfinite(distances)]
        return float(np.median(known)) if len(known) else np.nan

    usual = beside_middle(1, 2, 5) + beside_middle(8, 9, 12)
    neck, size = beside_middle(17, 5, 6), person_size(points)
    return neck < min(usual / 2, _NEAR * size) and usual > _NEAR * size
