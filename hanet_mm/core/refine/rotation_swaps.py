# Copyright (c) hanet_mm contributors. All rights reserved.
"""Undo swaps of left and right in rotations of SMPL.

An estimator that takes the left side for the right one sees the body in a
mirror. From one picture depth is not known: it reports the body mirrored in
depth, S_z R S_x in place of the root's rotation R, with the rotations of
left and right joints exchanged and mirrored (:func:`mirror_rotations`); or
only arms or legs are exchanged. With the right side mirrored onto the left
one, where limbs are in the frame of the trunk is exchanged by a swap as
keypoints are, and so are the axes of the root with those of its mirror image:
:func:`hanet_mm.core.refine.unswap.unswap` decides on these.
"""

from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from ..data.gaps import nearest_seen
from ..data.lengths import lengths
from ..poses.body import (
    forward_kinematics,
    mean_adult_offsets,
    mirror_rotations,
    smpl_flip_indices,
)
from ..poses.rotations import matrix_to_rot6d, rot6d_to_matrix
from .frame_rate import USUAL_RATE
from .swap_chains import ARMS, LEGS, TRUNK, SwapChains
from .unswap import unswap

# Joints of the left arm and leg, from the one that turns first; what lies
# behind them moves with it, and the place of the last ones tells of it.
_ARM, _ARM_PLACES = (13, 16, 18, 20), (18, 20, 22)
_LEG, _LEG_PLACES = (1, 4, 7, 10), (4, 7, 10)
_SPINE = (3, 6, 9, 12, 15)
_BODY = 22
# Sides of a limb that are nowhere further from each other than so many steps
# of a frame are left alone.
_CLEAR = 3.0
# Length in metres of the axes of the root beside places of limbs.
_AXIS = 0.4


class UnswappedRotations(NamedTuple):
    """Corrected 6D rotations (T, K, 6), which were missing and which were
    swapped, bool (T, K).
    """

    rotations: np.ndarray
    missing: np.ndarray
    swapped: np.ndarray


def unswap_rotations(
    rotations: np.ndarray, missing: np.ndarray, fps: float = USUAL_RATE
) -> UnswappedRotations:
    """Undo swaps of left and right in rotations (T, K, 6) without NaN.

    K as for :func:`smpl_flip_indices`, the root first, in coordinates whose z
    axis is the direction of the camera; of other numbers of joints nothing
    is changed. ``missing`` is bool (T, K).
    """
    swapped = np.zeros(missing.shape, bool)
    flip = smpl_flip_indices(missing.shape[1])
    if flip is None:
        return UnswappedRotations(rotations, missing, swapped)
    matrices = rot6d_to_matrix(torch.from_numpy(rotations).double())
    root = mirrored_root(matrices[:, 0])
    # Sides of what was not found are not told.
    seen = ~missing[:, :_BODY].any(1)
    places = _places(matrices, root).numpy()
    count = places.shape[1] // 2
    pairs = SwapChains(
        np.roll(np.arange(2 * count), count),
        np.tile(np.repeat([TRUNK, ARMS, LEGS], 3), 2),
    )
    places = np.where(seen[:, None, None], places, np.nan)
    found = _between(unswap(places, pairs, fps=fps).swapped, seen)
    if not found.any():
        return UnswappedRotations(rotations, missing, swapped)
    whole = found.all(1)
    clear = _clear_sides(places)
    trunk, arms, legs = (
        whole | (found[:, 3 * n] & _in_runs(found[:, 3 * n], clear[n]))
        for n in range(3)
    )
    swapped[:, 0] = trunk
    swapped[:, list(_SPINE)] = whole[:, None]
    for chain, joints in ((arms, _ARM), (legs, _LEG)):
        both = [*joints, *(flip[k] for k in joints)]
        swapped[:, both] = chain[:, None]
    # Hands go with the arms, the face with the whole body.
    sides = np.array(flip[_BODY:]) != np.arange(_BODY, len(flip))
    face = (len(flip) == 55) & (np.arange(_BODY, len(flip)) < 25)
    swapped[:, _BODY:] = np.where(face, whole[:, None], arms[:, None] & sides)
    mirrored = mirror_rotations(matrices)
    mirrored[:, 0] = root
    other = matrix_to_rot6d(mirrored).float().numpy()
    return UnswappedRotations(
        np.where(swapped[..., None], other, rotations),
        np.where(swapped, missing[:, list(flip)], missing),
        swapped,
    )


def _clear_sides(places: np.ndarray) -> np.ndarray:
    """Where the sides of each chain are far apart, bool (3, T)."""
    left, right = np.split(places, 2, axis=1)
    apart, steps = (
        lengths(x).reshape(-1, 3, 3).mean(-1).T
        for x in (left - right, np.diff(left, axis=0))
    )
    steps = np.where(np.isfinite(steps), steps, 0)
    return apart > _CLEAR * np.median(steps, axis=1, keepdims=True)


def _between(found: np.ndarray, seen: np.ndarray) -> np.ndarray:
    """Let frames that are not seen be as those around them, if they agree."""
    before, after = (
        x[:, 0].clip(0, len(seen) - 1) for x in nearest_seen(~seen[:, None])
    )
    return found[before] & found[after]


def _in_runs(swapped: np.ndarray, clear: np.ndarray) -> np.ndarray:
    """Runs of swapped frames in which any is clear, bool (T, )."""
    run = np.cumsum(np.diff(swapped, prepend=False))
    return np.bincount(run, clear)[run] > 0


def mirrored_root(root: Tensor) -> Tensor:
    """Root rotations (..., 3, 3) of a body mirrored in depth: S_z R S_x."""
    sign = root.new_tensor([1, 1, -1])[:, None] * root.new_tensor([-1, 1, 1])
    return root * sign


def _places(matrices: Tensor, root: Tensor) -> Tensor:
    """What a swap exchanges: axes of the root, arms, legs, (T, 2 * 9, 3)."""
    body = torch.eye(3).to(matrices).repeat(len(matrices), 24, 1, 1)
    limbs = [k for k in range(_BODY) if k not in (0, *_SPINE)]
    body[:, limbs] = matrices[:, limbs]
    # In the frame of the pelvis, with the trunk straight.
    places = forward_kinematics(body, mean_adult_offsets().to(matrices))
    mirror = matrices.new_tensor([-1, 1, 1])
    left = [*_ARM_PLACES, *_LEG_PLACES]
    flip = smpl_flip_indices(24) or ()
    right = places[:, [flip[k] for k in left]] * mirror
    axes = [_AXIS * x.transpose(-1, -2) for x in (matrices[:, 0], root)]
    return torch.cat([axes[0], places[:, left], axes[1], right], 1)
