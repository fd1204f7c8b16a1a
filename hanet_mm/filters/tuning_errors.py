# Copyright (c) hanet_mm contributors. All rights reserved.
"""Errors of filtered sequences, as sums and counts that add up.

The measures are those of :mod:`hanet_mm.core.metrics.errors`. Here they are
taken of one truth hundreds of times, so all that depends on the truth alone
(checks, root, what counts) is done once, which makes them 16 times as fast.
"""

from typing import Iterator, NamedTuple, Optional, Sequence, cast

import numpy as np
import torch

from hanet_mm.core.data.gaps import fill_missing
from hanet_mm.core.data.sequences import PoseSequences
from hanet_mm.core.metrics.errors import subtract_root
from hanet_mm.core.poses.rotations import geodesic_distance, rot6d_to_matrix


class Block(NamedTuple):
    """Some whole sequences, one after the other, and their truth.

    Estimates (N, K, D) with gaps filled, scores (N, K), 0 where a gap was
    filled, and lengths (S,); the truth (N, K, D), relative to the root, 0
    where it is not known; where it (and its root) is known, bool (N, K), and
    where it is so in a frame and the two before, all of one sequence.
    """

    keypoints: np.ndarray
    scores: np.ndarray
    seq_len: np.ndarray
    gt: np.ndarray
    counted: np.ndarray
    accel_counted: np.ndarray


def iter_blocks(
    sequences: PoseSequences, frames: int, root: Optional[Sequence[int]]
) -> Iterator[Block]:
    """Take whole sequences, about so many frames at a time."""
    number = (np.cumsum(sequences.seq_len) - 1) // frames
    borders = np.flatnonzero(np.diff(number)) + 1
    for chosen in np.split(np.arange(len(sequences)), borders):
        yield _make_block(sequences.select(chosen), root)


def error_sums(
    keypoints: np.ndarray,
    block: Block,
    root: Optional[Sequence[int]],
    rotations: bool,
) -> np.ndarray:
    """Sums of errors and of acceleration errors, and counts of both, (4,).

    The error of a keypoint (N, K, D) is its distance from the truth; for
    rotations the angle of the rotation from it, in rad.
    """
    if root:
        keypoints = subtract_root(keypoints, root)
    counted, accel_counted = block.counted, block.accel_counted
    error = keypoints - block.gt
    # The second difference is linear: that of the error is the error of it.
    accel = _lengths(error[:-2] - 2 * error[1:-1] + error[2:])
    if rotations:
        both = torch.from_numpy(np.stack([keypoints, block.gt])[:, counted])
        errors = geodesic_distance(*rot6d_to_matrix(both.double())).numpy()
    else:
        errors = _lengths(error)[counted]
    return np.array(
        [
            errors.sum(dtype=np.float64),
            accel[accel_counted].sum(dtype=np.float64),
            counted.sum(),
            accel_counted.sum(),
        ]
    )


def _make_block(part: PoseSequences, root: Optional[Sequence[int]]) -> Block:
    gt = cast(np.ndarray, part.keypoints_gt)
    counted = np.ones(part.scores.shape, bool)
    if part.visible is not None:
        counted = part.visible > 0
    if root:
        counted = counted & counted[:, list(root)].all(1, keepdims=True)
        gt = subtract_root(gt, root)
    sequence = np.repeat(np.arange(len(part)), part.seq_len)[:, None]
    return Block(
        keypoints=fill_missing(part.keypoints_est, ~part.valid, part.seq_len),
        scores=np.where(part.valid, part.scores, 0),
        seq_len=part.seq_len,
        gt=np.where(counted[..., None], gt, 0),
        counted=counted,
        accel_counted=counted[:-2]
        & counted[1:-1]
        & counted[2:]
        & (sequence[:-2] == sequence[2:]),
    )


def _lengths(vectors: np.ndarray) -> np.ndarray:
    """Lengths of vectors, (..., D) -> (...)."""
    return np.sqrt(np.einsum('...d,...d->...', vectors, vectors))
