"""Rotations in the forms in which people have them."""

import math
from typing import Optional, Union

import numpy as np
import torch
from torch import Tensor

from .rotations import rot6d_to_axis_angle, unwrap_axis_angle
from .units import rot6d_of

Array = Union[np.ndarray, Tensor]


def read_rotations(given: Array, num_joints: int) -> Array:
    """Rotations of joints as 6D.

    Args:
        given: Axis-angle (T, K, 3) or (T, 3K), or 6D (T, K, 6) or (T, 6K);
            numpy or torch. NaN = missing.
        num_joints: K.

    Returns:
        (T, K, 6) of the same kind; what is of another shape comes back as it
        was, for the checks that follow.
    """
    shape = tuple(given.shape)
    if len(shape) == 2:
        shape = (shape[0], num_joints, shape[1] / num_joints)
    if len(shape) != 3 or shape[1] != num_joints or shape[2] not in (3, 6):
        return given
    shape = (*shape[:2], int(shape[2]))
    if isinstance(given, Tensor):
        points = given.detach().reshape(shape).float().cpu().numpy()
        return torch.from_numpy(rot6d_of(points)).to(given.device)
    return rot6d_of(np.reshape(given, shape))


def rotations_as_given(rotations: Tensor, given: Array) -> Tensor:
    """6D rotations in the form in which they were given.

    Axis-angle vectors are continuous over time: where a rotation passes the
    half turn their length grows beyond pi instead of jumping to the other
    side.

    Args:
        rotations: (T, K, 6).
        given: See :func:`read_rotations`.

    Returns:
        In the shape of ``given``.
    """
    shape = tuple(given.shape)
    if np.prod(shape[1:]) == 3 * rotations.shape[1]:
        # Frames of which nothing is known are NaN.
        known = ~rotations.isnan().any(-1).any(-1)
        vectors = rot6d_to_axis_angle(rotations[known].double())
        vectors = unwrap_axis_angle(vectors).to(rotations.dtype)
        rotations = rotations[..., :3].clone()
        rotations[known] = vectors
    return rotations.reshape(shape)


def follow_axis_angle(
    rotations: Tensor, previous: Optional[Tensor] = None
) -> Tensor:
    """6D rotations as the axis-angle vectors that continue others.

    Of the equivalent vectors (angle + 2 pi k about the same axis) these are
    the nearest to those of the frame before.

    Args:
        rotations: (K, 6).
        previous: Vectors in rad, (K, 3). Defaults to None: angles up to pi.

    Returns:
        Vectors in rad, (K, 3).
    """
    vectors = rot6d_to_axis_angle(rotations.double())
    if previous is None:
        return vectors.to(rotations.dtype)
    previous = previous.double()
    angles = vectors.norm(dim=-1, keepdim=True)
    # No rotation has no axis: that of the frame before lasts.
    axes = torch.where(angles > 1e-6, vectors, previous)
    axes = torch.nn.functional.normalize(axes, dim=-1)
    along = (previous * axes).sum(-1, keepdim=True)
    turns = ((along - angles) / (2 * math.pi)).round()
    return (vectors + 2 * math.pi * turns * axes).to(rotations.dtype)
