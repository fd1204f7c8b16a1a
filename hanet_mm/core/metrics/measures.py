# Copyright (c) hanet_mm contributors. All rights reserved.
"""The one set of figures that all programs show of poses with a truth.

Letters: T frames, K keypoints, D coordinates, S sequences.
"""

import math
from typing import Any, Dict, List, NamedTuple, Optional, Sequence

import numpy as np

from ..poses.boxes import box_sizes, boxes_around
from .errors import (
    accel_error,
    pa_mpjpe,
    pck_hits,
    position_errors,
    subtract_root,
)
from .lag import lag_behind

PCK_THRESHOLDS = (0.2, 0.1, 0.05)
# A frame is worse or better from that change of its mean error on, in
# percent of the box.
CHANGE = 2.0

Poses = Sequence[np.ndarray]
Figures = Dict[str, Optional[float]]


class TruePoses(NamedTuple):
    """True poses of some sequences, (T, K, D) float64, relative to the root
    (joints whose mean it is) where there is one, NaN where not known; of 2D
    poses with the box of the person in each frame, (T, 4).
    """

    keypoints: List[np.ndarray]
    boxes: Optional[List[np.ndarray]] = None
    root: Optional[Sequence[int]] = None

    def of_keypoints(self, chosen: np.ndarray) -> 'TruePoses':
        """The same where other keypoints, bool (K,), do not count."""
        chosen = chosen[:, None]
        points = [np.where(chosen, x, np.nan) for x in self.keypoints]
        return self._replace(keypoints=points)


def true_poses(
    keypoints: Poses,
    visible: Optional[Poses] = None,
    boxes: Optional[Poses] = None,
    root: Optional[Sequence[int]] = None,
) -> TruePoses:
    """Truth of sequences (T, K, D) to measure with: ``visible`` (T, K) says
    what is known, true boxes (T, 4) default to those around the true
    keypoints, and frames in which the ``root`` is not known do not count.
    """
    known = [present(x) for x in keypoints]
    if visible is not None:
        known = [a & (np.asarray(x) > 0) for a, x in zip(known, visible)]
    flat = bool(len(keypoints)) and keypoints[0].shape[-1] == 2
    if not flat:
        boxes = None
    elif boxes is None:
        boxes = [boxes_around(x, seen) for x, seen in zip(keypoints, known)]
    points = []
    for truth, seen in zip(keypoints, known):
        truth = np.where(seen[..., None], truth, np.nan).astype(np.float64)
        points.append(subtract_root(truth, root) if root else truth)
    return TruePoses(points, None if boxes is None else list(boxes), root)


def measure(
    poses: Poses,
    truth: TruePoses,
    given: Optional[Poses] = None,
    among: Optional[Poses] = None,
) -> Figures:
    """All figures of poses, over every true keypoint.

    Args:
        poses (Sequence): Of each sequence, (T, K, D); NaN where there is
            none: errors are of the others, PCK counts it as a miss.
        truth (TruePoses): What to compare with.
        given (Sequence, optional): The poses that these were made of, for
            ``worse`` and ``better``. Defaults to None: these are left out.
        among (Sequence, optional): Keypoints that errors are taken of, bool
            (T, K). Defaults to None: all.

    Returns:
        dict: None where there is nothing to measure. In the unit of the
        keypoints ``mean_error`` (MPJPE), ``error_95`` (95th percentile),
        ``pa_mpjpe`` (3D only) and ``accel_error`` (per frame^2); ``lag``
        behind the truth in frames; ``motion_kept`` in percent, see
        :func:`range_kept`. In 2D also, relative to the larger side of the
        true box: ``pck_0.2`` and so on, ``box_error`` and ``box_error_95``,
        and the share of frames made ``worse`` and ``better`` by more than 2
        % of the box, all in percent.
    """
    if truth.root:
        poses = [subtract_root(x, truth.root) for x in poses]
        if given is not None:
            given = [subtract_root(x, truth.root) for x in given]
    counted = [present(a) & present(b) for a, b in zip(poses, truth.keypoints)]
    if among is not None:
        counted = [a & b for a, b in zip(counted, among)]
    errors = [position_errors(a, b) for a, b in zip(poses, truth.keypoints)]
    pooled = _pool(errors, counted)
    figures: Figures = dict(mean_error=_mean(pooled), error_95=_high(pooled))
    sums = dict(accel_error=accel_error)
    if truth.keypoints and truth.keypoints[0].shape[-1] == 3:
        sums = dict(pa_mpjpe=pa_mpjpe, accel_error=accel_error)
    for name, function in sums.items():
        parts = map(function, poses, truth.keypoints, counted)
        total, count = np.sum([*parts, (0, 0)], axis=0)
        figures[name] = float(total / count) if count else None
    if truth.boxes is not None:
        figures.update(_box_figures(poses, truth, errors, counted))
        if given is not None:
            figures.update(_changed_frames(errors, given, truth, counted))
    figures['lag'] = known_or_none(lag_behind(truth.keypoints, poses))
    figures['motion_kept'] = known_or_none(range_kept(poses, truth.keypoints))
    return figures


