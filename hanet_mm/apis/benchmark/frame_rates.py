# Copyright (c) hanet_mm contributors. All rights reserved.
"""The same sequences at another frame rate."""

from typing import Optional, Tuple

import numpy as np

from hanet_mm.core.data.sequences import PoseSequences
from hanet_mm.core.refine.frame_rate import TOLERANCE

# Frames: far above the rounding of positions.
_EPSILON = 1e-4


def resample_sequences(
    sequences: PoseSequences, fps: float
) -> Tuple[PoseSequences, str]:
    """Truth, estimates, scores and boxes at another frame rate.

    Frames are dropped where the rate is a whole part of the own one, up to
    what a refiner takes for the same rate (29.97 and 30).
    Otherwise frames in between are interpolated, linearly in time; a
    keypoint is missing (or its truth not known) where it is in one of the
    two frames. Interpolation takes some jitter away, so that errors at
    different rates are not to be compared with each other. Sequences that
    have no estimate then are left out.

    Also says how they were made: ``'own'``, ``'every 2nd frame'`` or
    ``'interpolated'``, if not all alike each that was used.
    """
    steps = sequences.fps.astype(np.float64) / fps
    whole = np.maximum(np.round(steps), 1)
    is_whole = same_rate(steps, whole)
    steps = np.where(is_whole, whole, steps)
    last = sequences.seq_len - 1
    lengths = np.floor(last / steps + _EPSILON).astype(np.int64) + 1
    # Position of each new frame among those of its sequence.
    place = np.arange(lengths.sum())
    place = place - np.repeat(np.cumsum(lengths) - lengths, lengths)
    position = place * np.repeat(steps, lengths)
    last = np.repeat(last, lengths)
    left = np.minimum(np.floor(position + _EPSILON), last).astype(np.int64)
    weight = np.clip(position - left, 0, 1)
    weight[weight < _EPSILON] = 0
    right = np.minimum(left + (weight > 0), last)
    start = np.repeat(sequences.starts, lengths)
    between = _Between(start + left, start + right, weight)
    known = between.both(sequences.valid)
    scores = np.where(known, between.mix(sequences.scores), 0)
    result = PoseSequences(
        keypoints_est=np.where(
            known[..., None], between.mix(sequences.keypoints_est), np.nan
        ),
        scores=scores,
        seq_len=lengths,
        seq_name=sequences.seq_name,
        keypoints_gt=between.mix(sequences.keypoints_gt),
        visible=between.least(sequences.visible),
        bboxes=between.mix(sequences.bboxes),
        image_size=sequences.image_size,
        fps=sequences.fps / steps,
        meta=sequences.meta,
    )
    seen = np.logical_or.reduceat(known.any(1), result.starts)
    if not seen.all():
        result = result.select(seen)
    return result, _describe(steps[is_whole], is_whole.all())


def same_rate(one: np.ndarray, other: np.ndarray) -> np.ndarray:
    """Whether rates are the same to a refiner, elementwise."""
    return np.abs(one / other - 1) <= TOLERANCE


def common_rate(sequences: PoseSequences) -> Optional[float]:
    """Frames per second of all sequences, None if they differ."""
    rates = sequences.fps
    if rates is None or not same_rate(rates, rates[0]).all():
        return None
    return round(float(rates[0]), 4)


def _describe(whole: np.ndarray, all_whole: bool) -> str:
    names = {1: 'own', 2: 'every 2nd frame', 3: 'every 3rd frame'}
    found = [
        names.get(int(step), f'every {step:g}th frame')
        for step in np.unique(whole)
    ]
    if not all_whole:
        found.append('interpolated')
    return ', '.join(found)


class _Between:
    """Values between the frames at flat numbers ``left`` and ``right``, (F,)
    each, with the weight of the latter.
    """

    def __init__(
        self, left: np.ndarray, right: np.ndarray, weight: np.ndarray
    ) -> None:
        self._left, self._right, self._weight = left, right, weight

    def mix(self, values: Optional[np.ndarray]) -> Optional[np.ndarray]:
        """Interpolated, (N, ...) -> (F, ...)."""
        if values is None:
            return None
        weight = self._weight.reshape(-1, *[1] * (values.ndim - 1))
        first = values[self._left]
        mixed = first + weight * (values[self._right] - first)
        return np.where(weight > 0, mixed, first)

    def least(self, values: Optional[np.ndarray]) -> Optional[np.ndarray]:
        """The lower of both, (N, ...) -> (F, ...)."""
        if values is None:
            return None
        return np.minimum(values[self._left], values[self._right])

    def both(self, flags: np.ndarray) -> np.ndarray:
        """Whether it is so in both frames, (N, ...) -> (F, ...)."""
        return flags[self._left] & flags[self._right]
