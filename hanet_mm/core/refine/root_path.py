# Copyright (c) hanet_mm contributors. All rights reserved.
"""The way of a whole body through space: the root, or SMPL's translation."""

from typing import Sequence, Union

import numpy as np

from ..data.gaps import fill_missing
from .robust_path import RobustPath, robust_path

# Depth is noisier than the picture by far, and a body as a whole turns around
# slower than its hands: the cutoff falls from 6 to 2 Hz for noise that is ten
# times as much, as for rotations.
_LEAST_WEIGHT = 0.01


def root_path(
    points: np.ndarray, missing: np.ndarray, fps: float, size: float
) -> RobustPath:
    """The path of one point that outliers do not bend.

    As :func:`hanet_mm.core.refine.robust_path.robust_path`, but each axis has
    its own noise and outliers: an estimator is less sure of the depth.

    Args:
        points (np.ndarray): (T, D), in any unit.
        missing (np.ndarray): Frames in which it was not found, bool (T,).
        fps (float): Frames per second.
        size (float): Of the body, in the unit of the points.

    Returns:
        RobustPath: Path (T, D), noise and outliers of each axis (T, D).
        Where the point is missing the path goes straight.
    """
    gone = np.repeat(missing[:, None], points.shape[1], 1)
    axes = np.asarray(points)[..., None]
    filled = fill_missing(axes, gone, np.array([len(axes)]))
    return filled_root_path(filled[..., 0], missing, fps, size)


def filled_root_path(
    points: np.ndarray,
    missing: np.ndarray,
    fps: float,
    size: Union[np.ndarray, float],
) -> RobustPath:
    """:func:`root_path` of points (T, ..., D) whose gaps are filled already.

    ``missing`` is bool (T, ...), ``size`` (T, ..., 1) or a number.
    """
    gone = np.repeat(missing[..., None], points.shape[-1], -1)
    path = robust_path(
        points[..., None], gone, fps, size=size, least_weight=_LEAST_WEIGHT
    )
    return path._replace(keypoints=path.keypoints[..., 0])


def root_of(keypoints: np.ndarray, root: Sequence[int]) -> np.ndarray:
    """Mean place of the joints ``root``, (..., K, D) -> (..., 1, D) float64.

    NaN where one of them is missing.
    """
    joints = keypoints[..., list(root), :]
    return joints.mean(-2, keepdims=True, dtype=np.float64)


def relative_to_root(
    keypoints: np.ndarray, seen: np.ndarray, root: Sequence[int]
) -> np.ndarray:
    """Keypoints relative to the mean of the joints ``root``, for un-swap.

    How the root moves, and how wrong its depth is, tells nothing of sides.
    Where it was not seen it goes straight; if it never was, keypoints stay.

    Args:
        keypoints (np.ndarray): (T, K, D), NaN where missing.
        seen (np.ndarray): Bool (T, K).
        root (Sequence[int]): Joints.

    Returns:
        np.ndarray: (T, K, D).
    """
    joints = list(root)
    lost = ~seen[:, joints].all(1, keepdims=True)
    if lost.all():
        return keypoints
    places = root_of(keypoints, joints).astype(keypoints.dtype)
    return keypoints - fill_missing(places, lost, np.array([len(places)]))
