# Copyright (c) hanet_mm contributors. All rights reserved.
"""Errors of a keypoint estimator, simulated on true keypoints.

The errors of top-down estimators are described by M. R. Ronchi and P. Perona,
"Benchmarking and error diagnosis in multi-instance pose estimation", ICCV
2017: jitter, inversion (left/right swaps), swaps and misses. In video these
errors last: see A. Zeng et al., "SmoothNet", ECCV 2022, for their grouping
into jitter and long-term errors.

S sequences, T frames, K keypoints, D coordinates.
"""

from types import SimpleNamespace
from typing import Optional, Sequence, Tuple

import numpy as np

from hanet_mm.core.data.lengths import lengths

from .body import JHMDB_KEYPOINT_NAMES
from .displacement import Scene, displace
from .keypoints import LIMBS, keypoint_parts
from .noise_params import EstimatorNoise
from .planes import (
    plane_lengths,
    put_vectors,
    to_planes,
    to_points,
    vectors_at,
)
from .signals import Amount, active_bursts, autoregressive

# Score of an error as large as the tolerance is 1/2; the power sets how
# fast it falls. A found joint never has score 0.
_SCORE_POWER = 1.2
_LOWEST_SCORE = 1e-3
# Less counts as this where logarithms are taken.
_TINY = np.finfo(np.float32).tiny


def simulate_estimator_noise(
    keypoints: np.ndarray,
    size: np.ndarray,
    rng: np.random.Generator,
    params: Optional[EstimatorNoise] = None,
    keypoint_names: Sequence[str] = JHMDB_KEYPOINT_NAMES,
    image_size: Optional[np.ndarray] = None,
) -> Tuple[np.ndarray, np.ndarray]:
    """Simulate what an estimator reports for the true keypoints.

    Jitter, drift, occlusions and outliers displace joints; the score of one
    follows its displacement; then left and right are swapped together with
    their scores, so a swapped joint is as confident as any other, as it is
    with real estimators; last, joints go missing. Errors scale with ``size``,
    scores do not depend on it. With three coordinates the estimator is one
    that lifts poses to 3D, with camera coordinates (z along the viewing
    direction) and errors relative to the root: a joint named ``root`` or
    ``pelvis`` has no error.

    Args:
        keypoints (np.ndarray): Truth, (T, K, D) or (S, T, K, D), D 2 or 3; NaN
            = unknown, missing from the result.
        size (np.ndarray): Size of the person in the unit of the keypoints, one
            number or per frame (T,) or (S, T), see
            :func:`hanet_mm.core.poses.boxes.box_sizes`.
        rng (np.random.Generator): Source of randomness.
        params (EstimatorNoise, optional): Kinds and amounts of error.
        keypoint_names (Sequence[str]): K names such as ``left_wrist``; they
            tell the difficulty, sides and limbs.
        image_size (np.ndarray, optional): Width and height in px, (2,) or (S,
            2), for errors of joints outside; None: no such errors.

    Returns:
        Tuple[np.ndarray, np.ndarray]: Estimates like the keypoints, NaN =
        missing, and scores without the last axis, 0 = missing, both float32.

    Raises:
        ValueError: If shapes do not fit or a size is not positive.
    """
    points, size = _check_inputs(keypoints, size, keypoint_names)
    amounts = (params or EstimatorNoise()).columns(len(points))
    parts = keypoint_parts(tuple(keypoint_names), points.shape[-1])
    truth = to_planes(points)
    sizes = np.repeat(size.T[..., None], truth.shape[-1], axis=-1)
    scene = Scene(rng, truth, sizes, amounts, parts)
    estimate, reported = displace(scene)
    relative = plane_lengths(reported)
    relative /= sizes
    estimate = estimate + truth
    if image_size is not None and truth.shape[1] == 2:
        border = np.broadcast_to(image_size, (len(points), 2))
        _move_inside(scene, border, estimate, relative)
    relative = _informed(scene, relative)
    relative /= amounts.score_tolerance.astype(np.float32)
    scores = scores_of_errors(
        rng, relative, amounts.score_noise, amounts.score_correlation
    )
    scores = _rescale_scores(scores, amounts)
    _swap_sides(scene, estimate, scores)
    missing = _missing(scene)
    for axis in range(estimate.shape[1]):
        missing |= np.isnan(estimate[:, axis])
    places = np.flatnonzero(missing)
    put_vectors(estimate, places, np.float32(np.nan))
    scores.reshape(-1)[places] = 0
    shape = np.shape(keypoints)
    scores = np.ascontiguousarray(scores.swapaxes(0, 1))
    return to_points(estimate).reshape(shape), scores.reshape(shape[:-1])


