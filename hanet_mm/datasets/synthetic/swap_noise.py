"""Left and right exchanged: limbs, halves of the body, all of it."""

from types import SimpleNamespace
from typing import Tuple

import numpy as np

from .keypoint_parts import LIMBS, KeypointParts
from .temporal_noise import bursts


def swapped(
    rng: np.random.Generator,
    shape: Tuple[int, int, int],
    amounts: SimpleNamespace,
    parts: KeypointParts,
) -> np.ndarray:
    """Keypoint whose estimate is reported for each keypoint.

    Args:
        rng (np.random.Generator): Source of randomness.
        shape (Tuple[int, int, int]): (S, T, K).
        amounts (SimpleNamespace): See :meth:`EstimatorNoise.columns`.
        parts (KeypointParts): What the names tell.

    Returns:
        np.ndarray: Indices, (S, T, K).
    """

    def events(kind: str, count: int) -> np.ndarray:
        share = getattr(amounts, f'{kind}_share')
        frames = getattr(amounts, f'{kind}_frames')
        return bursts(rng, (*shape[:2], count), share, frames)[0]

    whole = events('body_swap', 1)
    limbs = events('limb_swap', len(LIMBS))
    # A limb swapped within a swapped body is back in its place.
    swap = whole ^ (limbs[..., parts.limb] & (parts.limb >= 0))
    if np.any(amounts.half_swap_share > 0):
        halves = events('half_swap', 2)
        in_half = parts.half < 2
        swap ^= halves[..., np.where(in_half, parts.half, 0)] & in_half
    return np.where(swap, parts.mirror, np.arange(shape[2]))
