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
    # 1 / (1 - aB) = (1 + aB)(1 + a^2 B^2)(1 + a^4 B^4)...
    step = 1
    while step < shape[1] and correlation**step > 1e-9:
        noise[:, step:] += correlation**step * noise[:, :-step].copy()
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
