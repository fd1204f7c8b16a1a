# Copyright (c) hanet_mm contributors. All rights reserved.
"""Limit corrections to what the evidence in a sequence supports.

What a network says of a pose is worth about as much as what the frames around
it say, so neither is believed alone. The path that the frames around tell,
without any network, is :func:`robust_path`; what they leave unexplained is
the noise of this sequence, joint by joint and over time. A refined pose may
leave the path as far as that noise and no further (:func:`limit_to_noise`).
In gaps nothing was measured: there the limit grows with the distance to the
nearest seen frame by what the joint moves within that time, if other
keypoints of the frame were seen. A frame without any keypoint tells the
network nothing, and the path stays. Where the whole body is noisy the network
is believed further (:func:`allowed_part`): heavy noise bends the path too, and
the network knows what a body can do.
"""

from typing import NamedTuple, Optional, Tuple

import numpy as np
import torch

from ..data.blocks import joint_blocks, row_blocks
from ..data.gaps import UNKNOWN_SCORE, nearest_seen
from ..data.lengths import lengths
from .limit import allowed_part
from .noise import local_size, sorted_quantile
from .robust_path import RobustPath

# Why a keypoint was changed.
NOISE, MISSING, SWAPPED, OUTLIER = range(4)
REASONS = ('noise', 'missing', 'swapped', 'outlier')

# Squared errors of the result in terms of noise * body size, of the squared
# way that was not taken, and of the squared body size, as real estimates with
# annotation have them; networks know little of such errors.
_OF_NOISE, _OF_WAY, _OF_SIZE = 0.2, 1.7, 0.00045
# Longest distance into a gap at which motion is measured, in seconds.
_LONGEST = 1.0
# The quantile of what joints move in gaps.
_QUANTILE = 0.75
# With this share of the keypoints missing a frame tells nothing of a gap.
_UNKNOWN_SHARE = 0.25


class Trusted(NamedTuple):
    """Refined poses after :func:`limit_to_noise`.

    Attributes:
        keypoints (np.ndarray): (T, K, D) float32.
        limit (np.ndarray): How far each keypoint may leave the path, (T, K).
        limited (np.ndarray): Where the refined pose went further, bool
            (T, K).
        reason (np.ndarray): Why a keypoint was changed, an index of
            ``REASONS``, uint8 (T, K).
        expected_error (np.ndarray): Expected distance to where a person
            would mark the keypoint, (T, K) float32.
    """

    keypoints: np.ndarray
    limit: np.ndarray
    limited: np.ndarray
    reason: np.ndarray
    expected_error: np.ndarray


def limit_to_noise(
    refined: np.ndarray,
    path: RobustPath,
    missing: np.ndarray,
    swapped: Optional[np.ndarray] = None,
    fps: float = 30.0,
    change: Optional[np.ndarray] = None,
    out: Tuple[Optional[np.ndarray], Optional[np.ndarray]] = (None, None),
) -> Trusted:
    """Limit refined poses to what the evidence in the sequence supports.

    Args:
        refined (np.ndarray): Poses of a network, (T, K, D).
        path (RobustPath): See :func:`robust_path`, of the same frames.
        missing (np.ndarray): Bool (T, K).
        swapped (np.ndarray, optional): See :func:`unswap`, bool (T, K).
        fps (float): Frames per second. Defaults to 30.
        change (np.ndarray, optional): See
            :func:`hanet_mm.core.refine.limit.allowed_part`, (T, 1). Defaults
            to None: in 2D.
        out (Tuple[np.ndarray, np.ndarray], optional): Memory of the poses
            (T, K, D) and of their expected errors (T, K), in place of new
            one; it may be that of ``refined``. ``limit`` and ``limited`` are
            left out then. Defaults to None: new.

    Returns:
        Trusted: Poses between the path and the refined ones.
    """
    size = local_size(path.keypoints, missing, fps)
    allowance = None
    if missing.any():
        allowance = gap_allowance(path, missing, fps)
    poses, error = out
    shape, alone = missing.shape, poses is None
    trusted = Trusted(
        np.empty(refined.shape, np.float32) if poses is None else poses,
        np.empty(shape if alone else 0, np.float32),
        np.empty(shape if alone else 0, bool),
        np.empty(shape, np.uint8),
        np.empty(shape, np.float32) if error is None else error,
    )
    for rows in row_blocks(len(refined)):
        part = _limit_rows(
            refined[rows],
            RobustPath(*(x[rows] for x in path)),
            np.zeros(missing[rows].shape, np.float32)
            if allowance is None
            else allowance[rows],
            size[rows],
            None if change is None else change[rows],
        )
        for whole, own in zip(trusted, part):
            if len(whole):
                whole[rows] = own
    if swapped is not None:
        trusted.reason[swapped] = SWAPPED
    trusted.reason[missing] = MISSING
    return trusted


