# Copyright (c) hanet_mm contributors. All rights reserved.
"""The path that the frames around tell, without any network."""

from typing import Dict, NamedTuple, Optional, Tuple, Union

import numpy as np
import torch

from ..data.blocks import joint_blocks
from ..data.lengths import lengths
from ..nn.smoother import solve_smoother
from .local_fit import FitStore, KeptFit, LocalFit, calm_poses, join_fits
from .noise import local_quantile, local_size
from .threads import map_threads

# Seconds before and after a frame in which noise is measured.
_NEAR_NOISE = 0.2
_CUTOFF = 6.0
# Frames from which on joints are worked on one by one: memory before speed.
_LONG = 2**18
# Frames of a block of a long series, and cutoff periods around it: what is
# further away changes its smooth poses by less than 1e-11 of itself.
_BLOCK, _MARGIN = 1024, 6.0
# Quantile of the residuals that the noise is.
_QUANTILE = 0.75
# Least noise that counts for the limit, in body sizes: half of that of
# outliers.
_LEAST_LIMIT = 0.001


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


def robust_path(
    keypoints: np.ndarray,
    missing: np.ndarray,
    fps: float = 30.0,
    size: Union[np.ndarray, float, None] = None,
    least_weight: float = 1.0,
    memory: Optional[FitStore] = None,
    first: int = 0,
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
        size (np.ndarray | float, optional): What counts as the size of a
            body, (T, 1) or a number, of coordinates that are not places, such
            as rotations, or of single joints. Defaults to None: the size of
            the person around each frame.
        least_weight (float): Of the noisiest keypoints: the cutoff falls to
            about its fourth root times 6 Hz. Defaults to 1: never below 6 Hz.
        memory (FitStore, optional): Of a stream. Defaults to None.
        first (int): First frame that is wanted: all before are left out.
            What is said of missing keypoints may need them, and of all
            where the rate is not :func:`is_local`. Defaults to 0.

    Returns:
        RobustPath: The path and the noise around it, (T - first, ...).
    """
    kept = None if memory is None else memory.recall(keypoints, missing)
    if size is None:
        sizes = local_size(keypoints, missing, fps, kept and kept.size())
    else:
        sizes = np.broadcast_to(size, (*missing.shape[:-1], 1))
    path = RobustPath(
        np.empty(keypoints[first:].shape, np.float32),
        np.empty(missing[first:].shape, np.float32),
        np.empty(missing[first:].shape, bool),
    )
    fits: Dict[int, LocalFit] = {}

    def fill(own: slice) -> None:
        part, fit = _joint_paths(
            keypoints[..., own, :],
            missing[..., own],
            sizes,
            fps,
            least_weight,
            kept and kept.of_joints(own),
            first,
        )
        path.keypoints[..., own, :] = part.keypoints
        path.noise[..., own] = part.noise
        path.outlier[..., own] = part.outlier
        if memory is not None:
            fits[own.start] = fit

    blocks = list(joint_blocks(missing.shape))
    if missing[..., 0].size > _LONG:
        for own in blocks:
            fill(own)
    else:
        map_threads(fill, blocks)
    if memory is not None:
        memory.keep(join_fits([fits[own.start] for own in blocks]))
    return path


def is_local(fps: float) -> bool:
    """Whether three frames are near each frame, also near the first and last.

    At lower rates quantiles are those of the whole sequence, so that what is
    said of a frame changes with any other.
    """
    # All else is told from a longer time.
    return _near_noise(fps) >= 2


def _near_noise(fps: float) -> int:
    return round(_NEAR_NOISE * fps)


def _joint_paths(
    keypoints: np.ndarray,
    missing: np.ndarray,
    size: np.ndarray,
    fps: float,
    least_weight: float,
    kept: Optional[KeptFit],
    first: int,
) -> Tuple[RobustPath, LocalFit]:
    """Paths of some joints of people whose size (T, ..., 1) is known."""
    origin = keypoints[:1].astype(np.float64)
    poses = keypoints - origin
    calm, weights, outlier, fit = calm_poses(
        poses, origin, missing, size, fps, least_weight, kept
    )
    # What is further away does not matter for the frames that are wanted.
    near = _near_noise(fps)
    begin = max(first - near - _margin(_CUTOFF / fps), 0)
    smooth = smooth_evenly(calm[begin:], _CUTOFF / fps, weights[begin:])
    del calm, weights
    residuals = lengths(poses[begin:] - smooth)
    noise = local_quantile(
        residuals, ~missing[begin:], near, _QUANTILE, first=first - begin
    )
    path = RobustPath(
        (smooth[first - begin :] + origin).astype(np.float32),
        np.maximum(noise, _LEAST_LIMIT * size[first:]),
        outlier[first:],
    )
    return path, fit


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
    margin = _margin(cutoff)
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


def _margin(cutoff: float) -> int:
    """Frames from which on others hardly change what is smooth."""
    return int(np.ceil(_MARGIN / min(cutoff, 0.45)))
