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
    pole = per_sequence(correlation, len(shape) - 1)
    return autoregressive(rng, _time_first(shape), pole).swapaxes(0, 1)


def smooth_noise(
    rng: np.random.Generator, shape: Sequence[int], frames: Amount
) -> np.ndarray:
    """Slowly and smoothly changing noise of unit variance along axis 1.

    First-order autoregressive noise filtered by the same recursion once
    more, v(t) = a v(t-1) + u(t) with a = exp(-1 / frames). The correlation
    of values n frames apart is a^n (1 + n (1 - a^2) / (1 + a^2)): flat at
    n = 0, unlike a^n, so neighbouring frames differ little. Float32.
    """
    pole = np.exp(-1 / per_sequence(frames, len(shape) - 1))
    return filtered_twice(rng, _time_first(shape), pole).swapaxes(0, 1)


def _time_first(shape: Sequence[int]) -> Tuple[int, ...]:
    return (shape[1], shape[0], *shape[2:])


def autoregressive(
    rng: np.random.Generator, shape: Sequence[int], pole: Amount
) -> np.ndarray:
    """Noise of :func:`correlated_noise` along axis 0.

    The correlation of neighbouring frames broadcasts to one frame.
    """
    noise = rng.standard_normal(shape, dtype=np.float32)
    if np.any(pole):
        pole = np.asarray(pole, dtype=np.float64)
        noise[1:] *= np.sqrt(1 - pole**2).astype(np.float32)
        _recursion(noise, pole)
    return noise


def filtered_twice(
    rng: np.random.Generator, shape: Sequence[int], pole: Amount
) -> np.ndarray:
    """Noise of :func:`smooth_noise` along axis 0.

    The pole, exp(-1 / frames), broadcasts to one frame.
    """
    noise = rng.standard_normal(shape, dtype=np.float32)
    begin = rng.standard_normal(noise.shape[1:], dtype=np.float32)
    return filter_twice(noise, begin, pole)


def filter_twice(
    noise: np.ndarray, begin: np.ndarray, pole: Amount
) -> np.ndarray:
    """Make of white noise (T, ...) that of :func:`filtered_twice`, in place.

    ``begin`` is noise too, of one frame; so are weighted sums of noise.
    """
    pole = np.broadcast_to(np.asarray(pole, np.float64), begin.shape)
    # The first value is as it would be after infinitely many frames: its
    # covariance with u(0) is 1 / (1 - a^2), its variance that squared times
    # 1 + a^2.
    rest = 1 - pole**2
    scale = rest / np.sqrt(1 + pole**2)
    noise[0] *= scale.astype(np.float32)
    noise[1:] *= (scale * np.sqrt(rest)).astype(np.float32)
    _recursion(noise, pole)
    first = (pole * scale).astype(np.float32)
    noise[0] = (noise[0] + first * begin) / rest.astype(np.float32)
    _recursion(noise, pole)
    return noise


def _recursion(noise: np.ndarray, pole: np.ndarray) -> None:
    """v(t) = pole v(t-1) + noise(t) along axis 0, in place."""
    factor = np.empty(noise.shape[1:], np.float32)
    factor[...] = pole
    part = np.empty_like(factor)
    frames = list(noise)
    for before, now in zip(frames, frames[1:]):
        np.multiply(before, factor, out=part)
        np.add(now, part, out=now)


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
    share = np.asarray(share)
    if share.ndim:
        share = np.broadcast_to(share, (shape[0], 1, shape[2]))[:, 0]
    frames = per_sequence(frames, 2)
    active = active_bursts(rng, _time_first(shape), share, frames)
    return tuple(x.swapaxes(0, 1) for x in (active, *ends_of(active, frames)))


def active_bursts(
    rng: np.random.Generator,
    shape: Sequence[int],
    share: Amount,
    frames: Amount,
) -> np.ndarray:
    """Whether events of :func:`bursts` are active, along axis 0, bool.

    Both amounts broadcast to one frame.
    """
    end = 1 / np.asarray(frames)
    begin = share * end / (1 - share + share * end)
    # One number a frame: below the one bound an event is active whatever was
    # before, below the other one if it was.
    stay = 1 - end * (1 - begin)
    chance = rng.random(shape, dtype=np.float32)
    active = chance < np.float32(begin)
    active[0] = chance[0] < np.float32(share)
    stays = chance < np.float32(stay)
    rows = list(active)
    for before, now, kept in zip(rows, rows[1:], stays[1:]):
        now |= before & kept
    return active


def ends_of(
    active: np.ndarray, frames: Amount
) -> Tuple[np.ndarray, np.ndarray]:
    """Onsets and ends of :func:`bursts` of events, along axis 0."""
    frame = np.arange(len(active), dtype=np.int32)
    frame = frame.reshape(-1, *(1,) * (active.ndim - 1))
    idle = np.where(active, np.int32(-1), frame)
    onset = np.maximum.accumulate(idle, axis=0) + 1
    beyond = len(active) + np.ceil(frames).astype(np.int32)
    idle = np.where(active, beyond, frame)[::-1]
    return onset, np.minimum.accumulate(idle, axis=0)[::-1]
