# Copyright (c) hanet_mm contributors. All rights reserved.
"""Limit corrections to what the evidence in a sequence supports.

What a network says of a pose is worth about as much as what the frames around
it say, so neither is believed alone. The path that the frames around tell,
without any network, is :func:`robust_path`; what they leave unexplained is
the noise of this sequence, joint by joint and over time. A refined pose may
leave the path as far as that noise and no further (:func:`limit_to_noise`).
In gaps nothing was measured: there the limit grows with the distance to the
nearest seen frame by what the joint moves within that time, if other
keypoints of the frame were seen. A frame without any keypoint tells the
network nothing, and the path stays. Where the whole body is noisy the network
is believed further (:func:`allowed_part`): heavy noise bends the path too, and
the network knows what a body can do.
"""

from typing import Callable, NamedTuple, Optional, Union

import numpy as np
import torch

from ..data.blocks import joint_blocks, row_blocks
from ..data.gaps import UNKNOWN_SCORE, nearest_seen
from ..data.lengths import lengths
from ..nn.smoother import solve_smoother
from .limit import allowed_part
from .noise import (
    fast_noise,
    largest_near,
    local_quantile,
    local_size,
    sorted_quantile,
    weight_of_noise,
)
from .parabolas import fit_parabolas
from .threads import map_threads

# Why a keypoint was changed.
NOISE, MISSING, SWAPPED, OUTLIER = range(4)
REASONS = ('noise', 'missing', 'swapped', 'outlier')

# Seconds before and after a frame in which outliers are told and noise is
# measured.
_NEAR_OUTLIERS, _NEAR_NOISE = 0.4, 0.2
# Distances to the parabola count fully beyond this, in body sizes.
_SHARP = 0.003
# An outlier is further from the parabola than so many medians.
_OUTLIER = 2.0
# No distance to the parabola counts beyond so many times the fast noise
# nearby: what moves smoothly is no outlier, however fast. Three frames beside
# the path show 0.36 of their distance in it.
_JUMP = 3.0
_CUTOFF = 6.0
# Frames of a block of a long series, and cutoff periods around it: what is
# further away changes its smooth poses by less than 1e-11 of itself.
_BLOCK, _MARGIN = 1024, 6.0
# Least noise in body sizes, and the quantile of the residuals that it is.
_LEAST_NOISE, _QUANTILE = 0.002, 0.75
# Least noise that counts for the limit: half of that of outliers.
_LEAST_LIMIT = 0.001
# Squared errors of the result in terms of noise * body size, of the squared
# way that was not taken, and of the squared body size, as real estimates with
# annotation have them; networks know little of such errors.
_OF_NOISE, _OF_WAY, _OF_SIZE = 0.2, 1.7, 0.00045
# Longest distance into a gap at which motion is measured, in seconds.
_LONGEST = 1.0
# With this share of the keypoints missing a frame tells nothing of a gap.
_UNKNOWN_SHARE = 0.25


class RobustPath(NamedTuple):
    """Smooth path of a sequence and its noise, without a network.

    Attributes:
        keypoints (np.ndarray): Smooth path, (T, K, D) float32.
        noise (np.ndarray): Local size of the residuals, in the unit of the
            keypoints, (T, K).
        outlier (np.ndarray): Far from what the frames around it tell, bool
            (T, K).
    """

    keypoints: np.ndarray
    noise: np.ndarray
    outlier: np.ndarray


class Trusted(NamedTuple):
    """Refined poses after :func:`limit_to_noise`.

    Attributes:
        keypoints (np.ndarray): (T, K, D) float32.
        limit (np.ndarray): How far each keypoint may leave the path, (T, K).
        limited (np.ndarray): Where the refined pose went further, bool
            (T, K).
        reason (np.ndarray): Why a keypoint was changed, an index of
            ``REASONS``, uint8 (T, K).
        expected_error (np.ndarray): Expected distance to where a person
            would mark the keypoint, (T, K) float32.
    """

    keypoints: np.ndarray
    limit: np.ndarray
    limited: np.ndarray
    reason: np.ndarray
    expected_error: np.ndarray


