"""Random processes over time: correlated noise and bursts."""

from typing import Sequence, Tuple

import numpy as np


def correlated_noise(
    rng: np.random.Generator, shape: Sequence[int], correlation: float
) -> np.ndarray:
    """Stationary first-order autoregressive noise of unit variance.

    Args:
        rng (np.random.Generator): Source of randomness.
        shape (Sequence[int]): (S, T, ...), correlated along T.
        correlation (float): Correlation of neighbouring frames.

    Returns:
        np.ndarray: Noise of that shape, float32.
    """
    noise = rng.standard_normal(shape, dtype=np.float32)
    noise[:, 1:] *= np.sqrt(1 - correlation**2)
    return _recursion(noise, correlation)


def smooth_noise(
    rng: np.random.Generator, shape: Sequence[int], frames: float
) -> np.ndarray:
    """Stationary noise of unit variance that changes slowly and smoothly.

    First-order autoregressive noise filtered by the same recursion once
    more, v(t) = a v(t-1) + u(t) with a = exp(-1 / frames). The correlation
    of values n frames apart is a^n (1 + n (1 - a^2) / (1 + a^2)): flat at
    n = 0, unlike a^n, so neighbouring frames differ little.

    Args:
        rng (np.random.Generator): Source of randomness.
        shape (Sequence[int]): (S, T, ...), correlated along T.
        frames (float): Time constant in frames, > 0.

    Returns:
        np.ndarray: Noise of that shape, float32.
    """
    pole = np.exp(-1 / frames)
    noise = correlated_noise(rng, shape, pole)
    begin = rng.standard_normal(noise[:, 0].shape, dtype=np.float32)
    # The first value as it would be after infinitely many frames: its
    # covariance with u(0) is 1 / (1 - a^2), its variance that squared times
    # 1 + a^2.
    noise[:, 0] = (noise[:, 0] + pole * begin) / (1 - pole**2)
    return _recursion(noise, pole) * np.float32(
        (1 - pole**2) / np.sqrt(1 + pole**2)
    )


def _recursion(noise: np.ndarray, pole: float) -> np.ndarray:
    """v(t) = pole v(t-1) + noise(t) along axis 1, in place."""
    # 1 / (1 - aB) = (1 + aB)(1 + a^2 B^2)(1 + a^4 B^4)...
    step = 1
    while step < noise.shape[1] and pole**step > 1e-9:
        noise[:, step:] += pole**step * noise[:, :-step].copy()
        step *= 2
    return noise


def bursts(
    rng: np.random.Generator,
    shape: Tuple[int, int, int],
    share: np.ndarray,
    frames: float,
) -> Tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Events that begin at random and last for a while.

    In every frame an event that goes on ends with probability 1 / frames,
    and one begins with the probability that makes ``share`` the stationary
    state; it holds from the first frame on.

    Args:
        rng (np.random.Generator): Source of randomness.
        shape (Tuple[int, int, int]): (S, T, C).
        share (np.ndarray): Mean part of the frames in which an event goes
            on, [0, 1), one number or (C,).
        frames (float): Mean length of one event in frames, >= 1.

    Returns:
        Tuple[np.ndarray, np.ndarray, np.ndarray]: Whether an event goes on,
        bool; the frame in which it began; the frame after its last one,
        beyond T where that is not known. All (S, T, C).
    """
    frame = np.arange(shape[1])[:, None]
    end = 1 / frames
    chance = np.broadcast_to(share * end / (1 - share + share * end), shape)
    chance = np.where(frame == 0, share, chance).astype(np.float32)
    begins = rng.random(shape, dtype=np.float32) < chance
    ends = rng.random(shape, dtype=np.float32) < end
    last_begin = np.maximum.accumulate(np.where(begins, frame, -1), axis=1)
    last_end = np.maximum.accumulate(np.where(ends, frame, 0), axis=1)
    active = last_begin >= last_end
    idle = np.where(active, -1, frame)
    onset = np.maximum.accumulate(idle, axis=1) + 1
    beyond = shape[1] + int(np.ceil(frames))
    idle = np.where(active, beyond, frame)[:, ::-1]
    return active, onset, np.minimum.accumulate(idle, axis=1)[:, ::-1]
