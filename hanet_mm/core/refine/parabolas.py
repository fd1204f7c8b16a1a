# Copyright (c) hanet_mm contributors. All rights reserved.
"""Parabolas fitted to the frames around each frame.

In the sense of least distances, so that outliers do not bend them (robust
local regression, Cleveland, Journal of the American Statistical Association
74, 1979).
"""

from typing import Optional

import numpy as np

from ..data.blocks import row_blocks
from .noise import frame_windows, pad_frames

# Seconds before and after a frame: of the parabola, and of the median that it
# starts from.
_FIT, _MEDIAN = 1 / 6, 1 / 10
# Fewest frames of the parabola on each side: with less it fits everything.
_LEAST_FIT = 3
_STEPS = 4


def fit_reach(fps: float) -> int:
    """Frames on each side that the parabola of a frame depends on."""
    return _half_fit(fps) + _half_median(fps)


def fit_parabolas(
    poses: np.ndarray,
    fps: float,
    sharp: np.ndarray,
    rows: Optional[slice] = None,
) -> np.ndarray:
    """Value at each frame of the parabola fitted around it.

    Args:
        poses (np.ndarray): (T, ..., K, D).
        fps (float): Frames per second.
        sharp (np.ndarray): Distances count fully beyond this, (T, ..., 1).
        rows (slice, optional): Frames that are wanted, with both ends.
            Defaults to None: all.

    Returns:
        np.ndarray: (R, ..., K, D) of the R frames wanted.
    """
    rows = slice(0, len(poses)) if rows is None else rows
    half = min(_half_fit(fps), (len(poses) - 1) // 2)
    if half < 2:
        return poses[rows]
    # Only what these rows depend on; the ends of the sequence stay ends.
    first = max(rows.start - half - _half_median(fps), 0)
    poses = poses[first : rows.stop + half + _half_median(fps)]
    start, stop = rows.start - first, rows.stop - first
    median = _running_median(poses, _half_median(fps))
    size = 2 * half + 1
    near = frame_windows(pad_frames(poses, half), size)
    rough = frame_windows(pad_frames(poses - median, half), size)
    fitted = np.empty((stop - start, *poses.shape[1:]))
    people = poses[0, ..., 0, 0].size
    for block in row_blocks(stop - start, people):
        own = slice(start + block.start, start + block.stop)
        fitted[block] = median[own] + _fit_rows(
            _last_first(near[own] - median[own][..., None]),
            _last_first(rough[own]),
            _weights(len(poses), half, own),
            sharp[rows][block],
        )
    return fitted


def _half_fit(fps: float) -> int:
    return max(round(_FIT * fps), _LEAST_FIT)


def _half_median(fps: float) -> int:
    return max(round(_MEDIAN * fps), 2)


def _last_first(windows: np.ndarray) -> np.ndarray:
    """Windows (R, ..., K, D, n) as (D, R, ..., K, n), in this order."""
    return np.ascontiguousarray(np.moveaxis(windows, -2, 0))


def _fit_rows(
    windows: np.ndarray,
    residuals: np.ndarray,
    weights: np.ndarray,
    sharp: np.ndarray,
) -> np.ndarray:
    """Value of the parabolas of windows (D, R, ..., K, n), (R, ..., K, D).

    From the first ``residuals``, of the same shape; ``weights`` are (R, n).
    """
    count = windows.shape[-1]
    powers = np.linspace(-1, 1, count)[:, None] ** np.arange(5)
    axes = (slice(None), *[None] * (windows.ndim - 3))
    weights, sharp = weights[axes], sharp[..., None]
    for step in range(_STEPS):
        length = (residuals * residuals).sum(0)
        length += sharp**2
        weight = weights * sharp / np.sqrt(length, out=length)
        # All sums of the normal equations in two products.
        moments = powers.T @ weight.reshape(-1, count).T
        wanted = powers[:, :3].T @ (weight * windows).reshape(-1, count).T
        factors = _solve_parabolas(
            moments, wanted.reshape(3, len(windows), -1)
        )
        if step < _STEPS - 1:
            curves = factors.reshape(3, -1).T @ powers[:, :3].T
            residuals = windows - curves.reshape(windows.shape)
    return np.moveaxis(factors[0].reshape(windows.shape[:-1]), 0, -1)


def _solve_parabolas(moments: np.ndarray, wanted: np.ndarray) -> np.ndarray:
    """Factors (3, D, M) of M parabolas, by ``L D L^T`` of 3 x 3 matrices.

    From the sums of weights times powers 0 to 4, (5, M), and of these times
    the values and powers 0 to 2, (3, D, M).
    """
    zero, one, two, three, four = moments
    ridge = 1e-9 * (zero + two + four)
    first = zero + ridge
    low_one, low_two = one / first, two / first
    second = two + ridge - low_one * one
    across = three - low_two * one
    low_three = across / second
    third = four + ridge - low_two * two - low_three * across
    start, slope, bend = wanted
    slope = slope - low_one * start
    bend = (bend - low_two * start - low_three * slope) / third
    slope = slope / second - low_three * bend
    start = start / first - low_one * slope - low_two * bend
    return np.stack([start, slope, bend])


def _weights(count: int, half: int, rows: slice) -> np.ndarray:
    """Weights (R, n) of the frames around, 0 beyond the ends."""
    offsets = np.arange(-half, half + 1)
    frames = np.arange(rows.start, rows.stop)[:, None] + offsets
    inside = (frames >= 0) & (frames < count)
    return (1 - np.abs(offsets / (half + 1)) ** 3) ** 3 * inside


def _running_median(poses: np.ndarray, half: int) -> np.ndarray:
    windows = frame_windows(pad_frames(poses, half), 2 * half + 1)
    median = np.empty(poses.shape)
    for rows in row_blocks(len(poses), poses[0, ..., 0, 0].size):
        # An element: their number is odd.
        median[rows] = np.sort(windows[rows], axis=-1)[..., half]
    return median
