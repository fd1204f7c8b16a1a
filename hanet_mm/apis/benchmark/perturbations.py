# Copyright (c) hanet_mm contributors. All rights reserved.
"""Harder estimates of the same truth.

The truth, the boxes and the frames stay as they are. The same seed gives the
same bursts, whatever the method that has to bear them.
"""

from dataclasses import replace
from typing import List, Sequence, Tuple

import numpy as np

from hanet_mm.core.data.sequences import PoseSequences
from hanet_mm.core.poses.skeleton_data import skeleton_of_names

# Frames: a fifth to a quarter of a second.
MEAN_BURST = 6
_SEED = 0


def burst_frames(
    count: int, share: float, mean_length: float, rng: np.random.Generator
) -> np.ndarray:
    """Frames in bursts, bool (count,): exactly a share from 0 to 0.5 of them.

    Lengths are geometric (a burst goes on with the same chance in every
    frame); the bursts lie anywhere and do not touch; the last one is cut.
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
    """Take a share of the estimates away (NaN, score 0), in bursts.

    Equally often all keypoints of a frame, as where a person is not
    detected, and single ones, as where they are occluded: of both the share
    ``1 - sqrt(1 - share)``. A sequence of which nothing would be left keeps
    its first estimates.
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
    """Take left for right in a share of the frames, in bursts.

    The whole body is swapped, as top-down estimators do with persons seen
    from behind or from the side: their scores stay high, and so the scores
    stay as they are here. A pair of which one is missing is not swapped.
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
