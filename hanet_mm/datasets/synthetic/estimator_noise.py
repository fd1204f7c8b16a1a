"""Errors of a keypoint estimator, simulated on true keypoints.

What top-down estimators do wrong is described by M. R. Ronchi and P. Perona,
"Benchmarking and error diagnosis in multi-instance pose estimation", ICCV
2017: jitter, inversion (left/right swaps), swaps and misses. In video these
errors last: see A. Zeng et al., "SmoothNet", ECCV 2022, for their grouping
into jitter and long-term errors.
"""

from functools import lru_cache
from typing import NamedTuple, Optional, Sequence, Tuple

import numpy as np

from .body import JHMDB_KEYPOINT_NAMES
from .noise_params import EstimatorNoise
from .temporal_noise import bursts, correlated_noise
from .timeline import smooth_step

# Jitter relative to the whole body by part; the ends of limbs are hardest.
_DIFFICULTY = dict(
    wrist=1.75, ankle=1.4, elbow=1.4, knee=1.0, hip=0.7, shoulder=0.85
)
_OTHER_DIFFICULTY = 0.9
_LIMBS = (('elbow', 'wrist'), ('knee', 'ankle'))
# Frames in which the estimate of a hidden joint drifts off and comes back.
_DRIFT_FRAMES = 3
# Score of an error as large as the tolerance is 1/2; the power sets how
# fast it falls. A found joint never has score 0.
_SCORE_POWER = 1.2
_LOWEST_SCORE = 1e-3


class _Parts(NamedTuple):
    """What the keypoint names tell: (K,) arrays."""

    difficulty: np.ndarray
    mirror: np.ndarray
    limb: np.ndarray


@lru_cache(maxsize=16)
def _parts(names: Tuple[str, ...]) -> _Parts:
    """Difficulty, mirrored joint and limb (-1: none) of each keypoint."""
    place = {name: i for i, name in enumerate(names)}
    swap = {'left': 'right', 'right': 'left'}
    difficulty, mirror, limb = [], [], []
    for name in names:
        side, _, part = name.partition('_')
        difficulty.append(_DIFFICULTY.get(part, _OTHER_DIFFICULTY))
        other = f'{swap[side]}_{part}' if side in swap else name
        mirror.append(place.get(other, place[name]))
        limb.append(next((i for i, x in enumerate(_LIMBS) if part in x), -1))
    return _Parts(np.array(difficulty), np.array(mirror), np.array(limb))


def _occlude(
    rng: np.random.Generator,
    truth: np.ndarray,
    size: np.ndarray,
    params: EstimatorNoise,
    parts: _Parts,
) -> np.ndarray:
    """Displacement of hidden joints, (S, T, K, D)."""
    shape = truth.shape[:3]
    share = np.minimum(params.occlusion_share * parts.difficulty, 0.99)
    hidden, onset, until = bursts(rng, shape, share, params.occlusion_frames)
    who, when, which = np.nonzero(hidden)
    begin = onset[who, when, which]
    age = np.minimum(when - begin + 1, until[who, when, which] - when)
    depth = smooth_step(age / _DRIFT_FRAMES)[:, None]
    # Everything random about a burst is read where it began.
    frozen = rng.random(shape, dtype=np.float32)[who, begin, which]
    pull = rng.uniform(0.3, 1.0, shape)[who, begin, which]
    aside = rng.standard_normal(truth.shape, dtype=np.float32)
    here = truth[who, when, which]
    target = np.where(
        (frozen < params.occlusion_freeze)[:, None],
        truth[who, begin, which],
        here + pull[:, None] * (truth[who, when, parts.mirror[which]] - here),
    )
    aside = params.occlusion_std * aside[who, begin, which]
    shift = np.zeros(truth.shape, dtype=np.float32)
    shift[who, when, which] = depth * (
        target - here + aside * size[who, when, None]
    )
    return shift


def _displacement(
    rng: np.random.Generator,
    truth: np.ndarray,
    size: np.ndarray,
    params: EstimatorNoise,
    parts: _Parts,
) -> np.ndarray:
    """Jitter, occlusions and outliers together, (S, T, K, D)."""
    num, frames, count, dims = truth.shape
    spread = rng.standard_normal((num, 1, count))
    scale = params.jitter * np.exp(params.jitter_spread * spread)
    scale = (scale * parts.difficulty).astype(np.float32) * size[..., None]
    error = correlated_noise(rng, truth.shape, params.jitter_correlation)
    error *= scale[..., None]
    error += _occlude(rng, truth, size, params, parts)
    far = rng.random((num, frames, count)) < params.outlier_share
    strayed = rng.standard_normal((np.count_nonzero(far), dims))
    reach = params.outlier_std * size[np.nonzero(far)[:2]]
    error[far] += reach[:, None] * strayed
    return error


