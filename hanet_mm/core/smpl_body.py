"""What all body models have in common."""

from typing import NamedTuple, Optional

from torch import Tensor

NUM_JOINTS = 24
NUM_BETAS = 10

# fmt: off
LSP14_FROM_SMPL24 = (8, 5, 2, 1, 4, 7, 21, 19, 17, 16, 18, 20, 12, 15)
"""SMPL's joint for each of lsp14: right ankle, knee, hip, left hip, knee,
ankle, right wrist, elbow, shoulder, left shoulder, elbow, wrist, neck, head.
"""
# fmt: on

HIPS = (2, 3)
"""Of the 14; their mean is the root of the published evaluation."""


class BodyModelOutput(NamedTuple):
    """A posed body, without translation.

    Attributes:
        joints (Tensor): The 14 joints of lsp14, (B, 14, 3), in metres.
        vertices (Tensor, optional): (B, V, 3), in metres; ``None`` of a
            body model without a surface.
    """

    joints: Tensor
    vertices: Optional[Tensor]


def check_body_inputs(
    rotations: Tensor, betas: Optional[Tensor], scale: Optional[Tensor]
) -> None:
    """Raise a ValueError unless the inputs are of one number of frames.

    Args:
        rotations (Tensor): (B, 24, 3, 3).
        betas (Tensor, optional): (B, 10).
        scale (Tensor, optional): (B,).
    """
    frames = rotations.shape[0] if rotations.ndim else 0
    for name, value, shape in (
        ('rotations', rotations, (frames, NUM_JOINTS, 3, 3)),
        ('betas', betas, (frames, NUM_BETAS)),
        ('scale', scale, (frames,)),
    ):
        if value is not None and tuple(value.shape) != shape:
            raise ValueError(
                f'{name} of the body must have shape {shape}, '
                f'got {tuple(value.shape)}'
            )


def root_relative(joints: Tensor) -> Tensor:
    """Joints (..., 14, 3) minus the mean of the hips of their frame."""
    return joints - joints[..., HIPS, :].mean(-2, keepdim=True)
