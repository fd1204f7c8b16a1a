# Copyright (c) hanet_mm contributors. All rights reserved.
"""Kinematic features of a pose sequence (equations 1 and 2)."""

from functools import lru_cache
from typing import NamedTuple, Optional

import torch
from torch import Tensor


class Kinematics(NamedTuple):
    """Motion features shared by encoder and decoder.

    B: windows, T: frames of a window, n: sampled frames, M: tokens,
    C: channels, ``K * D`` keypoint-major. Tokens are the n sampled frames,
    followed, if requested, by the ``T - n`` unsampled ones with all features
    zero (then ``M = T``).

    Attributes:
        poses (Tensor): Estimated poses, (B, M, C).
        prev (Tensor): Poses ``distance`` frames earlier, (B, M, C).
        next (Tensor): Poses ``distance`` frames later, (B, M, C).
        flow (Tensor): Mean of the three (eq. 1), (B, M, C).
        v_prev (Tensor): Velocity from the previous pose (eq. 2), per frame,
            (B, M, C).
        v_next (Tensor): Velocity towards the next pose, (B, M, C).
        positions (Tensor): Frame of each token in the window, (M, ).
        num_sampled (int): n, the tokens that carry a pose.
        num_frames (int): T.
        interval (int): N, frames from one sampled frame to the next.
        frames (Tensor): Estimated poses at all frames, (B, T, K, D).
        scores (Tensor, optional): Of these, (B, T, K); 0 = missing.
        distance (int): d_t of eq. 1, in frames.
    """

    poses: Tensor
    prev: Tensor
    next: Tensor
    flow: Tensor
    v_prev: Tensor
    v_next: Tensor
    positions: Tensor
    num_sampled: int
    num_frames: int
    interval: int
    frames: Tensor
    scores: Optional[Tensor] = None
    distance: int = 1


def sampled_frames(num_frames: int, interval: int) -> range:
    """Frames 0, N, 2N, ..., T-1 of a window; raise if T does not fit N."""
    if interval < 1 or num_frames < 1 or (num_frames - 1) % interval:
        raise ValueError(
            'a window of T frames sampled every N needs (T - 1) % N == 0, '
            f'got T = {num_frames}, N = {interval}'
        )
    return range(0, num_frames, interval)


@lru_cache(maxsize=64)
def _sampled_positions(
    num_frames: int, interval: int, device: torch.device
) -> Tensor:
    """Sampled frames (n, ), cached: a constant of a traced network."""
    with torch.inference_mode(False):
        return torch.arange(0, num_frames, interval, device=device)


def compute_kinematics(
    poses: Tensor,
    interval: int,
    distance: int = 1,
    with_unsampled: bool = False,
    scores: Optional[Tensor] = None,
) -> Kinematics:
    """Kinematic features of the sampled frames of windows (B, T, K, D).

    The neighbours of a sampled frame are its true neighbours at full rate
    (borders replicated). ``interval`` is N, ``distance`` the ``d_t`` of eq. 1;
    ``with_unsampled`` appends unsampled frames as tokens without a pose.
    """
    if poses.ndim != 4:
        raise ValueError(
            f'expected poses of shape (B, T, K, D), got {tuple(poses.shape)}'
        )
    if scores is not None and scores.shape != poses.shape[:3]:
        raise ValueError(
            f'expected scores of shape (B, T, K) = {tuple(poses.shape[:3])}, '
            f'got {tuple(scores.shape)}'
        )
    # A number in a traced network too: what follows from it is constant.
    num_frames = int(poses.shape[1])
    sampled = sampled_frames(num_frames, interval)
    # (B, T, K, D) -> (B, T, C)
    full = poses.flatten(2)
    positions = _sampled_positions(num_frames, interval, poses.device)
    current = full[:, ::interval]
    prev = full[:, (positions - distance).clamp(min=0)]
    next_ = full[:, (positions + distance).clamp(max=num_frames - 1)]
    features = [
        current,
        prev,
        next_,
        (current + prev + next_) / 3,
        (current - prev) / distance,
        (next_ - current) / distance,
    ]
    if with_unsampled:
        every = torch.arange(num_frames, device=poses.device)
        unsampled = every[every % interval != 0]
        positions = torch.cat([positions, unsampled])
        features = [
            torch.nn.functional.pad(x, (0, 0, 0, len(unsampled)))
            for x in features
        ]
    counts = (len(sampled), num_frames, interval)
    return Kinematics._make(
        (*features, positions, *counts, poses, scores, distance)
    )


def past_acceleration(kinematics: Kinematics) -> Tensor:
    """Acceleration of the sampled frames as eq. 2 has it, (B, n, C).

    ``a_t = (v_t - v_{t-dt}) / dt`` with ``v_t = (P_t - P_{t-dt}) / dt``. The
    published one is the difference of the velocities before and after t.
    """
    full, distance = kinematics.frames.flatten(2), kinematics.distance
    sampled = kinematics.positions[: kinematics.num_sampled]
    now, before, earlier = (
        full[:, (sampled - back * distance).clamp(min=0)] for back in range(3)
    )
    return (now - 2 * before + earlier) / distance**2


def interpolate_samples(samples: Tensor, interval: int) -> Tensor:
    """Interpolate samples (B, n, C) linearly to all (n - 1) * N + 1 frames."""
    if interval == 1:
        return samples
    ramp = torch.arange(interval, device=samples.device, dtype=samples.dtype)
    left, right = samples[:, :-1, None], samples[:, 1:, None]
    # (B, n - 1, N, C) -> (B, (n - 1) * N, C)
    between = torch.lerp(left, right, (ramp / interval)[:, None]).flatten(1, 2)
    return torch.cat([between, samples[:, -1:]], dim=1)
