# Copyright (c) hanet_mm contributors. All rights reserved.
"""Mean errors of pose sequences: positions, accelerations and rotations.

The metrics differ in the error of one sequence only, so they share a file.
"""

from abc import abstractmethod
from typing import Any, Dict, List, Optional, Sequence, Tuple

import numpy as np
import torch
from mmpose.registry import METRICS

from hanet_mm.core.metrics.errors import (
    accel_error,
    mpjpe,
    pa_mpjpe,
    subtract_root,
)
from hanet_mm.core.poses.rotations import geodesic_distance, rot6d_to_matrix
from hanet_mm.evaluation.pose_sequence_metric import (
    Comparison,
    PoseSequenceMetric,
)


class _MeanError(PoseSequenceMetric):
    """Mean of an error over all frames and keypoints of all sequences."""

    NAME = ''
    unit_scale = 1.0

    @abstractmethod
    def measure(self, comparison: Comparison) -> Tuple[float, int]:
        """Sum of errors and count of one sequence."""

    def compute_metrics(
        self, results: List[Tuple[float, int]]
    ) -> Dict[str, float]:
        """Mean over all sequences by name; NaN if nothing counts."""
        return {self.NAME: self.unit_scale * self.pooled_mean(results)}

    def sequence_error(self, sample: dict) -> float:
        """Mean error of one data sample; NaN if nothing counts."""
        total, count = self.measure(self._read(sample))
        return self.unit_scale * total / count if count else float('nan')


