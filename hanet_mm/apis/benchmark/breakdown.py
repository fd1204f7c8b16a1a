# Copyright (c) hanet_mm contributors. All rights reserved.
"""Errors in more detail: of filled keypoints, and beside those expected.

Letters: N frames of all sequences, K keypoints, D coordinates, M methods, G
filled keypoints. Errors are in percent of the larger side of the true box.
"""

from typing import List, NamedTuple, Optional, Sequence, Tuple

import numpy as np

from hanet_mm.core.data.gaps import nearest_seen
from hanet_mm.core.data.sequences import PoseSequences
from hanet_mm.core.metrics.errors import position_errors
from hanet_mm.core.metrics.measures import TruePoses, present
from hanet_mm.core.poses.boxes import box_sizes

from .evaluation import read_truth
from .methods import Method, filled_input

# First and last length of the gaps of a column, in frames.
LENGTHS: Tuple[Tuple[int, Optional[int]], ...] = (
    *((1, 1), (2, 3), (4, 7), (8, 15)),
    (16, None),
)
_SIDES = ('left_', 'right_')


class FilledErrors(NamedTuple):
    """Errors of keypoints that were missing and whose truth is known.

    Attributes:
        errors (np.ndarray): Of each method, (M, G).
        lengths (np.ndarray): Frames of the gap, (G,).
        at_end (np.ndarray): Whether the gap reaches the first or the last
            frame of its sequence, bool (G,).
        joints (np.ndarray): Name without its side, (G,).
    """

    errors: np.ndarray
    lengths: np.ndarray
    at_end: np.ndarray
    joints: np.ndarray

    def mean(self, chosen: np.ndarray) -> List[Optional[float]]:
        """Mean error of each method over some keypoints, bool (G,)."""
        if not chosen.any():
            return [None] * len(self.errors)
        return self.errors[:, chosen].mean(1).tolist()

    def of_length(self, first: int, last: Optional[int]) -> np.ndarray:
        """Keypoints in gaps of some lengths between two seen frames."""
        short = last is None or self.lengths <= last
        return ~self.at_end & (self.lengths >= first) & short


def filled_errors(
    methods: Sequence[Method], sequences: PoseSequences
) -> FilledErrors:
    """Errors of filled keypoints; sequences in which nothing was found do not
    count.
    """
    truth = read_truth(sequences)
    lengths, at_end = gap_lengths(sequences)
    names = list(sequences.meta['keypoint_names'])
    for side in _SIDES:
        names = [x[len(side) :] if x.startswith(side) else x for x in names]
    given = filled_input(sequences)
    chosen = (lengths > 0) & present(np.concatenate(truth.keypoints))
    chosen &= present(given)
    errors = [relative_errors(x.run(sequences), truth) for x in methods]
    joints = np.broadcast_to(np.array(names), chosen.shape)
    return FilledErrors(
        np.array([x[chosen] for x in errors]),
        *[x[chosen] for x in (lengths, at_end, joints)],
    )


def join_filled(parts: Sequence[FilledErrors]) -> FilledErrors:
    """Those of several files, of the same methods."""
    return FilledErrors(*[np.concatenate(x, axis=-1) for x in zip(*parts)])


def relative_errors(poses: np.ndarray, truth: TruePoses) -> np.ndarray:
    """Errors of poses (N, K, D) in percent of the box, (N, K)."""
    sizes = box_sizes(np.concatenate(truth.boxes or []).astype(np.float64))
    errors = position_errors(poses, np.concatenate(truth.keypoints))
    with np.errstate(divide='ignore', invalid='ignore'):
        return 100 * errors / sizes[:, None]


def gap_lengths(sequences: PoseSequences) -> Tuple[np.ndarray, np.ndarray]:
    """Frames of the gap that a keypoint is in, 0 where it was found, and
    whether the gap reaches an end of its sequence, both (N, K).
    """
    ends = np.cumsum(sequences.seq_len)[:-1]
    lengths, at_end = [], []
    for missing in np.split(~sequences.valid, ends):
        before, after = nearest_seen(missing)
        lengths.append(np.where(missing, after - before - 1, 0))
        at_end.append(missing & ((before < 0) | (after == len(missing))))
    return np.concatenate(lengths), np.concatenate(at_end)


def deciles(
    expected: np.ndarray, actual: np.ndarray, count: int = 10
) -> Tuple[List[float], List[float]]:
    """Mean expected and mean actual errors (n,) of the tenths of the
    keypoints, from the least to the greatest expected error.

    Examples:
        >>> deciles(np.array([4.0, 1, 3, 2]), np.array([8.0, 0, 4, 1]), 2)
        ([1.5, 3.5], [0.5, 6.0])
    """
    order = np.argsort(expected, kind='stable')
    parts = np.array_split(order, count)
    return (
        [float(expected[x].mean()) for x in parts],
        [float(actual[x].mean()) for x in parts],
    )
