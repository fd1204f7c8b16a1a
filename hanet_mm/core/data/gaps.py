# Copyright (c) hanet_mm contributors. All rights reserved.
"""Fill keypoints that the estimator did not find, or leave them empty.

A gap is a run of frames in which a joint was not found. How long it may be to
be filled is ``max_gap``, in frames:

- None: every gap is filled.
- A number: gaps of up to so many frames are filled; longer ones stay empty,
  and so does a joint that was never found, because nothing is known of it.
  0 leaves all of them empty.

Gaps at the beginning and at the end of a sequence count alike.
"""

from typing import NamedTuple, Optional, Tuple, Union

import numpy as np

from .blocks import joint_blocks
from .runs import find_runs

UNKNOWN_SCORE = 0.8
"""Score of a found keypoint where none is given, everywhere in the package:
that of a usual estimate."""


class PastSight(NamedTuple):
    """Where each joint was last found before the current frames.

    ``found`` (K, ) tells if at all, ``keypoints`` (K, D) where and
    ``positions`` (K, ) when, in the time of the frames.
    """

    found: np.ndarray
    keypoints: np.ndarray
    positions: np.ndarray


def check_max_gap(max_gap: Optional[int]) -> None:
    """Raise a ValueError unless it is None or a whole number from 0."""
    if max_gap is None:
        return
    whole = isinstance(max_gap, (int, np.integer))
    if not whole or isinstance(max_gap, bool) or max_gap < 0:
        raise ValueError(
            'max_gap: expected None or a number of frames from 0, found '
            f'{max_gap!r}'
        )


def scores_or_default(
    scores: Optional[np.ndarray], shape: Tuple[int, ...]
) -> np.ndarray:
    """Scores as float32; ``UNKNOWN_SCORE`` of ``shape`` (T, K) for None."""
    if scores is None:
        return np.full(shape, UNKNOWN_SCORE, np.float32)
    return np.asarray(scores).astype(np.float32, copy=False)


def missing_keypoints(keypoints: np.ndarray, scores: np.ndarray) -> np.ndarray:
    """Keypoints (N, K, D) that are NaN or of score (N, K) 0, bool, (N, K)."""
    return has_nan(keypoints) | ~(scores > 0)


def has_nan(vectors: np.ndarray) -> np.ndarray:
    """Vectors (..., D) of which a coordinate is NaN, bool (...).

    Coordinate by coordinate, many times faster than ``any(-1)``.
    """
    found = np.isnan(vectors[..., 0])
    for axis in range(1, vectors.shape[-1]):
        found |= np.isnan(vectors[..., axis])
    return found


def nearest_seen(missing: np.ndarray) -> Tuple[np.ndarray, np.ndarray]:
    """Last frame up to and first frame from each one with the joint found.

    ``missing`` and both results are (N, K); -1 and N where there is none.
    """
    frames = np.arange(len(missing))[:, None]
    before = np.maximum.accumulate(np.where(missing, -1, frames), axis=0)
    after = np.minimum.accumulate(
        np.where(missing, len(missing), frames)[::-1], axis=0
    )[::-1]
    return before, after


def long_gaps(
    missing: np.ndarray,
    max_gap: Optional[int],
    since: Union[int, np.ndarray] = 0,
    found: Union[bool, np.ndarray] = False,
) -> np.ndarray:
    """Keypoints (T, K) of gaps longer than ``max_gap``, which stay empty.

    ``since`` counts the frames (K, ) missing just before these, ``found`` is
    whether each joint (K, ) was found at all before.
    """
    if max_gap is None or not missing.any():
        return np.zeros_like(missing)
    before, after = nearest_seen(missing)
    never = (before < 0) & (after == len(missing)) & ~np.asarray(found)
    before = np.where(before < 0, -1 - since, before)
    return missing & ((after - before - 1 > max_gap) | never)


def fill_missing(
    keypoints: np.ndarray,
    missing: np.ndarray,
    seq_len: np.ndarray,
    positions: Optional[np.ndarray] = None,
    past: Optional[PastSight] = None,
) -> np.ndarray:
    """Interpolate missing keypoints (N, K, D) within each sequence.

    Linear in time (``positions``, (N, ); None: equal steps) between the
    nearest frames where the keypoint was seen, constant before the first and
    after the last of them. A keypoint never seen is put at the mean of the
    others, frame by frame. ``past`` is what was seen before a single sequence.
    A new array only if something is missing; raises if a sequence has no
    keypoint at all.
    """
    if not missing.any():
        return keypoints
    seq_len = np.asarray(seq_len)
    filled, never = keypoints.copy(), np.zeros_like(missing)
    for own in joint_blocks(missing.shape):
        before = None if past is None else PastSight(*(x[own] for x in past))
        never[:, own] = _interpolate(
            filled[:, own], missing[:, own], seq_len, positions, before
        )
    if not never.any():
        return filled
    if never.all(1).any():
        first = np.argmax(never.all(1))
        sequence = np.searchsorted(np.cumsum(seq_len), first, 'right')
        raise ValueError(
            f'sequence {sequence} has no keypoint in any frame: nothing to '
            'interpolate from'
        )
    return _fill_with_mean(filled, never)


def _interpolate(
    keypoints: np.ndarray,
    missing: np.ndarray,
    seq_len: np.ndarray,
    positions: Optional[np.ndarray],
    past: Optional[PastSight],
) -> np.ndarray:
    """Fill some keypoints (N, k, D) in place; those never seen, (N, k)."""
    ends = np.cumsum(seq_len)
    first = np.repeat(ends - seq_len, seq_len)
    last = np.repeat(ends - 1, seq_len)
    if positions is None:
        positions = np.arange(len(keypoints))

    # Few of all keypoints, (m, ).
    joints, rows, begins, ends, run = find_runs(missing, first)
    # Of each run: its joint, the frames around it, and if they are there.
    joint, start, after = joints[begins], rows[begins], rows[ends]
    before = start - 1
    has_before, has_after = before >= first[start], after < last[after]
    after += has_after
    left, left_time = keypoints[before, joint], positions[before]
    right, right_time = keypoints[after, joint], positions[after]
    if past is not None:
        earlier = ~has_before & past.found[joint]
        left = np.where(earlier[:, None], past.keypoints[joint], left)
        left_time = np.where(earlier, past.positions[joint], left_time)
        has_before = has_before | past.found[joint]
    left = np.where(has_before[:, None], left, right)
    right = np.where(has_after[:, None], right, left)
    # Where one of them stands for both the weight does not matter.
    gap = np.where(has_before & has_after, right_time - left_time, 1)
    weight = (positions[rows] - left_time[run]) / gap[run]
    weight = weight[:, None].astype(keypoints.dtype)
    keypoints[rows, joints] = left[run] + (right - left)[run] * weight
    never = np.zeros_like(missing)
    never[rows, joints] = ~(has_before | has_after)[run]
    return never


def _fill_with_mean(keypoints: np.ndarray, unknown: np.ndarray) -> np.ndarray:
    """Replace unknown keypoints (N, K, D) by the mean of others, in place."""
    frames = np.flatnonzero(unknown.any(1))
    unknown, some = unknown[frames], keypoints[frames]
    others = np.where(unknown[..., None], 0, some)
    count = (~unknown).sum(1)[:, None, None]
    center = (others.sum(1, keepdims=True) / count).astype(keypoints.dtype)
    keypoints[frames] = np.where(unknown[..., None], center, some)
    return keypoints
