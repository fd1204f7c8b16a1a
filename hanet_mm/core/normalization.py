"""Coordinate systems in which the network sees poses."""

from typing import NamedTuple, Optional

import torch
from torch import Tensor

NORMALIZATIONS = ('none', 'image', 'box')


class Affine(NamedTuple):
    """An invertible change of coordinates of each window.

    Attributes:
        center (Tensor): Origin, (B, 1, 1, D) or (1, 1, 1, 1).
        scale (Tensor): Unit length, (B, 1, 1, D or 1) or (1, 1, 1, 1).
    """

    center: Tensor
    scale: Tensor

    def encode(self, poses: Tensor) -> Tensor:
        """To the network, (B, T, K, D) -> (B, T, K, D)."""
        return (poses - self.center) / self.scale

    def decode(self, poses: Tensor) -> Tensor:
        """Back from the network, (B, T, K, D) -> (B, T, K, D)."""
        return poses * self.scale + self.center


def check_normalization(name: str) -> None:
    """Raise a ValueError unless ``name`` is a normalisation."""
    if name not in NORMALIZATIONS:
        raise ValueError(
            f'normalization has to be one of {NORMALIZATIONS}, got {name!r}'
        )


def fit_normalization(
    name: str,
    poses: Tensor,
    valid: Tensor,
    image_size: Optional[Tensor] = None,
) -> Affine:
    """Coordinate system of each window.

    - 'none': coordinates as they are.
    - 'image': x / W and y / H, as the published 2D data.
    - 'box': relative to the person: centre and larger side of the box
      around the median pose, over the frames where a keypoint was seen. A
      keypoint that is wrong in less than half of its frames does not move
      it.

    Args:
        name (str): One of the above.
        poses (Tensor): Estimated poses, (B, T, K, D).
        valid (Tensor): Keypoints that were seen, bool, (B, T, K).
        image_size (Tensor, optional): W, H in pixels, (B, 2). Needed for
            'image'.

    Returns:
        Affine: The coordinate system.

    Raises:
        ValueError: For an unknown name, or 'image' without image size or
            for other than two coordinates.
    """
    check_normalization(name)
    origin = poses.new_zeros(1, 1, 1, 1)
    if name == 'none':
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
    seen = poses.masked_fill(~valid[..., None], float('nan'))
    # (B, T, K, D) -> (B, K, D); keypoints never seen in the window stay NaN.
    median = seen.nanmedian(dim=1).values
    unseen = median.isnan()
    low = median.masked_fill(unseen, float('inf')).amin(1)
    high = median.masked_fill(unseen, float('-inf')).amax(1)
    size = (high - low).amax(-1)
    # Nothing seen, or a single point: there is a place but no size.
    nowhere = ~torch.isfinite(size)
    center = torch.where(
        nowhere[:, None], poses.mean((1, 2)), (high + low) / 2
    )
    size = torch.where(nowhere | (size <= 0), torch.ones_like(size), size)
    return Affine(center[:, None, None, :], size[:, None, None, None])
