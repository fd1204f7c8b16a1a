# Copyright (c) hanet_mm contributors. All rights reserved.
"""Signals over time: steps, wandering, correlated noise and bursts.

S sequences of T frames. An amount is one number, or one for each sequence.
"""

from typing import Sequence, Tuple, Union

import numpy as np

Amount = Union[float, np.ndarray]


def smooth_step(x: np.ndarray) -> np.ndarray:
    """Minimum-jerk step from 0 (x <= 0) to 1 (x >= 1), any shape.

    The profile of unconstrained human reaching: T. Flash and N. Hogan,
    "The coordination of arm movements", J. Neuroscience 5, 1985.
    """
    x = np.clip(x, 0.0, 1.0)
    return x * x * x * (10 + x * (6 * x - 15))


def ramp(time: np.ndarray, start: np.ndarray, end: np.ndarray) -> np.ndarray:
    """Minimum-jerk step between two times in seconds (broadcast)."""
    return smooth_step((time - start) / (end - start))


def wander(
    rng: np.random.Generator, num: int, time: np.ndarray, count: int
) -> np.ndarray:
    """Sum of three slow sines of unit variance, (count, num, T).

    ``time`` is in seconds, (T,); ``count`` is the number of channels.
    """
    low, high = np.array([0.15, 0.4, 0.9]), np.array([0.4, 0.9, 1.7])
    rate = rng.uniform(low, high, (count, num, 3))
    phase = rng.uniform(0, 2 * np.pi, (count, num, 3))
    weight = np.array([0.78, 0.55, 0.30]) * np.sqrt(2)
    angle = 2 * np.pi * rate[:, :, None] * time[:, None] + phase[:, :, None]
    return np.sin(angle) @ weight


def per_sequence(amount: Amount, ndim: int) -> np.ndarray:
    """Reshape an amount to (S or 1, 1, ..., 1) with ``ndim`` axes, float64."""
    amount = np.asarray(amount, dtype=np.float64)
    return amount.reshape(-1, *(1,) * (ndim - 1))


def correlated_noise(
    rng: np.random.Generator, shape: Sequence[int], correlation: Amount
) -> np.ndarray:
    """First-order autoregressive noise of unit variance along axis 1, float32.

    ``correlation`` is that of neighbouring frames, [0, 1).
    """
    noise = rng.standard_normal(shape, dtype=np.float32)
    correlation = per_sequence(correlation, noise.ndim)
    noise[:, 1:] *= np.sqrt(1 - correlation**2).astype(np.float32)
    return _recursion(noise, correlation)


def smooth_noise(
    rng: np.random.Generator, shape: Sequence[int], frames: Amount
) -> np.ndarray:
    """Slowly and smoothly changing noise of unit variance along axis 1.

    First-order autoregressive noise filtered by the same recursion once
    more, v(t) = a v(t-1) + u(t) with a = exp(-1 / frames). The correlation
    of values n frames apart is a^n (1 + n (1 - a^2) / (1 + a^2)): flat at
    n = 0, unlike a^n, so neighbouring frames differ little. Float32.
    """
    pole = np.exp(-1 / per_sequence(frames, len(shape)))
    noise = correlated_noise(rng, shape, pole)
    begin = rng.standard_normal(noise[:, 0].shape, dtype=np.float32)
    # The first value as it would be after infinitely many frames: its
    # covariance with u(0) is 1 / (1 - a^2), its variance that squared times
    # 1 + a^2.
    first, rest = (x.astype(np.float32)[:, 0] for x in (pole, 1 - pole**2))
    noise[:, 0] = (noise[:, 0] + first * begin) / rest
    scale = (1 - pole**2) / np.sqrt(1 + pole**2)
    noise = _recursion(noise, pole)
    noise *= scale.astype(np.float32)
    return noise


def _recursion(noise: np.ndarray, pole: np.ndarray) -> np.ndarray:
    """v(t) = pole v(t-1) + noise(t) along axis 1, in place."""
    # 1 / (1 - aB) = (1 + aB)(1 + a^2 B^2)(1 + a^4 B^4)...
    step = 1
    while step < noise.shape[1] and (pole**step > 1e-9).any():
        factor = (pole**step).astype(np.float32)
        noise[:, step:] += factor * noise[:, :-step]
        step *= 2
    return noise


def bursts(
    rng: np.random.Generator,
    shape: Tuple[int, int, int],
    share: Amount,
    frames: Amount,
) -> Tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Events that begin at random and last for a while.

    In every frame an active event ends with probability 1 / frames, and one
    begins with the probability that makes ``share``, in [0, 1), the stationary
    state; it holds from the first frame on. ``share`` broadcasts to (S, 1, C),
    ``frames`` >= 1 is one number or (S,). Whether an event is active, the
    frame in which it began, and the frame after its last one, beyond T if
    unknown, (S, T, C) each.
    """
    frame = np.arange(shape[1], dtype=np.int32)[:, None]
    frames = per_sequence(frames, 3)
    end = 1 / frames
    chance = np.broadcast_to(share * end / (1 - share + share * end), shape)
    chance = np.where(frame == 0, share, chance).astype(np.float32)
    begins = rng.random(shape, dtype=np.float32) < chance
    ends = rng.random(shape, dtype=np.float32) < end.astype(np.float32)
    never = np.int32(-1)
    last_begin = np.maximum.accumulate(np.where(begins, frame, never), axis=1)
    last_end = np.maximum.accumulate(frame * ends, axis=1)
    active = last_begin >= last_end
    idle = np.where(active, never, frame)
    onset = np.maximum.accumulate(idle, axis=1) + 1
    beyond = shape[1] + np.ceil(frames).astype(np.int32)
    idle = np.where(active, beyond, frame)[:, ::-1]
    return active, onset, np.minimum.accumulate(idle, axis=1)[:, ::-1]
