"""Points and polygons."""

from typing import Sequence

import numpy as np
from numpy.typing import ArrayLike


def inside_polygons(
    points: ArrayLike, polygons: Sequence[ArrayLike]
) -> np.ndarray:
    """Which points lie inside at least one of several polygons.

    A point on an edge is outside. Where a polygon overlaps itself, the
    even-odd rule holds. Fewer than three corners enclose nothing.

    Args:
        points (array): (..., 2); NaN is outside.
        polygons (Sequence[array]): Corners, (V, 2) each; the last is joined
            with the first.

    Returns:
        np.ndarray: Bool, (...).

    Raises:
        ValueError: If a polygon is not of finite corners of two numbers.

    Examples:
        >>> square = [[0, 0], [4, 0], [4, 4], [0, 4]]
        >>> inside_polygons([[1, 1], [4, 1], [5, 1]], [square])
        array([ True, False, False])
    """
    points = np.asarray(points, np.float64)
    x, y = points[..., :1], points[..., 1:]
    inside = np.zeros(points.shape[:-1], bool)
    for number, corners in enumerate(polygons):
        polygon = _corners(number, corners)
        (ax, ay), (bx, by) = polygon.T, np.roll(polygon, -1, axis=0).T
        # Above 0 where the point is to the left of the edge from a to b.
        side = (bx - ax) * (y - ay) - (by - ay) * (x - ax)
        # The ray from the point towards larger x crosses the edge.
        crossed = ((ay > y) != (by > y)) & ((side > 0) == (by > ay))
        on_edge = (
            (side == 0)
            & (np.minimum(ax, bx) <= x)
            & (x <= np.maximum(ax, bx))
            & (np.minimum(ay, by) <= y)
            & (y <= np.maximum(ay, by))
        )
        inside |= (crossed.sum(-1) % 2 == 1) & ~on_edge.any(-1)
    return inside & ~np.isnan(points).any(-1)


def _corners(number: int, corners: ArrayLike) -> np.ndarray:
    """Corners of a polygon, (V, 2) float64."""
    try:
        polygon = np.asarray(corners, np.float64)
    except (TypeError, ValueError):
        polygon = None
    if polygon is not None and not polygon.size:
        polygon = polygon.reshape(0, 2)
    if (
        polygon is None
        or polygon.ndim != 2
        or polygon.shape[1] != 2
        or not np.isfinite(polygon).all()
    ):
        raise ValueError(
            f'polygon {number} must be a list of corners [x, y], '
            f'got {str(corners)[:60]}'
        )
    return polygon
