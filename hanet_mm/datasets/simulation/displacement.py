# Copyright (c) hanet_mm contributors. All rights reserved.
"""Displacement of joints: jitter, drift, bias, occlusions and outliers.

S sequences, T frames, K keypoints, D coordinates; in planes, see
:mod:`.planes`.
"""

from types import SimpleNamespace
from typing import NamedTuple, Optional, Tuple

import numpy as np

from .keypoints import KeypointParts
from .lifter_errors import lifting_errors
from .planes import plane_lengths
from .signals import (
    active_bursts,
    autoregressive,
    ends_of,
    filtered_twice,
    smooth_step,
)

# Frames in which the estimate of a hidden joint drifts off and comes back.
_DRIFT_FRAMES = 3
# A second person beside: distance in sizes, and the spread of the other
# coordinates.
_BESIDE, _ABOVE = (0.25, 0.8), 0.08

# Frames, sequences and keypoints of N keypoints, (N,) each.
Place = Tuple[np.ndarray, np.ndarray, np.ndarray]


class Scene(NamedTuple):
    """Everything that the errors depend on."""

    rng: np.random.Generator
    truth: np.ndarray  # (T, D, S, K) float32
    size: np.ndarray  # of the person, (T, S, 1) float32
    amounts: SimpleNamespace  # see EstimatorNoise.columns, (S or 1, 1)
    parts: KeypointParts

    @property
    def shape(self) -> Tuple[int, int, int]:
        """T, S and K."""
        frames, _, num, count = self.truth.shape
        return frames, num, count

    def stretch(self, errors: np.ndarray) -> np.ndarray:
        """Enlarge random errors (T, D, S, K) along the depth, in place."""
        if errors.shape[1] == 3:
            errors[:, 2] *= self.amounts.depth_factor.astype(np.float32)
        return errors

    def has(self, *names: str) -> bool:
        """Whether any of the amounts is above 0 for any sequence."""
        return any(np.any(getattr(self.amounts, x) > 0) for x in names)

    def amount_of(self, name: str, who: np.ndarray) -> np.ndarray:
        """Amount of each of the sequences ``who``, of their shape."""
        column = getattr(self.amounts, name)
        return np.broadcast_to(column[:, 0], self.shape[1])[who]

    def factors_of(self, who: np.ndarray) -> np.ndarray:
        """What :meth:`stretch` multiplies vectors of ``who`` by, (N, D)."""
        factors = np.ones((len(who), self.truth.shape[1]), np.float32)
        if factors.shape[1] == 3:
            factors[:, 2] = self.amount_of('depth_factor', who)
        return factors


def vectors_at(planes: np.ndarray, place: Place) -> np.ndarray:
    """Vectors (N, D) of planes (T, D, S, K)."""
    when, who, which = place
    return planes[when, :, who, which]


def displace(scene: Scene) -> Tuple[np.ndarray, np.ndarray]:
    """Errors of all kinds but swaps and misses, (T, D, S, K).

    The second array is the part of them that the scores follow.
    """
    rng, truth, size, amounts, parts = scene
    error = scene.stretch(_jitter(scene))
    place, move, unseen = _occlude(scene)
    when, who, which = place
    error[when, :, who, which] += move
    far = rng.random(scene.shape, np.float32) < amounts.outlier_share
    far &= parts.difficulty > 0
    when, who, which = np.nonzero(far)
    outlier = rng.standard_normal((len(who), truth.shape[1]))
    outlier *= scene.factors_of(who)
    reach = scene.amount_of('outlier_std', who) * size[when, who, 0]
    error[when, :, who, which] += reach[:, None] * outlier
    if scene.has('drift'):
        slow = scene.stretch(drift(scene))
        slow *= size[:, None]
        error += slow
    reported = error
    if unseen is not None:
        reported = error.copy()
        when, who, which = (x[unseen] for x in place)
        reported[when, :, who, which] -= move[unseen]
    if scene.has('bias'):
        error = error + scene.stretch(constant_errors(scene))
    if truth.shape[1] == 3:
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
    error[..., foot] += error[..., parts.ankle[foot]]
    return error


def _jitter(scene: Scene) -> np.ndarray:
    """Fast errors, (T, D, S, K)."""
    rng, truth, size, amounts, parts = scene
    frames, num, count = scene.shape
    spread = rng.standard_normal((num, count))
    scale = amounts.jitter * np.exp(amounts.jitter_spread * spread)
    scale = (scale * parts.difficulty).astype(np.float32) * size
    error = autoregressive(rng, truth.shape, amounts.jitter_correlation)
    if scene.has('jitter_tails'):
        sigma = amounts.jitter_tails.astype(np.float32)
        groups = (frames, num, int(parts.group.max()) + 1)
        pole = np.exp(-1 / amounts.jitter_tail_frames)
        tails = sigma * filtered_twice(rng, groups, pole)
        # The mean of exp(2 sigma z) is exp(2 sigma^2).
        scale *= np.exp(tails - sigma**2)[..., parts.group]
    if scene.has('jitter_blur'):
        blur = amounts.jitter_blur * (parts.difficulty > 0)
        blur = np.broadcast_to(blur, (num, count)).astype(np.float32)
        scale += blur * _speed(truth)
    error *= scale[:, None]
    return error


def _speed(truth: np.ndarray) -> np.ndarray:
    """Displacement per frame, central differences, (T, S, K); 0 if unknown."""
    speed = np.zeros_like(truth[:, 0])
    if len(truth) < 2:
        return speed
    speed[0], speed[-1] = plane_lengths(truth[[1, -1]] - truth[[0, -2]])
    speed[1:-1] = 0.5 * plane_lengths(truth[2:] - truth[:-2])
    speed[np.isnan(speed)] = 0
    return speed


