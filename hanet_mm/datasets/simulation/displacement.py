# Copyright (c) hanet_mm contributors. All rights reserved.
"""Displacement of joints: jitter, drift, bias, occlusions and outliers.

S sequences, T frames, K keypoints, D coordinates; in planes, see
:mod:`.planes`.
"""

from types import SimpleNamespace
from typing import NamedTuple, Optional, Tuple

import numpy as np

from hanet_mm.core.data.runs import find_runs

from .keypoints import KeypointParts
from .lifter_errors import lifting_errors
from .planes import add_vectors, plane_lengths, vectors_at
from .signals import (
    active_bursts,
    autoregressive,
    filter_twice,
    filtered_twice,
    smooth_step,
)

# Frames in which the estimate of a hidden joint drifts off and comes back.
_DRIFT_FRAMES = 3
# A second person beside: distance in sizes, and the spread of the other
# coordinates.
_BESIDE, _ABOVE = (0.25, 0.8), 0.08


class Scene(NamedTuple):
    """Everything that the errors depend on."""

    rng: np.random.Generator
    truth: np.ndarray  # (T, D, S, K) float32
    size: np.ndarray  # of the person, (T, S, K) float32
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
        return any(getattr(self.amounts, x).any() for x in names)

    def amount_of(self, name: str, who: np.ndarray) -> np.ndarray:
        """Amount of each of the sequences ``who``, of their shape."""
        column = getattr(self.amounts, name)
        return np.broadcast_to(column[:, 0], self.shape[1])[who]

    def factors_of(self, who: np.ndarray) -> np.ndarray:
        """What :meth:`stretch` multiplies vectors of ``who`` by, (D, N)."""
        factors = np.ones((self.truth.shape[1], len(who)), np.float32)
        if len(factors) == 3:
            factors[2] = self.amount_of('depth_factor', who)
        return factors

    def who(self, places: np.ndarray) -> np.ndarray:
        """Sequences of places in flattened arrays (T, S, K), (N,)."""
        _, num, count = self.shape
        return places // count % num


def displace(scene: Scene) -> Tuple[np.ndarray, np.ndarray]:
    """Errors of all kinds but swaps and misses, (T, D, S, K).

    The second array is the part of them that the scores follow.
    """
    rng, truth, size, amounts, parts = scene
    error = scene.stretch(_jitter(scene))
    hidden, move, unseen = _occlude(scene)
    add_vectors(error, hidden, move)
    far = rng.random(scene.shape, np.float32) < amounts.outlier_share
    far &= parts.difficulty > 0
    places = np.flatnonzero(far)
    who = scene.who(places)
    outlier = rng.standard_normal((len(who), truth.shape[1])).T
    outlier = outlier * scene.factors_of(who)
    outlier *= scene.amount_of('outlier_std', who) * size.reshape(-1)[places]
    add_vectors(error, places, outlier)
    if scene.has('drift'):
        slow = scene.stretch(drift(scene))
        slow *= size[:, None]
        error += slow
    reported = error
    if unseen is not None:
        reported = error.copy()
        add_vectors(reported, hidden[unseen], -move[:, unseen])
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
    groups = (*truth.shape[:3], int(parts.group.max()) + 1)
    kind = np.float32
    limbs, limbs_begin, own, own_begin = (
        rng.standard_normal(shape, kind)
        for whole in (groups, truth.shape)
        for shape in (whole, whole[1:])
    )
    tie = amounts.drift_limb_correlation
    most = amounts.drift * parts.difficulty
    share = (most * np.sqrt(tie)).astype(kind)
    rest = (most * np.sqrt(1 - tie)).astype(kind)
    for noise, shared in ((own, limbs), (own_begin, limbs_begin)):
        noise *= rest
        noise += share * shared[..., parts.group]
    return filter_twice(own, own_begin, np.exp(-1 / amounts.drift_frames))


def constant_errors(scene: Scene) -> np.ndarray:
    """Constant errors, (T, D, S, K)."""
    bias = scene.rng.standard_normal(scene.truth.shape[1:], np.float32)
    scale = scene.amounts.bias * scene.parts.difficulty
    bias *= scale.astype(np.float32)
    return bias * scene.size[:, None]