def robust_path(
    keypoints: np.ndarray,
    missing: np.ndarray,
    fps: float = 30.0,
    fit: Callable = fit_parabolas,
    size: Optional[float] = None,
    least_weight: float = 1.0,
) -> RobustPath:
    """The path through a sequence that outliers do not bend.

    Keypoints far from a parabola fitted to the frames around them in the
    sense of least distances (robust local regression, Cleveland, Journal of
    the American Statistical Association 74, 1979) are moved towards it,
    then all are smoothed (Whittaker, Proc. Edinburgh Math. Soc. 41, 1922)
    with a gain of 1/2 at 6 Hz, as a Butterworth filter that runs forward and
    backward has. That is for noise (:func:`fast_noise`) of 1 % of the body or
    more. Keypoints weigh as the inverse of its square, so with less noise the
    cutoff rises: where there is none the path is the input, however fast. Nor
    is what moves fast but smoothly an outlier. Zero phase; constant poses and
    those of constant speed are kept, and time may run backward.

    Args:
        keypoints (np.ndarray): Left and right put right and gaps filled, see
            :func:`fill_missing`, (T, K, D).
        missing (np.ndarray): Keypoints that were filled, bool (T, K).
        fps (float): Frames per second. Defaults to 30.
        fit (Callable): Fits the parabolas to poses (T, K, D), relative to
            the first one. Defaults to :func:`fit_parabolas`.
        size (float, optional): What counts as the size of a body, of
            coordinates that are not places, such as rotations. Defaults to
            None: the size of the person around each frame.
        least_weight (float): Of the noisiest keypoints: the cutoff falls to
            about its fourth root times 6 Hz. Defaults to 1: never below 6 Hz.

    Returns:
        RobustPath: The path and the noise around it.
    """
    if size is None:
        sizes = local_size(keypoints, missing, fps)
    else:
        sizes = np.full((*missing.shape[:-1], 1), size)
    path = RobustPath(
        np.empty(keypoints.shape, np.float32),
        np.empty(missing.shape, np.float32),
        np.empty(missing.shape, bool),
    )

    def fill(own: slice) -> None:
        part = _joint_paths(
            keypoints[..., own, :],
            missing[..., own],
            sizes,
            fps,
            fit,
            least_weight,
        )
        path.keypoints[..., own, :] = part.keypoints
        path.noise[..., own] = part.noise
        path.outlier[..., own] = part.outlier

    map_threads(fill, list(joint_blocks(missing.shape)))
    return path


def _joint_paths(
    keypoints: np.ndarray,
    missing: np.ndarray,
    size: np.ndarray,
    fps: float,
    fit: Callable,
    least_weight: float,
) -> RobustPath:
    """Paths of some joints of people whose size (T, ..., 1) is known."""
    origin = keypoints[:1].astype(np.float64)
    poses = keypoints - origin
    least = _LEAST_NOISE * size
    fast = fast_noise(poses, missing, fps)
    fitted = fit(poses, fps, _SHARP * size)
    apart = lengths(poses - fitted)
    apart = np.minimum(apart, _JUMP * largest_near(fast, fps))
    usual = local_quantile(apart, ~missing, round(_NEAR_OUTLIERS * fps), 0.5)
    usual = _OUTLIER * np.maximum(usual, least)
    kept = np.minimum(usual / np.maximum(apart, usual), 1)[..., None]
    smooth = smooth_evenly(
        fitted + (poses - fitted) * kept,
        _CUTOFF / fps,
        weight_of_noise(fast / size, fps, least_weight),
    )
    residuals = lengths(poses - smooth)
    near = round(_NEAR_NOISE * fps)
    noise = local_quantile(residuals, ~missing, near, _QUANTILE)
    return RobustPath(
        (smooth + origin).astype(np.float32),
        np.maximum(noise, _LEAST_LIMIT * size),
        (apart > usual) & ~missing,
    )


def limit_to_noise(
    refined: np.ndarray,
    path: RobustPath,
    missing: np.ndarray,
    swapped: Optional[np.ndarray] = None,
    fps: float = 30.0,
) -> Trusted:
    """Limit refined poses to what the evidence in the sequence supports.

    Args:
        refined (np.ndarray): Poses of a network, (T, K, D).
        path (RobustPath): See :func:`robust_path`, of the same frames.
        missing (np.ndarray): Bool (T, K).
        swapped (np.ndarray, optional): See :func:`unswap`, bool (T, K).
        fps (float): Frames per second. Defaults to 30.

    Returns:
        Trusted: Poses between the path and the refined ones.
    """
    size = local_size(path.keypoints, missing, fps)
    allowance = gap_allowance(path, missing, fps)
    trusted = Trusted(
        np.empty(refined.shape, np.float32),
        np.empty(missing.shape, np.float32),
        np.empty(missing.shape, bool),
        np.empty(missing.shape, np.uint8),
        np.empty(missing.shape, np.float32),
    )
    for rows in row_blocks(len(refined)):
        part = _limit_rows(
            refined[rows],
            RobustPath(*(x[rows] for x in path)),
            allowance[rows],
            size[rows],
        )
        for whole, own in zip(trusted, part):
            whole[rows] = own
    if swapped is not None:
        trusted.reason[swapped] = SWAPPED
    trusted.reason[missing] = MISSING
    return trusted


def _limit_rows(
    refined: np.ndarray,
    path: RobustPath,
    allowance: np.ndarray,
    size: np.ndarray,
) -> Trusted:
    """Limit some frames, of which nothing is missing or swapped."""
    steps: np.ndarray = refined - path.keypoints.astype(np.float64)
    given = (path.noise, allowance, size)
    part, limit = (
        x.numpy() for x in allowed_part(*map(torch.from_numpy, given))
    )
    length = lengths(steps)
    furthest = np.maximum(np.maximum(length, limit), np.finfo(float).tiny)
    share = np.minimum(limit / furthest, part)
    error = _OF_NOISE * path.noise * size + _OF_SIZE * size**2
    error = np.sqrt(error + _OF_WAY * ((1 - share) * length) ** 2)
    return Trusted(
        (path.keypoints + share[..., None] * steps).astype(np.float32),
        limit,
        part * length > limit,
        np.where(path.outlier, OUTLIER, NOISE).astype(np.uint8),
        error.astype(np.float32),
    )


