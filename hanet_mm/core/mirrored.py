"""Refine windows and their mirror images, and average both."""

from typing import Callable, Optional, Sequence

import torch
from torch import Tensor

from .decoder import RefinedPoses

Network = Callable[[Tensor, Tensor], RefinedPoses]


def mirror(poses: Tensor) -> Tensor:
    """Left for right about the origin of the window, (..., D)."""
    return torch.cat([-poses[..., :1], poses[..., 1:]], dim=-1)


def check_flip(
    normalization: str, flip_indices: Optional[Sequence[int]]
) -> None:
    """Raise a ValueError if windows of this normalisation have no mirror.

    Args:
        normalization (str): See
            :func:`hanet_mm.core.normalization.fit_normalization`.
        flip_indices (Sequence[int], optional): Whether to mirror at all.
    """
    if flip_indices is not None and normalization not in ('box', 'root'):
        raise ValueError(
            "mirrored windows need the normalization 'box' or 'root', got "
            f'{normalization!r}'
        )


def mirrored_network(
    network: Network, flip_indices: Optional[Sequence[int]]
) -> Network:
    """A network whose final poses are the mean with those of the mirror.

    Args:
        network (Callable): From poses (B, T, K, D) and scores (B, T, K) to
            :class:`RefinedPoses`.
        flip_indices (Sequence[int], optional): Joint of the other side of
            each joint. None: the network itself.

    Returns:
        Callable: Used like the network; what else it tells is of the window
        as it is.
    """
    if flip_indices is None:
        return network
    flip = list(flip_indices)

    def refine(poses: Tensor, scores: Tensor) -> RefinedPoses:
        refined = network(poses, scores)
        other = network(mirror(poses[:, :, flip]), scores[..., flip]).final
        final = (refined.final + mirror(other[:, :, flip])) / 2
        return refined._replace(final=final)

    return refine