def _check_inputs(
    keypoints: np.ndarray, size: np.ndarray, names: Sequence[str]
) -> Tuple[np.ndarray, np.ndarray]:
    """Inputs as (S, T, K, D) and (S, T) float32."""
    keypoints = np.asarray(keypoints, dtype=np.float32)
    if keypoints.ndim not in (3, 4) or keypoints.shape[-1] not in (2, 3):
        raise ValueError(
            'keypoints: expected (T, K, D) or (S, T, K, D) with D 2 or 3, '
            f'found {keypoints.shape}'
        )
    if keypoints.shape[-2] != len(names):
        raise ValueError(
            f'keypoints: expected {len(names)} (keypoint_names), '
            f'found {keypoints.shape[-2]}'
        )
    if not keypoints.size:
        raise ValueError(
            f'keypoints: expected at least 1 frame, found {keypoints.shape}'
        )
    size = np.asarray(size, dtype=np.float32)
    if size.shape not in ((), keypoints.shape[:-2]):
        raise ValueError(
            f'size: expected one number or {keypoints.shape[:-2]}, '
            f'found {size.shape}'
        )
    if (size <= 0).any():
        raise ValueError(f'size: expected > 0, found {np.nanmin(size):g}')
    size = np.broadcast_to(size, keypoints.shape[:-2])
    if keypoints.ndim == 3:
        return keypoints[None], size[None]
    return keypoints, size


