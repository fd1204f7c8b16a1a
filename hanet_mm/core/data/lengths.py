# Copyright (c) hanet_mm contributors. All rights reserved.
"""Lengths of many short vectors."""

import numpy as np


def lengths(vectors: np.ndarray) -> np.ndarray:
    """Euclidean lengths of vectors (..., D), (...).

    Coordinate by coordinate, many times faster than ``np.linalg.norm`` for few
    coordinates.

    Examples:
        >>> lengths(np.array([[3.0, 4.0], [0.0, -2.0]]))
        array([5., 2.])
    """
    squares = vectors[..., 0] ** 2
    for axis in range(1, vectors.shape[-1]):
        squares += vectors[..., axis] ** 2
    return np.sqrt(squares, out=squares)
