# Copyright (c) hanet_mm contributors. All rights reserved.
"""JHMDB's annotation as MMPose has it, ``Sub<k>_{train,test}.json``.

COCO's layout with images ``Frames/<action>/<clip>/<number>.png``, pixels and
numbers of frames counted from 1. 1 is subtracted, as MMPose does.
"""

import re
from collections import Counter
from pathlib import Path
from typing import Any, Dict, List, NamedTuple, Optional, Tuple

import numpy as np

from hanet_mm.core.data.files import PathLike, read_json
from hanet_mm.core.poses.skeleton_data import SKELETONS

from .fields import numbers, take, take_id, take_list, take_size
from .frame_grid import check_density

JHMDB_KEYPOINTS = SKELETONS['jhmdb15'].keypoint_names
# Of a frame: from 1.
_NUMBER = re.compile(r'0*[1-9]\d*')


class AnnotatedClip(NamedTuple):
    """The person of a clip; NaN in frames and keypoints without annotation."""

    truth: np.ndarray  # (T, 15, 2) px
    bboxes: np.ndarray  # (T, 4) x1 y1 x2 y2 px
    images: List[str]  # names of its pictures, T of them; '' where unlisted
    sizes: List[Optional[Tuple[int, int]]]  # W, H of those that are listed


def read_mmpose_jhmdb(path: PathLike) -> Dict[str, AnnotatedClip]:
    """Read the clips of a file by their names ``action/clip``."""
    return parse_mmpose_jhmdb(read_json(path), path)


def parse_mmpose_jhmdb(
    content: Any, path: PathLike
) -> Dict[str, AnnotatedClip]:
    """Clips of the content of a file, as :func:`read_mmpose_jhmdb`."""
    if not isinstance(content, dict) or not {'images', 'annotations'} <= {
        *content
    }:
        raise ValueError(
            f"{path}: expected COCO's images and annotations, found others"
        )
    places, lengths = {}, {}
    for index, image in enumerate(take_list(content, 'images', f'{path}')):
        where = f'{path}: images[{index}]'
        name = str(take(image, 'file_name', where))
        parts = name.replace('\\', '/').split('/')
        number = Path(parts[-1]).stem
        if len(parts) < 3 or not _NUMBER.fullmatch(number):
            raise ValueError(
                f'{where}: expected a file_name '
                f'Frames/<action>/<clip>/00001.png, found {name!r}'
            )
        clip = '/'.join(parts[-3:-1])
        key, size = take_id(image, 'id', where), take_size(image, where)
        if key in places:
            raise ValueError(f'{where}: id {key!r} occurs twice')
        places[key] = clip, int(number) - 1, name, size
        lengths[clip] = max(lengths.get(clip, 0), int(number))
    if not places:
        raise ValueError(f'{path}: images: expected some, found none')
    counts = Counter(clip for clip, *_ in places.values())
    for clip, length in lengths.items():
        check_density(counts[clip], length, f'{path}: {clip}')
    clips = {
        clip: AnnotatedClip(
            np.full((length, len(JHMDB_KEYPOINTS), 2), np.nan, np.float32),
            np.full((length, 4), np.nan, np.float32),
            [''] * length,
            [],
        )
        for clip, length in lengths.items()
    }
    for clip, frame, name, size in places.values():
        clips[clip].images[frame] = name
        clips[clip].sizes.append(size)
    items = take_list(content, 'annotations', f'{path}')
    for index, item in enumerate(items):
        where = f'{path}: annotations[{index}]'
        key = take_id(item, 'image_id', where)
        if key not in places:
            raise ValueError(f'{where}: no image has the id {key!r}')
        clip, frame, _, size = places[key]
        points = _numbers(item, 'keypoints', len(JHMDB_KEYPOINTS) * 3, where)
        points = points.reshape(-1, 3)
        known = points[:, 2] > 0
        clips[clip].truth[frame, known] = points[known, :2] - 1
        x, y, width, height = _numbers(item, 'bbox', 4, where)
        box = np.array([x, y, x + width, y + height]) - 1
        if size is not None:
            box = np.clip(box, 0, np.tile(size, 2) - 1)
        clips[clip].bboxes[frame] = box
    return clips


def _numbers(item: Any, key: str, count: int, where: str) -> np.ndarray:
    """So many numbers of a key, none of them NaN."""
    values = numbers(take(item, key, where), (count,), key, where)
    if np.isnan(values).any():
        raise ValueError(f'{where}: key {key!r}: expected numbers, found NaN')
    return values
