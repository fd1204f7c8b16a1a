"""Mean keypoint error of pose sequences."""

from typing import Any, Dict, List, Optional, Sequence, Tuple

from mmpose.registry import METRICS

from hanet_mm.core.metrics.errors import mpjpe, pa_mpjpe
from hanet_mm.evaluation.pose_sequence_metric import (
    Comparison,
    PoseSequenceMetric,
)

_NAMES = {'none': 'MPJPE', 'root': 'MPJPE', 'similarity': 'PA-MPJPE'}


@METRICS.register_module()
class SequenceMPJPE(PoseSequenceMetric):
    """Mean per joint position error, over all frames of all sequences.

    The result is ``MPJPE``, or ``PA-MPJPE`` after a similarity alignment of
    each frame. To keep the best checkpoint:
    ``CheckpointHook(save_best='refined/MPJPE', rule='less')``.

    Args:
        alignment (str): Of each frame before errors are taken: ``'none'``;
            ``'root'``, prediction and truth each relative to its own root,
            as published for 3D; ``'similarity'``, scale, rotation and shift
            (Procrustes). Defaults to ``'none'``.
        root (Sequence[int], optional): Joints whose mean is the root.
            Defaults to None: ``root_indices`` of the data set's metainfo.
        unit_scale (float): Factor on the result: 1 keeps the unit of the
            keypoints (px of 2D poses), 1000 makes mm of metres. Defaults
            to 1.
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
        if alignment not in _NAMES:
            raise ValueError(
                f'SequenceMPJPE: alignment must be one of {sorted(_NAMES)}, '
                f'got {alignment!r}'
            )
        self.alignment = alignment
        self.root = root
        self.unit_scale = unit_scale

    def measure(self, comparison: Comparison) -> Tuple[float, int]:
        """Sum of errors and count of one sequence."""
        if self.alignment == 'root':
            comparison = self.relative_to_root(comparison, self.root)
        pred, gt, counted, _ = comparison
        error = pa_mpjpe if self.alignment == 'similarity' else mpjpe
        return error(pred, gt, counted)

    def compute_metrics(
        self, results: List[Tuple[float, int]]
    ) -> Dict[str, float]:
        """Mean error of all sequences.

        Args:
            results (list[tuple]): Sum and count of each sequence.

        Returns:
            dict[str, float]: The mean by name; NaN where nothing counts.
        """
        mean = self.unit_scale * self.pooled_mean(results)
        return {_NAMES[self.alignment]: mean}
