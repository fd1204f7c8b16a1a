# Copyright (c) hanet_mm contributors. All rights reserved.
"""Displacement of joints: jitter, drift, bias, occlusions and outliers.

S sequences, T frames, K keypoints, D coordinates.
"""

from types import SimpleNamespace
from typing import NamedTuple, Optional, Tuple

import numpy as np

from .keypoints import KeypointParts
from .lifter_errors import lifting_errors
from .signals import bursts, correlated_noise, smooth_noise, smooth_step

# Frames in which the estimate of a hidden joint drifts off and comes back.
_DRIFT_FRAMES = 3
# A second person beside: distance in sizes, and the spread of the other
# coordinates.
_BESIDE, _ABOVE = (0.25, 0.8), 0.08


class Scene(NamedTuple):
    """Everything that the errors depend on."""

    rng: np.random.Generator
    truth: np.ndarray  # (S, T, K, D) float32
    size: np.ndarray  # of the person, (S, T) float32
    amounts: SimpleNamespace  # see EstimatorNoise.columns
    parts: KeypointParts

    @property
    def axes(self) -> np.ndarray:
        """Factor on the random errors along each coordinate, (S, 1, 1, D)."""
        axes = np.ones((len(self.truth), 1, 1, 3), dtype=np.float32)
        axes[..., 2] = self.amounts.depth_factor
        return axes[..., : self.truth.shape[-1]]

    def has(self, *names: str) -> bool:
        """Whether any of the amounts is above 0 for any sequence."""
        return any(np.any(getattr(self.amounts, x) > 0) for x in names)

    def amount_of(self, name: str, who: np.ndarray) -> np.ndarray:
        """Amount of each of the sequences ``who``, of their shape."""
        column = getattr(self.amounts, name)
        return np.broadcast_to(column, (len(self.truth), 1, 1))[who, 0, 0]


def displace(scene: Scene) -> Tuple[np.ndarray, np.ndarray]:
    """Errors of all kinds but swaps and misses, (S, T, K, D).

    The second array is the part of them that the scores follow.
    """
    rng, truth, size, amounts, parts = scene
    axes = scene.axes
    error = _jitter(scene) * axes
    hidden, unseen = _occlude(scene)
    error += hidden
    far = rng.random(truth.shape[:3]) < amounts.outlier_share
    far &= parts.difficulty > 0
    who, when, _ = np.nonzero(far)
    outlier = rng.standard_normal((len(who), truth.shape[-1]))
    outlier *= axes[who, 0, 0]
    reach = scene.amount_of('outlier_std', who) * size[who, when]
    error[far] += reach[:, None] * outlier
    if scene.has('drift'):
        slow = drift(scene)
        slow *= axes
        slow *= size[..., None, None]
        error += slow
    reported = error
    if unseen is not None:
        reported = error.copy()
        reported[unseen] -= hidden[unseen]
    if scene.has('bias'):
        error = error + constant_errors(scene) * axes
    if truth.shape[-1] == 3:
        error = error + lifting_errors(
            rng, truth, np.nan_to_num(error), amounts, parts
        )
    return tuple(_follow_ankles(x, parts) for x in (error, reported))


def _follow_ankles(error: np.ndarray, parts: KeypointParts) -> np.ndarray:
    """Errors of toes and heels: their own on top of the ankle's."""
    foot = parts.ankle >= 0
    if not foot.any():
        return error
    error = error.copy()
    error[:, :, foot] += error[:, :, parts.ankle[foot]]
    return error


def _jitter(scene: Scene) -> np.ndarray:
    """Fast errors, (S, T, K, D)."""
    rng, truth, size, amounts, parts = scene
    num, frames, count, _ = truth.shape
    spread = rng.standard_normal((num, 1, count))
    scale = amounts.jitter * np.exp(amounts.jitter_spread * spread)
    scale = (scale * parts.difficulty).astype(np.float32) * size[..., None]
    error = correlated_noise(rng, truth.shape, amounts.jitter_correlation)
    if scene.has('jitter_tails'):
        sigma = amounts.jitter_tails.astype(np.float32)
        groups = (num, frames, int(parts.group.max()) + 1)
        tails = smooth_noise(rng, groups, amounts.jitter_tail_frames)
        # The mean of exp(2 sigma z) is exp(2 sigma^2).
        scale = scale * np.exp(sigma * tails - sigma**2)[:, :, parts.group]
    if scene.has('jitter_blur'):
        blur = amounts.jitter_blur * (parts.difficulty > 0)
        scale = scale + blur.astype(np.float32) * _speed(truth)
    error *= scale[..., None]
    return error


def _speed(truth: np.ndarray) -> np.ndarray:
    """Displacement per frame, central differences, (S, T, K); 0 if unknown."""
    if truth.shape[1] < 2:
        return np.zeros(truth.shape[:3], dtype=np.float32)
    step = np.diff(truth, axis=1)
    step = np.concatenate([step[:, :1], step, step[:, -1:]], axis=1)
    step = 0.5 * (step[:, 1:] + step[:, :-1])
    return np.nan_to_num(np.linalg.norm(step, axis=-1))


