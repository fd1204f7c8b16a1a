# Copyright (c) hanet_mm contributors. All rights reserved.
"""Results in the COCO format.

A list of ``{image_id, category_id, keypoints, score}``, one entry for each
person, with ``keypoints`` as ``x1, y1, score1, x2, ...``.
"""

from typing import Any, Dict, List, Sequence

from hanet_mm.core.data.files import PathLike, write_json
from hanet_mm.core.poses.skeleton_data import SKELETONS
from hanet_mm.core.refine.refiner import RefineResult

from .base import DetectionFile, Detections, Source
from .frame_names import frame_numbers
from .values import (
    add_ids,
    changed_triples,
    is_absent,
    merge_changes,
    read_triples,
)

# Keypoint names by the number of keypoints.
COCO_SKELETONS: Dict[int, Sequence[str]] = {
    len(SKELETONS[name]): SKELETONS[name].keypoint_names
    for name in (
        *('coco17', 'coco_wholebody_body', 'halpe26', 'coco_wholebody133'),
    )
}


def matches(source: Source) -> bool:
    """Whether JSON looks like a list of results."""
    content = source.content
    return (
        isinstance(content, list)
        and bool(content)
        and isinstance(content[0], dict)
        and {'image_id', 'keypoints'} <= {*content[0]}
    )


def read(source: Source) -> 'ResultList':
    """Read results with a ``track_id`` for each person, or without."""
    return ResultList(source, 'track_id', COCO_SKELETONS)


class ResultList(DetectionFile):
    """A list of results, persons by ``id_field`` if present. Refined keypoints
    replace ``keypoints``, with the given scores; the input is kept as
    ``keypoints_input``, ``filled`` marks keypoints that were missing; other
    fields are copied.
    """

    def __init__(
        self,
        source: Source,
        id_field: str,
        skeletons: Dict[int, Sequence[str]],
    ):
        path, content = source.path, source.content
        if not isinstance(content, list):
            raise ValueError(
                f'{path}: expected a list of results, found '
                f'{type(content).__name__}'
            )
        for index, entry in enumerate(content):
            if not isinstance(entry, dict) or not {
                'image_id',
                'keypoints',
            } <= {*entry}:
                raise ValueError(
                    f'{path}: entry {index}: expected a dict with image_id '
                    'and keypoints'
                )
        self.content, self.id_field = content, id_field
        # Entries of nobody stay as they are.
        self.entries = [x for x in content if not is_absent(x['keypoints'])]
        numbers = frame_numbers(
            [entry['image_id'] for entry in content], path, 'image_id'
        )
        there = [not is_absent(entry['keypoints']) for entry in content]
        ids = read_ids(self.entries, id_field, path)
        where = [
            f'{path}: entry {index} (image_id {entry["image_id"]!r})'
            for index, entry in enumerate(content)
            if there[index]
        ]
        keypoints, scores = read_triples(
            [entry['keypoints'] for entry in self.entries], 'keypoints', where
        )
        self.use_convention(skeletons, keypoints.shape[1])
        found = Detections(numbers[there], keypoints, scores, ids, id_field)
        super().__init__(source, found)

    def save(self, out: PathLike, refined: Sequence[RefineResult]) -> None:
        """See :meth:`PoseFile.save`."""
        keypoints, filled = self.collect(refined)
        people = [(entry, 'keypoints') for entry in self.entries]
        changes = changed_triples(people, keypoints, filled)
        add_ids(changes, self.entries, self.id_field, self.new_ids)
        write_json(out, merge_changes(self.content, changes, ()), self.path)


def read_ids(
    content: List[Dict[str, Any]], field: str, path: PathLike
) -> List[Any]:
    """Person id of each entry, None where there is none.

    Without tracking AlphaPose writes lists: the boxes that a person was
    merged from, which are not numbered over time.
    """
    ids = [entry.get(field) for entry in content]
    if any(isinstance(x, list) for x in ids):
        ids = ids if _are_ids(content, ids) else [None] * len(ids)
        ids = [x[0] if isinstance(x, list) else x for x in ids]
    for index, value in enumerate(ids):
        if isinstance(value, float) and value.is_integer():
            ids[index] = int(value)
        elif type(value) not in (int, str, type(None)):
            raise ValueError(
                f'{path}: entry {index}: {field}: expected an integer or a '
                f'string, found {value!r}'
            )
    return ids


def _are_ids(content: List[Dict[str, Any]], ids: List[Any]) -> bool:
    """Whether each list holds one id, which occurs once in a frame."""
    seen = set()
    for entry, value in zip(content, ids):
        values = value if isinstance(value, list) else [value]
        if len({*map(repr, values)}) != 1:
            return False
        key = (entry['image_id'], repr(values[0]))
        if key in seen:
            return False
        seen.add(key)
    return True
