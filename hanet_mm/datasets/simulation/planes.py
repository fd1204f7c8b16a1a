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
    return np.ascontiguousarray(planes.transpose(2, 0, 3, 1))


def plane_lengths(planes: np.ndarray) -> np.ndarray:
    """Euclidean lengths of vectors, planes (T, D, S, K) to (T, S, K)."""
    squares = planes[:, 0] * planes[:, 0]
    for axis in range(1, planes.shape[1]):
        squares += planes[:, axis] * planes[:, axis]
    return np.sqrt(squares, out=squares)