def _swapped(
    rng: np.random.Generator,
    shape: Tuple[int, int, int],
    params: EstimatorNoise,
    parts: _Parts,
) -> np.ndarray:
    """Keypoint whose estimate is reported for each keypoint, (S, T, K)."""
    num, frames, _ = shape
    whole, *_ = bursts(
        rng, (num, frames, 1), params.body_swap_share, params.body_swap_frames
    )
    limbs, *_ = bursts(
        rng,
        (num, frames, len(_LIMBS)),
        params.limb_swap_share,
        params.limb_swap_frames,
    )
    # A limb swapped within a swapped body is back in its place.
    swap = whole ^ (limbs[..., parts.limb] & (parts.limb >= 0))
    return np.where(swap, parts.mirror, np.arange(shape[2]))


def _scores(
    rng: np.random.Generator, error: np.ndarray, params: EstimatorNoise
) -> np.ndarray:
    """Noisy decreasing function of the error relative to the size."""
    doubt = (error / params.score_tolerance) ** _SCORE_POWER
    noise = rng.standard_normal(error.shape, dtype=np.float32)
    doubt *= np.exp(params.score_noise * noise)
    return np.maximum(1 / (1 + doubt), _LOWEST_SCORE)


def _checked(
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


def box_size(bboxes: np.ndarray) -> np.ndarray:
    """Longer side of boxes x1, y1, x2, y2, (..., 4) -> (...)."""
    return np.max(bboxes[..., 2:] - bboxes[..., :2], axis=-1)


def simulate_estimator_noise(
    keypoints: np.ndarray,
    size: np.ndarray,
    rng: np.random.Generator,
    params: Optional[EstimatorNoise] = None,
    keypoint_names: Sequence[str] = JHMDB_KEYPOINT_NAMES,
) -> Tuple[np.ndarray, np.ndarray]:
    """What an estimator might report for the true keypoints.

    Jitter, occlusions and outliers displace joints; the score of a joint
    follows its displacement; then left and right are swapped together with
    their scores, so a swapped joint is as confident as any other, as it is
    with real estimators; last, joints go missing. Errors scale with
    ``size``, scores do not depend on it.

    Args:
        keypoints (np.ndarray): Truth, (T, K, D) or (S, T, K, D), D 2 or 3;
            NaN = unknown, missing from the result.
        size (np.ndarray): Size of the person in the unit of the keypoints,
            one number or per frame (T,) or (S, T), see :func:`box_size`.
        rng (np.random.Generator): Source of randomness.
        params (EstimatorNoise, optional): Kinds and amounts of error.
            Defaults to None: ``EstimatorNoise()``.
        keypoint_names (Sequence[str]): K names such as ``left_wrist``; they
            tell the difficulty, sides and limbs.

    Returns:
        Tuple[np.ndarray, np.ndarray]: Estimates in the shape of the
        keypoints, NaN = missing, and scores without the last axis,
        0 = missing, both float32.

    Raises:
        ValueError: Shapes do not fit or a size is not positive.
    """
    params = params or EstimatorNoise()
    truth, size = _checked(keypoints, size, keypoint_names)
    parts = _parts(tuple(keypoint_names))
    error = _displacement(rng, truth, size, params, parts)
    relative = np.linalg.norm(error, axis=-1) / size[..., None]
    scores = _scores(rng, relative, params)
    source = _swapped(rng, scores.shape, params, parts)
    estimate = np.take_along_axis(truth + error, source[..., None], axis=2)
    scores = np.take_along_axis(scores, source, axis=2)
    missing, *_ = bursts(
        rng, scores.shape, params.missing_share, params.missing_frames
    )
    missing |= np.isnan(estimate).any(axis=-1)
    estimate[missing] = np.nan
    scores = np.where(missing, 0, scores).astype(np.float32)
    shape = np.shape(keypoints)
    return estimate.reshape(shape), scores.reshape(shape[:-1])
