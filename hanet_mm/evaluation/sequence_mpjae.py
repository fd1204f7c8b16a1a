"""Mean angle error of joint rotations."""

from typing import Any, Dict, List, Tuple

import numpy as np
import torch
from mmpose.registry import METRICS

from hanet_mm.core.poses.rotations import geodesic_distance, rot6d_to_matrix
from hanet_mm.evaluation.pose_sequence_metric import (
    Comparison,
    PoseSequenceMetric,
)


@METRICS.register_module()
class SequenceMPJAE(PoseSequenceMetric):
    """Mean per joint angle error, over all frames of all sequences.

    The result is ``MPJAE`` in degrees: the mean angle of the rotation that
    takes the predicted rotation of a joint, relative to its parent, to the
    true one. No body model is needed. To keep the best checkpoint:
    ``CheckpointHook(save_best='refined/MPJAE', rule='less')``.

    Args:
        **kwargs: ``source``, ``prefix`` and more, see
            :class:`PoseSequenceMetric`.
    """

    def measure(self, comparison: Comparison) -> Tuple[float, int]:
        """Sum of angles in degrees and count of one sequence."""
        pred, gt, counted = matched_rotations(comparison)
        angles = geodesic_distance(
            rotation_matrices(pred[counted]), rotation_matrices(gt[counted])
        )
        return float(torch.rad2deg(angles).sum()), int(counted.sum())

    def compute_metrics(
        self, results: List[Tuple[float, int]]
    ) -> Dict[str, float]:
        """Mean angle of all sequences.

        Args:
            results (list[tuple]): Sum and count of each sequence.

        Returns:
            dict[str, float]: The mean by name; NaN where nothing counts.
        """
        return {'MPJAE': self.pooled_mean(results)}


def matched_rotations(comparison: Comparison) -> Comparison:
    """Check that a sequence is of rotations, finite where they count.

    Args:
        comparison (Comparison): One sequence.

    Returns:
        tuple: Prediction and truth in 6D form (T, K, 6), and what counts
        (T, K).

    Raises:
        ValueError: If the shapes are others, or one that counts is not
            finite.
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
