"""Mean keypoint error of pose sequences."""

from typing import Any, Dict, List, Tuple

from mmpose.registry import METRICS

from hanet_mm.core.metrics import mpjpe, pa_mpjpe
from hanet_mm.evaluation.pose_sequence_metric import (
    Comparison,
    PoseSequenceMetric,
)

_MODES = {'mpjpe': mpjpe, 'p-mpjpe': pa_mpjpe}


@METRICS.register_module()
class SequenceMPJPE(PoseSequenceMetric):
    """Mean per joint position error, over all frames of all sequences.

    The result is ``MPJPE``, or ``P-MPJPE`` after a similarity alignment of
    each frame (the paper's PA-MPJPE; MMPose's name for it). To keep the best
    checkpoint: ``CheckpointHook(save_best='refined/MPJPE', rule='less')``.

    Args:
        mode (str): ``'mpjpe'`` or ``'p-mpjpe'``. Defaults to ``'mpjpe'``.
        unit_scale (float): Factor on the result: 1 keeps the unit of the
            keypoints (px of 2D poses), 1000 makes mm of metres. Defaults
            to 1.
        **kwargs: ``source``, ``prefix`` and more, see
            :class:`PoseSequenceMetric`.

    Raises:
        ValueError: If the mode is unknown.
    """

    def __init__(
        self, mode: str = 'mpjpe', unit_scale: float = 1.0, **kwargs: Any
    ) -> None:
        super().__init__(**kwargs)
        if mode not in _MODES:
            raise ValueError(
                f'SequenceMPJPE: mode must be one of {sorted(_MODES)}, '
                f'got {mode!r}'
            )
        self.mode = mode
        self.unit_scale = unit_scale

    def measure(self, comparison: Comparison) -> Tuple[float, int]:
        """Sum of errors and count of one sequence."""
        pred, gt, counted, _ = comparison
        return _MODES[self.mode](pred, gt, counted)

    def compute_metrics(
        self, results: List[Tuple[float, int]]
    ) -> Dict[str, float]:
        """Mean error of all sequences.

        Args:
            results (list[tuple]): Sum and count of each sequence.

        Returns:
            dict[str, float]: The mean by name; NaN where nothing counts.
        """
        return {self.mode.upper(): self.unit_scale * self.pooled_mean(results)}
