# Copyright (c) hanet_mm contributors. All rights reserved.
"""Measure the noise of a sequence, joint by joint and over time.

Noise is told from motion by high differences: people do not move so fast,
noise does not care. T frames, K keypoints, D coordinates.
"""

from math import comb
from typing import Iterator

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from ..poses.boxes import box_sizes, boxes_around, unit_length

# Order of the differences, and the rate of the frames that they are of.
_ORDER, _RATE = 6, 30.0
# Such frames before and after one in which noise is measured.
_NEAR = 9
# Seconds before and after a frame of which the size of a person is taken.
_NEAR_SIZE = 0.4
# Frames whose neighbours are copied at a time.
_BLOCK = 2048
# Noise in body sizes from which on keypoints weigh 1.
_FULL_NOISE = 0.01


def fast_noise(
    poses: np.ndarray, missing: np.ndarray, fps: float = 30.0
) -> np.ndarray:
    """Length of the sixth differences of poses (T, K, D), (T, K).

    Scaled to the length of the noise if this is white. Motion hardly shows:
    at 30 frames per second 0.000003 of an amplitude at 1 Hz, 0.0002 at 2 Hz,
    0.01 at 4 Hz. At a higher rate frames are left out between. NaN at the
    ends and where one of the frames is ``missing``, bool (T, K).
    """
    step = _step(fps)
    frames = len(poses) - _ORDER * step
    fast = np.full(missing.shape, np.nan)
    if frames < 1:
        return fast
    total = np.zeros((frames, *poses.shape[1:]))
    known = np.ones((frames, missing.shape[1]), bool)
    for place in range(_ORDER + 1):
        rows = slice(place * step, place * step + frames)
        total += (-1) ** place * comb(_ORDER, place) * poses[rows]
        known &= ~missing[rows]
    # The squares of the binomial coefficients add up to that.
    length = np.linalg.norm(total, axis=-1) / np.sqrt(comb(2 * _ORDER, _ORDER))
    middle = _ORDER // 2 * step
    fast[middle : middle + frames] = np.where(known, length, np.nan)
    return fast


def _step(fps: float) -> int:
    """Frames from one of a difference to the next."""
    # A little less: 45 measured as 44.999 or 45.001 is the same.
    return max(round(fps / _RATE - 1e-3), 1)


def largest_near(fast: np.ndarray, fps: float) -> np.ndarray:
    """Largest known value of :func:`fast_noise` around each frame, (T, K).

    Of all differences that the frame or its neighbours are part of; infinite
    where none is known.
    """
    half = (_ORDER // 2 + 1) * _step(fps)
    values = np.where(np.isfinite(fast), fast, -1.0)
    padded = np.pad(values, ((half, half), (0, 0)), constant_values=-1.0)
    largest = sliding_window_view(padded, 2 * half + 1, axis=0).max(-1)
    return np.where(largest < 0, np.inf, largest)


def weight_of_noise(fast: np.ndarray, fps: float) -> np.ndarray:
    """Weights of keypoints by their noise: its inverse square, (T, K).

    From :func:`fast_noise` in body sizes. They are 1 from 1 % of the body on,
    and of keypoints of which nothing is known.
    """
    known = np.isfinite(fast)
    noise = local_quantile(fast, known, _NEAR * _step(fps), 0.5)
    noise = np.where(known.any(0), noise, _FULL_NOISE)
    ratio = _FULL_NOISE / np.clip(noise, 1e-5 * _FULL_NOISE, _FULL_NOISE)
    return ratio**2


def local_size(
    poses: np.ndarray, missing: np.ndarray, fps: float = 30.0
) -> np.ndarray:
    """Size of the person around each frame of poses (T, K, D), (T, 1).

    The median over the near frames of the longest side of the box around
    the keypoints; that of all where there is none. People come nearer and
    go away.
    """
    sizes = box_sizes(boxes_around(poses.astype(np.float64), ~missing))
    sizes = np.nan_to_num(sizes)[:, None]
    half = round(_NEAR_SIZE * fps)
    sizes = local_quantile(sizes, sizes > 0, half, 0.5)
    if (sizes > 0).all():
        return sizes
    return np.where(sizes > 0, sizes, unit_length(poses, ~missing))


def local_quantile(
    values: np.ndarray, known: np.ndarray, half: int, quantile: float
) -> np.ndarray:
    """Quantile of the known values within +-half frames, (T, K).

    Where there are less than three of them it is that of the sequence.
    """
    half = max(min(half, len(values) - 1), 0)
    values = np.where(known, values, np.nan)
    padded = np.pad(values, ((half, half), (0, 0)), constant_values=np.nan)
    windows = sliding_window_view(padded, 2 * half + 1, axis=0)
    every = np.nan_to_num(sorted_quantile(values.T, quantile))
    result = np.empty(values.shape)
    for rows in row_blocks(len(values)):
        near = sorted_quantile(windows[rows], quantile)
        enough = np.isfinite(windows[rows]).sum(-1) > 2
        result[rows] = np.where(enough, near, every)
    return result


def row_blocks(count: int) -> Iterator[slice]:
    """Blocks of frames whose windows fit into memory together."""
    for start in range(0, count, _BLOCK):
        yield slice(start, min(start + _BLOCK, count))


def sorted_quantile(values: np.ndarray, quantile: float) -> np.ndarray:
    """Quantile along the last axis, an element; NaN counts not or is 0."""
    ordered = np.sort(values, axis=-1)
    last = np.isfinite(ordered).sum(-1, keepdims=True) - 1
    index = np.maximum(np.round(quantile * last).astype(int), 0)
    return np.nan_to_num(np.take_along_axis(ordered, index, -1)[..., 0])
