# Copyright (c) hanet_mm contributors. All rights reserved.
"""Supervision of SMPL rotations by the body they pose."""

from typing import Dict, Tuple

import torch
from mmpose.registry import MODELS
from mmpose.utils.typing import ConfigType, OptConfigType
from torch import Tensor, nn
from torch.utils.checkpoint import checkpoint

from hanet_mm.core.poses.body import root_relative
from hanet_mm.core.poses.rotations import rot6d_to_matrix

# Frames whose surfaces are held at once.
_CHUNK_FRAMES = 64


@MODELS.register_module()
class SMPLLoss(nn.Module):
    """A loss of rotations, and two of the joints and vertices they lead to.

    ``loss_joints`` and ``loss_vertices`` are the mean absolute difference of
    each coordinate, in metres, between the bodies that the final poses and the
    true ones give to the mean shape. Joints are relative to the mean of the
    hips. Only frames with all 24 rotations annotated count, for one missing
    rotation displaces all that hangs on it.

    Args:
        body_model (ConfigType): Of :class:`SMPLBodyModel` or
            :class:`SkeletonBodyModel`.
        pose_loss (ConfigType, optional): Of the loss of the rotations in 6D
            form. None: :class:`OMLLoss`.
        joint_weight (float): Factor of ``loss_joints``.
        vertex_weight (float): Factor of ``loss_vertices``; 0 leaves it out.

    Raises:
        ValueError: If vertices have a weight but the body model has none.
    """

    def __init__(
        self,
        body_model: ConfigType,
        pose_loss: OptConfigType = None,
        joint_weight: float = 1.0,
        vertex_weight: float = 1.0,
    ):
        super().__init__()
        self.pose_loss = MODELS.build(pose_loss or dict(type='OMLLoss'))
        self.body_model = MODELS.build(body_model)
        if vertex_weight and not self.body_model.num_vertices:
            raise ValueError(
                f'{type(self.body_model).__name__} has no vertices: '
                f'vertex_weight must be 0, got {vertex_weight}'
            )
        self.joint_weight = joint_weight
        self.vertex_weight = vertex_weight

    def forward(
        self,
        final: Tensor,
        refined: Tensor,
        target: Tensor,
        visible: Tensor,
        sample_interval: int,
    ) -> Dict[str, Tensor]:
        """Losses of windows in 6D form; arguments as :meth:`OMLLoss.forward`.

        Those of the pose loss, ``loss_joints`` and, unless it is left out,
        ``loss_vertices``; zero where nothing counts.
        """
        losses = self.pose_loss(
            final, refined, target, visible, sample_interval
        )
        whole = (visible > 0).all(-1)
        # Half precision is too coarse for a chain of nine rotations.
        with torch.autocast(final.device.type, enabled=False):
            joints, vertices = self._distances(final[whole], target[whole])
        losses['loss_joints'] = self.joint_weight * joints
        if self.vertex_weight:
            losses['loss_vertices'] = self.vertex_weight * vertices
        return losses

    def _distances(
        self, pred: Tensor, target: Tensor
    ) -> Tuple[Tensor, Tensor]:
        """Mean distances of joints and of vertices over frames (F, 24, 6).

        What lies between is computed again for the gradient of each chunk:
        the surfaces of a whole batch would take gigabytes.
        """
        sums = pred.new_zeros(2)
        for chunk in zip(
            pred.split(_CHUNK_FRAMES), target.split(_CHUNK_FRAMES)
        ):
            sums = sums + checkpoint(
                self._sum,
                *chunk,
                use_reentrant=False,
                preserve_rng_state=False,
            )
        mean = sums / max(len(pred), 1)
        return mean[0], mean[1]

    def _sum(self, pred: Tensor, target: Tensor) -> Tensor:
        """Distances of joints and of vertices, added up over frames."""
        bodies = [self.body_model(rot6d_to_matrix(x)) for x in (pred, target)]
        ours, truth = (root_relative(body.joints) for body in bodies)
        joints = (ours - truth).abs().mean((1, 2)).sum()
        if not self.vertex_weight:
            return torch.stack([joints, torch.zeros_like(joints)])
        ours, truth = (body.vertices for body in bodies)
        vertices = (ours - truth).abs().mean((1, 2)).sum()
        return torch.stack([joints, vertices])
