# Copyright (c) hanet_mm contributors. All rights reserved.
"""Boxes of people: around keypoints, their size, IoU and OKS.

Boxes are the first and last corner, (..., 2D): x1, y1, x2, y2 for D = 2.
This is the one place that says what the box or the size of a person is and
how similar two boxes or two poses are.
"""

from typing import Optional, Tuple

import numpy as np

from ..data.blocks import row_blocks

# Share of the coordinates that counts as no distance.
_NEXT_TO_NOTHING = 1e-6
# With fewer keypoints in common, two poses cannot be compared.
MIN_COMMON_KEYPOINTS = 3


def boxes_around(
    keypoints: np.ndarray,
    valid: Optional[np.ndarray] = None,
    margin: float = 0.0,
) -> np.ndarray:
    """Smallest boxes (..., 2D) around keypoints (..., K, D), NaN if empty.

    Keypoints count that are not NaN and, if given, ``valid`` (..., K).

    Examples:
        >>> boxes_around(np.array([[1.0, 2.0], [4.0, 8.0]]), margin=0.5)
        array([0.25, 0.5 , 4.75, 9.5 ])
    """
    kind = keypoints.dtype if keypoints.dtype.kind == 'f' else np.float64
    # Numbers of one keypoint lie side by side: many times faster than those
    # of one pose.
    planes = np.ascontiguousarray(np.moveaxis(keypoints, (-1, -2), (0, 1)))
    known = np.isfinite(planes).all(0)
    if valid is not None:
        known &= np.moveaxis(valid, -1, 0)
    low = high = planes.astype(kind, copy=False)
    if not known.all():
        low = np.where(known, planes, np.inf)
        high = np.where(known, planes, -np.inf)
    low, high = low.min(1, initial=np.inf), high.max(1, initial=-np.inf)
    nowhere = ~known.any(0)
    low[:, nowhere] = high[:, nowhere] = np.nan
    if margin:
        low, high = _enlarged(low, high, margin)
    boxes = np.moveaxis(np.concatenate([low, high]), 0, -1)
    return boxes.astype(kind, order='C')


def enlarge_boxes(boxes: np.ndarray, margin: float) -> np.ndarray:
    """Enlarge every side of boxes (..., 2D) by a share, about the middle."""
    low, high = np.split(boxes, 2, axis=-1)
    return np.concatenate(_enlarged(low, high, margin), axis=-1)


def _enlarged(
    low: np.ndarray, high: np.ndarray, margin: float
) -> Tuple[np.ndarray, np.ndarray]:
    """Corners of boxes that are enlarged about their middle."""
    middle, half = 0.5 * (low + high), 0.5 * (1 + margin) * (high - low)
    return middle - half, middle + half


def box_centers(boxes: np.ndarray) -> np.ndarray:
    """Middles of boxes, (..., 2D) -> (..., D)."""
    low, high = np.split(boxes, 2, axis=-1)
    return (low + high) / 2


def box_sizes(boxes: np.ndarray) -> np.ndarray:
    """Longest sides of boxes, (..., 2D) -> (...)."""
    dims = boxes.shape[-1] // 2
    # Coordinate by coordinate, several times faster than ``max(-1)``.
    longest = boxes[..., dims] - boxes[..., 0]
    for axis in range(1, dims):
        side = boxes[..., dims + axis] - boxes[..., axis]
        longest = np.maximum(longest, side)
    return longest


def box_areas(boxes: np.ndarray) -> np.ndarray:
    """Areas of boxes, (..., 2D) -> (...)."""
    low, high = np.split(boxes, 2, axis=-1)
    return (high - low).prod(-1)


