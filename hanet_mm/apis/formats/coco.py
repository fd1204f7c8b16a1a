"""Results in COCO's format, which AlphaPose writes too.

A list of ``{image_id, category_id, keypoints, score}``, one for each person,
with ``keypoints`` as ``x1, y1, score1, x2, ...``. COCO has numbers of images,
AlphaPose their names, and ``idx`` where it tracks.
"""

from typing import Any, Dict, List, Optional, Sequence

from hanet_mm.core.data.files import PathLike, write_json
from hanet_mm.core.poses.skeleton_data import SKELETONS
from hanet_mm.core.refine.refiner import RefineResult

from .frame_numbers import frame_numbers
from .persons import DetectionFile, Detections
from .triples import read_triples, write_triples

# Persons by the number of their keypoints.
COCO_SKELETONS: Dict[int, Sequence[str]] = {
    len(SKELETONS[name]): SKELETONS[name].keypoint_names
    for name in (
        *('coco17', 'coco_wholebody_body', 'halpe26', 'coco_wholebody133'),
    )
}
ALPHAPOSE_SKELETONS: Dict[int, Sequence[str]] = {
    **COCO_SKELETONS,
    16: SKELETONS['mpii16'].keypoint_names,
    # Halpe's whole body begins with its 26 points of the body.
    136: (
        *SKELETONS['halpe26'].keypoint_names,
        *(f'halpe-{i}' for i in range(26, 136)),
    ),
}


class ResultList(DetectionFile):
    """A list of results.

    Refined keypoints take the place of ``keypoints``, with the scores that
    came; those that came are kept as ``keypoints_input``, and ``filled``
    tells which of them were missing. All else is passed through.

    Args:
        path: The file.
        content: The list.
        id_field: What tells the persons apart, where it is there.
        skeletons: Names of keypoints by their number.
        tracker: See :class:`DetectionFile`.

    Raises:
        ValueError: One line naming the file, the entry and the field.
    """

    def __init__(
        self,
        path: PathLike,
        content: List[Dict[str, Any]],
        id_field: str,
        skeletons: Dict[int, Sequence[str]],
        tracker: Optional[Any] = None,
    ):
        self.content = content
        for index, entry in enumerate(content):
            if not isinstance(entry, dict) or not {
                'image_id',
                'keypoints',
            } <= {*entry}:
                raise ValueError(
                    f'{path}: entry {index}: expected a dict with image_id '
                    'and keypoints'
                )
        frames = frame_numbers(
            [entry['image_id'] for entry in content], path, 'image_id'
        )
        ids = _read_ids(content, id_field, path)
        where = [
            f'{path}: entry {index} (image_id {entry["image_id"]!r})'
            for index, entry in enumerate(content)
        ]
        keypoints, scores = read_triples(
            [entry['keypoints'] for entry in content], 'keypoints', where
        )
        self.use_convention(skeletons, keypoints.shape[1])
        found = Detections(frames, keypoints, scores, ids, id_field, 'entries')
        super().__init__(path, found, tracker)

    def save(self, out: PathLike, refined: Sequence[RefineResult]) -> None:
        """See :meth:`PoseFile.save`."""
        keypoints, filled = self.collect(refined)
        given = [entry['keypoints'] for entry in self.content]
        content = [
            {
                **entry,
                'keypoints': points,
                'keypoints_input': entry['keypoints'],
                'filled': flags,
            }
            for entry, points, flags in zip(
                self.content, write_triples(keypoints, given), filled.tolist()
            )
        ]
        write_json(out, content, self.path)


def is_result_list(content: Any) -> bool:
    """Whether JSON seems to be such a list."""
    return (
        isinstance(content, list)
        and bool(content)
        and isinstance(content[0], dict)
        and {'image_id', 'keypoints'} <= {*content[0]}
    )


def is_alphapose_list(content: Any) -> bool:
    """Whether such a list seems to be AlphaPose's."""
    return is_result_list(content) and (
        'idx' in content[0] or isinstance(content[0]['image_id'], str)
    )


def _read_ids(
    content: List[Dict[str, Any]], field: str, path: PathLike
) -> List[Any]:
    """Who each entry is.

    Without tracking AlphaPose writes a list for ``idx``: of the boxes that a
    person was made of, which are not numbered over time.
    """
    ids = [entry.get(field) for entry in content]
    lists = [isinstance(x, list) for x in ids]
    if any(lists):
        ids = [None] * len(ids) if not _are_ids(content, ids) else ids
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
    """Whether lists stand for one id, which a frame has once."""
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
