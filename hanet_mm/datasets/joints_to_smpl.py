# Copyright (c) hanet_mm contributors. All rights reserved.
"""Rotations of SMPL's joints from joint positions.

Positions determine the direction of each bone, but not its rotation about
itself (twist) where a joint has a single child: it is that of the parent.
"""

from typing import Dict, Sequence, Tuple

import numpy as np

from hanet_mm.core.poses.body import SMPL_PARENTS

# Below this 1 + cos directions are opposite: any axis across will do.
_OPPOSITE = 1e-8
_TINY = 1e-9


def rotations_from_joints(
    joints: np.ndarray,
    offsets: np.ndarray,
    parents: Sequence[int] = SMPL_PARENTS,
    unknown: Sequence[int] = (),
) -> np.ndarray:
    """Local rotations that turn the bones at rest into the observed ones.

    A joint with several children gets the rotation that fits the directions
    to all of them best (Kabsch: W. Kabsch, Acta Crystallographica A32,
    1976), exactly where the observed skeleton has the proportions of the one
    at rest. A joint with one child gets the smallest rotation relative to
    its parent that aligns its bone. A joint without children keeps that of
    its parent.

    An unknown joint lies at its rest offset from its parent; it turns so
    that the direction from the parent to its child is the observed one, or
    as near to that as the two bones allow.

    Args:
        joints (np.ndarray): Positions in any unit, (N, K, 3); those of
            unknown joints are not read.
        offsets (np.ndarray): Joint minus parent at rest, (K, 3).
        parents (Sequence[int]): Parent of each joint (K,), before its
            children; -1 for the root. Defaults to those of SMPL.
        unknown (Sequence[int]): Joints that were not observed; each needs a
            parent and exactly one child, both observed.

    Returns:
        np.ndarray: Rotation of each joint relative to its parent,
        (N, K, 3, 3) float64.

    Raises:
        ValueError: If shapes differ or an unknown joint has not one child.
    """
    count = len(parents)
    joints = np.asarray(joints, dtype=np.float64)
    offsets = np.asarray(offsets, dtype=np.float64)
    if joints.ndim != 3 or joints.shape[1:] != (count, 3):
        raise ValueError(
            f'joints: expected (N, {count}, 3), found {joints.shape}'
        )
    if offsets.shape != (count, 3):
        raise ValueError(
            f'offsets: expected ({count}, 3), found {offsets.shape}'
        )
    children = _children(parents, unknown)
    world = np.broadcast_to(np.eye(3), (len(joints), count, 3, 3)).copy()
    for joint, parent in enumerate(parents):
        above = world[:, parent] if parent >= 0 else np.eye(3)
        if joint in unknown:
            ((end, bone),) = children[joint].items()
            towards = _beyond_unknown(
                above @ offsets[joint],
                joints[:, end] - joints[:, parent],
                np.linalg.norm(bone @ offsets),
            )
            turn = smallest_rotation(above @ (bone @ offsets), towards)
        else:
            turn = _fit(joints, offsets, joint, children[joint], above)
        world[:, joint] = turn @ above
    local = world.copy()
    for joint, parent in enumerate(parents):
        if parent >= 0:
            local[:, joint] = (
                world[:, parent].swapaxes(-1, -2) @ world[:, joint]
            )
    return local


def smallest_rotation(start: np.ndarray, end: np.ndarray) -> np.ndarray:
    """Smallest rotation (..., 3, 3) from one direction (..., 3) to another.

    It is the identity where a direction is 0, and half a turn about one of
    the axes across where they are opposite.
    """
    start, end = np.broadcast_arrays(start, end)
    lengths = np.linalg.norm(start, axis=-1), np.linalg.norm(end, axis=-1)
    nowhere = np.minimum(*lengths) < _TINY
    first, last = (
        x / np.where(nowhere, 1, length)[..., None]
        for x, length in zip((start, end), lengths)
    )
    first, last = (
        np.where(nowhere[..., None], [1.0, 0, 0], x) for x in (first, last)
    )
    # Half a turn about first, then half a turn about first + last; written
    # out this divides by nothing but 1 + cos.
    middle = 1 + np.sum(first * last, axis=-1)
    opposite = middle < _OPPOSITE
    total = first + last
    turn = (
        np.eye(3)
        - total[..., :, None]
        * total[..., None, :]
        / np.where(opposite, 1, middle)[..., None, None]
        + 2 * last[..., :, None] * first[..., None, :]
    )
    if opposite.any():
        spare = np.eye(3)[np.abs(first[opposite]).argmin(axis=-1)]
        across = np.cross(first[opposite], spare)
        across /= np.linalg.norm(across, axis=-1, keepdims=True)
        half = 2 * across[:, :, None] * across[:, None, :] - np.eye(3)
        turn[opposite] = half
    return turn


