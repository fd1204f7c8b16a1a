"""Which pose is which: one-to-one matches of poses by OKS, then by IoU."""

from typing import List, NamedTuple, Sequence, Tuple

import numpy as np
from scipy.optimize import linear_sum_assignment

from hanet_mm.datasets.metainfo.posetrack15 import posetrack15

# Poses less similar than this are not the same person's. 0.3 is the usual
# threshold of OKS trackers, 0.5 that of detectors' boxes.
OKS_THRESHOLD = 0.3
IOU_THRESHOLD = 0.5

_SIGMAS = np.asarray(posetrack15['sigmas'], np.float32)


class Poses(NamedTuple):
    """Poses to be matched."""

    keypoints: np.ndarray  # (n, 15, 2) px, NaN where unknown
    bboxes: np.ndarray  # (n, 4) x1 y1 x2 y2, px, NaN where unknown


class Match(NamedTuple):
    """A pair of poses."""

    first: int
    second: int
    oks: float
    by_box: bool  # whether OKS could not decide and the boxes did


def stack_poses(poses: Sequence[Tuple[np.ndarray, np.ndarray]]) -> Poses:
    """Stack keypoints (15, 2) and boxes (4,) of at least one pose."""
    keypoints, bboxes = zip(*poses)
    return Poses(np.stack(keypoints), np.stack(bboxes))


def match_poses(first: Poses, second: Poses) -> List[Match]:
    """Match poses one-to-one.

    First the pairs with the largest sum of OKS, of those above
    ``OKS_THRESHOLD``; then, among the poses that are left, likewise by the
    IoU of their boxes: where no keypoints are known, or too few, or the pose
    of the same person is badly wrong.

    Args:
        first: n poses whose size OKS is relative to.
        second: m poses.

    Returns:
        Matches, at most min(n, m).
    """
    if not len(first.bboxes) or not len(second.bboxes):
        return []
    similarity = oks(first, second)
    matches = [
        Match(i, j, float(similarity[i, j]), False)
        for i, j in _pairs(similarity, OKS_THRESHOLD)
    ]
    overlap = iou(first.bboxes, second.bboxes)
    overlap[[match.first for match in matches]] = 0
    overlap[:, [match.second for match in matches]] = 0
    matches += [
        Match(i, j, float(similarity[i, j]), True)
        for i, j in _pairs(overlap, IOU_THRESHOLD)
    ]
    return matches


def oks(first: Poses, second: Poses) -> np.ndarray:
    """Object keypoint similarity, (n, m) in 0..1.

    The mean over the keypoints known in ``first`` of
    ``exp(-d^2 / (2 area (2 sigma)^2))``, as COCO has it; the area is that of
    the box in ``first``. A keypoint unknown in ``second`` counts 0.
    """
    difference = first.keypoints[:, None] - second.keypoints[None]
    distance = np.square(difference).sum(-1)
    size = first.bboxes[:, 2:] - first.bboxes[:, :2]
    # A box may be as flat as a single keypoint, or unknown.
    area = np.nan_to_num(size.prod(-1), nan=1.0).clip(1.0)
    scale = 2 * area[:, None, None] * np.square(2 * _SIGMAS)
    near = np.nan_to_num(np.exp(-distance / scale), nan=0.0)
    known = ~np.isnan(first.keypoints).any(-1)
    return near.sum(-1) / known.sum(-1).clip(1)[:, None]


def iou(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """Intersection over union of boxes (n, 4) and (m, 4): (n, m)."""
    low = np.maximum(first[:, None, :2], second[None, :, :2])
    high = np.minimum(first[:, None, 2:], second[None, :, 2:])
    shared = (high - low).clip(0).prod(-1)
    areas = [
        (boxes[:, 2:] - boxes[:, :2]).prod(-1) for boxes in (first, second)
    ]
    union = areas[0][:, None] + areas[1][None] - shared
    ratio = shared / np.where(union > 0, union, 1)
    return np.nan_to_num(ratio, nan=0.0)


def _pairs(values: np.ndarray, threshold: float) -> List[Tuple[int, int]]:
    """Pairs of the largest sum among values of at least the threshold."""
    allowed = np.where(values >= threshold, values, 0)
    rows, columns = linear_sum_assignment(allowed, maximize=True)
    return [
        (int(i), int(j)) for i, j in zip(rows, columns) if allowed[i, j] > 0
    ]