def frame_sizes(
    keypoints: np.ndarray, valid: Optional[np.ndarray] = None
) -> np.ndarray:
    """Longest sides of the boxes of frames, (T, ..., K, D) -> (T, ...).

    ``valid`` and NaN are as in :func:`boxes_around`.
    """
    sizes = np.empty(keypoints.shape[:-2])
    for rows in row_blocks(len(keypoints)):
        points = keypoints[rows].astype(np.float64)
        known = None if valid is None else valid[rows]
        sizes[rows] = box_sizes(boxes_around(points, known))
    return sizes


def person_size(
    keypoints: np.ndarray, valid: Optional[np.ndarray] = None
) -> float:
    """Size of a person (T, K, D): median longest side of the boxes of frames.

    NaN if no frame has two (``valid``) keypoints in different places.

    Examples:
        >>> person_size(np.array([[[0.0, 0.0], [3.0, 4.0]]]))
        4.0
    """
    sizes = frame_sizes(np.asarray(keypoints), valid)
    sizes = sizes[sizes > 0]
    return float(np.median(sizes)) if len(sizes) else float('nan')


def unit_length(
    keypoints: np.ndarray, valid: Optional[np.ndarray] = None
) -> float:
    """Length above 0 that distances of a person (T, K, D) are measured in.

    The size of the person; if all keypoints of a frame are always in one
    place, the longest side of the box of all frames; if nothing ever moves
    next to nothing, in proportion to the coordinates, so that it makes no
    difference whether these are pixels or parts of the picture.

    Examples:
        >>> unit_length(np.array([[[0.0, 0.0]], [[3.0, 4.0]]]))
        4.0
    """
    size = person_size(keypoints, valid)
    if size > 0:
        return size
    points = np.asarray(keypoints)
    everywhere = boxes_around(
        points.reshape(-1, points.shape[-1]),
        None if valid is None else valid.reshape(-1),
    )
    size = float(box_sizes(everywhere))
    if size > 0:
        return size
    far = np.abs(everywhere).max()
    return float(_NEXT_TO_NOTHING * (far if far > 0 else 1))


def box_iou(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """Intersection over union of boxes, (M, 2D) and (N, 2D) -> (M, N).

    Boxes that are NaN or have no extent overlap with nothing.

    Examples:
        >>> box_iou(np.array([[0.0, 0, 2, 2]]), np.array([[1.0, 0, 3, 2]]))
        array([[0.33333333]])
    """
    first, second = first[:, None], second[None]
    dims = first.shape[-1] // 2
    low = np.maximum(first[..., :dims], second[..., :dims])
    high = np.minimum(first[..., dims:], second[..., dims:])
    common = np.clip(high - low, 0, None).prod(-1)
    union = box_areas(first) + box_areas(second) - common
    return np.nan_to_num(common / np.maximum(union, 1e-12), nan=0.0)


def keypoint_similarity(
    first: np.ndarray,
    second: np.ndarray,
    both: np.ndarray,
    areas: np.ndarray,
    sigmas: np.ndarray,
    align: bool = False,
) -> np.ndarray:
    """Object keypoint similarity (OKS) of COCO, (M, K, D), (N, K, D): (M, N).

    ``mean_k exp(-d_k^2 / (2 a (2 sigma_k)^2))`` over the keypoints that count,
    ``both`` (M, N, K), with the area a (M, N) of each pair; NaN with fewer
    than ``MIN_COMMON_KEYPOINTS``. ``align`` removes the mean distance of the
    poses.
    """
    count = both.sum(-1)
    steps = second[None] - first[:, None]
    steps = np.where(both[..., None], steps, 0)
    if align:
        mean = steps.sum(2) / np.maximum(count, 1)[..., None]
        steps -= mean[:, :, None]
    spread = 2 * areas[..., None] * (2 * sigmas) ** 2
    closeness = np.exp(-(steps**2).sum(-1) / np.maximum(spread, 1e-12))
    total = (closeness * both).sum(-1)
    similarity = np.full(count.shape, np.nan)
    enough = count >= MIN_COMMON_KEYPOINTS
    return np.divide(total, count, out=similarity, where=enough)
