# Copyright (c) hanet_mm contributors. All rights reserved.
"""Errors of an estimator of joint rotations, simulated on true ones."""

from dataclasses import dataclass, fields
from typing import Optional, Tuple

import numpy as np
import torch

from hanet_mm.core.poses.rotations import axis_angle_to_matrix

from .noise import scores_of_errors
from .noise_params import check_amount
from .signals import bursts, correlated_noise, smooth_noise, smooth_step

# Frames in which a burst comes and goes.
_ONSET_FRAMES = 3


@dataclass(frozen=True)
class RotationNoise:
    """Errors of simulated rotations.

    Angles are standard deviations of each component of a rotation vector,
    in degrees. The defaults put the joints of a mean adult near what the
    paper gives for PARE on 3DPW (Table 2: 78.9 mm and 25.7 mm / frame^2) on
    captured motion; only the amounts are fitted, it is neither that
    estimator nor that data set.

    Args:
        jitter (float): Error that changes from frame to frame.
        jitter_correlation (float): Its lag-1 correlation, [0, 1).
        drift (float): Slow error.
        drift_frames (float): Its correlation over n frames is about
            exp(-n / drift_frames) (1 + n / drift_frames).
        spread (float): Sigma of the log-normal factor on jitter and drift
            of each joint of each sequence.
        burst_share (float): Mean share of (joint, frame) pairs in which a
            joint is hidden, [0, 1).
        burst_frames (float): Mean duration in frames.
        burst (float): Further constant error while hidden.
        score_tolerance (float): Angle of the error, in degrees, at which
            the score is 1/2.
        score_noise (float): Sigma of the log-normal factor on the error
            that the score reports.

    Raises:
        ValueError: If a share or correlation is not in [0, 1), a duration is
            below one frame, or a number is negative.
    """

    jitter: float = 0.53
    jitter_correlation: float = 0.0
    drift: float = 3.95
    drift_frames: float = 20.0
    spread: float = 0.3
    burst_share: float = 0.03
    burst_frames: float = 10.0
    burst: float = 10.0
    score_tolerance: float = 12.0
    score_noise: float = 2.0

    def __post_init__(self) -> None:
        for item in fields(self):
            check_amount(item.name, getattr(self, item.name))


def simulate_rotation_noise(
    rotations: np.ndarray,
    rng: np.random.Generator,
    params: Optional[RotationNoise] = None,
) -> Tuple[np.ndarray, np.ndarray]:
    """Simulate what an estimator reports for true rotations (T, K, 3, 3).

    They are relative to the parents, NaN = unknown, NaN in the result. Each
    local rotation R becomes R exp(e): the error e, a rotation vector in the
    frame of the joint, is a slow drift, jitter, and bursts while the joint is
    hidden. The error at a joint moves all joints behind it. Rotations and
    scores (T, K), 0 where the truth is unknown, are float32.
    """
    rotations = np.asarray(rotations, dtype=np.float32)
    if rotations.ndim != 4 or rotations.shape[2:] != (3, 3):
        raise ValueError(
            f'rotations: expected (T, K, 3, 3), found {rotations.shape}'
        )
    params = params or RotationNoise()
    error = _error(rng, rotations.shape[:2], params)
    angle = np.degrees(np.linalg.norm(error, axis=-1))
    scores = scores_of_errors(
        rng, angle / params.score_tolerance, params.score_noise
    )
    turn = axis_angle_to_matrix(torch.from_numpy(error)).numpy()
    known = ~np.isnan(rotations).any(axis=(-2, -1))
    scores = np.where(known, scores, 0).astype(np.float32)
    return rotations @ turn, scores


def _error(
    rng: np.random.Generator, shape: Tuple[int, int], params: RotationNoise
) -> np.ndarray:
    """Rotation vectors in radians, (T, K, 3) float32."""
    frames, count = shape
    full = (1, frames, count, 3)
    scale = np.exp(params.spread * rng.standard_normal((count, 1)))
    error = params.drift * smooth_noise(rng, full, params.drift_frames)
    error += params.jitter * correlated_noise(
        rng, full, params.jitter_correlation
    )
    error *= scale
    error += _bursts(rng, full, params)
    return np.radians(error[0]).astype(np.float32)


def _bursts(
    rng: np.random.Generator,
    shape: Tuple[int, int, int, int],
    params: RotationNoise,
) -> np.ndarray:
    """Errors of hidden joints in degrees, (1, T, K, 3)."""
    hidden, onset, until = bursts(
        rng, shape[:3], params.burst_share, params.burst_frames
    )
    frame = np.arange(shape[1])[:, None]
    age = np.minimum(frame - onset + 1, until - frame)
    depth = np.where(hidden, smooth_step(age / _ONSET_FRAMES), 0)
    aside = rng.standard_normal(shape, dtype=np.float32)
    # Each burst has one error, drawn where it began.
    begin = np.where(hidden, onset, 0)[..., None]
    aside = np.take_along_axis(aside, begin, axis=1)
    return params.burst * depth[..., None] * aside
