# Copyright (c) hanet_mm contributors. All rights reserved.
"""How far one motion is behind another: the one lag of all programs."""

from typing import List, Sequence, Tuple, Union, cast

import numpy as np

# Frames; a motion further behind is not found.
MAX_LAG = 30
# Velocities are displacements over so many frames: within one frame most of
# it is the error of the estimator, which is not late where the motion is.
SPAN = 5
# Of fewer frames any two motions correlate well.
_FEWEST = 10
# Motions that correlate less have no lag to speak of.
_LEAST = 0.5
# Sums over FFTs are exact to about that part of the largest.
_EXACT = 1e-9

Motions = Union[np.ndarray, Sequence[np.ndarray]]


def lag_behind(first: Motions, second: Motions) -> float:
    """Lag of motions behind others, by cross-correlation of velocities.

    The shift at which the velocities of the second, that many frames later,
    correlate best with those of the first: Pearson's correlation over the
    frames that overlap, each joint and coordinate of each sequence about its
    own mean, pooled over all of them. Velocities are displacements over five
    frames, in sequences below 20 frames over a quarter. The place between
    frames is that of the vertex of a parabola through the best value and its
    two neighbours. Of equally good shifts, as periodic motion has, the
    smallest is taken.

    Errors that both have in common are not late and draw the lag of a
    filter's output behind its own input towards 0; the lag behind the truth
    is free of that.

    Letters: T frames, K keypoints, D coordinates.

    Args:
        first (np.ndarray | Sequence): (T, K, D), or one of each sequence; NaN
            where there is none.
        second (np.ndarray | Sequence): The same people.

    Returns:
        float: Frames; above 0 where the second is behind the first. NaN
        where it cannot be known: poses that move at constant speed or not
        at all, no sequence of 10 frames, a correlation below 0.5, or the
        best shift is the largest that is looked at, 30 frames or half of
        the longest sequence.

    Examples:
        >>> motion = np.sin(np.arange(40) / 3)[:, None, None]
        >>> round(lag_behind(motion[2:], motion[:-2]), 2)
        2.0
    """
    one = isinstance(first, np.ndarray)
    values = _correlations(
        cast(Sequence[np.ndarray], [first] if one else first),
        cast(Sequence[np.ndarray], [second] if one else second),
    )
    if not np.isfinite(values).any() or np.nanmax(values) < _LEAST:
        return float('nan')
    shifts = np.arange(len(values)) - len(values) // 2
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
    first: Sequence[np.ndarray], second: Sequence[np.ndarray]
) -> np.ndarray:
    """Correlations at the shifts from -L to L, (2L + 1,); NaN: unknown."""
    speeds = [
        [_speeds(x) for x in pair]
        for pair in zip(first, second)
        if len(pair[0]) >= _FEWEST
    ]
    # Numbers near 1 keep the rounding of the sums apart from the variances.
    scale = max(
        (np.nanmax(np.abs(x), initial=0) for pair in speeds for x in pair),
        default=0,
    )
    if not scale > 0:
        return np.full(0, np.nan)
    limits = [min(MAX_LAG, len(pair[0]) // 2) for pair in speeds]
    longest = max(limits)
    # Overlap, product, both spreads and the least of these that counts.
    sums, least = np.zeros((4, 2 * longest + 1)), np.zeros(2)
    for limit, pair in zip(limits, speeds):
        part = _shifted_sums(pair[0], pair[1], scale, limit)
        middle = slice(longest - limit, longest + limit + 1)
        sums[:, middle] += part[0]
        least += part[1]
    overlap, product, *spread = sums
    known = (spread[0] > least[0]) & (spread[1] > least[1])
    # Any two motions go well together for a few points.
    known &= overlap >= overlap.max() / 4
    out = np.full(len(overlap), np.nan)
    out[known] = product[known] / np.sqrt(spread[0][known] * spread[1][known])
    return out


def _speeds(points: np.ndarray) -> np.ndarray:
    """Displacements over SPAN frames, (T, K, D) -> (T - SPAN, K, D)."""
    span = min(SPAN, len(points) // 4)
    points = np.asarray(points, np.float64)
    return points[span:] - points[:-span]


def _shifted_sums(
    first: np.ndarray, second: np.ndarray, scale: float, limit: int
) -> Tuple[np.ndarray, List[float]]:
    """Sums of one sequence at each shift, and the least spread that counts.

    Velocities (T, K, D) give the overlap, the sum of products and both sums
    of squares about the means, (4, 2 limit + 1).
    """
    shifts = np.arange(-limit, limit + 1)
    size = 2 ** int(np.ceil(np.log2(len(first) + limit + 1)))
    (one, x, xx), (two, y, yy) = (
        [np.fft.rfft(z, size, axis=0) for z in _terms(speed, scale)]
        for speed in (first, second)
    )

    def sums(a: np.ndarray, b: np.ndarray) -> np.ndarray:
        """Sums over t of a(t) b(t + shift), (2 limit + 1, K, D or 1)."""
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
    return np.stack([count.sum((1, 2)), product, *spread]), least


def _terms(speed: np.ndarray, scale: float) -> List[np.ndarray]:
    """Known velocities, and their squares."""
    known = ~np.isnan(speed).any(-1, keepdims=True)
    values = np.where(known, speed, 0) / scale
    return [known.astype(np.float64), values, values**2]
