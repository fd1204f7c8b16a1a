# Copyright (c) hanet_mm contributors. All rights reserved.
"""Rotations: rotation vectors, matrices, and the continuous 6D form.

Everything takes any leading axes, float32 or float64, and has finite
gradients everywhere, at the identity and at half a turn too.
"""

import math
from typing import Tuple

import torch
from torch import Tensor

# Below this squared angle, in rad^2, a series is exact to float64.
_SMALL = 1e-4
# A column shorter than this has no direction.
_TINY = 1e-12


def axis_angle_to_matrix(axis_angle: Tensor) -> Tensor:
    """Rotation matrices (..., 3, 3) of vectors (..., 3) in rad (Rodrigues).

    They are to be multiplied with column vectors.
    """
    _require_last(axis_angle, (3,), 'rotation vectors')
    square = (axis_angle**2).sum(-1)
    # R = I + sin(a)/a K + 2 (sin(a/2)/a)^2 K^2
    sine = _sinc(square)[..., None, None]
    half = _sinc(square / 4)[..., None, None]
    cross = _cross_matrix(axis_angle)
    outer = axis_angle[..., :, None] * axis_angle[..., None, :]
    identity = torch.eye(3, dtype=axis_angle.dtype, device=axis_angle.device)
    # K^2 = v v^T - |v|^2 I
    squared = outer - square[..., None, None] * identity
    return identity + sine * cross + 0.5 * half**2 * squared


def matrix_to_axis_angle(matrix: Tensor) -> Tensor:
    """Rotation vectors (..., 3), of angles up to pi, of matrices (..., 3, 3).

    At exactly half a turn either of the two opposite axes.
    """
    real, imaginary = _half_turn_parts(matrix)
    tangent = (imaginary**2).sum(-1, keepdim=True) / real.clamp(min=0.5) ** 2
    small = tangent < _SMALL
    length = torch.where(small[..., 0], 1, (imaginary**2).sum(-1)).sqrt()
    # angle / sin(angle / 2), by series (of atan) at small angles
    series = 1 - tangent / 3 + tangent**2 / 5 - tangent**3 / 7
    series = 2 * series / torch.where(small, real, 1)
    exact = 2 * torch.atan2(length, real[..., 0]) / length
    return imaginary * torch.where(small, series, exact[..., None])


def matrix_to_rot6d(matrix: Tensor) -> Tensor:
    """First two columns (..., 6) of matrices (..., 3, 3), row by row.

    The order is r00, r01, r10, r11, r20, r21, as in the published code.
    """
    _require_last(matrix, (3, 3), 'rotation matrices')
    return matrix[..., :2].flatten(-2)


def rot6d_to_matrix(rot6d: Tensor) -> Tensor:
    """Rotation matrices of 6D forms (..., 6) that need not be orthonormal.

    The columns are made orthonormal one after the other (Gram-Schmidt; Zhou
    et al., CVPR 2019). A column without a direction, zero or parallel to the
    one before, is replaced, so that the result is a rotation for any finite
    input.
    """
    _require_last(rot6d, (6,), 'rotations in 6D form')
    columns = rot6d.unflatten(-1, (3, 2))
    axes = torch.eye(3, dtype=rot6d.dtype, device=rot6d.device)
    first = _unit(columns[..., 0], axes[0])
    second = _unit(columns[..., 1], axes[1])
    # The axis that the first column is farthest from is never parallel.
    spare = axes[first.detach().abs().argmin(-1)]
    second = _unit(_reject(second, first), _unit(_reject(spare, first), spare))
    # Once more: the little that is left of near-parallel columns is inexact.
    second = _unit(_reject(second, first), second)
    third = torch.linalg.cross(first, second)
    return torch.stack([first, second, third], -1)


def axis_angle_to_rot6d(axis_angle: Tensor) -> Tensor:
    """6D form (..., 6) of rotation vectors (..., 3) in rad."""
    return matrix_to_rot6d(axis_angle_to_matrix(axis_angle))


def rot6d_to_axis_angle(rot6d: Tensor) -> Tensor:
    """Rotation vectors (..., 3), of angles up to pi, of 6D forms (..., 6)."""
    return matrix_to_axis_angle(rot6d_to_matrix(rot6d))


def project_rot6d(rot6d: Tensor) -> Tensor:
    """Project finite 6D forms (..., 6) to rotations; a rotation stays."""
    return matrix_to_rot6d(rot6d_to_matrix(rot6d))


def geodesic_distance(a: Tensor, b: Tensor) -> Tensor:
    """Angles (...) from 0 to pi rad between rotations (..., 3, 3)."""
    _require_last(a, (3, 3), 'rotation matrices')
    _require_last(b, (3, 3), 'rotation matrices')
    real, imaginary = _half_turn_parts(a.transpose(-1, -2) @ b)
    length = torch.linalg.vector_norm(imaginary, dim=-1)
    return 2 * torch.atan2(length, real[..., 0])


