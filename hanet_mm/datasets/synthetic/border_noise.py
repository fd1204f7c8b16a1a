"""Joints outside the image, which no estimator sees."""

from types import SimpleNamespace
from typing import Tuple

import numpy as np


def at_the_border(
    rng: np.random.Generator,
    truth: np.ndarray,
    estimate: np.ndarray,
    image_size: np.ndarray,
    amounts: SimpleNamespace,
) -> Tuple[np.ndarray, np.ndarray]:
    """Report joints outside the image at its border, or elsewhere inside.

    What happens to a joint is the same throughout a sequence.

    Args:
        rng (np.random.Generator): Source of randomness.
        truth (np.ndarray): Pixels, (S, T, K, 2).
        estimate (np.ndarray): Pixels, (S, T, K, 2).
        image_size (np.ndarray): Width and height in px, (S, 2).
        amounts (SimpleNamespace): See :meth:`EstimatorNoise.columns`.

    Returns:
        Tuple[np.ndarray, np.ndarray]: Estimates (S, T, K, 2), and where
        they were changed, bool (S, T, K).
    """
    num, _, count, _ = truth.shape
    last = np.asarray(image_size, dtype=np.float32)[:, None, None]
    outside = ((truth < 0) | (truth > last)).any(axis=-1)
    kind = rng.random((num, 1, count))
    partner = rng.integers(count, size=(num, 1, count))
    clamp = kind < amounts.outside_clamp
    stray = ~clamp & (kind < amounts.outside_clamp + amounts.outside_stray)
    partner = np.where(stray, partner, np.arange(count))
    moved = outside & (clamp | stray)
    if not moved.any():
        return estimate, moved
    inside = np.clip(
        np.take_along_axis(estimate, partner[..., None], axis=2), 0, last
    )
    return np.where(moved[..., None], inside, estimate), moved
