"""Hidden joints: where an estimator puts what it cannot see."""

from types import SimpleNamespace
from typing import Optional, Tuple

import numpy as np

from .keypoint_parts import KeypointParts
from .temporal_noise import bursts
from .timeline import smooth_step

# Frames in which the estimate of a hidden joint drifts off and comes back.
_DRIFT_FRAMES = 3
# Somebody beside stands so many sizes away; and the spread of the other
# coordinates.
_BESIDE = (0.25, 0.8)
_ABOVE = 0.08


def _centre(truth: np.ndarray) -> np.ndarray:
    """What a hidden joint stays still relative to, (S, T, D).

    An estimator in an image loses a joint in the picture. A lifter gives
    places relative to the body, so there it moves along with the person.
    """
    if truth.shape[-1] == 2:
        return np.zeros_like(truth[:, :, 0])
    known = ~np.isnan(truth).any(axis=-1, keepdims=True)
    count = np.maximum(known.sum(axis=2), 1)
    total = np.where(known, truth, 0).sum(axis=2)
    return (total / count).astype(np.float32)


def _beside(rng: np.random.Generator, num: int, dims: int) -> np.ndarray:
    """Place of the person beside relative to this one, in sizes, (S, D)."""
    offset = _ABOVE * rng.standard_normal((num, dims), dtype=np.float32)
    side = rng.choice([-1.0, 1.0], num)
    offset[:, 0] = side * rng.uniform(*_BESIDE, num)
    return offset


def occlude(
    rng: np.random.Generator,
    truth: np.ndarray,
    size: np.ndarray,
    amounts: SimpleNamespace,
    parts: KeypointParts,
    axes: np.ndarray,
) -> Tuple[np.ndarray, Optional[np.ndarray]]:
    """Displacement of hidden joints.

    Args:
        rng (np.random.Generator): Source of randomness.
        truth (np.ndarray): Keypoints, (S, T, K, D).
        size (np.ndarray): Of the person, (S, T).
        amounts (SimpleNamespace): See :meth:`EstimatorNoise.columns`.
        parts (KeypointParts): What the names tell.
        axes (np.ndarray): Factor on random errors, (S or 1, 1, 1, D).

    Returns:
        Tuple[np.ndarray, Optional[np.ndarray]]: Displacement, (S, T, K, D),
        and where the score does not tell, bool (S, T, K); None: nowhere.
    """
    shape = truth.shape[:3]
    share = np.minimum(amounts.occlusion_share * parts.difficulty, 0.99)
    hidden, onset, until = bursts(rng, shape, share, amounts.occlusion_frames)
    burst = np.nonzero(hidden)
    who, when, which = burst
    begin = onset[burst]
    age = np.minimum(when - begin + 1, until[burst] - when)
    depth = smooth_step(age / _DRIFT_FRAMES)[:, None]
    # Everything random about a burst is read where it began.
    start = (who, begin, which)
    kind = rng.random(shape, dtype=np.float32)[start]
    pull = rng.uniform(0.3, 1.0, shape)[start][:, None]
    aside = rng.standard_normal(truth.shape, dtype=np.float32)[start]

    def amount(name: str) -> np.ndarray:
        column = np.broadcast_to(getattr(amounts, name), (len(truth), 1, 1))
        return column[who, 0, 0]

    here = truth[burst]
    centre = _centre(truth)
    frozen = amount('occlusion_freeze')
    target = np.where(
        (kind < frozen)[:, None],
        truth[start] + centre[who, when] - centre[who, begin],
        here + pull * (truth[who, when, parts.mirror[which]] - here),
    )
    if np.any(amounts.occlusion_limb > 0) or np.any(
        amounts.occlusion_other > 0
    ):
        limb = frozen + amount('occlusion_limb')
        other = limb + amount('occlusion_other')
        partner = rng.integers(shape[2], size=shape)[start]
        beside = _beside(rng, len(truth), truth.shape[-1])[who]
        anywhere = here + pull * (truth[who, when, partner] - here)
        neighbour = here + beside * size[who, when, None]
        to_limb = (kind >= frozen) & (kind < limb)
        to_other = (kind >= limb) & (kind < other)
        target = np.where(to_limb[:, None], anywhere, target)
        target = np.where(to_other[:, None], neighbour, target)
    aside *= amount('occlusion_std')[:, None].astype(np.float32)
    aside *= np.broadcast_to(axes[:, 0, 0], (len(truth), axes.shape[-1]))[who]
    # An arm that a lifter knows without error stays so.
    move = depth * (target - here + aside * size[who, when, None])
    shift = np.zeros(truth.shape, dtype=np.float32)
    shift[burst] = move
    if not np.any(amounts.occlusion_unseen > 0):
        return shift, None
    chance = rng.random(shape, dtype=np.float32)[start]
    unseen = np.zeros(shape, dtype=bool)
    unseen[burst] = chance < amount('occlusion_unseen')
    return shift, unseen