def unwrap_axis_angle(axis_angle: Tensor) -> Tensor:
    """Rotation vectors (T, ..., 3) in rad without jumps at half a turn.

    Of the equivalent vectors (angle + 2 pi k about the same axis) these are
    the continuous ones, so angles may exceed pi. The first frame keeps an
    angle up to pi. At full turns the axis of the frame before is kept.
    """
    if axis_angle.ndim < 2:
        raise ValueError(
            'expected a sequence of rotation vectors (T, ..., 3), got shape '
            f'{tuple(axis_angle.shape)}'
        )
    vectors = matrix_to_axis_angle(axis_angle_to_matrix(axis_angle))
    axes = _lasting_axes(vectors)
    # Successive axes point to the same side.
    opposite = (axes[1:] * axes[:-1]).sum(-1) < 0
    sides = torch.ones_like(axes[..., 0])
    sides[1:] = (1 - 2 * opposite.to(axes)).cumprod(0)
    axes = axes * sides[..., None]
    angles = (vectors * axes).sum(-1)
    turns = torch.zeros_like(angles)
    turns[1:] = -(angles.diff(dim=0) / (2 * math.pi)).round().cumsum(0)
    return vectors + 2 * math.pi * turns[..., None] * axes


def _lasting_axes(vectors: Tensor) -> Tensor:
    """Unit axes (T, ..., 3); where there is none, that of the frame before.

    Zero before the first frame that has one.
    """
    lengths = torch.linalg.vector_norm(vectors, dim=-1)
    frames = torch.arange(len(vectors), device=vectors.device)
    frames = frames.view(-1, *[1] * (vectors.ndim - 2)).expand_as(lengths)
    # Shorter ones are mostly rounding.
    certain = lengths > 100 * torch.finfo(vectors.dtype).eps
    last = frames.masked_fill(~certain, 0).cummax(0).values
    axes = vectors / lengths.masked_fill(~certain, 1)[..., None]
    axes = axes.masked_fill(~certain[..., None], 0)
    return axes.gather(0, last[..., None].expand_as(axes))


def _half_turn_parts(matrix: Tensor) -> Tuple[Tensor, Tensor]:
    """cos(angle / 2) (..., 1) >= 0 and axis * sin(angle / 2) (..., 3).

    They are a unit quaternion q. All products 4 q_i q_j are sums of matrix
    entries; the row of the largest q_i is the exact one.
    """
    _require_last(matrix, (3, 3), 'rotation matrices')
    m00, m01, m02, m10, m11, m12, m20, m21, m22 = matrix.flatten(-2).unbind(-1)
    x, y, z = m21 - m12, m02 - m20, m10 - m01
    xy, xz, yz = m10 + m01, m02 + m20, m21 + m12
    products = [
        [1 + m00 + m11 + m22, x, y, z],
        [x, 1 + m00 - m11 - m22, xy, xz],
        [y, xy, 1 - m00 + m11 - m22, yz],
        [z, xz, yz, 1 - m00 - m11 + m22],
    ]
    rows = torch.stack([torch.stack(row, -1) for row in products], -2)
    best = rows.diagonal(dim1=-2, dim2=-1).argmax(-1)[..., None, None]
    row = rows.gather(-2, best.expand(*best.shape[:-1], 4)).squeeze(-2)
    quaternion = row / torch.linalg.vector_norm(row, dim=-1, keepdim=True)
    # q and -q are the same rotation.
    quaternion = torch.where(quaternion[..., :1] < 0, -quaternion, quaternion)
    return quaternion[..., :1], quaternion[..., 1:]


def _sinc(square: Tensor) -> Tensor:
    """sin(x) / x of x^2, without the root at 0."""
    small = square < _SMALL
    series = 1 - square / 6 + square**2 / 120
    root = torch.where(small, 1, square).sqrt()
    return torch.where(small, series, root.sin() / root)


def _cross_matrix(vectors: Tensor) -> Tensor:
    """Matrices (..., 3, 3) of the cross product with vectors (..., 3)."""
    x, y, z = vectors.unbind(-1)
    zero = torch.zeros_like(x)
    entries = [zero, -z, y, z, zero, -x, -y, x, zero]
    return torch.stack(entries, -1).unflatten(-1, (3, 3))


def _unit(vectors: Tensor, instead: Tensor) -> Tensor:
    """Vectors (..., 3) of length 1; ``instead`` where there is no length."""
    largest = vectors.detach().abs().amax(-1, keepdim=True)
    nowhere = largest < _TINY
    # Scaled first: squares of small or large numbers leave the range.
    scaled = vectors / torch.where(nowhere, 1, largest)
    square = (scaled**2).sum(-1, keepdim=True)
    length = torch.where(nowhere, 1, square).sqrt()
    return torch.where(nowhere, instead, scaled / length)


def _reject(vectors: Tensor, axis: Tensor) -> Tensor:
    """Component of vectors perpendicular to unit vectors, (..., 3)."""
    rest = vectors - (vectors * axis).sum(-1, keepdim=True) * axis
    # What rounding leaves of a parallel vector has no direction.
    limit = 10 * torch.finfo(rest.dtype).eps
    parallel = rest.detach().abs().amax(-1, keepdim=True) < limit
    return rest.masked_fill(parallel, 0)


def _require_last(value: Tensor, shape: tuple, what: str) -> None:
    """Raise a ValueError unless the last axes are of that shape."""
    if tuple(value.shape[value.ndim - len(shape) :]) != shape:
        raise ValueError(
            f'{what} need the shape (..., {", ".join(map(str, shape))}), '
            f'got {tuple(value.shape)}'
        )
