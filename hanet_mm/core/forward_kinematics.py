"""Places of joints from rotations and bones (forward kinematics)."""

from functools import lru_cache
from typing import List, Sequence, Tuple

import torch
from torch import Tensor

# fmt: off
SMPL_PARENTS = (
    -1, 0, 0, 0, 1, 2, 3, 4, 5, 6, 7, 8,
    9, 9, 9, 12, 13, 14, 16, 17, 18, 19, 20, 21,
)
"""Parent of each of the 24 joints of SMPL; -1 for the pelvis, the root."""
# fmt: on


def forward_kinematics(
    rotations: Tensor, offsets: Tensor, parents: Sequence[int] = SMPL_PARENTS
) -> Tensor:
    """Places of the joints of a posed skeleton.

    ``G_k = G_parent(k) R_k`` and ``x_k = x_parent(k) + G_parent(k) o_k``,
    with ``G_root = R_root`` and ``x_root = o_root``. All joints that are
    equally far from the root are computed at once.

    Args:
        rotations (Tensor): Rotation of each joint relative to its parent,
            (..., K, 3, 3).
        offsets (Tensor): Joint minus parent at rest, (..., K, 3) or (K, 3);
            the place of the root itself. In any unit.
        parents (Sequence[int]): Parent of each joint (K,), -1 for the one
            root. Defaults to those of SMPL.

    Returns:
        Tensor: Places of the joints, (..., K, 3), in the unit of the
        offsets.

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
    """Joints by their distance from the root.

    Returns:
        tuple: Levels, each with its joints and the position of their parents
        in the level before; and the position of each joint in all levels
        put one after the other.
    """
    if sum(parent == -1 for parent in parents) != 1:
        raise ValueError(f'parents need exactly one root (-1), got {parents}')
    joints = [parents.index(-1)]
    levels = [(joints, [])]
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
