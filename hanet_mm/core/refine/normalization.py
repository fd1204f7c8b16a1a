# Copyright (c) hanet_mm contributors. All rights reserved.
"""Coordinate systems in which the network sees poses."""

from typing import NamedTuple, Optional, Sequence

import torch
from torch import Tensor

from ..poses.rotations import project_rot6d
from .masks import is_all_true
from .medians import nan_median

NORMALIZATIONS = ('none', 'image', 'box', 'root', 'rot6d')

# Least size of a box, as a share of the coordinates.
_NEXT_TO_NOTHING = 1e-6


class Affine(NamedTuple):
    """Invertible change of coordinates of each window.

    ``center`` is (B, T or 1, 1, D) or (1, 1, 1, 1) and ``scale``
    (B, 1, 1, D or 1) or (1, 1, 1, 1).
    """

    center: Tensor
    scale: Tensor

    def encode(self, poses: Tensor) -> Tensor:
        """Convert poses (B, T, K, D) to network coordinates."""
        return (poses - self.center) / self.scale

    def decode(self, poses: Tensor) -> Tensor:
        """Convert poses (B, T, K, D) from network coordinates."""
        return poses * self.scale + self.center


def check_normalization(
    name: str, root: Optional[Sequence[int]] = None
) -> None:
    """Raise a ValueError for an unknown name or missing root joints."""
    if name not in NORMALIZATIONS:
        raise ValueError(
            f'normalization has to be one of {NORMALIZATIONS}, got {name!r}'
        )
    if (name == 'root') != bool(root):
        raise ValueError(
            "root joints go with the normalization 'root' and no other, got "
            f'{name!r} and root {root}'
        )


def fit_normalization(
    name: str,
    poses: Tensor,
    valid: Tensor,
    image_size: Optional[Tensor] = None,
    root: Optional[Sequence[int]] = None,
) -> Affine:
    """Fit the coordinate system of each window (B, T, K, D).

    - 'none': coordinates as they are.
    - 'image': x / W and y / H, as the published 2D data; ``image_size`` holds
      W, H in pixels, (B, 2).
    - 'box': relative to the person: centre and longer side of the box around
      the median pose of the ``valid`` (B, T, K) estimates. A keypoint that is
      wrong in less than half of its frames does not move it.
    - 'root': relative to the root of each frame, the mean of the joints
      ``root``; 3D poses in metres. The root is not refined.
    - 'rot6d': rotations, as they are; see :func:`finish_poses`.
    """
    check_normalization(name, root)
    origin = poses.new_zeros(1, 1, 1, 1)
    if name == 'root' and root is not None:
        center = poses[..., list(root), :].mean(-2, keepdim=True)
        return Affine(center, origin + 1)
    if name == 'rot6d' and poses.shape[-1] != 6:
        raise ValueError(
            "normalization 'rot6d' is for 6 coordinates of a rotation, got "
            f'{poses.shape[-1]}'
        )
    if name in ('none', 'rot6d'):
        return Affine(origin, origin + 1)
    if name == 'image':
        if image_size is None:
            raise ValueError("normalization 'image' needs image_size (W, H)")
        if poses.shape[-1] != 2:
            raise ValueError(
                "normalization 'image' is for 2 coordinates, got "
                f'{poses.shape[-1]}'
            )
        scale = image_size.to(poses)[:, None, None, :]
        return Affine(origin, scale)
    seen = poses
    if not is_all_true(valid):
        seen = poses.masked_fill(~valid[..., None], float('nan'))
    # (B, T, K, D) -> (B, K, D); keypoints never seen in the window stay NaN.
    median = nan_median(seen)
    unseen = median.isnan()
    low = median.masked_fill(unseen, float('inf')).amin(1)
    high = median.masked_fill(unseen, float('-inf')).amax(1)
    size = (high - low).amax(-1)
    center = (high + low) / 2
    # Nothing seen, or a single point: there is a place but no size.
    sized = torch.isfinite(size) & (size > 0)
    if not is_all_true(sized):
        nowhere = ~torch.isfinite(size)
        center = torch.where(nowhere[:, None], poses.mean((1, 2)), center)
        size = torch.where(sized, size, _size_in_time(poses, center))
    return Affine(center[:, None, None, :], size[:, None, None, None])


def _size_in_time(poses: Tensor, center: Tensor) -> Tensor:
    """Longest side of boxes around windows (B, T, K, D), or next to nothing.

    In proportion to the coordinates, be they pixels or parts of the picture.
    """
    size = 2 * (poses - center[:, None, None]).abs().amax((1, 2, 3))
    far = center.abs().amax(1)
    far = torch.where(far > 0, far, torch.ones_like(far))
    return torch.maximum(size, _NEXT_TO_NOTHING * far)


def finish_poses(name: str, poses: Tensor) -> Tensor:
    """Project merged poses (..., K, D) of 'rot6d' to rotations, last of all.

    The mean of rotations in 6D form is not a rotation.
    """
    return project_rot6d(poses) if name == 'rot6d' else poses
