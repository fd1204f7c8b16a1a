# Copyright (c) hanet_mm contributors. All rights reserved.
"""JHMDB's annotation as MMPose has it, ``Sub<k>_{train,test}.json``.

COCO's layout with images ``Frames/<action>/<clip>/<number>.png``, pixels and
numbers of frames counted from 1. 1 is subtracted, as MMPose does.
"""

from pathlib import Path
from typing import Any, Dict, List, NamedTuple

import numpy as np

from hanet_mm.core.data.files import PathLike, read_json
from hanet_mm.core.poses.skeleton_data import SKELETONS

JHMDB_KEYPOINTS = SKELETONS['jhmdb15'].keypoint_names


class AnnotatedClip(NamedTuple):
    """The person of a clip; NaN in frames and keypoints without annotation."""

    truth: np.ndarray  # (T, 15, 2) px
    bboxes: np.ndarray  # (T, 4) x1 y1 x2 y2 px
    images: List[str]  # names of its pictures, T of them; '' where unlisted


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
    for index, image in enumerate(content['images']):
        name = str(_take(image, 'file_name', f'{path}: images[{index}]'))
        parts = name.replace('\\', '/').split('/')
        number = Path(parts[-1]).stem
        if len(parts) < 3 or not number.isdigit() or int(number) < 1:
            raise ValueError(
                f'{path}: images[{index}]: expected a file_name '
                f'Frames/<action>/<clip>/00001.png, found {name!r}'
            )
        clip = '/'.join(parts[-3:-1])
        key = _take(image, 'id', f'{path}: images[{index}]')
        places[key] = clip, int(number) - 1, image
        lengths[clip] = max(lengths.get(clip, 0), int(number))
    clips = {
        clip: AnnotatedClip(
            np.full((length, len(JHMDB_KEYPOINTS), 2), np.nan, np.float32),
            np.full((length, 4), np.nan, np.float32),
            [''] * length,
        )
        for clip, length in lengths.items()
    }
    for clip, frame, image in places.values():
        clips[clip].images[frame] = image['file_name']
    for index, item in enumerate(content['annotations']):
        where = f'{path}: annotations[{index}]'
        key = _take(item, 'image_id', where)
        if key not in places:
            raise ValueError(f'{where}: no image has the id {key!r}')
        clip, frame, image = places[key]
        points = _numbers(item, 'keypoints', (len(JHMDB_KEYPOINTS), 3), where)
        known = points[:, 2] > 0
        clips[clip].truth[frame, known] = points[known, :2] - 1
        x, y, width, height = _numbers(item, 'bbox', (4,), where) - [
            1,
            1,
            0,
            0,
        ]
        box = np.array([x, y, x + width, y + height])
        if 'width' in image and 'height' in image:
            size = [image['width'] - 1, image['height'] - 1]
            box = np.clip(box, 0, np.tile(size, 2))
        clips[clip].bboxes[frame] = box
    return clips


def _take(item: Any, key: str, where: str) -> Any:
    if not isinstance(item, dict) or key not in item:
        raise ValueError(f'{where}: key {key!r} is missing')
    return item[key]


def _numbers(item: Any, key: str, shape: tuple, where: str) -> np.ndarray:
    value: List[float] = _take(item, key, where)
    try:
        return np.asarray(value, np.float64).reshape(shape)
    except (TypeError, ValueError):
        raise ValueError(
            f'{where}: {key}: expected {int(np.prod(shape))} numbers'
        ) from None
