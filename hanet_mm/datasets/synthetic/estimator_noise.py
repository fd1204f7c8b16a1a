"""Errors of a keypoint estimator, simulated on true keypoints.

What top-down estimators do wrong is described by M. R. Ronchi and P. Perona,
"Benchmarking and error diagnosis in multi-instance pose estimation", ICCV
2017: jitter, inversion (left/right swaps), swaps and misses. In video these
errors last: see A. Zeng et al., "SmoothNet", ECCV 2022, for their grouping
into jitter and long-term errors.
"""

from types import SimpleNamespace
from typing import Optional, Sequence, Tuple

import numpy as np

from .body import JHMDB_KEYPOINT_NAMES
from .border_noise import at_the_border
from .keypoint_parts import KeypointParts, keypoint_parts
from .noise_params import EstimatorNoise
from .occlusion_noise import occlude
from .score_noise import onto_scale, scores_of_errors
from .swap_noise import swapped
from .temporal_noise import bursts, correlated_noise, smooth_noise


def _axes(dims: int, amounts: SimpleNamespace) -> np.ndarray:
    """Factor on the random errors along each coordinate, (S, 1, 1, D)."""
    depth = amounts.depth_factor[..., None].astype(np.float32)
    plane = np.ones((*depth.shape[:3], 2), dtype=np.float32)
    return np.concatenate([plane, depth], axis=-1)[..., :dims]


def _jitter(
    rng: np.random.Generator,
    truth: np.ndarray,
    size: np.ndarray,
    amounts: SimpleNamespace,
    parts: KeypointParts,
) -> np.ndarray:
    """Fast errors, (S, T, K, D)."""
    num, frames, count, _ = truth.shape
    spread = rng.standard_normal((num, 1, count))
    scale = amounts.jitter * np.exp(amounts.jitter_spread * spread)
    scale = (scale * parts.difficulty).astype(np.float32) * size[..., None]
    error = correlated_noise(rng, truth.shape, amounts.jitter_correlation)
    if np.any(amounts.jitter_tails > 0):
        sigma = amounts.jitter_tails.astype(np.float32)
        groups = (num, frames, int(parts.group.max()) + 1)
        tails = smooth_noise(rng, groups, amounts.jitter_tail_frames)
        # The mean of exp(2 sigma z) is exp(2 sigma^2).
        scale = scale * np.exp(sigma * tails - sigma**2)[:, :, parts.group]
    if np.any(amounts.jitter_blur > 0):
        blur = amounts.jitter_blur * (parts.difficulty > 0)
        scale = scale + blur.astype(np.float32) * _speed(truth)
    error *= scale[..., None]
    return error


def _speed(truth: np.ndarray) -> np.ndarray:
    """Way of each joint in one frame, central differences, (S, T, K)."""
    if truth.shape[1] < 2:
        return np.zeros(truth.shape[:3], dtype=np.float32)
    step = np.diff(truth, axis=1)
    step = np.concatenate([step[:, :1], step, step[:, -1:]], axis=1)
    way = np.linalg.norm(0.5 * (step[:, 1:] + step[:, :-1]), axis=-1)
    # Next to a joint that nobody knows nothing is known of the speed.
    return np.nan_to_num(way)


def _drift(
    rng: np.random.Generator,
    shape: Tuple[int, int, int, int],
    amounts: SimpleNamespace,
    parts: KeypointParts,
) -> np.ndarray:
    """Slow errors relative to the size, (S, T, K, D)."""
    num, frames, _, dims = shape
    groups = int(parts.group.max()) + 1
    shared = smooth_noise(
        rng, (num, frames, groups, dims), amounts.drift_frames
    )[:, :, parts.group]
    own = smooth_noise(rng, shape, amounts.drift_frames)
    tie = amounts.drift_limb_correlation[..., None]
    shared *= np.sqrt(tie).astype(np.float32)
    own *= np.sqrt(1 - tie).astype(np.float32)
    own += shared
    own *= (amounts.drift * parts.difficulty)[..., None].astype(np.float32)
    return own


