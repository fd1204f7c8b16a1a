# Copyright (c) hanet_mm contributors. All rights reserved.
"""Errors of pose sequences, as sums and counts.

Every function takes numbers and returns a sum (or a number of hits) together
with how many terms went into it. Sums and counts of sequences, batches and
processes are added; the one division comes last, so the result does not
depend on how the data were split.

Letters: T frames, K keypoints, D coordinates. Sums are float64. A keypoint is
counted where ``visible`` is above 0 (``None`` counts all); what is not
counted may hold anything, NaN too.
"""

from typing import Optional, Sequence, Tuple

import numpy as np
from numpy.typing import ArrayLike

# With fewer points than this a similarity transform fits a frame exactly.
_MIN_ALIGNED_KEYPOINTS = 3


# Sums of squares of so many keypoints stay finite.
_HUGE = 1e100


def position_errors(pred: ArrayLike, gt: ArrayLike) -> np.ndarray:
    """Euclidean distance of every keypoint from the truth.

    ``e_tk = ||pred_tk - gt_tk||``

    Args:
        pred (array): Predicted keypoints, (..., D).
        gt (array): True keypoints, same shape and unit.

    Returns:
        np.ndarray: (...) float64, NaN where either is NaN.

    Examples:
        >>> position_errors([[[3.0, 4.0]]], [[[0.0, 0.0]]])
        array([[5.]])
    """
    difference = np.asarray(pred, np.float64) - np.asarray(gt, np.float64)
    return np.linalg.norm(difference, axis=-1)


def pck_hits(
    pred: ArrayLike,
    gt: ArrayLike,
    bboxes: ArrayLike,
    thr: float,
    visible: Optional[ArrayLike] = None,
    truncate_boxes: bool = False,
) -> Tuple[np.ndarray, np.ndarray]:
    """Hits of the percentage of correct keypoints, per keypoint.

    A keypoint is hit if ``e_tk <= thr * max(w_t, h_t)``, with w and h of the
    true box: an error of exactly the threshold is a hit. A prediction that is
    not finite is a miss.

    Args:
        pred (array): Predicted keypoints, (T, K, D).
        gt (array): True keypoints, (T, K, D), in the unit of ``pred``.
        bboxes (array): True boxes, (T, 4) x1, y1, x2, y2.
        thr (float): Threshold as a part of the box size, above 0.
        visible (array, optional): (T, K), counted where above 0.
        truncate_boxes (bool): Whether the corners of the boxes lose what is
            behind the decimal point before w and h are taken, as in the
            published evaluation of HANet.

    Returns:
        tuple: hits (K,) and counts (K,), int64.

    Raises:
        ValueError: If shapes disagree, or if a frame with a counted keypoint
            has a truth that is not finite or a box without size.

    Examples:
        >>> gt = [[[0.0, 0.0], [9.0, 9.0]]]
        >>> pred = [[[0.0, 1.0], [9.0, 7.9]]]
        >>> pck_hits(pred, gt, [[0.0, 0.0, 10.0, 5.0]], thr=0.1)
        (array([1, 0]), array([1, 1]))
    """
    if not thr > 0:
        raise ValueError(f'thr must be above 0, got {thr}')
    pred, gt, counted = _prepare(pred, gt, visible)
    sizes = _box_sizes(bboxes, counted)
    if truncate_boxes:
        sizes = _longer_sides(np.trunc(np.asarray(bboxes, np.float64)))
    # A comparison with NaN is False: such a prediction is a miss, as is one
    # that is infinitely far.
    with np.errstate(over='ignore'):
        hit = position_errors(pred, gt) <= thr * sizes[:, None]
    return (hit & counted).sum(axis=0), counted.sum(axis=0)


def mpjpe(
    pred: ArrayLike, gt: ArrayLike, visible: Optional[ArrayLike] = None
) -> Tuple[float, int]:
    """Sum of keypoint errors (mean per joint position error, MPJPE).

    ``MPJPE = sum_tk e_tk / count`` over the counted frames and keypoints.

    Args:
        pred (array): Predicted keypoints, (T, K, D).
        gt (array): True keypoints, (T, K, D).
        visible (array, optional): (T, K), counted where above 0.

    Returns:
        tuple: Sum in the unit of the keypoints, and count.

    Raises:
        ValueError: If shapes disagree or a counted keypoint is not finite.

    Examples:
        >>> mpjpe([[[3.0, 4.0], [1.0, 0.0]]], [[[0.0, 0.0], [0.0, 0.0]]])
        (6.0, 2)
    """
    pred, gt, counted = _prepare(pred, gt, visible)
    _require_finite('pred', pred, counted)
    return float(position_errors(pred, gt)[counted].sum()), int(counted.sum())