def drift(scene: Scene) -> np.ndarray:
    """Slow errors relative to the size, (T, D, S, K)."""
    rng, truth, _, amounts, parts = scene
    pole = np.exp(-1 / amounts.drift_frames)
    groups = int(parts.group.max()) + 1
    shared = filtered_twice(rng, (*truth.shape[:3], groups), pole)
    own = filtered_twice(rng, truth.shape, pole)
    tie, most = amounts.drift_limb_correlation, amounts.drift
    share, rest = most * np.sqrt(tie), most * np.sqrt(1 - tie)
    shared *= share.astype(np.float32)
    own *= (rest * parts.difficulty).astype(np.float32)
    difficulty = parts.difficulty.astype(np.float32)
    own += shared[..., parts.group] * difficulty
    return own


def constant_errors(scene: Scene) -> np.ndarray:
    """Constant errors, (T, D, S, K)."""
    bias = scene.rng.standard_normal(scene.truth.shape[1:], np.float32)
    scale = scene.amounts.bias * scene.parts.difficulty
    bias *= scale.astype(np.float32)
    return bias * scene.size[:, None]


def _occlude(
    scene: Scene,
) -> Tuple[Place, np.ndarray, Optional[np.ndarray]]:
    """Places of N hidden joints and their displacements, (N, D).

    The third array marks those that the score does not show, bool (N,); None:
    there are none.
    """
    rng, truth, size, amounts, parts = scene
    share = np.minimum(amounts.occlusion_share * parts.difficulty, 0.99)
    lasting = amounts.occlusion_frames
    hidden = active_bursts(rng, scene.shape, share, lasting)
    place = when, who, which = np.nonzero(hidden)
    onset, until = (x[place] for x in ends_of(hidden, lasting))
    age = np.minimum(when - onset + 1, until - when)
    depth = smooth_step(age / _DRIFT_FRAMES)[:, None]
    # Each burst has random numbers of its own.
    number = np.empty(scene.shape, np.int32)
    begins = np.flatnonzero(when == onset)
    number[when[begins], who[begins], which[begins]] = np.arange(len(begins))
    burst = number[onset, who, which]
    kind = rng.random(len(begins))[burst]
    pull = rng.uniform(0.3, 1.0, len(begins))[burst, None]
    aside = rng.standard_normal((len(begins), truth.shape[1]))[burst]
    partner = rng.integers(truth.shape[-1], size=len(begins))[burst]
    target = _hidden_targets(scene, place, onset, kind, pull, partner)
    aside *= scene.amount_of('occlusion_std', who)[:, None]
    aside *= scene.factors_of(who)
    aside *= size[when, who]
    move = depth * (target - vectors_at(truth, place) + aside)
    if not scene.has('occlusion_unseen'):
        return place, move, None
    chance = rng.random(len(begins))[burst]
    return place, move, chance < scene.amount_of('occlusion_unseen', who)


def _hidden_targets(
    scene: Scene,
    place: Place,
    begin: np.ndarray,
    kind: np.ndarray,
    pull: np.ndarray,
    partner: np.ndarray,
) -> np.ndarray:
    """Targets towards which N hidden joints drift, (N, D).

    They are frozen where they were in frame ``begin``, or drift to another
    joint, ``partner``, or person; ``kind`` in [0, 1) decides.
    """
    rng, truth, size, _, parts = scene
    when, who, which = place
    here = vectors_at(truth, place)
    stays = vectors_at(truth, (begin, who, which))
    if truth.shape[1] == 3:
        centre = _centre(truth)
        stays += centre[when, :, who] - centre[begin, :, who]
    mirrored = vectors_at(truth, (when, who, parts.mirror[which]))
    frozen = scene.amount_of('occlusion_freeze', who)
    target = np.where(
        (kind < frozen)[:, None], stays, here + pull * (mirrored - here)
    )
    if scene.has('occlusion_limb', 'occlusion_other'):
        limb = frozen + scene.amount_of('occlusion_limb', who)
        other = limb + scene.amount_of('occlusion_other', who)
        beside = _beside(rng, truth.shape[2], truth.shape[1])[who]
        anywhere = vectors_at(truth, (when, who, partner))
        anywhere = here + pull * (anywhere - here)
        neighbour = here + beside * size[when, who]
        to_limb = (kind >= frozen) & (kind < limb)
        to_other = (kind >= limb) & (kind < other)
        target = np.where(to_limb[:, None], anywhere, target)
        target = np.where(to_other[:, None], neighbour, target)
    return target


def _centre(truth: np.ndarray) -> np.ndarray:
    """Reference point relative to which a hidden joint stays, (T, 3, S).

    In 2D it freezes in the picture; a lifter predicts positions relative to
    the body, so in 3D it moves along with the person.
    """
    known = ~np.isnan(truth)
    count = np.maximum(known.sum(axis=-1), 1)
    return np.where(known, truth, 0).sum(axis=-1) / count


def _beside(rng: np.random.Generator, num: int, dims: int) -> np.ndarray:
    """Position of a second person relative to this one, in sizes, (S, D)."""
    offset = _ABOVE * rng.standard_normal((num, dims), dtype=np.float32)
    side = rng.choice([-1.0, 1.0], num)
    offset[:, 0] = side * rng.uniform(*_BESIDE, num)
    return offset
