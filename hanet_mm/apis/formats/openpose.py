# Copyright (c) hanet_mm contributors. All rights reserved.
"""Frames with their people, as OpenPose and AlphaPose write them.

OpenPose: a folder with a file for each frame, ``{"people": [{"person_id":
[-1], "pose_keypoints_2d": [x1, y1, score1, ...]}, ...]}``. AlphaPose with
``--format open`` or ``cmu`` writes such a dict for each image, in the second
case with ``bodies`` of ``joints``; its ``sep-json`` is a folder of them.
"""

import os
import shutil
from pathlib import Path
from typing import Any, Dict, List, Sequence, Tuple

import numpy as np

from hanet_mm.core.data.files import PathLike, read_json, write_json
from hanet_mm.core.poses.skeleton_data import SKELETONS
from hanet_mm.core.refine.refiner import RefineResult

from .base import DetectionFile, Detections, Source
from .frame_names import frame_numbers, natural_order
from .values import (
    add_ids,
    is_absent,
    merge_changes,
    read_triples,
    write_triples,
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


def matches(source: Source) -> bool:
    """Whether a folder looks like one with a file for each frame."""
    files = sorted(source.path.glob('*.json'))
    if any(x.name.endswith('_keypoints.json') for x in files):
        return True
    try:
        return bool(files) and has_people(read_json(files[0]))
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
        given = [person[field] for person, field in self.people]
        changes: Dict[int, Dict[str, Any]] = {
            id(person): {
                field: points,
                f'{field}_input': person[field],
                'filled': flags,
            }
            for (person, field), points, flags in zip(
                self.people, write_triples(keypoints, given), filled.tolist()
            )
        }
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
        names = natural_order([x.name for x in source.path.glob('*.json')])
        frames = {name: read_json(self._file(name)) for name in names}
        super().__init__(source, frames)

    def _file(self, name: str) -> Path:
        return Path(self.path) / name

    def describe(self, name: str) -> str:
        """The file of a frame."""
        return str(self._file(name))

    def save(self, out: PathLike, refined: Sequence[RefineResult]) -> None:
        """Write a folder, which must not exist or be empty."""
        out = Path(out)
        if out.exists() and (not out.is_dir() or any(out.iterdir())):
            raise FileExistsError(
                f'{out}: expected no such folder or an empty one for the '
                'output, found something in it'
            )
        temporary = out.with_name(f'.{out.name}.{os.getpid()}.tmp')
        try:
            for name, content in self.refined_frames(refined).items():
                write_json(temporary / name, content, self._file(name))
            if out.is_dir():  # empty; Windows replaces no folder
                out.rmdir()
            os.replace(temporary, out)
        finally:
            shutil.rmtree(temporary, ignore_errors=True)


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