def pa_mpjpe(
    pred: ArrayLike, gt: ArrayLike, visible: Optional[ArrayLike] = None
) -> Tuple[float, int]:
    """Sum of keypoint errors after similarity alignment of each frame.

    ``sum_tk ||s_t pred_tk R_t + d_t - gt_tk||`` with the scale, proper
    rotation and shift of ``align_similarity``. Frames with fewer than three
    counted keypoints are left out: there the fit is exact whatever the
    prediction.

    Args:
        pred (array): Predicted keypoints, (T, K, D).
        gt (array): True keypoints, (T, K, D).
        visible (array, optional): (T, K), counted where above 0.

    Returns:
        tuple: Sum in the unit of the truth, and count.

    Raises:
        ValueError: If shapes disagree or a counted keypoint is not finite.

    Examples:
        A prediction of another size and place is perfect once aligned:

        >>> gt = np.array([[[0.0, 0.0], [4.0, 0.0], [0.0, 3.0]]])
        >>> total, count = pa_mpjpe(2 * gt + 5, gt)
        >>> round(total, 9), count
        (0.0, 3)
    """
    pred, gt, counted = _prepare(pred, gt, visible)
    enough = counted.sum(axis=1) >= _MIN_ALIGNED_KEYPOINTS
    counted = counted & enough[:, None]
    return mpjpe(align_similarity(pred, gt, counted), gt, counted)


def align_similarity(
    pred: ArrayLike, gt: ArrayLike, visible: Optional[ArrayLike] = None
) -> np.ndarray:
    """Bring each frame as near to the truth as a similarity can.

    Per frame the scale s, rotation R (det +1) and shift d that minimise
    ``sum_k ||s pred_k R + d - gt_k||^2`` over the counted keypoints: with
    ``pred_c^T gt_c = U S V^T`` of the centred poses, ``R = U E V^T`` and
    ``s = trace(S E) / ||pred_c||^2``, where E is the identity but for its
    last entry det(U V^T) (Procrustes; Umeyama 1991).

    Args:
        pred (array): Predicted keypoints, (T, K, D).
        gt (array): True keypoints, (T, K, D).
        visible (array, optional): (T, K), counted where above 0.

    Returns:
        np.ndarray: Aligned prediction, (T, K, D) float64; meaningless where
            a keypoint is not counted.

    Raises:
        ValueError: If shapes disagree or a counted keypoint is not finite.

    Examples:
        >>> gt = np.array([[[0.0, 0.0], [4.0, 0.0], [0.0, 3.0]]])
        >>> quarter_turn = np.array([[0.0, 1.0], [-1.0, 0.0]])
        >>> np.allclose(align_similarity(gt @ quarter_turn, gt), gt)
        True
    """
    pred, gt, counted = _prepare(pred, gt, visible)
    _require_finite('pred', pred, counted)
    pred_mean, pred_c = _centre(pred, counted)
    gt_mean, gt_c = _centre(gt, counted)
    # (T, D, K) @ (T, K, D) -> (T, D, D)
    u, s, vt = np.linalg.svd(pred_c.transpose(0, 2, 1) @ gt_c)
    signs = np.ones_like(s)
    signs[:, -1] = np.sign(np.linalg.det(u) * np.linalg.det(vt))
    rotation = (u * signs[:, None, :]) @ vt
    # A prediction without extent stays a point: 0 / tiny, not 0 / 0.
    extent = np.maximum((pred_c**2).sum(axis=(1, 2)), np.finfo(float).tiny)
    scale = (s * signs).sum(axis=1) / extent
    return scale[:, None, None] * (pred - pred_mean) @ rotation + gt_mean


def subtract_root(poses: ArrayLike, root: Sequence[int]) -> np.ndarray:
    """Poses relative to their root in each frame.

    Args:
        poses (array): (T, K, D).
        root (Sequence[int]): Joints whose mean is the root.

    Returns:
        np.ndarray: (T, K, D) float64; NaN in frames where a root joint is.

    Examples:
        >>> subtract_root([[[1.0, 2.0], [5.0, 5.0]]], root=[0])
        array([[[0., 0.],
                [4., 3.]]])
    """
    poses = np.asarray(poses, np.float64)
    return poses - poses[:, list(root)].mean(axis=1, keepdims=True)


