"""From frames at any times to the frames of a refiner, and back.

Positions are times counted in frames of the refiner (:mod:`.frame_rate`); its
own frames are at 0, 1, 2, ... Both ways are linear in time. What goes back is
the refined pose itself: adding the change (refined - input) to the frames as
they were would bring back, between the refiner's frames, all the jitter that
refinement took away.
"""

from typing import Tuple

import numpy as np

# Far below the rounding of time stamps, far above that of float64.
_EPSILON = 1e-6


def snap(positions: np.ndarray) -> np.ndarray:
    """Positions that are whole numbers but for rounding, made whole."""
    whole = np.round(positions)
    return np.where(np.abs(positions - whole) < _EPSILON, whole, positions)


def at_positions(
    keypoints: np.ndarray,
    scores: np.ndarray,
    positions: np.ndarray,
    wanted: np.ndarray,
) -> Tuple[np.ndarray, np.ndarray]:
    """Poses at some positions, interpolated between the frames.

    Before the first and after the last frame poses stand still; those a
    whole frame after the last are no estimates.

    Args:
        keypoints (np.ndarray): Without gaps, (F, K, D).
        scores (np.ndarray): Of the keypoints, 0 where filled, (F, K).
        positions (np.ndarray): Of the frames, increasing, (F, ).
        wanted (np.ndarray): Positions, (...).

    Returns:
        tuple[np.ndarray, np.ndarray]: Poses (..., K, D), and the scores of
        the nearest frame, (..., K).
    """
    last = len(positions) - 1
    left = np.searchsorted(positions, wanted, side='right') - 1
    left = left.clip(0, last)
    right = np.minimum(left + 1, last)
    gap = np.where(right > left, positions[right] - positions[left], 1)
    weight = ((wanted - positions[left]) / gap).clip(0, 1)
    weight = np.where(right > left, weight, 0)
    poses = keypoints[left]
    if weight.any():
        share = weight[..., None, None].astype(keypoints.dtype)
        poses = poses + (keypoints[right] - poses) * share
    known = scores[np.where(weight < 0.5, left, right)]
    known[wanted >= positions[-1] + 1] = 0
    return poses, known


def from_grid(poses: np.ndarray, positions: np.ndarray) -> np.ndarray:
    """Poses at the frames, from those at the refiner's frames.

    Args:
        poses (np.ndarray): At positions 0, 1, 2, ..., (G, K, D).
        positions (np.ndarray): Of the frames, in [0, G - 1], (F, ).

    Returns:
        np.ndarray: (F, K, D).
    """
    left = np.floor(positions).astype(np.int64)
    right = np.ceil(positions).astype(np.int64)
    share = (positions - left)[:, None, None].astype(poses.dtype)
    return poses[left] + (poses[right] - poses[left]) * share