def _move_inside(
    scene: Scene,
    image_size: np.ndarray,
    estimate: np.ndarray,
    relative: np.ndarray,
) -> None:
    """Report joints outside the image (S, 2) at its border, or elsewhere.

    The choice for a joint holds for the whole sequence. Changes estimates
    (T, 2, S, K), and their errors relative to the size (T, S, K).
    """
    rng, truth, size, amounts, _ = scene
    _, num, count = scene.shape
    last = np.asarray(image_size, dtype=np.float32)
    outside = np.zeros(scene.shape, bool)
    for axis in range(2):
        outside |= truth[:, axis] < 0
        outside |= truth[:, axis] > last[:, axis, None]
    kind = rng.random((num, count))
    partner = rng.integers(count, size=(num, count))
    clamp = kind < amounts.outside_clamp
    stray = ~clamp & (kind < amounts.outside_clamp + amounts.outside_stray)
    partner = np.where(stray, partner, np.arange(count))
    places = np.flatnonzero(outside & (clamp | stray))
    pair = places % (num * count)
    shift = partner.reshape(-1)[pair] - pair % count
    other = vectors_at(estimate, places + shift)
    inside = np.clip(other, 0, last[pair // count].T)
    put_vectors(estimate, places, inside)
    far = lengths((inside - vectors_at(truth, places)).T)
    relative.reshape(-1)[places] = far / size.reshape(-1)[places]


def taken_from(values: np.ndarray, source: np.ndarray) -> np.ndarray:
    """Values (S, T, K, ...) of other keypoints, source (S, T, K).

    Most keypoints are their own source.
    """
    place = np.nonzero(source != np.arange(source.shape[2]))
    taken = values.copy()
    taken[place] = values[(*place[:2], source[place])]
    return taken


def scores_of_errors(
    rng: np.random.Generator,
    error: np.ndarray,
    noise: Amount,
    correlation: Amount = 0.0,
) -> np.ndarray:
    """Noisy decreasing function of the error in tolerances, (0, 1].

    ``noise`` is the sigma of the log-normal factor on the error that the
    score reports, ``correlation`` that of its logarithm along axis 0.
    """
    doubt = autoregressive(rng, error.shape, correlation)
    doubt *= np.asarray(noise, dtype=np.float32)
    doubt += np.float32(_SCORE_POWER) * _log(error)
    np.exp(doubt, out=doubt)
    doubt += 1
    return np.maximum(1 / doubt, np.float32(_LOWEST_SCORE))


def _log(values: np.ndarray) -> np.ndarray:
    """Logarithm of numbers >= 0, float32 and finite; powers take longer."""
    return np.log(np.maximum(values, _TINY), dtype=np.float32)


def _informed(scene: Scene, error: np.ndarray) -> np.ndarray:
    """Errors (T, S, K) that scores follow: their own, or another's too."""
    own = scene.amounts.score_information.astype(np.float32)
    if (own == 1).all():
        return error
    frames, _, count = error.shape
    other = error[..., scene.rng.permutation(count)]
    other = np.roll(other, frames // 2, axis=0)
    return error**own * other ** (1 - own)


def _rescale_scores(
    scores: np.ndarray, amounts: SimpleNamespace
) -> np.ndarray:
    """Bring scores in (0, 1] to the scale of an estimator, (T, S, K)."""
    high, span, power = (
        getattr(amounts, f'score_{name}').astype(np.float32)
        for name in ('high', 'span', 'power')
    )
    if (power != 1).any():
        scores = np.exp(power * _log(scores))
    elif (high == 1).all() and (span == 1).all():
        return scores
    return np.maximum(high - span * (1 - scores), np.float32(_LOWEST_SCORE))


def _events(scene: Scene, kind: str, count: int) -> np.ndarray:
    """Frames with an event of a kind, bool (T, S, count)."""
    share = getattr(scene.amounts, f'{kind}_share')
    frames = getattr(scene.amounts, f'{kind}_frames')
    return active_bursts(scene.rng, (*scene.shape[:2], count), share, frames)


def _swap_sides(
    scene: Scene, estimate: np.ndarray, scores: np.ndarray
) -> None:
    """Let left and right change places in estimates and scores."""
    parts = scene.parts
    whole = _events(scene, 'body_swap', 1)
    limbs = _events(scene, 'limb_swap', len(LIMBS))
    # A limb swapped within a swapped body is back in its place.
    swap = whole ^ (limbs[..., parts.limb] & (parts.limb >= 0))
    if scene.has('half_swap_share'):
        halves = _events(scene, 'half_swap', 2)
        in_half = parts.half < 2
        swap ^= halves[..., np.where(in_half, parts.half, 0)] & in_half
    foot = parts.ankle >= 0
    if foot.any():
        # Toes and heels are taken for those of the other foot.
        swap ^= _events(scene, 'limb_swap', 1) & foot
    swap &= parts.mirror != np.arange(len(parts.mirror))
    places = np.flatnonzero(swap)
    which = places % len(parts.mirror)
    source = places + parts.mirror[which] - which
    put_vectors(estimate, places, vectors_at(estimate, source))
    scores = scores.reshape(-1)
    scores[places] = scores[source]


def _missing(scene: Scene) -> np.ndarray:
    """Joints that are not found, bool (T, S, K)."""
    missing = _events(scene, 'missing', scene.shape[2])
    if scene.has('frame_missing_share'):
        missing |= _events(scene, 'frame_missing', 1)
    foot = scene.parts.ankle >= 0
    if foot.any():
        missing[..., foot] |= missing[..., scene.parts.ankle[foot]]
    return missing