def accel_error(
    pred: ArrayLike, gt: ArrayLike, visible: Optional[ArrayLike] = None
) -> Tuple[float, int]:
    """Sum of acceleration errors.

    ``||a(pred)_tk - a(gt)_tk||`` with ``a(x)_t = x_{t-1} - 2 x_t + x_{t+1}``,
    where the keypoint is counted in all three frames. No frame rate enters:
    the unit is that of the keypoints per frame^2.

    Args:
        pred (array): Predicted keypoints of one sequence, (T, K, D).
        gt (array): True keypoints, (T, K, D).
        visible (array, optional): (T, K), counted where above 0.

    Returns:
        tuple: Sum, and count (0 if T is below 3).

    Raises:
        ValueError: If shapes disagree or a counted keypoint is not finite.

    Examples:
        >>> gt = np.zeros((3, 1, 2))
        >>> pred = gt.copy()
        >>> pred[1] = [0.0, 1.0]  # one frame off by 1 is off by 2 in a(x)
        >>> accel_error(pred, gt)
        (2.0, 1)
    """
    pred, gt, counted = _prepare(pred, gt, visible)
    _require_finite('pred', pred, counted)
    error = pred - gt
    # The second difference is linear: that of the error is the error of it.
    error = error[:-2] - 2 * error[1:-1] + error[2:]
    counted = counted[:-2] & counted[1:-1] & counted[2:]
    magnitudes = np.linalg.norm(error[counted], axis=-1)
    return float(magnitudes.sum()), int(counted.sum())


def _prepare(
    pred: ArrayLike, gt: ArrayLike, visible: Optional[ArrayLike]
) -> Tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Check and convert; keypoints (T, K, D) are 0 where not counted."""
    pred = np.asarray(pred, np.float64)
    gt = np.asarray(gt, np.float64)
    if gt.ndim != 3:
        raise ValueError(f'gt must have shape (T, K, D), got {gt.shape}')
    if pred.shape != gt.shape:
        raise ValueError(
            f'pred must have the shape of gt {gt.shape}, got {pred.shape}'
        )
    if visible is None:
        counted = np.ones(gt.shape[:2], bool)
    else:
        counted = np.asarray(visible) > 0
    if counted.shape != gt.shape[:2]:
        raise ValueError(
            f'visible must have shape {gt.shape[:2]}, got {counted.shape}'
        )
    _require_finite('gt', gt, counted)
    # Whatever lies where nothing counts must not spread through sums.
    weights = counted[..., None]
    return np.where(weights, pred, 0), np.where(weights, gt, 0), counted


def _require_finite(
    name: str, keypoints: np.ndarray, counted: np.ndarray
) -> None:
    """Raise if a counted keypoint is NaN, infinite, or its square is."""
    bad = counted & ~(np.abs(keypoints) < _HUGE).all(axis=-1)
    if bad.any():
        frame, keypoint = np.argwhere(bad)[0]
        raise ValueError(
            f'{name} must be finite where keypoints are counted, got '
            f'{keypoints[frame, keypoint]} at frame {frame}, '
            f'keypoint {keypoint}'
        )


def _box_sizes(bboxes: ArrayLike, counted: np.ndarray) -> np.ndarray:
    """Longer side of each box (T,), checked where a keypoint counts."""
    bboxes = np.asarray(bboxes, np.float64)
    if bboxes.shape != (len(counted), 4):
        raise ValueError(
            f'bboxes must have shape {(len(counted), 4)}, got {bboxes.shape}'
        )
    sizes = _longer_sides(bboxes)
    bad = counted.any(axis=1) & ~(np.isfinite(sizes) & (sizes > 0))
    if bad.any():
        frame = np.flatnonzero(bad)[0]
        raise ValueError(
            f'bboxes must have a size above 0, got {bboxes[frame]} at '
            f'frame {frame}'
        )
    return sizes


def _longer_sides(bboxes: np.ndarray) -> np.ndarray:
    """Longer side of each box (T, 4), (T,)."""
    return (bboxes[:, 2:] - bboxes[:, :2]).max(axis=1)


def _centre(
    keypoints: np.ndarray, counted: np.ndarray
) -> Tuple[np.ndarray, np.ndarray]:
    """Mean of the counted keypoints (T, 1, D), and the rest about it (T, K,
    D), 0 where a keypoint is not counted.
    """
    weights = counted[..., None]
    total = np.maximum(weights.sum(axis=1, keepdims=True), 1)
    mean = (weights * keypoints).sum(axis=1, keepdims=True) / total
    return mean, weights * (keypoints - mean)
