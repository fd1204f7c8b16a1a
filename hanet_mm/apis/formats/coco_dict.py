# Copyright (c) hanet_mm contributors. All rights reserved.
"""Annotations in the COCO format, also those of PoseTrack18.

A dict of ``images`` (``id``, ``file_name``, perhaps ``width`` and
``height``), ``annotations`` (``image_id``, ``keypoints`` as x1, y1, v1, ...,
and ``track_id`` in videos) and ``categories``, which name the keypoints.
Images are in the order of their file names. v is 0 where a keypoint is not
labelled, 1 where it is hidden and 2 where it is visible; estimates have their
scores there.
"""

from typing import Any, Dict, List, Optional, Sequence

import numpy as np

from hanet_mm.core.data.files import PathLike, write_json
from hanet_mm.core.refine.refiner import RefineResult

from .base import DetectionFile, Detections, Source
from .coco import COCO_SKELETONS, read_ids
from .frame_names import frame_numbers
from .values import (
    add_ids,
    changed_triples,
    is_absent,
    merge_changes,
    read_triples,
)


def matches(source: Source) -> bool:
    """Whether JSON looks like such a dict."""
    content = source.content
    return isinstance(content, dict) and {'images', 'annotations'} <= {
        *content
    }


class CocoDict(DetectionFile):
    """Annotations or results of a video. Refined keypoints replace
    ``keypoints``; the input is kept as ``keypoints_input``, ``filled`` marks
    keypoints that were missing; all else is copied.
    """

    def __init__(self, source: Source):
        path, self.content = source.path, source.content
        images = _dicts(self.content, 'images', ('id',), path)
        every = _dicts(self.content, 'annotations', ('image_id',), path)
        frames = _frames_of(images, path)
        self.entries = [x for x in every if not is_absent(x.get('keypoints'))]
        where = []
        for entry in self.entries:
            image = entry['image_id']
            where.append(f'{path}: annotation of image {image!r}')
            if image not in frames:
                raise ValueError(
                    f'{where[-1]}: expected one of the images, found no such '
                    'id'
                )
        points, scores = read_triples(
            [entry['keypoints'] for entry in self.entries], 'keypoints', where
        )
        if all(x in (0, 1, 2) for x in np.unique(scores)):
            # Labels say whether, not how well, a keypoint is seen.
            scores = np.minimum(scores, 1)
        names = _names(self.content.get('categories'))
        if names is not None and len(names) == points.shape[1]:
            self.keypoint_names = names
        else:
            self.use_convention(COCO_SKELETONS, points.shape[1])
        sizes = [(x.get('width'), x.get('height')) for x in images]
        size = sizes[0] if sizes else (None, None)
        known = all(type(x) in (int, float) and x > 0 for x in size)
        known = known and all(x == size for x in sizes)
        found = Detections(
            np.array([frames[x['image_id']] for x in self.entries], np.int64),
            points,
            scores,
            read_ids(self.entries, 'track_id', path),
            'track_id',
            image_size=size if known else None,
        )
        super().__init__(source, found)

    def save(self, out: PathLike, refined: Sequence[RefineResult]) -> None:
        """See :meth:`PoseFile.save`."""
        keypoints, filled = self.collect(refined)
        people = [(entry, 'keypoints') for entry in self.entries]
        changes = changed_triples(people, keypoints, filled)
        add_ids(changes, self.entries, 'track_id', self.new_ids)
        content = merge_changes(self.content, changes, ('annotations',))
        write_json(out, content, self.path)


read = CocoDict


def _dicts(
    content: Any, key: str, need: Sequence[str], path: PathLike
) -> List[Dict[str, Any]]:
    value = content.get(key) if isinstance(content, dict) else None
    if not isinstance(value, list):
        raise ValueError(
            f'{path}: {key}: expected a list, found {type(value).__name__}'
        )
    for index, entry in enumerate(value):
        if not isinstance(entry, dict) or not {*need} <= {*entry}:
            raise ValueError(
                f'{path}: {key}: entry {index}: expected a dict with '
                f'{" and ".join(need)}'
            )
        for name in need:
            if not isinstance(entry[name], (int, str)):
                raise ValueError(
                    f'{path}: {key}: entry {index}: {name}: expected a '
                    f'number or a string, found {entry[name]!r:.60}'
                )
    return value


def _frames_of(images: List[Dict[str, Any]], path: PathLike) -> Dict[Any, int]:
    """Number of the frame of each image, by its id."""
    ids = [image['id'] for image in images]
    names: List[Any] = [image.get('file_name') for image in images]
    if not all(isinstance(name, str) for name in names):
        names = ids
    numbers = frame_numbers(names, path, 'images')
    return dict(zip(ids, numbers.tolist()))


def _names(categories: Any) -> Optional[List[str]]:
    """Keypoints of the first category that has some."""
    for category in categories if isinstance(categories, list) else ():
        names = category.get('keypoints') if isinstance(category, dict) else 0
        if isinstance(names, list) and names:
            return [str(name) for name in names]
    return None
