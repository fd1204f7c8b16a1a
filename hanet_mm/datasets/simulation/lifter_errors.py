# Copyright (c) hanet_mm contributors. All rights reserved.
"""Errors of estimators that lift poses to 3D: flipped depths, wrong scale.

A picture does not tell whether an arm points towards the camera or away from
it, nor how large the person is: C. J. Taylor, "Reconstruction of articulated
objects from point correspondences in a single uncalibrated image", CVIU 80,
2000. Both errors are of the pose as it was estimated, other errors included.

S sequences, T frames, K keypoints; in planes, see :mod:`.planes`.
"""

from types import SimpleNamespace

import numpy as np

from .keypoints import KeypointParts
from .signals import active_bursts, filtered_twice


def lifting_errors(
    rng: np.random.Generator,
    truth: np.ndarray,
    error: np.ndarray,
    amounts: SimpleNamespace,
    parts: KeypointParts,
) -> np.ndarray:
    """Errors of the depths of limbs and of the scale of the body.

    Args:
        rng (np.random.Generator): Source of randomness.
        truth (np.ndarray): Camera coordinates, (T, 3, S, K).
        error (np.ndarray): Other errors, (T, 3, S, K).
        amounts (SimpleNamespace): See ``EstimatorNoise.columns``, (S or 1, 1).
        parts (KeypointParts): Of the K keypoints.

    Returns:
        np.ndarray: What comes on top of the other errors, (T, 3, S, K)
        float32.
    """
    further = np.zeros(truth.shape, np.float32)
    if np.any(amounts.depth_flip_share > 0):
        pose = truth[:, 2] + error[:, 2]
        further[:, 2] = _depth_flips(rng, pose, amounts, parts)
    if np.any(amounts.scale_drift > 0):
        sigma = amounts.scale_drift.astype(np.float32)
        pole = np.exp(-1 / amounts.scale_drift_frames)
        slow = filtered_twice(rng, (len(truth), truth.shape[2], 1), pole)
        pose = truth + error + further
        growth = np.expm1(sigma * slow)[:, None]
        further += growth * (pose - _centre(pose, parts))
    return further


def _depth_flips(
    rng: np.random.Generator,
    depth: np.ndarray,
    amounts: SimpleNamespace,
    parts: KeypointParts,
) -> np.ndarray:
    """Shifts of the depths (T, S, K) of limbs whose bones are mirrored.

    Each bone is mirrored about the depth of its beginning, for a while.
    """
    bones = np.flatnonzero(parts.parent >= 0)
    shift = np.zeros(depth.shape, np.float32)
    if not len(bones):
        return shift
    flipped = active_bursts(
        rng,
        (*depth.shape[:2], len(bones)),
        amounts.depth_flip_share,
        amounts.depth_flip_frames,
    )
    # Joints that hang on no other bone first.
    for joint in sorted(bones, key=lambda x: parts.parent[x] in bones):
        parent = parts.parent[joint]
        length = np.nan_to_num(depth[..., joint] - depth[..., parent])
        own = flipped[..., int(np.searchsorted(bones, joint))]
        shift[..., joint] = shift[..., parent] - 2 * np.where(own, length, 0)
    return shift


def _centre(pose: np.ndarray, parts: KeypointParts) -> np.ndarray:
    """What the scale does not move: the root, or the mean, (T, 3, S, 1)."""
    root = parts.difficulty == 0
    chosen = pose[..., root] if root.any() else pose
    known = np.isfinite(chosen)
    total = np.where(known, chosen, 0).sum(-1, keepdims=True)
    return total / np.maximum(known.sum(-1, keepdims=True), 1)