def drift(scene: Scene) -> np.ndarray:
    """Slow errors relative to the size, (S, T, K, D)."""
    rng, truth, _, amounts, parts = scene
    num, frames, _, dims = truth.shape
    groups = int(parts.group.max()) + 1
    shared = smooth_noise(
        rng, (num, frames, groups, dims), amounts.drift_frames
    )[:, :, parts.group]
    own = smooth_noise(rng, truth.shape, amounts.drift_frames)
    tie = amounts.drift_limb_correlation[..., None]
    shared *= np.sqrt(tie).astype(np.float32)
    own *= np.sqrt(1 - tie).astype(np.float32)
    own += shared
    own *= (amounts.drift * parts.difficulty)[..., None].astype(np.float32)
    return own


def constant_errors(scene: Scene) -> np.ndarray:
    """Constant errors, (S, T, K, D)."""
    num, _, count, dims = scene.truth.shape
    bias = scene.rng.standard_normal((num, 1, count, dims), np.float32)
    scale = scene.amounts.bias * scene.parts.difficulty
    bias *= scale[..., None].astype(np.float32)
    return bias * scene.size[..., None, None]


def _occlude(scene: Scene) -> Tuple[np.ndarray, Optional[np.ndarray]]:
    """Displacement of hidden joints, (S, T, K, D).

    The second array marks those that the score does not show, bool (S, T, K);
    None: there are none.
    """
    rng, truth, size, amounts, parts = scene
    shape = truth.shape[:3]
    share = np.minimum(amounts.occlusion_share * parts.difficulty, 0.99)
    hidden, onset, until = bursts(rng, shape, share, amounts.occlusion_frames)
    burst = np.nonzero(hidden)
    who, when, which = burst
    begin = onset[burst]
    age = np.minimum(when - begin + 1, until[burst] - when)
    depth = smooth_step(age / _DRIFT_FRAMES)[:, None]
    # All random numbers of a burst are read where it began.
    start = (who, begin, which)
    kind = rng.random(shape, dtype=np.float32)[start]
    pull = rng.uniform(0.3, 1.0, shape)[start][:, None]
    aside = rng.standard_normal(truth.shape, dtype=np.float32)[start]
    target = _hidden_targets(scene, burst, begin, kind, pull)
    aside *= scene.amount_of('occlusion_std', who)[:, None].astype(np.float32)
    aside *= scene.axes[who, 0, 0]
    move = depth * (target - truth[burst] + aside * size[who, when, None])
    shift = np.zeros(truth.shape, dtype=np.float32)
    shift[burst] = move
    if not scene.has('occlusion_unseen'):
        return shift, None
    chance = rng.random(shape, dtype=np.float32)[start]
    unseen = np.zeros(shape, dtype=bool)
    unseen[burst] = chance < scene.amount_of('occlusion_unseen', who)
    return shift, unseen


def _hidden_targets(
    scene: Scene,
    burst: Tuple[np.ndarray, ...],
    begin: np.ndarray,
    kind: np.ndarray,
    pull: np.ndarray,
) -> np.ndarray:
    """Targets towards which N hidden joints drift, (N, D).

    They are frozen where they were in frame ``begin``, or drift to another
    joint or person; ``kind`` in [0, 1) decides.
    """
    rng, truth, size, _, parts = scene
    who, when, which = burst
    start = (who, begin, which)
    here, centre = truth[burst], _centre(truth)
    frozen = scene.amount_of('occlusion_freeze', who)
    target = np.where(
        (kind < frozen)[:, None],
        truth[start] + centre[who, when] - centre[who, begin],
        here + pull * (truth[who, when, parts.mirror[which]] - here),
    )
    if scene.has('occlusion_limb', 'occlusion_other'):
        limb = frozen + scene.amount_of('occlusion_limb', who)
        other = limb + scene.amount_of('occlusion_other', who)
        partner = rng.integers(truth.shape[2], size=truth.shape[:3])[start]
        beside = _beside(rng, len(truth), truth.shape[-1])[who]
        anywhere = here + pull * (truth[who, when, partner] - here)
        neighbour = here + beside * size[who, when, None]
        to_limb = (kind >= frozen) & (kind < limb)
        to_other = (kind >= limb) & (kind < other)
        target = np.where(to_limb[:, None], anywhere, target)
        target = np.where(to_other[:, None], neighbour, target)
    return target


def _centre(truth: np.ndarray) -> np.ndarray:
    """Reference point relative to which a hidden joint stays, (S, T, D).

    In 2D it freezes in the picture; a lifter predicts positions relative to
    the body, so in 3D it moves along with the person.
    """
    if truth.shape[-1] == 2:
        return np.zeros_like(truth[:, :, 0])
    known = ~np.isnan(truth).any(axis=-1, keepdims=True)
    count = np.maximum(known.sum(axis=2), 1)
    total = np.where(known, truth, 0).sum(axis=2)
    return (total / count).astype(np.float32)


def _beside(rng: np.random.Generator, num: int, dims: int) -> np.ndarray:
    """Position of a second person relative to this one, in sizes, (S, D)."""
    offset = _ABOVE * rng.standard_normal((num, dims), dtype=np.float32)
    side = rng.choice([-1.0, 1.0], num)
    offset[:, 0] = side * rng.uniform(*_BESIDE, num)
    return offset
