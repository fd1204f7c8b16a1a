# Copyright (c) hanet_mm contributors. All rights reserved.
"""Percentage of correct keypoints of pose sequences."""

from typing import Any, Dict, List, Sequence

import numpy as np
from mmengine.logging import MMLogger
from mmpose.registry import METRICS

from hanet_mm.core.metrics.errors import pck_hits
from hanet_mm.evaluation.pose_sequence_metric import (
    Comparison,
    PoseSequenceMetric,
    known_mean,
)

# The columns of the paper's Table 1. They are found by keypoint name: the
# published evaluation goes by numbers that do not fit its joint order and
# prints, for one, hips under "wrist".
_COLUMNS = dict(
    Head=('head',),
    Sho=('right_shoulder', 'left_shoulder'),
    Elb=('right_elbow', 'left_elbow'),
    Wri=('right_wrist', 'left_wrist'),
    Hip=('right_hip', 'left_hip'),
    Knee=('right_knee', 'left_knee'),
    Ank=('right_ankle', 'left_ankle'),
)


@METRICS.register_module()
class PoseSequencePCK(PoseSequenceMetric):
    """PCK normalised by the true box, over whole sequences, in percent.

    A keypoint is hit if its error is at most (``<=``) ``thr * max(w, h)`` of
    the true box of its frame. For each threshold a the results are ``PCK@a``,
    the mean over all keypoints, and ``PCK@a/Head``, ``/Sho``, ``/Elb``,
    ``/Wri``, ``/Hip``, ``/Knee``, ``/Ank``: the mean over the keypoints of
    that name, as in the columns of the paper's Table 1 (neck and belly of
    JHMDB count in the mean only). A column that the data set has no keypoints
    for is left out. Keypoints that are never visible are in no mean. A table
    of all figures goes to the log.

    To keep the best checkpoint:
    ``CheckpointHook(save_best='refined/PCK@0.05', rule='greater')``.

    Args:
        thr (Sequence[float]): Thresholds, as parts of the box size.
        average (str): ``'frames'``: hits and counts of a keypoint are pooled
            over the frames of all sequences. ``'sequence'``: the rate of
            each sequence counts the same, whatever its length, as in the
            published evaluation.
        truncate_boxes (bool): Whether the corners of the boxes are cut to
            whole pixels, as in the published evaluation, which holds them as
            int32.
        **kwargs: ``source``, ``prefix`` and more, see
            :class:`PoseSequenceMetric`.

    Raises:
        ValueError: If an argument is out of range; while evaluating, if
            boxes are missing or the keypoints are not those of the data
            set.
    """

    def __init__(
        self,
        thr: Sequence[float] = (0.2, 0.1, 0.05),
        average: str = 'frames',
        truncate_boxes: bool = False,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        if average not in ('frames', 'sequence'):
            raise ValueError(
                "PoseSequencePCK: average must be 'frames' or 'sequence', "
                f'got {average!r}'
            )
        if not thr or min(thr) <= 0:
            raise ValueError(
                f'PoseSequencePCK: thr must be numbers above 0, got {thr!r}'
            )
        self.thr = tuple(thr)
        self.average = average
        self.truncate_boxes = truncate_boxes

    def measure(self, comparison: Comparison) -> Dict[str, np.ndarray]:
        """Hits (len(thr), K) and counts (K,) of one sequence."""
        pred, gt, counted, bboxes = comparison
        if bboxes is None:
            raise ValueError(
                'the data sample has no gt_instances.bboxes, whose size PCK '
                'is a share of; give bboxes (N, 4) in the annotation file, or '
                'leave PoseSequencePCK out of the evaluator'
            )
        pairs = [
            pck_hits(pred, gt, bboxes, thr, counted, self.truncate_boxes)
            for thr in self.thr
        ]
        hits = np.stack([hit for hit, _ in pairs])
        return dict(hits=hits, counts=pairs[0][1])

    def compute_metrics(self, results: List[dict]) -> Dict[str, float]:
        """PCK of all sequences in percent by name; NaN if nothing counts."""
        metrics = {f'PCK@{thr:g}': float('nan') for thr in self.thr}
        if not any(result['counts'].any() for result in results):
            self.nothing_to_count()
            return metrics

        rates = self._keypoint_rates(results)
        columns = self._columns(_COLUMNS, rates.shape[1])
        rows = []
        for thr, rate in zip(self.thr, rates):
            row = {
                name: known_mean(rate[ids]) for name, ids in columns.items()
            }
            row['Mean'] = known_mean(rate)
            metrics[f'PCK@{thr:g}'] = row['Mean']
            metrics.update(
                {f'PCK@{thr:g}/{name}': row[name] for name in columns}
            )
            rows.append(row)
        self._log_table(rows, len(results))
        return metrics

    def _keypoint_rates(self, results: List[dict]) -> np.ndarray:
        """Percentage of hits of each keypoint, (len(thr), K)."""
        hits = np.stack([result['hits'] for result in results])
        counts = np.stack([result['counts'] for result in results])[:, None]
        if self.average == 'frames':
            return 100 * _divide(hits.sum(axis=0), counts.sum(axis=0))
        # Sequences in which a keypoint is never visible say nothing of it.
        rates = np.nan_to_num(_divide(hits, counts))
        return 100 * _divide(rates.sum(axis=0), (counts > 0).sum(axis=0))

    def _log_table(self, rows: List[Dict[str, float]], sequences: int) -> None:
        """Write the rates to the log as a table."""
        names = list(rows[0])
        pooling = dict(frames='pooled over frames', sequence='mean of each')
        lines = [
            f'{self.prefix}: PCK in percent, {sequences} sequences, '
            f'{pooling[self.average]}',
            'thr   ' + ''.join(f'{name:>7}' for name in names),
        ]
        for thr, row in zip(self.thr, rows):
            cells = ''.join(f'{row[name]:7.1f}' for name in names)
            lines.append(f'{thr:<6g}{cells}')
        MMLogger.get_current_instance().info('\n'.join(lines))


def _divide(numerator: np.ndarray, denominator: np.ndarray) -> np.ndarray:
    """Quotient, NaN where the denominator is 0."""
    shape = np.broadcast_shapes(numerator.shape, denominator.shape)
    out = np.full(shape, np.nan)
    return np.divide(numerator, denominator, out=out, where=denominator > 0)