def _limit_rows(
    refined: np.ndarray,
    path: RobustPath,
    allowance: np.ndarray,
    size: np.ndarray,
    change: Optional[np.ndarray],
) -> Trusted:
    """Limit some frames, of which nothing is missing or swapped."""
    steps: np.ndarray = refined - path.keypoints.astype(np.float64)
    given = [path.noise, allowance, size]
    if change is not None:
        given.append(change)
    part, limit = (
        x.numpy() for x in allowed_part(*map(torch.from_numpy, given))
    )
    length = lengths(steps)
    furthest = np.maximum(np.maximum(length, limit), np.finfo(float).tiny)
    share = np.minimum(limit / furthest, part)
    error = _OF_NOISE * path.noise * size + _OF_SIZE * size**2
    error = np.sqrt(error + _OF_WAY * ((1 - share) * length) ** 2)
    return Trusted(
        (path.keypoints + share[..., None] * steps).astype(np.float32),
        limit,
        part * length > limit,
        np.where(path.outlier, OUTLIER, NOISE).astype(np.uint8),
        error.astype(np.float32),
    )


def gap_allowance(
    path: RobustPath, missing: np.ndarray, fps: float = 30.0
) -> np.ndarray:
    """Allowed distance of a missing keypoint from the path, (T, ..., K).

    The 0.75 quantile of what the path of this joint leaves the straight line
    over as many frames as there are to the nearest seen one, times how much
    of the frame was seen. 0 where nothing is missing.
    """
    allowance = np.zeros(missing.shape, np.float32)
    frames = len(missing)
    columns = missing.reshape(frames, -1)
    places = path.keypoints.reshape(*columns.shape, -1)
    gappy = np.flatnonzero(columns.any(0))
    for block in joint_blocks((frames, len(gappy))):
        own = gappy[block]
        allowance.reshape(frames, -1)[:, own] = _joint_allowance(
            places[:, own], columns[:, own], fps
        )
    known = 1 - missing.mean(-1, keepdims=True) / _UNKNOWN_SHARE
    allowance *= np.clip(known, 0, 1)
    return allowance


def _joint_allowance(
    path: np.ndarray, missing: np.ndarray, fps: float
) -> np.ndarray:
    """That of some joints in frames that were seen otherwise, (T, K)."""
    allowance = np.zeros(missing.shape)
    frames = np.arange(len(missing))[:, None]
    before, after = nearest_seen(missing)
    back = np.where(before < 0, len(missing), frames - before)
    ahead = np.where(after == len(missing), len(missing), after - frames)
    distance = np.minimum(np.minimum(back, ahead), len(missing) - 1)
    distance = np.where(missing, distance, 0)
    longest = min(round(_LONGEST * fps), (len(missing) - 1) // 2)
    typical = np.zeros(missing.shape[1])
    for gap in range(1, min(longest, distance.max()) + 1):
        # Where too little is seen for such a line, that of a shorter one.
        typical = np.maximum(typical, _line_error(path, missing, gap))
        allowance = np.where(distance >= gap, typical, allowance)
    return allowance


def _line_error(path: np.ndarray, missing: np.ndarray, gap: int) -> np.ndarray:
    """Distance of each joint from the line between +-gap frames, (K,)."""
    middle = (path[2 * gap :] + path[: -2 * gap]) / 2
    error = lengths(path[gap:-gap] - middle)
    known = ~(missing[2 * gap :] | missing[: -2 * gap] | missing[gap:-gap])
    return sorted_quantile(np.where(known, error, np.nan).T, _QUANTILE)


def believed_scores(scores: np.ndarray, belief: float) -> np.ndarray:
    """Scores (T, K) drawn towards that of unknown ones; 0 stays: missing."""
    deviation = scores - UNKNOWN_SCORE
    drawn = UNKNOWN_SCORE + (0.25 + 0.75 * belief) * deviation
    return np.where(scores > 0, drawn, 0).astype(np.float32)
