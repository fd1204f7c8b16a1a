"""Which of the persons found in a frame are those that were annotated.

N: frames of all sequences (flat), M: annotated persons of a frame, P: persons
found in it, K: keypoints.
"""

from dataclasses import dataclass
from typing import List, Tuple

import numpy as np
from scipy.optimize import linear_sum_assignment

from hanet_mm.core.data.gaps import (
    fill_missing,
    missing_keypoints,
    nearest_seen,
)
from hanet_mm.core.data.sequences import PoseSequences

from .video.frames import Poses, boxes_around
from .video.refine_stage import SkeletonAdapter
from .video.tracker import Persons, box_iou, keypoint_similarity

# By which annotated boxes are enlarged before an estimator sees them.
BOX_MARGIN = 0.25
# Persons less alike than this are not the same: by their keypoints, and by
# their boxes where keypoints cannot tell, or the pose is badly wrong.
OKS_THRESHOLD = 0.3
IOU_THRESHOLD = 0.3
# Spread of a keypoint relative to the person, about the mean of COCO's; used
# for all, because it is not known for the keypoints of any skeleton.
_SIGMA = 0.08


@dataclass(eq=False)
class Annotation:
    """Where the annotated persons are.

    Frames between two annotated ones of the same sequence have the pose in
    between, so that sparsely annotated videos can be matched in all frames.

    Attributes:
        keypoints: (N, K, 2) px.
        known: Keypoints that can be compared, bool (N, K).
        boxes: x1 y1 x2 y2, (N, 4) px; NaN where nobody is known to be.
        annotated: Frames with at least one annotated keypoint, bool (N,).
    """

    keypoints: np.ndarray
    known: np.ndarray
    boxes: np.ndarray
    annotated: np.ndarray

    @property
    def present(self) -> np.ndarray:
        """Frames in which the person is known to be, bool (N,)."""
        return np.isfinite(self.boxes).all(-1)


def read_annotation(seqs: PoseSequences) -> Annotation:
    """Take the ground truth of sequences for matching.

    Args:
        seqs: With ``keypoints_gt`` of D = 2, px.
    """
    truth = seqs.keypoints_gt
    weights = seqs.visible
    if weights is None:
        weights = np.ones(truth.shape[:2], np.float32)
    missing = missing_keypoints(truth, weights)
    annotated = ~missing.all(1)
    keypoints = np.where(missing[..., None], np.nan, truth)
    known = ~missing
    for start, length in zip(seqs.starts, seqs.seq_len):
        rows = slice(start, start + length)
        if annotated[rows].any():
            before, after = nearest_seen(missing[rows])
            known[rows] = (before >= 0) & (after < length)
            keypoints[rows] = fill_missing(
                keypoints[rows], missing[rows], np.array([length])
            )
    boxes = boxes_around(keypoints, known)
    if seqs.bboxes is not None:
        given = annotated & np.isfinite(seqs.bboxes).all(-1)
        boxes[given] = seqs.bboxes[given]
    return Annotation(keypoints, known, boxes, annotated)


def enlarge_boxes(boxes: np.ndarray, margin: float = BOX_MARGIN) -> np.ndarray:
    """Enlarge width and height of boxes (n, 4) by a share."""
    grow = margin / 2 * (boxes[:, 2:] - boxes[:, :2])
    return np.concatenate([boxes[:, :2] - grow, boxes[:, 2:] + grow], axis=1)


def match_persons(
    annotation: Annotation, rows: np.ndarray, found: Poses
) -> List[Tuple[int, int]]:
    """Match annotated persons of a frame with those found, one-to-one.

    First the pairs with the largest sum of object keypoint similarities, of
    those of at least ``OKS_THRESHOLD``; then, among the persons that are
    left, likewise by the overlap of their boxes.

    Args:
        annotation: Of all frames.
        rows: Flat frames of the M persons, (M,) int64.
        found: P persons with the keypoints of the annotation.

    Returns:
        Pairs of a flat frame and the number of a person found.
    """
    rows = rows[annotation.present[rows]]
    if not len(rows) or not len(found):
        return []
    boxes = annotation.boxes[rows].astype(np.float64)
    first = Persons(boxes, annotation.keypoints[rows], annotation.known[rows])
    second = Persons(
        found.bboxes.astype(np.float64),
        found.keypoints,
        ~missing_keypoints(found.keypoints, found.keypoint_scores),
    )
    sigmas = np.full(found.keypoints.shape[1], _SIGMA)
    similarity = keypoint_similarity(first, second, sigmas)
    pairs = _assign(np.nan_to_num(similarity), OKS_THRESHOLD)
    # Boxes of detectors surround the body, those of keypoints its joints.
    overlap = np.maximum(
        box_iou(boxes, second.boxes),
        box_iou(enlarge_boxes(boxes), second.boxes),
    )
    for m, p in pairs:
        overlap[m], overlap[:, p] = 0, 0
    pairs += _assign(overlap, IOU_THRESHOLD)
    return [(int(rows[m]), p) for m, p in pairs]


def map_poses(poses: Poses, adapter: SkeletonAdapter) -> Poses:
    """Bring poses to the keypoints of the annotation; clean what is missing.

    Args:
        poses: P persons, keypoints of the estimator.
        adapter: From the keypoints of the estimator to those.

    Returns:
        The same persons; NaN and score 0 where a keypoint is missing.
    """
    keypoints, scores = adapter.to_refiner(
        poses.keypoints, poses.keypoint_scores
    )
    lost = ~np.isfinite(keypoints).all(-1) | ~np.isfinite(scores)
    # A heatmap without any response gives scores below 0.
    lost |= ~(scores > 0)
    return Poses(
        poses.bboxes,
        poses.bbox_scores,
        np.where(lost[..., None], np.nan, keypoints).astype(np.float32),
        np.where(lost, 0, scores).astype(np.float32),
    )


def _assign(values: np.ndarray, threshold: float) -> List[Tuple[int, int]]:
    """Pairs of the largest sum among values of at least the threshold."""
    allowed = np.where(values >= threshold, values, 0)
    rows, columns = linear_sum_assignment(allowed, maximize=True)
    return [
        (int(i), int(j)) for i, j in zip(rows, columns) if allowed[i, j] > 0
    ]