def _displacement(
    rng: np.random.Generator,
    truth: np.ndarray,
    size: np.ndarray,
    amounts: SimpleNamespace,
    parts: KeypointParts,
) -> Tuple[np.ndarray, np.ndarray]:
    """Jitter, drift, occlusions and outliers together, (S, T, K, D).

    The second is what of it the scores tell of.
    """
    num, frames, count, dims = truth.shape
    axes = _axes(dims, amounts)
    error = _jitter(rng, truth, size, amounts, parts) * axes
    hidden, unseen = occlude(rng, truth, size, amounts, parts, axes)
    error += hidden
    far = rng.random((num, frames, count)) < amounts.outlier_share
    far &= parts.difficulty > 0
    who, when, _ = np.nonzero(far)
    strayed = rng.standard_normal((len(who), dims))
    strayed *= np.broadcast_to(axes[:, 0, 0], (num, dims))[who]
    reach = np.broadcast_to(amounts.outlier_std, (num, 1, 1))[who, 0]
    error[far] += reach * size[who, when, None] * strayed
    if np.any(amounts.drift > 0):
        drift = _drift(rng, truth.shape, amounts, parts)
        drift *= axes
        drift *= size[..., None, None]
        error += drift
    if unseen is None:
        return error, error
    seen = error.copy()
    seen[unseen] -= hidden[unseen]
    return error, seen


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
    image_size: Optional[np.ndarray] = None,
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
        image_size (np.ndarray, optional): Width and height in px, (2,) or
            (S, 2), for what happens to joints outside. Defaults to None:
            nothing does.

    Returns:
        Tuple[np.ndarray, np.ndarray]: Estimates in the shape of the
        keypoints, NaN = missing, and scores without the last axis,
        0 = missing, both float32.

    Raises:
        ValueError: Shapes do not fit or a size is not positive.
    """
    params = params or EstimatorNoise()
    truth, size = _checked(keypoints, size, keypoint_names)
    amounts = params.columns(len(truth))
    parts = keypoint_parts(tuple(keypoint_names), truth.shape[-1])
    error, seen = _displacement(rng, truth, size, amounts, parts)
    estimate = truth + error
    relative = np.linalg.norm(seen, axis=-1) / size[..., None]
    if image_size is not None and truth.shape[-1] == 2:
        border = np.broadcast_to(image_size, (len(truth), 2))
        estimate, moved = at_the_border(rng, truth, estimate, border, amounts)
        far = np.linalg.norm(estimate - truth, axis=-1) / size[..., None]
        relative = np.where(moved, far, relative)
    relative /= amounts.score_tolerance.astype(np.float32)
    scores = scores_of_errors(
        rng, relative, amounts.score_noise, amounts.score_correlation
    )
    scores = onto_scale(scores, amounts)
    source = swapped(rng, scores.shape, amounts, parts)
    estimate = np.take_along_axis(estimate, source[..., None], axis=2)
    scores = np.take_along_axis(scores, source, axis=2)
    missing = _missing(rng, scores.shape, amounts)
    missing |= np.isnan(estimate).any(axis=-1)
    estimate[missing] = np.nan
    scores = np.where(missing, 0, scores).astype(np.float32)
    shape = np.shape(keypoints)
    return estimate.reshape(shape), scores.reshape(shape[:-1])


def _missing(
    rng: np.random.Generator,
    shape: Tuple[int, int, int],
    amounts: SimpleNamespace,
) -> np.ndarray:
    """Joints that are not found, bool (S, T, K)."""
    missing, *_ = bursts(
        rng, shape, amounts.missing_share, amounts.missing_frames
    )
    if np.any(amounts.frame_missing_share > 0):
        frames, *_ = bursts(
            rng,
            (*shape[:2], 1),
            amounts.frame_missing_share,
            amounts.frame_missing_frames,
        )
        missing = missing | frames
    return missing
