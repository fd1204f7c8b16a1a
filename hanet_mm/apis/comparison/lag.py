"""How far one motion is behind another."""

from typing import Tuple

import numpy as np

# Frames; who is further behind is not found.
MAX_LAG = 30
# Velocities are taken over so many frames: in one frame most of it is the
# error of the estimator, which is not late where the motion is.
SPAN = 5
# Of fewer frames any two motions go well together.
_FEWEST = 10
# Motions that correlate less have no lag to speak of.
_LEAST = 0.5
# Sums over FFTs are exact to about that part of the largest.
_EXACT = 1e-9


def lag_behind(first: np.ndarray, second: np.ndarray) -> float:
    """Lag of a motion behind another, by cross-correlation of velocities.

    The shift at which the velocities of the second, that many frames later,
    correlate best with those of the first: Pearson's correlation over the
    frames that overlap, each joint and coordinate about its own mean.
    Velocities are the ways of five frames, in sequences below 20 frames of
    a quarter. The place between frames is that of the vertex of a parabola
    through the best value and its two neighbours. Of equally good shifts,
    as periodic motion has, the smallest is taken.

    Errors that both have in common are not late and draw the lag of a
    filter's output behind its own input towards 0; the lag behind the truth
    is free of that.

    Letters: T frames, K keypoints, D coordinates.

    Args:
        first (np.ndarray): (T, K, D), NaN where there is none.
        second (np.ndarray): (T, K, D), the same person.

    Returns:
        float: Frames; above 0 where the second is behind the first. NaN
        where it cannot be known: poses that move at constant speed or not
        at all, below 10 frames, a correlation below 0.5, or the best shift
        is the largest that is looked at, 30 frames or half of all.
    """
    if len(first) < _FEWEST:
        return float('nan')
    shifts, values = _correlations(first, second)
    if not np.isfinite(values).any() or np.nanmax(values) < _LEAST:
        return float('nan')
    best = np.flatnonzero(values >= np.nanmax(values) - _EXACT)
    best = best[np.abs(shifts[best]).argmin()]
    if best in (0, len(shifts) - 1):
        return float('nan')
    left, top, right = values[best - 1 : best + 2]
    if not left - 2 * top + right < 0:
        return float('nan')
    vertex = (left - right) / (left - 2 * top + right) / 2
    return float(shifts[best] + vertex)


def _correlations(
    first: np.ndarray, second: np.ndarray
) -> Tuple[np.ndarray, np.ndarray]:
    """Shifts (2L + 1,) and the correlations at them, NaN where unknown."""
    span = min(SPAN, len(first) // 4)
    slow, fast = (x[span:] - x[:-span] for x in (first, second))
    frames = len(slow)
    limit = min(MAX_LAG, frames // 2)
    shifts = np.arange(-limit, limit + 1)
    there = [~np.isnan(x).any(-1, keepdims=True) for x in (slow, fast)]
    values = [np.where(m, x, 0) for m, x in zip(there, (slow, fast))]
    # Numbers near 1 keep the rounding of the sums apart from the variances.
    scale = max(np.abs(x).max(initial=0) for x in values)
    if not scale > 0:
        return shifts, np.full(len(shifts), np.nan)
    size = 2 ** int(np.ceil(np.log2(frames + limit + 1)))
    (one, x, xx), (two, y, yy) = (
        [
            np.fft.rfft(z, size, axis=0)
            for z in (m.astype(np.float64), v / scale, (v / scale) ** 2)
        ]
        for m, v in zip(there, values)
    )

    def sums(a: np.ndarray, b: np.ndarray) -> np.ndarray:
        """Sums over t of a(t) b(t + shift), (2L + 1, K, D or 1)."""
        return np.fft.irfft(a.conj() * b, size, axis=0)[shifts]

    count = np.maximum(np.rint(sums(one, two)), 1)
    sum_x, sum_y = sums(x, two), sums(one, y)
    square_x, square_y = sums(xx, two), sums(one, yy)
    product = (sums(x, y) - sum_x * sum_y / count).sum((1, 2))
    spread = [
        (square - total**2 / count).sum((1, 2))
        for square, total in ((square_x, sum_x), (square_y, sum_y))
    ]
    least = [_EXACT * s.sum((1, 2)).max() for s in (square_x, square_y)]
    known = (spread[0] > least[0]) & (spread[1] > least[1])
    # Any two motions go well together for a few points.
    overlap = count.sum((1, 2))
    known &= overlap >= overlap.max() / 4
    out = np.full(len(shifts), np.nan)
    out[known] = product[known] / np.sqrt(spread[0][known] * spread[1][known])
    return shifts, out
