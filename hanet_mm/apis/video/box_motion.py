# Copyright (c) hanet_mm contributors. All rights reserved.
"""Kalman filter of boxes that move at constant velocity.

As DeepSORT (Wojke et al., ICIP 2017) and ByteTrack (Zhang et al., ECCV 2022)
have it. The state of a box is its middle x, y, aspect ratio w / h and height
h, then the velocity of the four per frame; noise is proportional to the
height. Any number of tracks at once: means (..., 8), covariances (..., 8, 8),
measured boxes (..., 4).
"""

from typing import Tuple

import numpy as np

# Standard deviations, as shares of the height; those of the aspect ratio are
# numbers of their own.
_POSITION, _VELOCITY = 1 / 20, 1 / 160
_ASPECT, _ASPECT_VELOCITY, _MEASURED_ASPECT = 1e-2, 1e-5, 1e-1
# x, y and h, and their velocities.
_LENGTHS, _SPEEDS = [0, 1, 3], [4, 5, 7]

_MOTION = np.eye(8) + np.eye(8, k=4)

State = Tuple[np.ndarray, np.ndarray]


def start_motion(measured: np.ndarray) -> State:
    """Mean and covariance of boxes seen for the first time, at rest."""
    mean = np.concatenate([measured, np.zeros_like(measured)], -1)
    deviation = _deviations(measured[..., 3], 2, 10)
    return mean, _diagonal(deviation**2)


def predict_motion(mean: np.ndarray, covariance: np.ndarray) -> State:
    """Where boxes are a frame later."""
    noise = _diagonal(_deviations(mean[..., 3], 1, 1) ** 2)
    return mean @ _MOTION.T, _MOTION @ covariance @ _MOTION.T + noise


def update_motion(
    mean: np.ndarray, covariance: np.ndarray, measured: np.ndarray
) -> State:
    """Correct predicted boxes by where they are seen."""
    deviation = _deviations(mean[..., 3], 1, 1)[..., :4]
    deviation[..., 2] = _MEASURED_ASPECT
    seen = covariance[..., :4, :4] + _diagonal(deviation**2)
    # Covariances are symmetric: (S^-1 C)^T = C^T S^-1.
    gain = np.swapaxes(np.linalg.solve(seen, covariance[..., :4, :]), -1, -2)
    step = (measured - mean[..., :4])[..., None]
    corrected = covariance - gain @ seen @ np.swapaxes(gain, -1, -2)
    return mean + (gain @ step)[..., 0], corrected


def _deviations(
    height: np.ndarray, position: float, velocity: float
) -> np.ndarray:
    """Standard deviations (..., 8), those of lengths times a factor."""
    deviation = np.empty((*np.shape(height), 8))
    deviation[..., 2], deviation[..., 6] = _ASPECT, _ASPECT_VELOCITY
    for offset, share in (
        (0, _POSITION * position),
        (4, _VELOCITY * velocity),
    ):
        lengths = [offset + x for x in _LENGTHS]
        deviation[..., lengths] = share * np.asarray(height)[..., None]
    return deviation


def _diagonal(values: np.ndarray) -> np.ndarray:
    """(..., N) -> (..., N, N)."""
    return values[..., None] * np.eye(values.shape[-1])
