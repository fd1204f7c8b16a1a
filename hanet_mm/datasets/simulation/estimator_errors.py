# Copyright (c) hanet_mm contributors. All rights reserved.
"""Errors of estimators in unannotated video, against their own consensus.

Nobody knows the truth there, but several estimators seldom make one error at
the same time: the median of their poses, left and right put right, is smoothed
over time and taken for it. What this cannot show are errors that all of them
share and that last: constant offsets and slow drift.

E estimators, T frames, K keypoints, D coordinates.
"""

from itertools import product
from typing import List, NamedTuple, Sequence, Tuple

import numpy as np

from hanet_mm.core.data.gaps import fill_missing, missing_keypoints
from hanet_mm.core.poses.boxes import person_size
from hanet_mm.core.refine.robust_path import robust_path
from hanet_mm.core.refine.swap_chains import NUM_CHAINS, SwapChains
from hanet_mm.core.refine.unswap import unswap

# Frames count in which the estimators differ by less, in body sizes, and
# constant differences below.
_AGREEMENT = 0.15
# Distances are capped when it is decided which side is which; a chain is on
# the other side if it is nearer to that by more than the margin.
_CAP, _MARGIN = 0.4, 0.03
_ROUNDS = 2


class ClipErrors(NamedTuple):
    """Errors of E estimators in a clip, in sizes of the person.

    Attributes:
        errors (np.ndarray): Estimate less the place that it is an estimate
            of, (E, T, K, D) float32; NaN = missing.
        scores (np.ndarray): (E, T, K) float32; 0 = missing.
        swapped (np.ndarray): Where that place is the keypoint of the other
            side, bool (E, T, K).
        offsets (np.ndarray): Constant part of each estimator, not contained
            in the errors, (E, K, D); NaN where it has no estimate.
        agreed (np.ndarray): Frames in which the estimators agree, bool (T,).
    """

    errors: np.ndarray
    scores: np.ndarray
    swapped: np.ndarray
    offsets: np.ndarray
    agreed: np.ndarray


def clip_errors(
    keypoints: np.ndarray,
    scores: np.ndarray,
    chains: SwapChains,
    fps: float = 30.0,
) -> ClipErrors:
    """Find the errors of estimators in one clip of one person.

    Args:
        keypoints (np.ndarray): Estimates, (E, T, K, D); NaN = missing. Some
            keypoint of the clip has to be there.
        scores (np.ndarray): (E, T, K); 0 = missing.
        chains (SwapChains): See :func:`swap_chains`.
        fps (float): Frames per second. Defaults to 30.

    Returns:
        ClipErrors: Against the consensus; of a single estimator, against its
        own smooth path.
    """
    missing = np.stack([missing_keypoints(*x) for x in zip(keypoints, scores)])
    given = np.where(missing[..., None], np.nan, keypoints.astype(np.float64))
    swapped = np.stack(
        [unswap(*x).swapped for x in zip(given, [chains] * len(given), scores)]
    )
    size = person_size(given.reshape(-1, *given.shape[2:]))
    size = size if size > 0 else 1.0
    swapped ^= _other_sides(_put(given, swapped, chains) / size, chains)
    for _ in range(_ROUNDS):
        poses = _put(given, swapped, chains)
        middle = _nanmedian(poses, axis=0)
        offsets = _nanmedian(poses - middle, axis=1)
        path = _smooth(_nanmedian(poses - offsets[:, None], axis=0), fps)
        places = path + np.nan_to_num(offsets)[:, None]
        swapped = _nearer_side(given, places, swapped, chains, size)
    size = person_size(path)
    errors = (_put(given, swapped, chains) - places) / size
    swapped &= np.isfinite(given).all(-1)
    return ClipErrors(
        _put(
            errors, swapped | swapped[..., chains.flip_indices], chains
        ).astype(np.float32),
        np.where(missing, 0, scores).astype(np.float32),
        swapped,
        (offsets / size).astype(np.float32),
        _agreement(errors) < _AGREEMENT,
    )


