# Copyright (c) hanet_mm contributors. All rights reserved.
"""Whether clean motion is left alone: its range, and how far poses moved.

Letters: T frames, K keypoints, D coordinates.
"""

from typing import NamedTuple

import numpy as np


def range_kept(
    poses: np.ndarray,
    truth: np.ndarray,
    period: float,
    least: float = 0.0,
) -> np.ndarray:
    """Range of the motion of each keypoint relative to the true one.

    The range is that along the direction in which the true keypoint moves
    most, within a period; that of a sequence is the median of its periods.

    Args:
        poses (np.ndarray): Refined keypoints, (T, K, D).
        truth (np.ndarray): True keypoints, (T, K, D), without gaps.
        period (float): Frames of a period, at most T.
        least (float): Keypoints with a smaller true range do not move.
            Defaults to 0.

    Returns:
        np.ndarray: Ratios, (K,); NaN of keypoints that do not move.

    Raises:
        ValueError: If the period is longer than the sequence.

    Examples:
        >>> wave = np.sin(np.arange(90) * 2 * np.pi / 30)
        >>> truth = np.stack([wave, 2 * wave], -1)[:, None]
        >>> range_kept(0.9 * truth, truth, 30).round(3)
        array([0.9])
    """
    frames = int(np.ceil(period)) + 1
    count = len(truth) // frames
    if count == 0:
        raise ValueError(
            f'expected at least {frames} frames of a period of {period:g}, '
            f'found {len(truth)}'
        )
    centred = truth.astype(np.float64) - truth.mean(axis=0)
    spread = np.einsum('tkd,tke->kde', centred, centred)
    direction = np.linalg.eigh(spread)[1][..., -1]
    true, found = (
        np.median(
            np.ptp(
                np.einsum('tkd,kd->tk', x, direction)[
                    : count * frames
                ].reshape(count, frames, -1),
                axis=1,
            ),
            axis=0,
        )
        for x in (truth, poses)
    )
    moves = (true > 0) & (true >= least)
    return np.where(moves, found / np.where(moves, true, 1), np.nan)


class Moved(NamedTuple):
    """How far keypoints were moved, in per cent of the body."""

    mean: float
    p95: float


def how_far_moved(poses: np.ndarray, given: np.ndarray, size: float) -> Moved:
    """How far keypoints were moved from the given ones.

    Args:
        poses (np.ndarray): Refined keypoints, (T, K, D).
        given (np.ndarray): Keypoints before, (T, K, D), without gaps.
        size (float): Of the person, see :func:`person_size`.

    Returns:
        Moved: Mean and 95th percentile in per cent of ``size``.

    Raises:
        ValueError: If there are no keypoints.

    Examples:
        >>> how_far_moved(np.full((5, 2, 2), 3.0), np.zeros((5, 2, 2)), 300)
        Moved(mean=1.4142135623730951, p95=1.4142135623730951)
    """
    if not poses.size:
        raise ValueError(f'poses: expected keypoints, found {poses.shape}')
    moved = 100 * np.linalg.norm(poses - given, axis=-1) / size
    return Moved(float(moved.mean()), float(np.percentile(moved, 95)))
