"""How alike a known person and a detection are.

M known persons, N detections, K keypoints; boxes are x1, y1, x2, y2.
"""

from typing import NamedTuple

import numpy as np

# With fewer keypoints in common a pose tells nothing; the box has to.
MIN_KEYPOINTS = 3


class Persons(NamedTuple):
    """Persons of one frame, float64."""

    boxes: np.ndarray  # (N, 4) px, finite
    keypoints: np.ndarray  # (N, K, 2) px
    valid: np.ndarray  # (N, K) bool

    def take(self, index: np.ndarray) -> 'Persons':
        """Those at the given places."""
        return Persons(*(array[index] for array in self))


def box_iou(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """Intersection over union of boxes (M, 4) and (N, 4), (M, N)."""
    first, second = first[:, None], second[None]
    low = np.maximum(first[..., :2], second[..., :2])
    high = np.minimum(first[..., 2:], second[..., 2:])
    common = np.clip(high - low, 0, None).prod(-1)
    union = _areas(first) + _areas(second) - common
    return common / np.maximum(union, 1e-12)


def keypoint_similarity(
    first: Persons, second: Persons, sigmas: np.ndarray, align: bool = False
) -> np.ndarray:
    """Object keypoint similarity (OKS) of COCO between tracked persons.

    ``mean_k exp(-d_k^2 / (2 a (2 sigma_k)^2))`` over the keypoints that both
    have, with a the mean of the two areas.

    Args:
        first: M persons.
        second: N persons.
        sigmas: (K, ).
        align: Compare the poses, wherever they are: without their mean
            distance.

    Returns:
        (M, N) from 0 to 1; NaN with less than ``MIN_KEYPOINTS`` in common.
    """
    both = first.valid[:, None] & second.valid[None]  # (M, N, K)
    count = both.sum(-1)
    steps = second.keypoints[None] - first.keypoints[:, None]
    steps = np.where(both[..., None], steps, 0)
    if align:
        mean = steps.sum(2) / np.maximum(count, 1)[..., None]
        steps -= mean[:, :, None]
    areas = (_areas(first.boxes)[:, None] + _areas(second.boxes)[None]) / 2
    spread = 2 * areas[..., None] * (2 * sigmas) ** 2
    closeness = np.exp(-(steps**2).sum(-1) / np.maximum(spread, 1e-12))
    total = (closeness * both).sum(-1)
    out = np.full(count.shape, np.nan)
    return np.divide(total, count, out=out, where=count >= MIN_KEYPOINTS)


def person_similarity(
    first: Persons, second: Persons, sigmas: np.ndarray, oks_weight: float
) -> np.ndarray:
    """Weighted mean of OKS and IoU, the IoU where there is no OKS, (M, N)."""
    iou = box_iou(first.boxes, second.boxes)
    oks = keypoint_similarity(first, second, sigmas)
    mixed = oks_weight * oks + (1 - oks_weight) * iou
    return np.where(np.isnan(oks), iou, mixed)


def _areas(boxes: np.ndarray) -> np.ndarray:
    return (boxes[..., 2:] - boxes[..., :2]).prod(-1)
