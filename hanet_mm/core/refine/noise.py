# Copyright (c) hanet_mm contributors. All rights reserved.
"""Measure the noise of a sequence, joint by joint and over time.

Noise is told from motion by high differences: people do not move so fast,
noise does not care. T frames, K keypoints, D coordinates. Several sequences of
equal length may come together, (T, ..., K, D).
"""

from math import comb
from typing import Any, NamedTuple, Optional

import numpy as np

from ..data.blocks import row_blocks
from ..data.lengths import lengths
from ..poses.boxes import frame_sizes, unit_length

# Order of the differences, and the rate of the frames that they are of.
_ORDER, _RATE = 6, 30.0
# Such frames before and after one in which noise is measured.
_NEAR = 9
# Seconds before and after a frame of which the size of a person is taken.
_NEAR_SIZE = 0.4
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
    known = np.ones((frames, *missing.shape[1:]), bool)
    for place in range(_ORDER + 1):
        rows = slice(place * step, place * step + frames)
        total += (-1) ** place * comb(_ORDER, place) * poses[rows]
        known &= ~missing[rows]
    # The squares of the binomial coefficients add up to that.
    length = lengths(total) / np.sqrt(comb(2 * _ORDER, _ORDER))
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
    values = pad_frames(np.where(np.isfinite(fast), fast, -1.0), half, -1.0)
    largest = values[: len(fast)]
    for shift in range(1, 2 * half + 1):
        largest = np.maximum(largest, values[shift : shift + len(fast)])
    return np.where(largest < 0, np.inf, largest)


class KeptRows(NamedTuple):
    """Values of frames ``rows``, (n, ...), that need not be found again."""

    rows: slice
    values: np.ndarray


def typical_noise(
    fast: np.ndarray, fps: float, kept: Optional[KeptRows] = None
) -> np.ndarray:
    """Median of :func:`fast_noise` around each frame, (T, K).

    1 % of the body for keypoints of which nothing is known; ``fast`` is in
    body sizes.
    """
    known = np.isfinite(fast)
    noise = local_quantile(fast, known, _NEAR * _step(fps), 0.5, kept)
    return np.where(known.any(0), noise, _FULL_NOISE)


def noise_reach(fps: float) -> int:
    """Frames on each side that :func:`typical_noise` depends on."""
    return (_NEAR + _ORDER // 2) * _step(fps)


def size_reach(fps: float) -> int:
    """Frames on each side that :func:`local_size` depends on."""
    return round(_NEAR_SIZE * fps)


def jump_reach(fps: float) -> int:
    """Frames on each side that :func:`largest_near` depends on."""
    return (_ORDER + 1) * _step(fps)


def weight_of_noise(noise: np.ndarray, least: float = 1.0) -> np.ndarray:
    """Weights of keypoints by their noise: its inverse square, (T, K).

    In body sizes. They are 1 at 1 % of the body; with more noise they fall to
    ``least``.
    """
    most = _FULL_NOISE / np.sqrt(least)
    ratio = _FULL_NOISE / np.clip(noise, 1e-5 * _FULL_NOISE, most)
    return ratio**2


def local_size(
    poses: np.ndarray,
    missing: np.ndarray,
    fps: float = 30.0,
    kept: Optional[KeptRows] = None,
) -> np.ndarray:
    """Size of the person around each frame of poses (T, K, D), (T, 1).

    The median over the near frames of the longest side of the box around
    the keypoints; that of all where there is none. People come nearer and
    go away.
    """
    sizes = _zero_nan(frame_sizes(poses, ~missing))[..., None]
    sizes = local_quantile(sizes, sizes > 0, size_reach(fps), 0.5, kept)
    if (sizes > 0).all():
        return sizes
    people = sizes.shape[1:-1]
    units = np.empty(people)
    for person in np.ndindex(*people):
        own: Any = (slice(None), *person)
        units[person] = unit_length(poses[own], ~missing[own])
    return np.where(sizes > 0, sizes, units[..., None])


def local_quantile(
    values: np.ndarray,
    known: np.ndarray,
    half: int,
    quantile: float,
    kept: Optional[KeptRows] = None,
    first: int = 0,
) -> np.ndarray:
    """Quantile of the known values within +-half frames, (T, K).

    Where there are less than three of them it is that of the sequence.
    ``kept``: rows of which the former is known. From frame ``first`` on.
    """
    half = max(min(half, len(values) - 1), 0)
    values = np.where(known, values, np.nan)
    # How many are known up to each frame: NaN and infinite ones are not.
    total = pad_frames(np.isfinite(values).cumsum(0), half + 1)
    total[: half + 1] = 0
    count = total[2 * half + 1 : -1] - total[: len(values)]
    padded = pad_frames(values, half, np.nan)
    windows = frame_windows(padded, 2 * half + 1)
    result = np.empty(values.shape)
    wanted = [(first, len(values))]
    if kept is not None:
        result[kept.rows] = kept.values
        wanted = [(first, kept.rows.start), (kept.rows.stop, len(values))]
    for start, stop in wanted:
        for block in row_blocks(stop - start, values[0, ..., 0].size):
            rows = slice(start + block.start, start + block.stop)
            result[rows] = sorted_quantile(
                windows[rows], quantile, count[rows]
            )
    result, enough = result[first:], count[first:] > 2
    if enough.all():
        return result
    every = sorted_quantile(np.moveaxis(values, 0, -1), quantile)
    return np.where(enough, result, every)


def pad_frames(
    values: np.ndarray, half: int, constant: Optional[float] = None
) -> np.ndarray:
    """Values (T, ...) with so many frames before and behind, (T + 2n, ...).

    Copies of the first and last frame, or a constant.
    """
    padded = np.empty(
        (len(values) + 2 * half, *values.shape[1:]), values.dtype
    )
    padded[half : half + len(values)] = values
    padded[:half] = values[:1] if constant is None else constant
    padded[half + len(values) :] = (
        values[-1:] if constant is None else constant
    )
    return padded


def frame_windows(frames: np.ndarray, size: int) -> np.ndarray:
    """Windows (T, ..., size) of contiguous frames (T + size - 1, ...), a view.

    As ``sliding_window_view``, in a tenth of the time.
    """
    shape = (len(frames) - size + 1, *frames.shape[1:], size)
    strides = (*frames.strides, frames.strides[0])
    return np.ndarray(shape, frames.dtype, frames, strides=strides)


def sorted_quantile(
    values: np.ndarray, quantile: float, count: Optional[np.ndarray] = None
) -> np.ndarray:
    """Quantile along the last axis, an element; NaN counts not or is 0.

    ``count``: how many of each are known, if that is.
    """
    ordered = np.sort(values, axis=-1)
    if count is None:
        count = np.isfinite(ordered).sum(-1)
    places = np.rint(quantile * (count - 1)).astype(np.intp)
    np.maximum(places, 0, out=places)
    flat = ordered.reshape(-1, ordered.shape[-1])
    chosen = flat[np.arange(len(flat)), places.reshape(-1)]
    return _zero_nan(chosen.reshape(places.shape))


def _zero_nan(values: np.ndarray) -> np.ndarray:
    """Values with 0 in place of NaN, changed in place: few calls of numpy."""
    values[np.isnan(values)] = 0
    return values
