# Copyright (c) hanet_mm contributors. All rights reserved.
"""The same truth with harder estimates, or at another frame rate.

The same seed gives the same bursts, whatever the method that has to bear them.
"""

from dataclasses import replace
from typing import List, Optional, Sequence, Tuple

import numpy as np

from hanet_mm.core.data.sequences import PoseSequences
from hanet_mm.core.poses.skeleton_data import skeleton_of_names
from hanet_mm.core.refine.frame_rate import TOLERANCE

# Frames: a fifth to a quarter of a second.
MEAN_BURST = 6
_SEED = 0


def burst_frames(
    count: int, share: float, mean_length: float, rng: np.random.Generator
) -> np.ndarray:
    """Exactly a share, 0 to 0.5, of the frames in bursts, bool (count,):
    lengths are geometric (a burst goes on with the same chance in every
    frame), bursts lie anywhere and do not touch, the last one is cut.
    """
    if not 0 <= share <= 0.5:
        raise ValueError(f'share: expected from 0 to 0.5, found {share}')
    inside = round(share * count)
    lengths = rng.geometric(1 / mean_length, inside)
    ends = np.minimum(np.cumsum(lengths), inside)
    ends = np.unique(ends)
    lengths = np.diff(ends, prepend=0)
    # Each burst comes before another one of the frames outside, or last.
    places = rng.choice(count - inside + 1, len(lengths), replace=False)
    starts = np.sort(places) + ends - lengths
    change = np.zeros(count + 1, np.int64)
    change[starts] += 1
    change[starts + lengths] -= 1
    return change[:count].cumsum() > 0


def remove_keypoints(sequences: PoseSequences, share: float) -> PoseSequences:
    """Take a share of the estimates away (NaN, score 0), in bursts: equally
    often all keypoints of a frame, as where a person is not detected, and
    single ones, as where they are occluded, of both ``1 - sqrt(1 - share)``. A
    sequence of which nothing would be left keeps its first estimates.
    """
    rng = np.random.default_rng(_SEED)
    frames, keypoints = sequences.scores.shape
    part = 1 - np.sqrt(1 - share)
    gone = burst_frames(frames, part, MEAN_BURST, rng)[:, None]
    # One keypoint after the other along the time.
    single = burst_frames(frames * keypoints, part, MEAN_BURST, rng)
    gone = gone | single.reshape(keypoints, frames).T
    valid = sequences.valid
    left = np.logical_or.reduceat((valid & ~gone).any(1), sequences.starts)
    for index in np.flatnonzero(~left):
        start = sequences.starts[index]
        stop = start + sequences.seq_len[index]
        first = start + int(valid[start:stop].any(1).argmax())
        gone[first] = False
    return replace(
        sequences,
        keypoints_est=np.where(
            gone[..., None], np.float32(np.nan), sequences.keypoints_est
        ),
        scores=np.where(gone, np.float32(0), sequences.scores),
    )


def swap_sides(
    sequences: PoseSequences,
    share: float,
    pairs: Sequence[Tuple[int, int]],
) -> PoseSequences:
    """Take left for right in a share of the frames, in bursts: the whole body,
    as top-down estimators do with persons seen from behind or from the side,
    whose scores stay high. A pair of which one is missing is not swapped.
    """
    rng = np.random.default_rng(_SEED)
    swapped = burst_frames(len(sequences.scores), share, MEAN_BURST, rng)
    left, right = np.array(pairs).T
    valid = sequences.valid
    both = swapped[:, None] & valid[:, left] & valid[:, right]
    points = sequences.keypoints_est.copy()
    one, other = points[:, left], points[:, right]
    points[:, left] = np.where(both[..., None], other, one)
    points[:, right] = np.where(both[..., None], one, other)
    return replace(sequences, keypoints_est=points)


def side_pairs(sequences: PoseSequences) -> List[Tuple[int, int]]:
    """Numbers of left and right keypoints by their names, [] without names."""
    names = sequences.meta.get('keypoint_names')
    if not names:
        return []
    skeleton = skeleton_of_names(list(names), 'the data')
    index = {name: i for i, name in enumerate(skeleton.keypoint_names)}
    return [(index[a], index[b]) for a, b in skeleton.flip_pairs]


# Frames: far above the rounding of positions.
_EPSILON = 1e-4


def resample_sequences(
    sequences: PoseSequences, fps: float
) -> Tuple[PoseSequences, str]:
    """Truth, estimates, scores and boxes at another frame rate, and how they
    were made (``'own'``, ``'every 2nd frame'``, ``'interpolated'``).

    Frames are dropped where the rate is a whole part of the own one, up to
    what a refiner takes for the same rate (29.97 and 30), else interpolated
    linearly in time; a keypoint missing (or unknown) in one of the two frames
    is missing. Interpolation takes jitter away, so errors at different rates
    are not to be compared. Sequences left without an estimate are left out.
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
    """Values between the frames at flat numbers ``left`` and ``right`` (F,),
    with the weight of the latter.
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
        """Combine flags of both frames with "and", (N, ...) -> (F, ...)."""
        return flags[self._left] & flags[self._right]
