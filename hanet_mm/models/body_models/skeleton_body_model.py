# Copyright (c) hanet_mm contributors. All rights reserved.
"""A body model that needs no file: the bones of a mean adult."""

from typing import Optional

from mmpose.registry import MODELS
from torch import Tensor, nn

from hanet_mm.core.poses.body import (
    LSP14_FROM_SMPL24,
    BodyModelOutput,
    check_body_inputs,
    forward_kinematics,
    mean_adult_offsets,
)


@MODELS.register_module()
class SkeletonBodyModel(nn.Module):
    """Forward kinematics on the bones of a mean adult, 1.70 m tall.

    It gives joint errors of SMPL rotations in metres where there is no file
    of SMPL. They are near those of SMPL but not the same, so they must not
    be compared with published figures. Shape parameters change nothing, and
    there are no vertices.

    The joints are named as lsp14, but neck and head are SMPL's joints 12 and
    15, not the top of the head.
    """

    num_vertices = 0

    def __init__(self):
        super().__init__()
        self.register_buffer('offsets', mean_adult_offsets(), persistent=False)

    def forward(
        self,
        rotations: Tensor,
        betas: Optional[Tensor] = None,
        scale: Optional[Tensor] = None,
    ) -> BodyModelOutput:
        """Joints (B, 14, 3) in metres of SMPL's local rotations (B, 24, 3, 3).

        ``betas`` (B, 10) are not used; ``scale`` (B,) is a factor on the size.
        Raises a ValueError if a shape is another.
        """
        check_body_inputs(rotations, betas, scale)
        joints = forward_kinematics(rotations, self.offsets.to(rotations))
        joints = joints[:, LSP14_FROM_SMPL24]
        if scale is not None:
            joints = joints * scale[:, None, None]
        return BodyModelOutput(joints, None)
