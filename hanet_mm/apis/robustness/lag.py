"""How many frames an output is behind the truth, over all sequences."""

from typing import Optional

import numpy as np

# Frames; who is further behind is not found.
MAX_LAG = 5


def pooled_lag(
    output: np.ndarray,
    truth: np.ndarray,
    seq_len: np.ndarray,
    counted: np.ndarray,
) -> Optional[float]:
    """Lag of motions behind their truth, by correlation of velocities.

    With the velocities ``u_t = x_{t+1} - x_{t-1}`` of the truth and ``v_t``
    of the output, it is the shift d from -5 to 5 frames with the largest

    ``r(d) = sum u_t v_{t+d} / sqrt(sum u_t^2 sum v_{t+d}^2)``

    over all sequences, joints, coordinates and those frames t for which all
    shifts lie inside the sequence, so that every shift is judged by the same
    truth. Each velocity is taken about its mean over these frames of its
    sequence and joint: motion at constant speed says nothing of a lag. The
    place between frames is that of the vertex of a parabola through the
    best value and its two neighbours.

    Letters: N frames of all sequences, K keypoints, D coordinates, S
    sequences.

    Args:
        output (np.ndarray): (N, K, D), finite.
        truth (np.ndarray): (N, K, D).
        seq_len (np.ndarray): Frames of each sequence, (S,).
        counted (np.ndarray): Where the truth is known, bool (N, K).

    Returns:
        float: Frames; **above 0 where the output is behind**. None where it
        cannot be known: no sequence of 14 frames that moves, or the best
        shift is the largest that is looked at.
    """
    sequence = np.repeat(np.arange(len(seq_len)), seq_len)
    start = np.repeat(np.cumsum(seq_len) - seq_len, seq_len)
    place = np.arange(len(truth)) - start
    left = np.repeat(seq_len, seq_len) - 1 - place
    frames = np.flatnonzero((place > MAX_LAG) & (left > MAX_LAG))
    known = counted[frames - 1] & counted[frames + 1]
    if not known.any():
        return None
    borders = np.flatnonzero(np.diff(sequence[frames], prepend=-1))
    known = known[..., None]
    slow = _about_mean(_velocities(truth, frames), known, borders)
    shifts = np.arange(-MAX_LAG, MAX_LAG + 1)
    products = np.zeros((2, len(shifts)))
    for i, shift in enumerate(shifts):
        fast = _velocities(output, frames + shift)
        fast = _about_mean(fast, known, borders)
        products[:, i] = (slow * fast).sum(), (fast * fast).sum()
    return _vertex(shifts, products, (slow * slow).sum())


def _vertex(
    shifts: np.ndarray, products: np.ndarray, square: float
) -> Optional[float]:
    """Shift of the largest correlation."""
    # What is left of constant speeds after rounding has no direction.
    least = 1e-12 * max(square, products[1].max())
    if not (square > least and (products[1] > least).all()):
        return None
    values = products[0] / np.sqrt(square * products[1])
    best = int(values.argmax())
    if best in (0, len(shifts) - 1):
        return None
    left, top, right = values[best - 1 : best + 2]
    curvature = left - 2 * top + right
    if not curvature < 0:
        return None
    return float(shifts[best] + (left - right) / curvature / 2)


def _velocities(points: np.ndarray, frames: np.ndarray) -> np.ndarray:
    """Ways from the frame before to the frame after, (F, K, D) float64."""
    return points[frames + 1].astype(np.float64) - points[frames - 1]


def _about_mean(
    values: np.ndarray, known: np.ndarray, borders: np.ndarray
) -> np.ndarray:
    """Values about their mean in each sequence, 0 where not known."""
    values = np.where(known, values, 0)
    count = np.add.reduceat(known, borders, axis=0, dtype=np.int64)
    mean = np.add.reduceat(values, borders, axis=0) / np.maximum(count, 1)
    lengths = np.diff([*borders, len(values)])
    return np.where(known, values - np.repeat(mean, lengths, axis=0), 0)
