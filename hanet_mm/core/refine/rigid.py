# Copyright (c) hanet_mm contributors. All rights reserved.
"""Bones of 3D poses: how long they are, and whether they stay so.

A body is rigid between its joints. Where its bones change their length the
estimates have errors, also those that are too slow to be seen as noise.
T frames, K joints, B bones; of several people at once (T, P, K, 3).
"""

from typing import Any, NamedTuple, Optional, Sequence, Tuple

import numpy as np

from ..data.lengths import lengths
from ..poses.skeleton_data import skeleton_of_names
from .noise import local_quantile

# Joints with a bone between them, of one side or none, by their points.
_BONES = (
    *(('pelvis', 'hip'), ('hip', 'knee'), ('knee', 'ankle')),
    *(('mid_shoulders', 'shoulder'), ('shoulder', 'elbow')),
    *(('elbow', 'wrist'), ('pelvis', 'spine'), ('spine', 'mid_shoulders')),
    *(('mid_shoulders', 'upper_neck'), ('upper_neck', 'head_top')),
)
# Seconds before and after a frame in which changes are measured, and the
# quantile of the changes that it is.
_NEAR, _QUANTILE = 1.0, 0.75
# Part of a change that is taken back, and in how many steps of which part.
# All of it, or from joint to joint outward, harms some sequences.
_TAKEN, _STEPS, _STEP = 0.5, 10, 0.4
# Expected error, in metres, where the network does not tell it.
_USUAL_ERROR = 0.05


class RigidBody(NamedTuple):
    """What is known of the joints of a refiner of 3D poses.

    Attributes:
        root (Tuple[int, ...]): Joints whose mean the others are relative to.
        bones (np.ndarray): Joints at both ends of each bone, (B, 2).
        num_joints (int): K.
    """

    root: Tuple[int, ...]
    bones: np.ndarray
    num_joints: int

    def lengths(self, poses: np.ndarray) -> np.ndarray:
        """Lengths of the bones of poses (..., K, 3), (..., B)."""
        first, second = (poses[..., x, :] for x in self.bones.T)
        return lengths(second - first)

    def seen(self, missing: np.ndarray) -> np.ndarray:
        """Bones of which both ends are seen, (..., K) -> (..., B)."""
        return ~missing[..., self.bones].any(-1)


def rigid_body(
    keypoint_names: Sequence[str], root: Sequence[int]
) -> RigidBody:
    """The bones between joints of these names.

    Examples:
        >>> names = ['pelvis', 'left_hip', 'left_knee', 'right_knee']
        >>> rigid_body(names, [0]).bones.tolist()
        [[0, 1], [1, 2]]
    """
    points = list(skeleton_of_names(keypoint_names, 'refiner').points)
    pairs = []
    for side in ('left', 'right'):
        for pair in _BONES:
            ends = [_find(points, side, x) for x in pair]
            if None not in ends and ends not in pairs:
                pairs.append(ends)
    bones = np.array(pairs, int).reshape(-1, 2)
    return RigidBody(tuple(root), bones, len(points))


def _find(points: Sequence[str], side: str, name: str) -> Optional[int]:
    for point in (f'{side}_{name}', name):
        if point in points:
            return points.index(point)
    return None


def usual_lengths(found: np.ndarray, seen: np.ndarray) -> np.ndarray:
    """Median over the frames of lengths (T, ..., B) that are ``seen``.

    NaN of bones that are never seen.
    """
    known = np.where(seen, found, np.nan)
    never = ~seen.any(0)
    known[:, never] = 0
    return np.where(never, np.nan, np.nanmedian(known, axis=0))


def length_change(
    poses: np.ndarray, missing: np.ndarray, body: RigidBody, fps: float
) -> np.ndarray:
    """How far bones are from their usual length around each frame.

    The median over the bones of the 0.75 quantile, within 1 s before and
    after, of the distance to the median length. 0 if nothing is known.

    Args:
        poses (np.ndarray): Poses without fast noise, (T, ..., K, 3).
        missing (np.ndarray): Bool (T, ..., K).
        body (RigidBody): With its bones.
        fps (float): Frames per second.

    Returns:
        np.ndarray: (T, ..., 1), in the unit of the poses.
    """
    seen = body.seen(missing)
    if not seen.any():
        return np.zeros((*missing.shape[:-1], 1))
    found = body.lengths(poses.astype(np.float64))
    change = np.abs(found - usual_lengths(found, seen))
    near = local_quantile(change, seen, round(_NEAR * fps), _QUANTILE)
    near = np.where(seen.any(0), near, np.nan)
    unseen = np.isnan(near).all(-1, keepdims=True)
    near = np.where(unseen, 0, near)
    return np.nanmedian(near, axis=-1, keepdims=True)


def keep_lengths(
    poses: np.ndarray,
    usual: np.ndarray,
    body: RigidBody,
    errors: Optional[np.ndarray] = None,
) -> np.ndarray:
    """Bring bones half the way back to their usual lengths.

    Both ends of a bone are moved along it, each by its share of the squared
    expected errors; the root stays. Repeated, since bones share joints
    (Jacobi steps, as in position based dynamics, Mueller et al., Journal of
    Visual Communication and Image Representation 18, 2007).

    Args:
        poses (np.ndarray): Relative to the root, (T, ..., K, 3).
        usual (np.ndarray): See :func:`usual_lengths`, (..., B).
        body (RigidBody): With its bones.
        errors (np.ndarray, optional): Expected errors (T, ..., K) above 0;
            NaN is not known. Defaults to None: all alike.

    Returns:
        np.ndarray: (T, ..., K, 3) float64.
    """
    poses = poses.astype(np.float64)
    if not len(body.bones):
        return poses
    first, second = body.bones.T
    found = body.lengths(poses)
    target = found + _TAKEN * np.where(np.isnan(usual), 0, usual - found)
    shares = _shares(poses, body, errors)
    # (K, B): which joints are the ends of which bones.
    ends = np.arange(body.num_joints)[:, None] == body.bones.T[:, None]
    for _ in range(_STEPS):
        bones = poses[..., second, :] - poses[..., first, :]
        now = np.maximum(lengths(bones), 1e-9)
        pull = (_STEP * (target - now) / now)[..., None] * bones
        before, behind = (x[..., None] * pull for x in shares)
        poses = poses + ends[1] @ behind - ends[0] @ before
    return poses


def _shares(
    poses: np.ndarray, body: RigidBody, errors: Optional[np.ndarray]
) -> Any:
    """Shares of both ends of each bone in a change of it, (T, ..., B)."""
    weights = np.full(poses.shape[:-1], _USUAL_ERROR)
    if errors is not None:
        known = np.isfinite(errors) & (errors > 0)
        weights = np.where(known, errors, weights)
    weights = weights**2
    if len(body.root) == 1:
        weights[..., body.root[0]] = 0
    first, second = (weights[..., x] for x in body.bones.T)
    return first / (first + second), second / (first + second)