def runs_of(frames: np.ndarray, shortest: int, longest: int) -> np.ndarray:
    """First frames and lengths of the runs in bool (T,), (P, 2) int.

    Runs shorter than ``shortest`` are left out, ones longer than ``longest``
    cut into pieces of about equal length.
    """
    edges = np.diff(np.pad(frames.astype(int), 1))
    begin, end = np.flatnonzero(edges > 0), np.flatnonzero(edges < 0)
    pieces: List[Tuple[int, int]] = []
    for first, length in zip(begin, end - begin):
        if length >= shortest:
            count = -(-length // longest)
            cuts = np.linspace(0, length, count + 1).astype(int)
            pieces += [(first + a, b - a) for a, b in zip(cuts, cuts[1:])]
    return np.array(pieces, int).reshape(-1, 2)


def definition_biases(
    offsets: np.ndarray, networks: Sequence[str]
) -> np.ndarray:
    """Constant differences of networks by sqrt(2), (pairs, K, D).

    Two networks that are wrong independently of each other, by the same
    amount, differ by sqrt(2) times of it. ``offsets`` are those of E
    estimators, (E, K, D), of which some may be of the same network. Pairs are
    left out if a keypoint is not known or so far apart that it is no matter
    of definition, such as legs outside the picture.
    """
    names = sorted({*networks})
    means = np.stack(
        [_nanmean(offsets[[n == name for n in networks]]) for name in names]
    )
    first, second = np.triu_indices(len(names), 1)
    apart = means[first] - means[second]
    usual = (np.linalg.norm(apart, axis=-1) < _AGREEMENT).all(1)
    return (apart[usual] / np.sqrt(2)).astype(np.float32)


def _put(
    values: np.ndarray, swapped: np.ndarray, chains: SwapChains
) -> np.ndarray:
    """Let swapped keypoints (E, T, K, D) change places in pairs."""
    other = values[:, :, chains.flip_indices]
    return np.where(swapped[..., None], other, values)


def _other_sides(poses: np.ndarray, chains: SwapChains) -> np.ndarray:
    """Estimators whose sides are those of the minority, bool (E, 1, 1).

    Each is consistent over time; of all ways to turn some of them over, the
    one is taken in which they lie nearest to each other, with fewest turned.
    """
    count = len(poses)
    flipped = poses[:, :, chains.flip_indices]
    apart = np.zeros((count, count, 2))
    for i, j in product(range(count), repeat=2):
        for side, other in enumerate((poses[j], flipped[j])):
            steps = np.linalg.norm(poses[i] - other, axis=-1)
            steps = steps[np.isfinite(steps)]
            apart[i, j, side] = np.minimum(steps, _CAP).sum()
    choices = np.array(list(product((0, 1), repeat=count)))
    choices = choices[np.argsort(choices.sum(1), kind='stable')]
    relative = choices[:, :, None] ^ choices[:, None, :]
    cost = np.where(relative, apart[..., 1], apart[..., 0]).sum((1, 2))
    turned = choices[np.argmin(np.round(cost, 9))].astype(bool)
    return turned[:, None, None] & (chains.chains >= 0)


def _nearer_side(
    given: np.ndarray,
    places: np.ndarray,
    swapped: np.ndarray,
    chains: SwapChains,
    size: float,
) -> np.ndarray:
    """Chains on the other side of the consensus, as before if in doubt."""
    own = np.linalg.norm(given - places, axis=-1) / size
    other = places[:, :, chains.flip_indices]
    other = np.linalg.norm(given - other, axis=-1) / size
    nearer = np.minimum(own, _CAP) - np.minimum(other, _CAP)
    swapped = swapped.copy()
    for chain in range(NUM_CHAINS):
        of_chain = chains.chains == chain
        if of_chain.any():
            mean = _nanmean(nearer[..., of_chain], axis=-1)
            clear = np.abs(np.nan_to_num(mean)) > _MARGIN
            swapped[..., of_chain] = np.where(
                clear[..., None],
                mean[..., None] > 0,
                swapped[..., of_chain],
            )
    return swapped


def _smooth(poses: np.ndarray, fps: float) -> np.ndarray:
    missing = np.isnan(poses).any(-1)
    filled = fill_missing(poses, missing, np.array([len(poses)]))
    return robust_path(filled, missing, fps).keypoints.astype(np.float64)


def _agreement(errors: np.ndarray) -> np.ndarray:
    """Mean over the keypoints of the largest distance of two estimators."""
    count = len(errors)
    worst = np.zeros(errors.shape[1])
    for i, j in zip(*np.triu_indices(count, 1)):
        apart = np.linalg.norm(errors[i] - errors[j], axis=-1)
        worst = np.maximum(worst, np.nan_to_num(_nanmean(apart, axis=-1)))
    return worst


def _nanmedian(values: np.ndarray, axis: int) -> np.ndarray:
    """Median, NaN without a warning where nothing is known."""
    known = np.isfinite(values)
    ordered = np.sort(np.where(known, values, np.inf), axis=axis)
    count = known.sum(axis=axis, keepdims=True)
    low = np.take_along_axis(ordered, np.maximum(count - 1, 0) // 2, axis)
    high = np.minimum(count // 2, values.shape[axis] - 1)
    high = np.take_along_axis(ordered, high, axis)
    middle = np.where(count > 0, (low + np.where(count > 0, high, 0)) / 2, 0)
    return np.where(count > 0, middle, np.nan).squeeze(axis)


def _nanmean(values: np.ndarray, axis: int = 0) -> np.ndarray:
    """Mean, NaN without a warning where nothing is known."""
    known = np.isfinite(values)
    total = np.where(known, values, 0).sum(axis)
    count = known.sum(axis)
    return np.where(count > 0, total / np.maximum(count, 1), np.nan)
