"""Acceleration error of pose sequences."""

from typing import Any, Dict, List, Optional, Sequence, Tuple

from mmpose.registry import METRICS

from hanet_mm.core.metrics.errors import accel_error
from hanet_mm.evaluation.pose_sequence_metric import (
    Comparison,
    PoseSequenceMetric,
)


@METRICS.register_module()
class AccelError(PoseSequenceMetric):
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
            relative to its own root, as published for 3D. Defaults to
            ``'none'``.
        root (Sequence[int], optional): Joints whose mean is the root.
            Defaults to None: ``root_indices`` of the data set's metainfo.
        unit_scale (float): Factor on the result: 1 keeps the unit of the
            keypoints, 1000 makes mm of metres. Defaults to 1.
        **kwargs: ``source``, ``prefix`` and more, see
            :class:`PoseSequenceMetric`.

    Raises:
        ValueError: If the alignment is unknown; while evaluating, if there
            are no root joints.
    """

    def __init__(
        self,
        alignment: str = 'none',
        root: Optional[Sequence[int]] = None,
        unit_scale: float = 1.0,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        if alignment not in ('none', 'root'):
            raise ValueError(
                "AccelError: alignment must be 'none' or 'root', got "
                f'{alignment!r}'
            )
        self.alignment = alignment
        self.root = root
        self.unit_scale = unit_scale

    def measure(self, comparison: Comparison) -> Tuple[float, int]:
        """Sum of errors and count of one sequence."""
        if self.alignment == 'root':
            comparison = self.relative_to_root(comparison, self.root)
        pred, gt, counted, _ = comparison
        return accel_error(pred, gt, counted)

    def compute_metrics(
        self, results: List[Tuple[float, int]]
    ) -> Dict[str, float]:
        """Mean error of all sequences.

        Args:
            results (list[tuple]): Sum and count of each sequence.

        Returns:
            dict[str, float]: The mean by name; NaN where nothing counts.
        """
        return {'Accel': self.unit_scale * self.pooled_mean(results)}
