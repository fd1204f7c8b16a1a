"""What is measured of poses before and after, over all persons.

Letters: T frames, K keypoints, D coordinates. Where there is nothing to
measure, figures are NaN.
"""

from typing import Dict, List, Sequence, Tuple

import numpy as np

from hanet_mm.core.metrics.errors import (
    accel_error,
    pck_hits,
    position_errors,
)

from .lag import lag_behind
from .pairs import TrackPair, present

PCK_THRESHOLDS = (0.2, 0.1, 0.05)


def mean_difference(
    pairs: Sequence[TrackPair], order: int
) -> Tuple[float, float]:
    """Mean length of the differences in time of an order, before and after.

    Of keypoints that are there in ``order + 1`` frames in a row, before and
    after: the same points count for both.

    Args:
        pairs (Sequence[TrackPair]): The persons.
        order (int): 2: acceleration, 3: jitter.

    Returns:
        tuple: Before and after, unit of the keypoints per frame^order.
    """
    lengths: List[List[np.ndarray]] = [[], []]
    for pair in pairs:
        for out, points in zip(lengths, (pair.before, pair.after)):
            points = np.where(pair.both[..., None], points, np.nan)
            change = np.diff(points, n=order, axis=0)
            out.append(np.linalg.norm(change, axis=-1).ravel())
    before, after = (_mean(np.concatenate(x)) for x in lengths)
    return before, after


def mean_lag(
    pairs: Sequence[TrackPair], first: str = 'before', second: str = 'after'
) -> Tuple[float, int]:
    """Mean over persons of :func:`lag_behind`.

    Args:
        pairs (Sequence[TrackPair]): The persons.
        first (str): Attribute of the pairs. Defaults to 'before'.
        second (str): What may be behind. Defaults to 'after'.

    Returns:
        tuple: Frames, and how many persons' lag is known.
    """
    lags = np.array(
        [lag_behind(getattr(x, first), getattr(x, second)) for x in pairs]
    )
    return _mean(lags), int(np.isfinite(lags).sum())


def displacements(pairs: Sequence[TrackPair]) -> List[np.ndarray]:
    """How far each keypoint was moved, (T, K) each; NaN: not in both."""
    return [position_errors(pair.after, pair.before) for pair in pairs]


def share_changed(pairs: Sequence[TrackPair], tolerance: float) -> float:
    """Share of the keypoints, of those in both, that were moved.

    Args:
        pairs (Sequence[TrackPair]): The persons.
        tolerance (float): Part of the size of the person up to which a
            keypoint counts as not moved. The size is the median over the
            frames of the larger side of the box around the keypoints
            before.

    Returns:
        float: From 0 to 1.
    """
    moved = total = 0
    for pair, distances in zip(pairs, displacements(pairs)):
        known = pair.both
        sizes = extents(pair.before)
        sizes = sizes[np.isfinite(sizes)]
        size = np.median(sizes) if len(sizes) else 0.0
        moved += int((distances[known] > tolerance * size).sum())
        total += int(known.sum())
    return moved / total if total else float('nan')


def count_present(pairs: Sequence[TrackPair]) -> Dict[str, int]:
    """How many keypoints are there before, after, or in one only."""
    counts = dict(before=0, after=0, filled=0, removed=0)
    for pair in pairs:
        before, after = present(pair.before), present(pair.after)
        counts['before'] += int(before.sum())
        counts['after'] += int(after.sum())
        counts['filled'] += int((after & ~before).sum())
        counts['removed'] += int((before & ~after).sum())
    return counts


def true_errors(pairs: Sequence[TrackPair], side: str) -> Dict[str, float]:
    """Errors of keypoints that are there before and after and in the truth.

    Args:
        pairs (Sequence[TrackPair]): The persons, with truth.
        side (str): 'before' or 'after'.

    Returns:
        dict: Mean error and its 95th percentile, unit of the keypoints, and
        mean acceleration error, unit per frame^2.
    """
    errors, totals = [], np.zeros(2)
    for pair in pairs:
        points, known = getattr(pair, side), pair.both & present(pair.truth)
        errors.append(position_errors(points, pair.truth)[known])
        totals += accel_error(points, pair.truth, known)
    pooled = np.concatenate(errors)
    percentile = np.percentile(pooled, 95) if len(pooled) else float('nan')
    return dict(
        mean_error=_mean(pooled),
        error_95=float(percentile),
        accel_error=float(totals[0] / totals[1]) if totals[1] else np.nan,
    )


def true_pck(pairs: Sequence[TrackPair], side: str) -> Dict[float, float]:
    """Percentage of correct keypoints by threshold; 2D only.

    Of all true keypoints: one that is missing is not correct. Parts of the
    larger side of the true box, or where there are no boxes of the box
    around the true keypoints.

    Args:
        pairs (Sequence[TrackPair]): The persons, with truth.
        side (str): 'before' or 'after'.

    Returns:
        dict: Percentage for each of :data:`PCK_THRESHOLDS`.
    """
    hits, total = np.zeros(len(PCK_THRESHOLDS)), 0
    for pair in pairs:
        boxes = true_boxes(pair)
        with np.errstate(invalid='ignore'):
            sized = (boxes[:, 2:] - boxes[:, :2]).max(1) > 0
        known = present(pair.truth) & sized[:, None]
        for i, threshold in enumerate(PCK_THRESHOLDS):
            hit, count = pck_hits(
                getattr(pair, side), pair.truth, boxes, threshold, known
            )
            hits[i] += hit.sum()
        total += count.sum()
    rates = 100 * hits / total if total else np.full(len(hits), np.nan)
    return dict(zip(PCK_THRESHOLDS, rates.tolist()))


def true_boxes(pair: TrackPair) -> np.ndarray:
    """True boxes, (T, 4); around the true keypoints where there are none."""
    if pair.boxes is not None:
        return pair.boxes
    return np.concatenate(_corners(pair.truth), axis=1)


def extents(keypoints: np.ndarray) -> np.ndarray:
    """Larger side of the box around the keypoints, (T, K, D) -> (T,).

    NaN where there is no keypoint.
    """
    low, high = _corners(keypoints)
    return (high - low).max(1)


def _corners(keypoints: np.ndarray) -> Tuple[np.ndarray, np.ndarray]:
    """Least and largest coordinates, (T, D) each; NaN: no keypoint."""
    known = present(keypoints)
    low = np.where(known[..., None], keypoints, np.inf).min(1)
    high = np.where(known[..., None], keypoints, -np.inf).max(1)
    nobody = ~known.any(1, keepdims=True)
    return np.where(nobody, np.nan, low), np.where(nobody, np.nan, high)


def _mean(values: np.ndarray) -> float:
    known = values[np.isfinite(values)]
    if not len(known):
        return float('nan')
    return float(known.mean())
