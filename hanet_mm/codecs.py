# Copyright (c) hanet_mm contributors. All rights reserved.
"""Coordinates of windows, between the data and the network."""

from typing import Optional, Sequence, Tuple

import numpy as np
import torch
from mmpose.codecs.base import BaseKeypointCodec
from mmpose.registry import KEYPOINT_CODECS

from hanet_mm.core.refine.normalization import (
    Affine,
    check_normalization,
    fit_normalization,
)

__all__ = ['EVIDENCE', 'PoseSequenceCodec']

EVIDENCE = ('keypoint_path', 'keypoint_noise', 'keypoint_allowance')
"""Normalised labels of windows that :class:`MeasureEvidence` has seen."""


@KEYPOINT_CODECS.register_module()
class PoseSequenceCodec(BaseKeypointCodec):
    """Normalise a window of poses and its ground truth alike.

    Encoded, for T frames, K keypoints and D coordinates: ``keypoint_inputs``
    and ``keypoint_labels`` (T, K, D), normalised estimates and truth;
    ``keypoint_weights`` (T, K), zero where the truth is unknown or, unless
    ``supervise_missing``, the estimate was missing; ``codec_center`` and
    ``codec_scale``, to decode with, broadcastable to (T, K, D). Of windows
    with ``path``, ``noise`` and ``allowance`` the labels ``EVIDENCE`` too.

    Args:
        normalization (str): 'none', 'image', 'box', 'root' or 'rot6d', see
            :func:`hanet_mm.core.refine.normalization.fit_normalization`. With
            'root' the truth is taken relative to its own root, as published.
        root (Sequence[int], optional): Root joints for 'root'.
        supervise_missing (bool): Learn to fill keypoints that the estimator
            did not find.
    """

    auxiliary_encode_keys = {
        'keypoints_gt',
        'keypoints_valid',
        'image_size',
        'path',
        'noise',
        'allowance',
    }

    label_mapping_table = dict(
        keypoint_labels='keypoint_labels', keypoint_weights='keypoint_weights'
    )

    def __init__(
        self,
        normalization: str = 'box',
        root: Optional[Sequence[int]] = None,
        supervise_missing: bool = False,
    ):
        check_normalization(normalization, root)
        self.normalization = normalization
        self.root = root and tuple(root)
        self.supervise_missing = supervise_missing

    def encode(
        self,
        keypoints: np.ndarray,
        keypoints_visible: Optional[np.ndarray] = None,
        keypoints_gt: Optional[np.ndarray] = None,
        keypoints_valid: Optional[np.ndarray] = None,
        image_size: Optional[np.ndarray] = None,
        path: Optional[np.ndarray] = None,
        noise: Optional[np.ndarray] = None,
        allowance: Optional[np.ndarray] = None,
    ) -> dict:
        """Encode a window, or several at once: all have one axis more then.

        Args:
            keypoints (np.ndarray): Estimates without gaps, (T, K, D).
            keypoints_visible (np.ndarray, optional): Weights of the ground
                truth, (T, K); None: 1 everywhere.
            keypoints_gt (np.ndarray, optional): Ground truth, (T, K, D).
                Without it there are no labels.
            keypoints_valid (np.ndarray, optional): Estimates that were not
                filled, bool, (T, K); None: all.
            image_size (np.ndarray, optional): W, H in pixels, (2, ).
            path (np.ndarray, optional): Smooth path, (T, K, D), with
            noise (np.ndarray, optional): of the window, (T, K), and
            allowance (np.ndarray, optional): in its gaps, (T, K), see
                :class:`MeasureEvidence`.

        Returns:
            dict: Encoded items, see above.
        """
        if keypoints_valid is None:
            keypoints_valid = np.ones(keypoints.shape[:-1], dtype=bool)
        size = None
        if image_size is not None:
            size = torch.as_tensor(image_size).reshape(-1, 2)
        affine = self._fit(keypoints, keypoints_valid, size)
        encoded = dict(
            keypoint_inputs=_encode(affine, keypoints),
            codec_center=affine.center,
            codec_scale=affine.scale,
        )
        if path is not None:
            # Of unequal units the longer one.
            unit = affine.scale.max((-2, -1), keepdims=True)[..., 0]
            evidence = _encode(affine, path), noise / unit, allowance / unit
            encoded.update(zip(EVIDENCE, evidence))
        if keypoints_gt is not None:
            weights = keypoints_valid.astype(np.float32)
            if self.supervise_missing:
                weights = np.ones_like(weights)
            if keypoints_visible is not None:
                weights = weights * keypoints_visible
            if self.root:
                affine = self._fit(keypoints_gt, keypoints_valid, size)
                # A frame without its root is unknown in all joints.
                known = np.isfinite(affine.center).all((-2, -1))
                if keypoints_visible is not None:
                    root = keypoints_visible[..., list(self.root)]
                    known &= (root > 0).all(-1)
                weights = weights * known[..., None]
            encoded.update(
                keypoint_labels=_encode(affine, keypoints_gt),
                keypoint_weights=weights,
            )
        return encoded

    def _fit(
        self,
        keypoints: np.ndarray,
        valid: np.ndarray,
        image_size: Optional[torch.Tensor],
    ) -> Affine:
        several = keypoints.ndim == 4
        affine = fit_normalization(
            self.normalization,
            torch.as_tensor(keypoints if several else keypoints[None]),
            torch.as_tensor(valid if several else valid[None]),
            image_size,
            self.root,
        )
        if several:
            arrays = (x.expand(len(keypoints), -1, -1, -1) for x in affine)
            return Affine(*(x.numpy() for x in arrays))
        # Without the batch axis: (T or 1, 1, D) or (1, 1, 1).
        return Affine(*(x[0].numpy() for x in affine))

    def decode(
        self,
        encoded: np.ndarray,
        codec_center: np.ndarray,
        codec_scale: np.ndarray,
    ) -> Tuple[np.ndarray, np.ndarray]:
        """Decode network coordinates (T, K, D); scores are 1, (T, K)."""
        keypoints = Affine(codec_center, codec_scale).decode(encoded)
        return keypoints, np.ones(keypoints.shape[:2], dtype=np.float32)


def _encode(affine: Affine, poses: np.ndarray) -> np.ndarray:
    """``affine.encode`` of arrays, along the numbers of all keypoints."""
    center = affine.center
    if center.shape[-2] == 1:
        center = center.repeat(poses.shape[-2], axis=-2)
    encoded = poses - center
    encoded /= affine.scale
    return encoded
