# Copyright (c) hanet_mm contributors. All rights reserved.
"""Errors of the body that SMPL rotations pose."""

from typing import Any, Dict, List, NamedTuple, Optional, Tuple

import numpy as np
import torch
from mmengine.device import get_device
from mmpose.registry import METRICS, MODELS
from mmpose.utils.typing import ConfigType
from torch import Tensor

from hanet_mm.core.metrics.errors import accel_error, mpjpe, pa_mpjpe
from hanet_mm.core.poses.body import NUM_BETAS, NUM_JOINTS, root_relative
from hanet_mm.evaluation.mean_errors import (
    matched_rotations,
    rotation_matrices,
)
from hanet_mm.evaluation.pose_sequence_metric import PoseSequenceMetric

# Frames whose surfaces are held at once.
_CHUNK_FRAMES = 64
# Larger factors on the size are a wrong unit.
_MAX_SCALE = 10.0


class Body(NamedTuple):
    """The frames of one body that count, F of them."""

    rotations: Tensor  # (F, 24, 3, 3)
    betas: Optional[Tensor]  # (F, 10)
    scale: Optional[Tensor]  # (F,)


class BodyComparison(NamedTuple):
    """One sequence for :class:`SMPLMetric`."""

    counted: np.ndarray  # (T,) bool, F of them True
    pred: Body
    gt: Body


@METRICS.register_module()
class SMPLMetric(PoseSequenceMetric):
    """Errors of joints and vertices, over all frames of all sequences.

    The results are those of the published evaluation, in mm, on the 14
    joints of lsp14 as the body model gives them:

    - ``MPJPE``: mean joint error, bodies relative to their mean of the hips;
    - ``PA-MPJPE``: after a similarity alignment of each frame;
    - ``MPVPE``: mean vertex error, not relative to the hips; left out if the
      body model has no vertices;
    - ``Accel``: mean acceleration error of the joints relative to the hips,
      mm/frame^2, over three consecutive frames that count.

    The shape of the prediction is that of the estimate
    (``est_instances.betas``), shape and size of the truth are
    ``gt_instances.betas`` and ``.scale``; a missing one is that of the mean
    shape. A frame counts where all 24 rotations do, see
    :class:`PoseSequenceMetric`: a missing one displaces all joints behind
    it. The body model runs on the accelerator if there is one.

    To keep the best checkpoint:
    ``CheckpointHook(save_best='refined/MPJPE', rule='less')``.

    Args:
        body_model (ConfigType): Of :class:`SMPLBodyModel` or
            :class:`SkeletonBodyModel`.
        **kwargs: ``source``, ``prefix`` and more, see
            :class:`PoseSequenceMetric`.
    """

    def __init__(self, body_model: ConfigType, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.body_model = MODELS.build(body_model).to(get_device())

    def _read(self, sample: dict) -> BodyComparison:
        """Take the bodies of a data sample."""
        comparison = super()._read(sample)
        if comparison.gt.shape[1:2] != (NUM_JOINTS,):
            raise ValueError(
                f'expected the rotations of {NUM_JOINTS} joints (T, '
                f'{NUM_JOINTS}, 6), got {comparison.gt.shape}'
            )
        # Rotations of frames that do not count need not be finite.
        whole = comparison.counted.all(axis=1)
        counted = np.repeat(whole[:, None], NUM_JOINTS, axis=1)
        pred, gt, _ = matched_rotations(comparison._replace(counted=counted))
        estimate = sample.get('est_instances', {})
        truth = sample['gt_instances']
        return BodyComparison(
            whole,
            Body(
                rotation_matrices(pred[whole]),
                _chosen(estimate, 'est_instances.betas', whole, (NUM_BETAS,)),
                None,
            ),
            Body(
                rotation_matrices(gt[whole]),
                _chosen(truth, 'gt_instances.betas', whole, (NUM_BETAS,)),
                _size(_chosen(truth, 'gt_instances.scale', whole, ())),
            ),
        )

    @torch.no_grad()
    def measure(
        self, comparison: BodyComparison
    ) -> Dict[str, Tuple[float, int]]:
        """Sum in metres and count of each error of one sequence."""
        whole, pred, gt = comparison
        # (2, T, 14, 3), zeros where nothing counts
        joints = torch.zeros(2, len(whole), 14, 3, dtype=torch.float64)
        rows = torch.from_numpy(np.flatnonzero(whole))
        distance, vertices = 0.0, 0
        for chunk in torch.arange(len(rows)).split(_CHUNK_FRAMES):
            ours, truth = self._pose(pred, chunk), self._pose(gt, chunk)
            joints[0, rows[chunk]] = ours.joints.double().cpu()
            joints[1, rows[chunk]] = truth.joints.double().cpu()
            if ours.vertices is not None:
                errors = (ours.vertices - truth.vertices).norm(dim=-1)
                distance += float(errors.double().sum())
                vertices += errors.numel()
        counted = np.repeat(whole[:, None], joints.shape[2], axis=1)
        relative = root_relative(joints).numpy()
        return {
            'MPJPE': mpjpe(*relative, counted),
            'PA-MPJPE': pa_mpjpe(*relative, counted),
            'MPVPE': (distance, vertices),
            'Accel': accel_error(*relative, counted),
        }

    def compute_metrics(
        self, results: List[Dict[str, Tuple[float, int]]]
    ) -> Dict[str, float]:
        """Mean errors of all sequences in mm; NaN where nothing counts."""
        names = ['MPJPE', 'PA-MPJPE', 'MPVPE', 'Accel']
        if not self.body_model.num_vertices:
            names.remove('MPVPE')
        return {
            name: 1000 * self.pooled_mean([result[name] for result in results])
            for name in names
        }

    def _pose(self, body: Body, frames: Tensor) -> Any:
        """Output of the body model for some of the frames."""
        device = next(self.body_model.buffers()).device
        return self.body_model(
            *(
                None if value is None else value[frames].float().to(device)
                for value in body
            )
        )


def _chosen(
    instances: dict, name: str, frames: np.ndarray, shape: Tuple[int, ...]
) -> Optional[Tensor]:
    """Rows of an array of a data sample, if it is there."""
    value = instances.get(name.split('.')[1])
    if value is None:
        return None
    value = torch.as_tensor(value).cpu()
    if tuple(value.shape) != (len(frames), *shape):
        raise ValueError(
            f'{name} must have shape {(len(frames), *shape)}, '
            f'got {tuple(value.shape)}'
        )
    value = value[torch.from_numpy(frames)]
    if not value.isfinite().all():
        raise ValueError(f'{name} must be finite where frames are counted')
    return value


def _size(scale: Optional[Tensor]) -> Optional[Tensor]:
    """The factor on the size, checked."""
    if scale is not None:
        bad = (scale <= 1 / _MAX_SCALE) | (scale >= _MAX_SCALE)
        if bad.any():
            raise ValueError(
                'gt_instances.scale must be a factor near 1 on a body in '
                f'metres, got {float(scale[bad][0]):g}; are these '
                'centimetres or millimetres?'
            )
    return scale
