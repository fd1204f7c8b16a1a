"""Errors of a keypoint estimator, simulated on true keypoints.

What top-down estimators do wrong is described by M. R. Ronchi and P. Perona,
"Benchmarking and error diagnosis in multi-instance pose estimation", ICCV
2017: jitter, inversion (left/right swaps), swaps and misses. In video these
errors last: see A. Zeng et al., "SmoothNet", ECCV 2022, for their grouping
into jitter and long-term errors.
"""

from typing import Optional, Sequence, Tuple

import numpy as np

from .body import JHMDB_KEYPOINT_NAMES
from .keypoint_parts import LIMBS, KeypointParts, keypoint_parts
from .noise_params import EstimatorNoise
from .temporal_noise import bursts, correlated_noise, smooth_noise
from .timeline import smooth_step

# Frames in which the estimate of a hidden joint drifts off and comes back.
_DRIFT_FRAMES = 3
# Score of an error as large as the tolerance is 1/2; the power sets how
# fast it falls. A found joint never has score 0.
_SCORE_POWER = 1.2
_LOWEST_SCORE = 1e-3


def _axes(dims: int, params: EstimatorNoise) -> np.ndarray:
    """Factor on the random errors along each coordinate, (D,)."""
    return np.float32([1, 1, params.depth_factor][:dims])


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


def _occlude(
    rng: np.random.Generator,
    truth: np.ndarray,
    size: np.ndarray,
    params: EstimatorNoise,
    parts: KeypointParts,
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
    centre = _centre(truth)
    target = np.where(
        (frozen < params.occlusion_freeze)[:, None],
        truth[who, begin, which] + centre[who, when] - centre[who, begin],
        here + pull[:, None] * (truth[who, when, parts.mirror[which]] - here),
    )
    aside = params.occlusion_std * aside[who, begin, which]
    aside *= _axes(truth.shape[-1], params)
    shift = np.zeros(truth.shape, dtype=np.float32)
    shift[who, when, which] = depth * (
        target - here + aside * size[who, when, None]
    )
    return shift


def _drift(
    rng: np.random.Generator,
    shape: Tuple[int, int, int, int],
    params: EstimatorNoise,
    parts: KeypointParts,
) -> np.ndarray:
    """Slow errors relative to the size, (S, T, K, D)."""
    num, frames, _, dims = shape
    groups = int(parts.group.max()) + 1
    shared = smooth_noise(
        rng, (num, frames, groups, dims), params.drift_frames
    )[:, :, parts.group]
    own = smooth_noise(rng, shape, params.drift_frames)
    tie = params.drift_limb_correlation
    drift = np.sqrt(tie) * shared + np.sqrt(1 - tie) * own
    return drift * (params.drift * parts.difficulty)[:, None]


def _displacement(
    rng: np.random.Generator,
    truth: np.ndarray,
    size: np.ndarray,
    params: EstimatorNoise,
    parts: KeypointParts,
) -> np.ndarray:
    """Jitter, drift, occlusions and outliers together, (S, T, K, D)."""
    num, frames, count, dims = truth.shape
    axes = _axes(dims, params)
    spread = rng.standard_normal((num, 1, count))
    scale = params.jitter * np.exp(params.jitter_spread * spread)
    scale = (scale * parts.difficulty).astype(np.float32) * size[..., None]
    error = correlated_noise(rng, truth.shape, params.jitter_correlation)
    error *= scale[..., None] * axes
    error += _occlude(rng, truth, size, params, parts)
    far = rng.random((num, frames, count)) < params.outlier_share
    far &= parts.difficulty > 0
    strayed = rng.standard_normal((np.count_nonzero(far), dims)) * axes
    reach = params.outlier_std * size[np.nonzero(far)[:2]]
    error[far] += reach[:, None] * strayed
    if params.drift > 0:
        drift = _drift(rng, truth.shape, params, parts)
        error += (drift * axes * size[..., None, None]).astype(np.float32)
    return error


def _swapped(
    rng: np.random.Generator,
    shape: Tuple[int, int, int],
    params: EstimatorNoise,
    parts: KeypointParts,
) -> np.ndarray:
    """Keypoint whose estimate is reported for each keypoint, (S, T, K)."""
    num, frames, _ = shape
    whole, *_ = bursts(
        rng, (num, frames, 1), params.body_swap_share, params.body_swap_frames
    )
    limbs, *_ = bursts(
        rng,
        (num, frames, len(LIMBS)),
        params.limb_swap_share,
        params.limb_swap_frames,
    )
    # A limb swapped within a swapped body is back in its place.
    swap = whole ^ (limbs[..., parts.limb] & (parts.limb >= 0))
    return np.where(swap, parts.mirror, np.arange(shape[2]))


def scores_of_errors(
    rng: np.random.Generator, error: np.ndarray, noise: float
) -> np.ndarray:
    """Noisy decreasing function of the error relative to the tolerance.

    Args:
        rng (np.random.Generator): Source of randomness.
        error (np.ndarray): Error / error at which the score is 1/2, any
            shape.
        noise (float): Sigma of the log-normal factor on the error that the
            score reports.

    Returns:
        np.ndarray: Scores in (0, 1], of that shape.
    """
    doubt = error**_SCORE_POWER
    doubt *= np.exp(noise * rng.standard_normal(error.shape, dtype=np.float32))
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

    Jitter, drift, occlusions and outliers displace joints; the score of one
    follows its displacement; then left and right are swapped together with
    their scores, so a swapped joint is as confident as any other, as it is
    with real estimators; last, joints go missing. Errors scale with
    ``size``, scores do not depend on it.

    With three coordinates the estimator is one that lifts poses to 3D, with
    camera coordinates (z along the viewing direction) and errors relative
    to the root: a joint named ``root`` or ``pelvis`` is given as it is.

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
    parts = keypoint_parts(tuple(keypoint_names), truth.shape[-1])
    error = _displacement(rng, truth, size, params, parts)
    relative = np.linalg.norm(error, axis=-1) / size[..., None]
    scores = scores_of_errors(
        rng, relative / params.score_tolerance, params.score_noise
    )
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