def gap_allowance(
    path: RobustPath, missing: np.ndarray, fps: float = 30.0
) -> np.ndarray:
    """Allowed distance of a missing keypoint from the path, (T, ..., K).

    The 0.75 quantile of what the path of this joint leaves the straight line
    over as many frames as there are to the nearest seen one, times how much
    of the frame was seen. 0 where nothing is missing.
    """
    allowance = np.zeros(missing.shape, np.float32)
    frames = len(missing)
    columns = missing.reshape(frames, -1)
    places = path.keypoints.reshape(*columns.shape, -1)
    gappy = np.flatnonzero(columns.any(0))
    for block in joint_blocks((frames, len(gappy))):
        own = gappy[block]
        allowance.reshape(frames, -1)[:, own] = _joint_allowance(
            places[:, own], columns[:, own], fps
        )
    known = 1 - missing.mean(-1, keepdims=True) / _UNKNOWN_SHARE
    allowance *= np.clip(known, 0, 1)
    return allowance


def _joint_allowance(
    path: np.ndarray, missing: np.ndarray, fps: float
) -> np.ndarray:
    """That of some joints in frames that were seen otherwise, (T, K)."""
    allowance = np.zeros(missing.shape)
    frames = np.arange(len(missing))[:, None]
    before, after = nearest_seen(missing)
    back = np.where(before < 0, len(missing), frames - before)
    ahead = np.where(after == len(missing), len(missing), after - frames)
    distance = np.minimum(np.minimum(back, ahead), len(missing) - 1)
    distance = np.where(missing, distance, 0)
    longest = min(round(_LONGEST * fps), (len(missing) - 1) // 2)
    typical = np.zeros(missing.shape[1])
    for gap in range(1, min(longest, distance.max()) + 1):
        # Where too little is seen for such a line, that of a shorter one.
        typical = np.maximum(typical, _line_error(path, missing, gap))
        allowance = np.where(distance >= gap, typical, allowance)
    return allowance


def _line_error(path: np.ndarray, missing: np.ndarray, gap: int) -> np.ndarray:
    """Distance of each joint from the line between +-gap frames, (K,)."""
    middle = (path[2 * gap :] + path[: -2 * gap]) / 2
    error = lengths(path[gap:-gap] - middle)
    known = ~(missing[2 * gap :] | missing[: -2 * gap] | missing[gap:-gap])
    return sorted_quantile(np.where(known, error, np.nan).T, _QUANTILE)


def believed_scores(scores: np.ndarray, belief: float) -> np.ndarray:
    """Scores (T, K) drawn towards that of unknown ones; 0 stays: missing."""
    deviation = scores - UNKNOWN_SCORE
    drawn = UNKNOWN_SCORE + (0.25 + 0.75 * belief) * deviation
    return np.where(scores > 0, drawn, 0).astype(np.float32)


def smooth_evenly(
    poses: np.ndarray, cutoff: float, weights: Union[np.ndarray, float] = 1.0
) -> np.ndarray:
    """Whittaker's smoother with a gain of 1/2 at a cutoff, (T, ..., D).

    ``sum_t w_t (y_t - x_t)^2 + lambda sum_t (y_{t-1} - 2 y_t + y_{t+1})^2`` is
    smallest; cutoff in cycles per frame, at most 0.45, where the weights
    (T, ...) are 1. Elsewhere it is about their fourth root times that.
    """
    count = len(poses)
    if count < 3:
        return np.array(poses, np.float64)
    weight = (2 * np.sin(np.pi * min(cutoff, 0.45))) ** 4.0
    # The solver has stiffness 1: the estimates weigh its reciprocal.
    series = poses.shape[:-1] or poses.shape
    wanted = torch.from_numpy(poses.astype(np.float64)).reshape(*series, -1)
    given = torch.from_numpy(np.full(series, weight) * weights)
    # Of a long series all blocks are smoothed side by side.
    margin = int(np.ceil(_MARGIN / min(cutoff, 0.45)))
    window = _BLOCK + 2 * margin
    if count < 2 * window:
        smooth = solve_smoother(given, given[..., None] * wanted)
        return smooth.numpy().reshape(poses.shape)
    first = torch.arange(-margin, count - margin, _BLOCK)
    first = first.clamp(0, count - window)
    rows = first + torch.arange(window)[:, None]
    given, wanted = given[rows], wanted[rows]
    smooth = solve_smoother(given, given[..., None] * wanted)
    frames = torch.arange(count)
    block = frames // _BLOCK
    smooth = smooth[frames - first[block], block]
    return smooth.numpy().reshape(poses.shape)
