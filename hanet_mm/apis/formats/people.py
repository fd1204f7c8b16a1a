"""Frames with their people, as OpenPose writes them, AlphaPose in its place.

OpenPose: a folder with a file for each frame, ``{"people": [{"person_id":
[-1], "pose_keypoints_2d": [x1, y1, score1, ...]}, ...]}``. AlphaPose with
``--format open`` or ``cmu``: one file with such a dict for each image, under
its name, with ``bodies`` of ``joints`` in the second case; and a folder of
them, ``sep-json``.
"""

import os
import shutil
from pathlib import Path
from typing import Any, Dict, List, NamedTuple, Optional, Sequence, Tuple

import numpy as np

from hanet_mm.core.data.files import PathLike, read_json, write_json
from hanet_mm.core.poses.skeleton_data import SKELETONS
from hanet_mm.core.refine.refiner import RefineResult

from .frame_numbers import frame_numbers
from .persons import DetectionFile, Detections
from .triples import read_triples, write_triples

OPENPOSE_SKELETONS: Dict[int, Sequence[str]] = {
    len(SKELETONS[name]): SKELETONS[name].keypoint_names
    for name in ('openpose18', 'openpose25')
}
# Where the people are, and their keypoints; the last is OpenPose's of 2017.
_FIELDS: Tuple[Tuple[str, str], ...] = (
    ('people', 'pose_keypoints_2d'),
    ('bodies', 'joints'),
    ('people', 'pose_keypoints'),
)


class _Person(NamedTuple):
    """Someone in a frame."""

    content: Dict[str, Any]
    field: str


class PeopleFrames(DetectionFile):
    """Frames with their people.

    Refined keypoints take the place of those that came, with their scores;
    these are kept as ``<field>_input``, and ``filled`` tells which of them
    were missing. Hands, face and all else are passed through.

    Args:
        path: The file or folder.
        frames: What is in each frame, by the name of its file or image.
        tracker: See :class:`DetectionFile`.

    Raises:
        ValueError: One line naming the file, the frame and the field.
    """

    def __init__(
        self,
        path: PathLike,
        frames: Dict[str, Any],
        tracker: Optional[Any] = None,
    ):
        self.path, self.frames = path, frames
        numbers = frame_numbers(list(frames), path, 'name of a frame')
        if len(np.unique(numbers)) < len(numbers):
            order = np.argsort(numbers, kind='stable')
            same = np.flatnonzero(np.diff(numbers[order]) == 0)[0]
            first, second = (list(frames)[i] for i in order[same : same + 2])
            raise ValueError(
                f'{path}: expected a number of its own for each frame, found '
                f'{first} and {second}'
            )
        self.people: List[_Person] = []
        where, rows, ids = [], [], []
        for number, (name, content) in zip(numbers, frames.items()):
            place = self.describe(name)
            for index, person in enumerate(_find_people(content, place)):
                self.people.append(person)
                where.append(f'{place}: person {index}')
                rows.append(number)
                ids.append(_person_id(person.content, where[-1]))
        keypoints, scores = read_triples(
            [person.content[person.field] for person in self.people],
            self.people[0].field if self.people else '',
            where,
        )
        self.use_convention(OPENPOSE_SKELETONS, keypoints.shape[1])
        found = Detections(
            np.array(rows, np.int64),
            keypoints,
            scores,
            ids,
            'person_id',
            'people',
        )
        super().__init__(path, found, tracker)

    def describe(self, name: str) -> str:
        """Where the content of a frame is."""
        return f'{self.path}: {name}'

    def refined_frames(
        self, refined: Sequence[RefineResult]
    ) -> Dict[str, Any]:
        """The frames, with refined keypoints in place."""
        keypoints, filled = self.collect(refined)
        given = [person.content[person.field] for person in self.people]
        changes = {
            id(person.content): {
                person.field: points,
                f'{person.field}_input': person.content[person.field],
                'filled': flags,
            }
            for person, points, flags in zip(
                self.people, write_triples(keypoints, given), filled.tolist()
            )
        }
        return {
            name: {
                key: [{**x, **changes[id(x)]} for x in value]
                if key in ('people', 'bodies')
                else value
                for key, value in content.items()
            }
            for name, content in self.frames.items()
        }


class AlphaPosePeople(PeopleFrames):
    """One JSON file with the people of all images."""

    def save(self, out: PathLike, refined: Sequence[RefineResult]) -> None:
        """See :meth:`PoseFile.save`."""
        write_json(out, self.refined_frames(refined), self.path)


class OpenPoseFolder(PeopleFrames):
    """A folder with a JSON file for each frame.

    Args:
        path: The folder.
        tracker: See :class:`DetectionFile`.
    """

    def __init__(self, path: PathLike, tracker: Optional[Any] = None):
        names = sorted(x.name for x in Path(path).glob('*.json'))
        frames = {name: read_json(Path(path) / name) for name in names}
        super().__init__(path, frames, tracker)

    def describe(self, name: str) -> str:
        """The file of a frame."""
        return str(Path(self.path) / name)

    def save(self, out: PathLike, refined: Sequence[RefineResult]) -> None:
        """Write a folder, whole or not at all.

        Args:
            out: Must not be there, or be empty.
            refined: One result for each track.

        Raises:
            FileExistsError: If something is there.
        """
        out = Path(out)
        if out.exists() and (not out.is_dir() or any(out.iterdir())):
            raise FileExistsError(
                f'{out}: expected no such folder or an empty one for the '
                'output, found something in it'
            )
        temporary = out.with_name(f'.{out.name}.{os.getpid()}.tmp')
        try:
            for name, content in self.refined_frames(refined).items():
                write_json(temporary / name, content, Path(self.path) / name)
            os.replace(temporary, out)
        finally:
            shutil.rmtree(temporary, ignore_errors=True)


def is_people(content: Any) -> bool:
    """Whether JSON seems to be the people of one frame."""
    return isinstance(content, dict) and any(
        isinstance(content.get(key), list) for key, _ in _FIELDS
    )


def is_people_by_image(content: Any) -> bool:
    """Whether JSON seems to be the people of many images."""
    return (
        isinstance(content, dict)
        and bool(content)
        and is_people(next(iter(content.values())))
    )


def is_openpose_folder(path: Path) -> bool:
    """Whether a folder seems to have a file for each frame."""
    files = sorted(path.glob('*.json'))
    if any(x.name.endswith('_keypoints.json') for x in files):
        return True
    try:
        return bool(files) and is_people(read_json(files[0]))
    except ValueError:
        return False


def _find_people(content: Any, where: str) -> List[_Person]:
    if not is_people(content):
        raise ValueError(
            f"{where}: expected a dict with a list 'people' or 'bodies', "
            f'found {type(content).__name__}'
        )
    key = 'people' if isinstance(content.get('people'), list) else 'bodies'
    people = []
    for index, person in enumerate(content[key]):
        for holder, field in _FIELDS:
            if holder == key and isinstance(person, dict) and field in person:
                people.append(_Person(person, field))
                break
        else:
            fields = ' or '.join(x for holder, x in _FIELDS if holder == key)
            raise ValueError(
                f'{where}: person {index}: expected a dict with {fields}'
            )
    return people


def _person_id(person: Dict[str, Any], where: str) -> Any:
    value = person.get('person_id', -1)
    if isinstance(value, list) and len(value) == 1:
        value = value[0]
    if type(value) is not int:
        raise ValueError(
            f'{where}: person_id: expected an integer, or a list with one, '
            f'found {value!r}'
        )
    return value
