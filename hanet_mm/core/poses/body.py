# Copyright (c) hanet_mm contributors. All rights reserved.
"""Forward kinematics, the bones of a mean adult, and SMPL bodies."""

from functools import lru_cache
from typing import List, NamedTuple, Optional, Sequence, Tuple

import torch
from torch import Tensor

# fmt: off
SMPL_PARENTS = (
    -1, 0, 0, 0, 1, 2, 3, 4, 5, 6, 7, 8,
    9, 9, 9, 12, 13, 14, 16, 17, 18, 19, 20, 21,
)
"""Parent of each of the 24 joints of SMPL; -1 for the pelvis, the root."""
_BODY_FLIP = (
    0, 2, 1, 3, 5, 4, 6, 8, 7, 9, 11, 10,
    12, 14, 13, 15, 17, 16, 19, 18, 21, 20,
)
# fmt: on
_SMPL_FLIPS = {
    22: _BODY_FLIP,
    24: (*_BODY_FLIP, 23, 22),
    # Hands of 15 joints, in SMPL-X behind the jaw and the eyes.
    52: (*_BODY_FLIP, *range(37, 52), *range(22, 37)),
    55: (*_BODY_FLIP, 22, 24, 23, *range(40, 55), *range(25, 40)),
}


def smpl_flip_indices(count: int) -> Optional[Tuple[int, ...]]:
    """Joint of the other side of each joint of SMPL (24), SMPL-H (52), SMPL-X
    (55) or their common body (22); None for another number of joints.
    """
    return _SMPL_FLIPS.get(count)


def mirror_rotations(rotations: Tensor) -> Tensor:
    """Rotations (..., K, 3, 3) of the body in the mirror x = 0.

    K as for :func:`smpl_flip_indices`. Left and right joints change places,
    and each rotation R becomes S R S with S = diag(-1, 1, 1): rotation vectors
    (x, y, z) become (x, -y, -z).
    """
    flip = smpl_flip_indices(rotations.shape[-3])
    if flip is None:
        raise ValueError(
            f'expected rotations of {[*_SMPL_FLIPS]} joints, found '
            f'{rotations.shape[-3]}'
        )
    sign = rotations.new_tensor([-1, 1, 1])
    return rotations[..., list(flip), :, :] * (sign[:, None] * sign)


def forward_kinematics(
    rotations: Tensor, offsets: Tensor, parents: Sequence[int] = SMPL_PARENTS
) -> Tensor:
    """Positions (..., K, 3) of the joints of a posed skeleton.

    ``G_k = G_parent(k) R_k`` and ``x_k = x_parent(k) + G_parent(k) o_k``,
    with ``G_root = R_root`` and ``x_root = o_root``. All joints that are
    equally far from the root are computed at once.

    Args:
        rotations (Tensor): Rotation of each joint relative to its parent,
            (..., K, 3, 3).
        offsets (Tensor): Joint minus parent at rest, (..., K, 3) or (K, 3);
            the position of the root itself. In any unit.
        parents (Sequence[int]): Parent of each joint (K,), -1 for the root.

    Raises:
        ValueError: If shapes disagree or the parents are not a tree.

    Examples:
        A quarter turn at the root takes its child from the x to the y axis:

        >>> turn = torch.tensor([[0.0, -1, 0], [1, 0, 0], [0, 0, 1]])
        >>> bones = torch.tensor([[0.0, 0, 0], [2, 0, 0]])
        >>> forward_kinematics(torch.stack([turn, turn]), bones, [-1, 0])[1]
        tensor([0., 2., 0.])
    """
    num_joints = len(parents)
    for name, value, shape in (
        ('rotations', rotations, (num_joints, 3, 3)),
        ('offsets', offsets, (num_joints, 3)),
    ):
        if value.shape[-len(shape) :] != shape:
            raise ValueError(
                f'{name} need the shape (..., '
                f'{", ".join(map(str, shape))}), got {tuple(value.shape)}'
            )
    levels, order = _tree(tuple(int(parent) for parent in parents))
    root = levels[0][0]
    batch = torch.broadcast_shapes(rotations.shape[:-3], offsets.shape[:-2])
    # Of the level before: turns (..., L, 3, 3), places (..., L, 3).
    turns = rotations[..., root, :, :].expand(*batch, -1, -1, -1)
    places = offsets[..., root, :].expand(*batch, -1, -1)
    every = [places]
    for joints, above in levels[1:]:
        turns, places = turns[..., above, :, :], places[..., above, :]
        bones = turns @ offsets[..., joints, :, None]
        places = places + bones.squeeze(-1)
        turns = turns @ rotations[..., joints, :, :]
        every.append(places)
    return torch.cat(every, dim=-2)[..., order, :]


@lru_cache(maxsize=16)
def _tree(
    parents: Tuple[int, ...],
) -> Tuple[List[Tuple[List[int], List[int]]], List[int]]:
    """Levels of the tree, and where each joint is in their concatenation.

    A level has its joints and the positions of their parents in the level
    before.
    """
    if sum(parent == -1 for parent in parents) != 1:
        raise ValueError(f'parents need exactly one root (-1), got {parents}')
    joints = [parents.index(-1)]
    levels: List[Tuple[List[int], List[int]]] = [(joints, [])]
    while joints:
        above = joints
        joints = [k for k, parent in enumerate(parents) if parent in above]
        if joints:
            levels.append((joints, [above.index(parents[k]) for k in joints]))
    listed = [joint for joints, _ in levels for joint in joints]
    if len(listed) != len(parents):
        lost = sorted(set(range(len(parents))) - set(listed))
        raise ValueError(
            f'parents have to be a tree, but joints {lost} do not hang on '
            f'the root: {parents}'
        )
    return levels, [listed.index(k) for k in range(len(parents))]


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


def mean_adult_offsets() -> Tensor:
    """SMPL's joints relative to their parents at rest, in metres, (24, 3)."""
    right = {k + 1: (-x, y, z) for k, (x, y, z) in _LEFT.items()}
    bones = sorted({**_TRUNK, **_LEFT, **right}.items())
    return torch.tensor([offset for _, offset in bones])


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
    """Joints (B, 14, 3) of lsp14 and vertices (B, V, 3) in metres, if any.

    Without translation.
    """

    joints: Tensor
    vertices: Optional[Tensor]


def check_body_inputs(
    rotations: Tensor, betas: Optional[Tensor], scale: Optional[Tensor]
) -> None:
    """Check the shapes (B, 24, 3, 3), (B, 10) and (B,) of a body's inputs."""
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