def range_kept(poses: Poses, reference: Poses) -> float:
    """Range of motion of poses, in percent of that of others.

    ``100 * sum r(poses) / sum r(reference)`` over all sequences and joints,
    so that joints count by how far they move. The range of a joint is the
    length of the vector from the 5th to the 95th percentile of each of its
    coordinates, over the frames in which both have it.

    Args:
        poses (Sequence): Of each sequence, (T, K, D); NaN where there is
            none.
        reference (Sequence): The truth, or what the poses were made of.

    Returns:
        float: Percent; below 100 where motion was taken away. NaN if the
        reference does not move.

    Examples:
        >>> swing = np.sin(np.arange(50.0))[:, None, None]
        >>> round(range_kept([0.6 * swing + 5], [swing]), 6)
        60.0
    """
    totals = np.zeros(2)
    for points, other in zip(poses, reference):
        known = (present(points) & present(other))[..., None]
        for i, motion in enumerate((points, other)):
            totals[i] += _ranges(np.where(known, motion, np.nan)).sum()
    return float(100 * totals[0] / totals[1]) if totals[1] else float('nan')


def present(keypoints: np.ndarray) -> np.ndarray:
    """Keypoints that are not missing, (..., D) -> (...) bool."""
    return ~np.isnan(keypoints).any(-1)


def known_or_none(value: float) -> Optional[float]:
    """The value, None where it is not finite, as in JSON."""
    return float(value) if math.isfinite(value) else None


def _box_figures(
    poses: Poses, truth: TruePoses, errors: Poses, counted: Poses
) -> Figures:
    hits, total = np.zeros(len(PCK_THRESHOLDS)), 0
    parts: List[np.ndarray] = []
    for points, true, boxes, error, seen in zip(
        poses, truth.keypoints, truth.boxes or (), errors, counted
    ):
        sizes = box_sizes(np.asarray(boxes, np.float64))
        sized = (sizes > 0)[:, None]
        known = present(true) & sized
        for i, threshold in enumerate(PCK_THRESHOLDS):
            hit, count = pck_hits(points, true, boxes, threshold, known)
            hits[i] += hit.sum()
        total += int(count.sum())
        parts.append(
            (100 * error / np.maximum(sizes, 1e-9)[:, None])[seen & sized]
        )
    rates = 100 * hits / total if total else [None] * len(hits)
    pooled = np.concatenate(parts) if parts else np.zeros(0)
    return dict(
        zip(
            (f'pck_{x:g}' for x in PCK_THRESHOLDS),
            (None if x is None else float(x) for x in rates),
        ),
        box_error=_mean(pooled),
        box_error_95=_high(pooled),
    )


def _changed_frames(
    errors: Poses, given: Poses, truth: TruePoses, counted: Poses
) -> Figures:
    """Share of frames whose mean error changed by more than CHANGE, in %."""
    changes = []
    for error, before, true, boxes, seen in zip(
        errors, given, truth.keypoints, truth.boxes or (), counted
    ):
        sizes = box_sizes(np.asarray(boxes, np.float64))
        seen = seen & present(before) & (sizes > 0)[:, None]
        gain = np.where(seen, error - position_errors(before, true), 0)
        frames = seen.any(1)
        mean = gain.sum(1)[frames] / seen.sum(1)[frames]
        changes.append(100 * mean / sizes[frames])
    pooled = np.concatenate(changes) if changes else np.zeros(0)
    return dict(
        worse=_mean(100.0 * (pooled > CHANGE)),
        better=_mean(100.0 * (pooled < -CHANGE)),
    )


def _ranges(points: np.ndarray) -> np.ndarray:
    """Ranges of joints from the 5th to the 95th percentile, (K,)."""
    # NaN are last; percentiles between frames are interpolated linearly.
    ordered = np.sort(points.astype(np.float64), axis=0)
    last = np.maximum((~np.isnan(points)).sum(0) - 1, 0)

    def percentile(share: float) -> Any:
        place = share * last
        low = np.floor(place).astype(np.int64)
        high = np.minimum(low + 1, last)
        one, other = (
            np.take_along_axis(ordered, i[None], 0)[0] for i in (low, high)
        )
        return one + (place - low) * (other - one)

    return np.nan_to_num(
        np.linalg.norm(percentile(0.95) - percentile(0.05), axis=-1)
    )


def _pool(values: Poses, counted: Poses) -> np.ndarray:
    parts = [x[seen] for x, seen in zip(values, counted)]
    return np.concatenate(parts) if parts else np.zeros(0)


def _mean(values: np.ndarray) -> Optional[float]:
    return float(values.mean(dtype=np.float64)) if len(values) else None


def _high(values: np.ndarray) -> Optional[float]:
    return float(np.percentile(values, 95)) if len(values) else None
