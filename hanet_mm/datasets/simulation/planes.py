# Copyright (c) hanet_mm contributors. All rights reserved.
"""The layout in which chunks of windows are worked on.

Points are (S, T, K, D): S sequences, T frames, K keypoints, D coordinates.
Planes are (T, D, S, K), in this order in memory. What is done to a coordinate
of all keypoints of all sequences runs along S * K numbers then, and what goes
from frame to frame along D * S * K: several times faster than along two or
three coordinates.
"""

import numpy as np


def to_planes(points: np.ndarray) -> np.ndarray:
    """Points (S, T, K, D) as planes (T, D, S, K)."""
    return np.ascontiguousarray(points.transpose(1, 3, 0, 2))


def to_points(planes: np.ndarray) -> np.ndarray:
    """Planes (T, D, S, K) as points (S, T, K, D)."""
    frames, dims, num, count = planes.shape
    points = np.empty((num, frames, count, dims), planes.dtype)
    # Three times as fast as at once.
    for axis in range(dims):
        points[..., axis] = planes[:, axis].swapaxes(0, 1)
    return points


def vector_index(planes: np.ndarray, places: np.ndarray) -> np.ndarray:
    """Where vectors of flattened planes (T, D, S, K) are, (D, N).

    ``places`` (N,) are indices of a flattened array (T, S, K). One index
    array is several times faster than three.
    """
    dims, frame = planes.shape[1], planes.shape[2] * planes.shape[3]
    start = places + places // frame * (frame * (dims - 1))
    return start + frame * np.arange(dims)[:, None]


def vectors_at(planes: np.ndarray, places: np.ndarray) -> np.ndarray:
    """Vectors (D, N) of planes at places, see :func:`vector_index`."""
    return planes.reshape(-1)[vector_index(planes, places)]


def put_vectors(
    planes: np.ndarray, places: np.ndarray, vectors: np.ndarray
) -> None:
    """Replace vectors (D, N) of planes that are in order in memory."""
    flat = planes.reshape(-1)
    flat[vector_index(planes, places)] = vectors


def add_vectors(
    planes: np.ndarray, places: np.ndarray, vectors: np.ndarray
) -> None:
    """Add vectors (D, N) to those of planes that are in order in memory.

    No place is there twice.
    """
    flat = planes.reshape(-1)
    flat[vector_index(planes, places)] += vectors


def plane_lengths(planes: np.ndarray) -> np.ndarray:
    """Euclidean lengths of vectors, planes (T, D, S, K) to (T, S, K)."""
    squares = planes[:, 0] * planes[:, 0]
    for axis in range(1, planes.shape[1]):
        squares += planes[:, axis] * planes[:, axis]
    return np.sqrt(squares, out=squares)