def _children(
    parents: Sequence[int], unknown: Sequence[int]
) -> Dict[int, Dict[int, np.ndarray]]:
    """Next observed joints of each joint, with the bone to them.

    The bone is a (K,) array of 0 and 1, so that ``bone @ offsets`` is the
    vector from the joint to that child at rest.
    """
    count = len(parents)
    found: Dict[int, Dict[int, np.ndarray]] = {k: {} for k in range(count)}
    for joint, parent in enumerate(parents):
        if parent >= 0:
            found[parent][joint] = np.eye(count)[joint]
    for joint in unknown:
        ends = list(found[joint])
        if len(ends) != 1 or parents[joint] < 0 or ends[0] in unknown:
            raise ValueError(
                f'unknown: joint {joint} needs a parent and exactly one '
                f'child, both observed, found the children {ends}'
            )
        above = found[parents[joint]]
        above[ends[0]] = above.pop(joint) + found[joint][ends[0]]
    return found


def _fit(
    joints: np.ndarray,
    offsets: np.ndarray,
    joint: int,
    children: Dict[int, np.ndarray],
    above: np.ndarray,
) -> np.ndarray:
    """Rotation relative to the parent's, in the world, (N, 3, 3)."""
    if not children:
        return np.eye(3)
    rest = np.stack([bone @ offsets for bone in children.values()])
    seen = joints[:, list(children)] - joints[:, joint, None]
    if len(children) == 1:
        return smallest_rotation(above @ rest[0], seen[:, 0])
    rest, seen = (
        x / np.maximum(np.linalg.norm(x, axis=-1, keepdims=True), _TINY)
        for x in (rest @ np.swapaxes(above, -1, -2), seen)
    )
    return _kabsch(np.broadcast_to(rest, seen.shape), seen)


def _kabsch(start: np.ndarray, end: np.ndarray) -> np.ndarray:
    """Rotations (N, 3, 3) that best turn vectors (N, C, 3) into others."""
    left, _, right = np.linalg.svd(end.swapaxes(-1, -2) @ start)
    sign = np.ones(left.shape[:-1])
    sign[:, 2] = np.linalg.det(left) * np.linalg.det(right)
    return (left * sign[:, None]) @ right


def _beyond_unknown(
    first: np.ndarray, seen: np.ndarray, length: float
) -> np.ndarray:
    """Second of two bones, given the first and the direction to the end.

    All are (N, 3). The result has that length if the end can reach the seen
    line; else it points to the nearest point on it.
    """
    line = seen / np.maximum(
        np.linalg.norm(seen, axis=-1, keepdims=True), _TINY
    )
    along = np.sum(line * first, axis=-1)
    aside = np.sum(first**2, axis=-1) - along**2
    reach = along + np.sqrt(np.maximum(length**2 - aside, 0))
    return reach[:, None] * line - first


# SMPL's joints in the skeletons of the CMU database, where a joint lies at the
# end of the bone of its name. The collar bones begin at the thorax, so SMPL's
# collar joints are not observed.
_CMU_JOINTS = (
    'root', 'lhipjoint', 'rhipjoint', 'lowerback', 'lfemur', 'rfemur',
    'upperback', 'ltibia', 'rtibia', 'thorax', 'lfoot', 'rfoot',
    'upperneck', '', '', 'head', 'lclavicle', 'rclavicle', 'lhumerus',
    'rhumerus', 'lwrist', 'rwrist', 'lhand', 'rhand')  # fmt: skip
CMU_UNKNOWN = (13, 14)
"""SMPL joints that the CMU skeleton does not have: the collars."""


def cmu_to_smpl_joints(
    joints: np.ndarray, names: Tuple[str, ...]
) -> np.ndarray:
    """Pick SMPL's joints of a CMU skeleton, (N, J, 3) -> (N, 24, 3).

    Those in ``CMU_UNKNOWN`` are 0. Raises a ValueError if one is missing.
    """
    place = {name: i for i, name in enumerate(names)}
    missing = [name for name in _CMU_JOINTS if name and name not in place]
    if missing:
        raise ValueError(
            f'joint_names: expected {missing[0]!r}, found {list(names)}'
        )
    picked = joints[:, [place.get(name, 0) for name in _CMU_JOINTS]]
    picked[:, list(CMU_UNKNOWN)] = 0
    return picked