def _occlude(
    scene: Scene,
) -> Tuple[np.ndarray, np.ndarray, Optional[np.ndarray]]:
    """Places of N hidden joints and their displacements, (N,) and (D, N).

    The third array marks those that the score does not show, bool (N,); None:
    there are none.
    """
    rng, truth, size, amounts, parts = scene
    frames, num, count = scene.shape
    share = np.minimum(amounts.occlusion_share * parts.difficulty, 0.99)
    lasting = amounts.occlusion_frames
    hidden = active_bursts(rng, scene.shape, share, lasting)
    pair, when, begins, ends, burst = find_runs(hidden.reshape(frames, -1))
    places = when * (num * count) + pair
    # Each burst has random numbers of its own; they are drawn in the order of
    # time.
    begin = places[begins]
    order = np.empty(len(begin), np.int64)
    order[np.argsort(begin)] = np.arange(len(begin))
    who = pair[begins] // count
    kind = rng.random(len(begin))[order]
    pull = rng.uniform(0.3, 1.0, len(begin))[order]
    aside = rng.standard_normal((len(begin), truth.shape[1]))[order].T
    partner = rng.integers(count, size=len(begin))[order]
    aside = aside * scene.factors_of(who)
    aside *= scene.amount_of('occlusion_std', who)
    onset, until = when[begins], when[ends] + 1
    lasting = np.ceil(np.broadcast_to(lasting[:, 0], num)[who])
    # The end of those that are hidden to the last is not known.
    until = until + np.where(until == frames, lasting, 0)
    age = np.minimum(when - onset[burst] + 1, until[burst] - when)
    depth = smooth_step(age / _DRIFT_FRAMES)
    aim = _hidden_aims(scene, places, burst, begin, (kind, pull, partner))
    aim += aside[:, burst] * size.reshape(-1)[places]
    aim *= depth
    if not scene.has('occlusion_unseen'):
        return places, aim, None
    chance = rng.random(len(begin))[order]
    unseen = chance < scene.amount_of('occlusion_unseen', who)
    return places, aim, unseen[burst]


def _hidden_aims(
    scene: Scene,
    places: np.ndarray,
    burst: np.ndarray,
    begin: np.ndarray,
    drawn: Tuple[np.ndarray, np.ndarray, np.ndarray],
) -> np.ndarray:
    """Where N hidden joints drift, from where they are, (D, N).

    They are frozen where they were when the burst ``begin`` (M,) began, or
    drift to another joint, or person. What was ``drawn`` for the bursts
    decides: a kind in [0, 1), how far, and which other joint.
    """
    rng, truth, size, _, parts = scene
    _, num, count = scene.shape
    kind, pull, partner = drawn
    who, which = scene.who(begin), begin % count
    frozen = kind < scene.amount_of('occlusion_freeze', who)
    other = parts.mirror[which]
    beside = None
    if scene.has('occlusion_limb', 'occlusion_other'):
        limb = scene.amount_of('occlusion_freeze', who)
        limb = limb + scene.amount_of('occlusion_limb', who)
        other = np.where(kind < limb, partner, other)
        far = limb + scene.amount_of('occlusion_other', who)
        beside = (kind >= limb) & (kind < far) & ~frozen
        offset = _beside(rng, num, truth.shape[1])[who].T
    still = frozen[burst]
    source = np.where(still, begin[burst], places + (other - which)[burst])
    aim = vectors_at(truth, source) - vectors_at(truth, places)
    if truth.shape[1] == 3:
        middle = np.moveaxis(_centre(truth), 1, 0).reshape(3, -1)
        now = places[still] // count
        aim[:, still] += middle[:, now] - middle[:, source[still] // count]
    aim = aim * np.where(frozen, 1, pull)[burst]
    if beside is not None:
        near = beside[burst]
        aside = offset[:, burst[near]] * size.reshape(-1)[places[near]]
        aim[:, near] = aside
    return aim


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
