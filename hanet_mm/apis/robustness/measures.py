"""What is measured of the output of a method.

Letters: N frames of all sequences, K keypoints, D coordinates, S sequences.
"""

from typing import Dict, NamedTuple, Optional, Sequence

import numpy as np

from hanet_mm.core.data.gaps import fill_missing
from hanet_mm.core.data.sequences import PoseSequences
from hanet_mm.core.metrics.errors import (
    pck_hits,
    position_errors,
    subtract_root,
)

from .lag import pooled_lag

PCK_THRESHOLDS = (0.2, 0.1, 0.05)
Figures = Dict[str, Optional[float]]


class Truth(NamedTuple):
    """True poses, and what counts of them.

    Attributes:
        keypoints: Relative to the root where there is one, (N, K, D); 0
            where not known.
        counted: bool (N, K).
        boxes: True boxes, (N, 4); None: not 2D.
        seq_len: (S,).
        root: Joints whose mean is the root.
    """

    keypoints: np.ndarray
    counted: np.ndarray
    boxes: Optional[np.ndarray]
    seq_len: np.ndarray
    root: Optional[Sequence[int]]

    def of_keypoints(self, chosen: np.ndarray) -> 'Truth':
        """The same where other keypoints, bool (K,), do not count."""
        return self._replace(counted=self.counted & chosen)


def read_truth(
    sequences: PoseSequences, root: Optional[Sequence[int]] = None
) -> Truth:
    """Truth of sequences.

    Args:
        sequences (PoseSequences): With ``keypoints_gt``.
        root (Sequence[int], optional): Joints whose mean is the root: poses
            are compared each relative to its own. Defaults to None.

    Returns:
        Truth: Every frame of every sequence in which it is visible.
    """
    gt = sequences.keypoints_gt
    counted = np.ones(gt.shape[:2], bool)
    if sequences.visible is not None:
        counted = sequences.visible > 0
    boxes = _boxes(sequences, gt, counted) if gt.shape[2] == 2 else None
    if root:
        counted = counted & counted[:, list(root)].all(1, keepdims=True)
        gt = subtract_root(gt, root)
    gt = np.where(counted[..., None], gt, 0)
    return Truth(gt, counted, boxes, sequences.seq_len, root)


def measure(output: np.ndarray, truth: Truth) -> Figures:
    """Figures of the output of a method, over every counted keypoint.

    What a method left empty is filled as gaps of the input are, and counted
    in ``empty``: leaving out what is difficult shall not pay.

    Args:
        output (np.ndarray): (N, K, D), NaN where left empty.
        truth (Truth): What to compare with.

    Returns:
        dict: ``mean_error`` and ``error_95`` (95th percentile), unit of the
        keypoints; ``accel_error``, unit per frame^2; ``pck_0.2`` and so on
        in percent of the larger side of the true box, 2D only; ``lag`` in
        frames, see :func:`pooled_lag`; ``empty``, a count. None where there
        is nothing to measure.

    Raises:
        ValueError: If a sequence came back without any keypoint.
    """
    hole = np.isnan(output).any(-1)
    output = fill_missing(output, hole, truth.seq_len)
    if truth.root:
        output = subtract_root(output, truth.root)
    counted = truth.counted
    errors = position_errors(output, truth.keypoints)[counted]
    return dict(
        mean_error=_mean(errors),
        error_95=float(np.percentile(errors, 95)) if len(errors) else None,
        **_pck(output, truth),
        accel_error=_accel_error(output, truth),
        lag=pooled_lag(output, truth.keypoints, truth.seq_len, counted),
        empty=int((hole & counted).sum()),
    )


def _pck(output: np.ndarray, truth: Truth) -> Figures:
    if truth.boxes is None:
        return {}
    with np.errstate(invalid='ignore'):
        sides = (truth.boxes[:, 2:] - truth.boxes[:, :2]).max(1)
        counted = truth.counted & (sides > 0)[:, None]
    figures: Figures = {}
    for threshold in PCK_THRESHOLDS:
        hits, count = pck_hits(
            output, truth.keypoints, truth.boxes, threshold, counted
        )
        total = int(count.sum())
        rate = 100 * int(hits.sum()) / total if total else None
        figures[f'pck_{threshold:g}'] = rate
    return figures


def _accel_error(output: np.ndarray, truth: Truth) -> Optional[float]:
    """Mean length of the error of the second differences."""
    error = output.astype(np.float64) - truth.keypoints
    error = error[:-2] - 2 * error[1:-1] + error[2:]
    sequence = np.repeat(np.arange(len(truth.seq_len)), truth.seq_len)
    counted = truth.counted
    three = counted[:-2] & counted[1:-1] & counted[2:]
    three &= (sequence[:-2] == sequence[2:])[:, None]
    return _mean(np.linalg.norm(error[three], axis=-1))


def _boxes(
    sequences: PoseSequences, gt: np.ndarray, counted: np.ndarray
) -> np.ndarray:
    """True boxes, those around the true keypoints if there are none."""
    if sequences.bboxes is not None:
        return sequences.bboxes
    shown = counted[..., None]
    low = np.where(shown, gt, np.inf).min(1)
    high = np.where(shown, gt, -np.inf).max(1)
    return np.concatenate([low, high], axis=1)


def _mean(values: np.ndarray) -> Optional[float]:
    return float(values.mean(dtype=np.float64)) if len(values) else None
