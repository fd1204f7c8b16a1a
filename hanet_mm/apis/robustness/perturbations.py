"""Harder estimates of the same truth.

The truth, the boxes and the frames stay as they are. The same seed gives the
same bursts, whatever the method that has to bear them.
"""

from dataclasses import replace
from typing import List, Sequence, Tuple

import numpy as np

from hanet_mm.core.data.sequences import PoseSequences
from hanet_mm.core.poses.skeleton_data import skeleton_of_names

from .bursts import burst_frames

# Frames: a fifth to a quarter of a second.
MEAN_BURST = 6
_SEED = 0


def remove_keypoints(sequences: PoseSequences, share: float) -> PoseSequences:
    """Take a share of the estimates away, in bursts.

    Equally often all keypoints of a frame, as where a person is not
    detected, and single ones, as where they are occluded: of both the share
    ``1 - sqrt(1 - share)``. A sequence of which nothing would be left keeps
    its first estimates.

    Args:
        sequences (PoseSequences): With estimates.
        share (float): From 0 to 0.5.

    Returns:
        PoseSequences: Estimates NaN with score 0 where they are taken away.
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

    Args:
        sequences (PoseSequences): With estimates.
        share (float): From 0 to 0.5.
        pairs (Sequence): Keypoints that are left and right of each other.

    Returns:
        PoseSequences: With swapped estimates.
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
    """Keypoints that are left and right of each other, by their names.

    Returns:
        list: Pairs of numbers, none if the keypoints have no names.
    """
    names = sequences.meta.get('keypoint_names')
    if not names:
        return []
    skeleton = skeleton_of_names(list(names), 'the data')
    index = {name: i for i, name in enumerate(skeleton.keypoint_names)}
    return [(index[a], index[b]) for a, b in skeleton.flip_pairs]
