# Copyright (c) hanet_mm contributors. All rights reserved.
"""Boxes that a detector found, as MMPose's ``bbox_file`` has them.

A list ``[{image_id, category_id, bbox, score}, ..]`` in COCO's form, such as
``posetrack18_val_human_detections.json``; ``bbox`` is x, y, width, height.
"""

from typing import Any, Dict, List, Mapping, NamedTuple, Tuple

import numpy as np

from hanet_mm.core.data.files import PathLike, read_json

from .fields import numbers, take, take_id, take_list


class FoundBoxes(NamedTuple):
    """The n persons that were found in a picture."""

    bboxes: np.ndarray  # (n, 4) float32 x1 y1 x2 y2, px
    scores: np.ndarray  # (n,) float32


def read_bbox_file(
    path: PathLike, images: Mapping[Any, str], threshold: float
) -> Dict[str, FoundBoxes]:
    """Read boxes of persons by the names of their pictures.

    Args:
        path: The JSON file.
        images: Names of the annotation's pictures by their ``id``.
        threshold: Boxes of this score or less are left out.

    Returns:
        dict: Of the pictures in which somebody was found. Other things than
        persons, and other pictures, are left out.

    Raises:
        ValueError: One line: another layout, or no box in any of the
            pictures.
    """
    content = read_json(path)
    if not isinstance(content, list):
        raise ValueError(
            f'{path}: expected a list of boxes, found {type(content).__name__}'
        )
    found: Dict[str, List[Tuple[np.ndarray, float]]] = {}
    for index, entry in enumerate(content):
        where = f'{path}: entry {index}'
        if take(entry, 'category_id', where) != 1:
            continue
        name = images.get(take_id(entry, 'image_id', where))
        sides = take_list(entry, 'bbox', where)[:4]
        box = numbers(sides, (4,), 'bbox', where)
        score = numbers(take(entry, 'score', where), (1,), 'score', where)[0]
        if name is not None and score > threshold:
            box[2:] += box[:2]
            found.setdefault(name, []).append((box, float(score)))
    if not found:
        raise ValueError(
            f'{path}: expected boxes with a score above {threshold:g} in some '
            f'of {len({*images.values()})} annotated pictures, found none'
        )
    return {
        name: FoundBoxes(
            np.stack([box for box, _ in boxes]),
            np.array([score for _, score in boxes], np.float32),
        )
        for name, boxes in found.items()
    }
