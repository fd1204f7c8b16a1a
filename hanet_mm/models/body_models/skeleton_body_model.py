"""A body model that needs no file: the bones of a mean adult."""

from typing import Optional

import torch
from mmpose.registry import MODELS
from torch import Tensor, nn

from hanet_mm.core.forward_kinematics import forward_kinematics

from .body_model import (
    LSP14_FROM_SMPL24,
    BodyModelOutput,
    check_body_inputs,
)

# Joint minus parent in metres, arms held out to the sides; x to the left of
# the body, y up, z forward. Lengths are the body segments of Drillis and
# Contini (1966) for a stature of 1.70 m, rounded to centimetres: shank and
# thigh 0.246 and 0.245 of it, upper arm 0.186, forearm 0.146, half the
# shoulders' breadth 0.129, hip to shoulder 0.288, ankle 0.039 above the
# ground. How the trunk is divided is ours, as are the hips: the breadth of
# the table is that of the outline, not of the joints.
_TRUNK = {
    0: (0.0, 0.0, 0.0),  # pelvis
    3: (0.0, 0.10, -0.01),  # spine, three joints
    6: (0.0, 0.13, 0.0),
    9: (0.0, 0.07, 0.01),
    12: (0.0, 0.21, -0.02),  # neck
    15: (0.0, 0.10, 0.03),  # head
}
_LEFT = {
    1: (0.09, -0.08, 0.0),  # hip
    4: (0.0, -0.42, 0.0),  # knee
    7: (0.0, -0.42, -0.01),  # ankle
    10: (0.02, -0.06, 0.13),  # foot
    13: (0.08, 0.10, 0.0),  # collar
    16: (0.14, 0.01, -0.01),  # shoulder
    18: (0.32, 0.0, 0.0),  # elbow
    20: (0.25, 0.0, 0.0),  # wrist
    22: (0.08, 0.0, 0.0),  # hand
}


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
        right = {k + 1: (-x, y, z) for k, (x, y, z) in _LEFT.items()}
        bones = sorted({**_TRUNK, **_LEFT, **right}.items())
        offsets = torch.tensor([offset for _, offset in bones])
        self.register_buffer('offsets', offsets, persistent=False)

    def forward(
        self,
        rotations: Tensor,
        betas: Optional[Tensor] = None,
        scale: Optional[Tensor] = None,
    ) -> BodyModelOutput:
        """Pose the skeleton.

        Args:
            rotations (Tensor): Rotations of SMPL's joints relative to their
                parents, (B, 24, 3, 3).
            betas (Tensor, optional): (B, 10), not used.
            scale (Tensor, optional): Factor on the size, (B,).

        Returns:
            BodyModelOutput: Joints (B, 14, 3) in metres, no vertices.

        Raises:
            ValueError: If a shape is another.
        """
        check_body_inputs(rotations, betas, scale)
        joints = forward_kinematics(rotations, self.offsets.to(rotations))
        joints = joints[:, LSP14_FROM_SMPL24]
        if scale is not None:
            joints = joints * scale[:, None, None]
        return BodyModelOutput(joints, None)