class _AlignedError(_MeanError):
    """Mean error of keypoints, aligned frame by frame if wanted."""

    # Names of the result by alignment.
    ALIGNMENTS: Dict[str, str] = {}

    def __init__(
        self,
        alignment: str = 'none',
        root: Optional[Sequence[int]] = None,
        unit_scale: float = 1.0,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        if alignment not in self.ALIGNMENTS:
            raise ValueError(
                f'{type(self).__name__}: alignment must be one of '
                f'{sorted(self.ALIGNMENTS)}, got {alignment!r}'
            )
        self.NAME = self.ALIGNMENTS[alignment]
        self.alignment = alignment
        self.root = root
        self.unit_scale = unit_scale

    @abstractmethod
    def error(self, *sequence: np.ndarray) -> Tuple[float, int]:
        """Sum of errors and count of (pred, gt, counted)."""

    def measure(self, comparison: Comparison) -> Tuple[float, int]:
        """Sum of errors and count of one sequence."""
        if self.alignment == 'root':
            comparison = self._relative_to_root(comparison)
        return self.error(*comparison[:3])

    def _relative_to_root(self, comparison: Comparison) -> Comparison:
        """Subtract from each pose its own root; it has to be known."""
        root = self.root or (self.dataset_meta or {}).get('root_indices')
        if not root:
            raise ValueError(
                "alignment='root' needs root joints: the data set has no "
                'root_indices in its metainfo, give root'
            )
        known = comparison.counted[:, list(root)].all(1)
        return comparison._replace(
            pred=subtract_root(comparison.pred, root),
            gt=subtract_root(comparison.gt, root),
            counted=comparison.counted & known[:, None],
        )


@METRICS.register_module()
class SequenceMPJPE(_AlignedError):
    """Mean per joint position error, over all frames of all sequences.

    The result is ``MPJPE``, or ``PA-MPJPE`` after a similarity alignment of
    each frame. To keep the best checkpoint:
    ``CheckpointHook(save_best='refined/MPJPE', rule='less')``.

    Args:
        alignment (str): Of each frame before errors are taken: ``'none'``;
            ``'root'``, prediction and truth each relative to its own root,
            as published for 3D; ``'similarity'``, scale, rotation and shift
            (Procrustes).
        root (Sequence[int], optional): Joints whose mean is the root.
            Defaults to None: ``root_indices`` of the data set's metainfo.
        unit_scale (float): Factor on the result: 1 keeps the unit of the
            keypoints (px of 2D poses), 1000 converts metres to mm.
        **kwargs: ``source``, ``prefix`` and more, see
            :class:`PoseSequenceMetric`.

    Raises:
        ValueError: If the alignment is unknown; while evaluating, if there
            are no root joints.
    """

    ALIGNMENTS = {'none': 'MPJPE', 'root': 'MPJPE', 'similarity': 'PA-MPJPE'}

    def error(self, *sequence: np.ndarray) -> Tuple[float, int]:
        """Sum of position errors and count."""
        function = pa_mpjpe if self.alignment == 'similarity' else mpjpe
        return function(*sequence)


@METRICS.register_module()
class AccelError(_AlignedError):
    """Mean acceleration error, over all frames of all sequences.

    The result is ``Accel``: the mean length of the difference between the
    second differences of prediction and truth, per frame^2, where a keypoint
    is counted in three consecutive frames (the paper's Accel, mm/frame^2 in
    3D, px/frame^2 in 2D).

    To keep the best checkpoint give the rule, for MMEngine takes the "acc"
    in the name for an accuracy:
    ``CheckpointHook(save_best='refined/Accel', rule='less')``.

    Args:
        alignment (str): ``'none'``, or ``'root'``: prediction and truth each
            relative to its own root, as published for 3D.
        root (Sequence[int], optional): Joints whose mean is the root.
            Defaults to None: ``root_indices`` of the data set's metainfo.
        unit_scale (float): Factor on the result: 1 keeps the unit of the
            keypoints, 1000 converts metres to mm.
        **kwargs: ``source``, ``prefix`` and more, see
            :class:`PoseSequenceMetric`.

    Raises:
        ValueError: If the alignment is unknown; while evaluating, if there
            are no root joints.
    """

    ALIGNMENTS = {'none': 'Accel', 'root': 'Accel'}

    def error(self, *sequence: np.ndarray) -> Tuple[float, int]:
        """Sum of acceleration errors and count."""
        return accel_error(*sequence)


@METRICS.register_module()
class SequenceMPJAE(_MeanError):
    """Mean per joint angle error, over all frames of all sequences.

    The result is ``MPJAE`` in degrees: the mean angle of the rotation that
    takes the predicted rotation of a joint, relative to its parent, to the
    true one. No body model is needed. To keep the best checkpoint:
    ``CheckpointHook(save_best='refined/MPJAE', rule='less')``.

    Args:
        **kwargs: ``source``, ``prefix`` and more, see
            :class:`PoseSequenceMetric`.
    """

    NAME = 'MPJAE'

    def measure(self, comparison: Comparison) -> Tuple[float, int]:
        """Sum of angles in degrees and count of one sequence."""
        pred, gt, counted = matched_rotations(comparison)
        angles = geodesic_distance(
            rotation_matrices(pred[counted]), rotation_matrices(gt[counted])
        )
        return float(torch.rad2deg(angles).sum()), int(counted.sum())


def matched_rotations(
    comparison: Comparison,
) -> Tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Check 6D rotations (T, K, 6) of prediction and truth: shapes agree, what
    counts is finite.
    """
    pred, gt, counted = comparison[:3]
    if gt.ndim != 3 or gt.shape[-1] != 6 or pred.shape != gt.shape:
        raise ValueError(
            'rotations must be in 6D form (T, K, 6), got '
            f'{pred.shape} and, of the truth, {gt.shape}'
        )
    for name, value in (('prediction', pred), ('truth', gt)):
        bad = counted & ~np.isfinite(value).all(-1)
        if bad.any():
            frame, joint = np.argwhere(bad)[0]
            raise ValueError(
                f'the {name} must be finite where it is counted, got '
                f'{value[frame, joint]} at frame {frame}, joint {joint}'
            )
    return pred, gt, counted


def rotation_matrices(rot6d: Any) -> torch.Tensor:
    """Matrices (..., 3, 3) float64 of 6D forms (..., 6)."""
    return rot6d_to_matrix(torch.as_tensor(rot6d).double())
