# Copyright (c) hanet_mm contributors. All rights reserved.
"""The whole network on windows of poses."""

from typing import Any, Mapping, Optional, Tuple

import torch
from torch import Tensor, nn

from ..data.gaps import UNKNOWN_SCORE
from .decoder import KinematicDecoder, RefinedPoses
from .encoder import HierarchicalEncoder
from .kinematics import Kinematics, compute_kinematics


def check_parts(backbone: Mapping[str, Any], head: Mapping[str, Any]) -> None:
    """Raise a ValueError if encoder and decoder do not fit each other."""
    parts = [
        dict(part, use_scores=part.get('use_scores', False))
        for part in (backbone, head)
    ]
    for key in ('num_keypoints', 'coord_dims', 'embed_dims', 'use_scores'):
        one, two = (part.get(key) for part in parts)
        if one != two:
            raise ValueError(
                f'backbone and head differ in {key}: {one} and {two}'
            )


def encode_windows(
    backbone: nn.Module,
    head: nn.Module,
    poses: Tensor,
    sample_interval: int,
    distance: int = 1,
    scores: Optional[Tensor] = None,
) -> Tuple[Tensor, Kinematics]:
    """Features (B, M, embed_dims) and kinematics of windows (B, T, K, D).

    ``head(*encode_windows(...))`` is the whole network. Scores (B, T, K) in
    [0, 1], 0 = missing, are for networks with ``use_scores``; without scores
    all estimates count alike.
    """
    expected = (head.num_keypoints, head.coord_dims)
    if poses.ndim != 4 or tuple(poses.shape[2:]) != expected:
        raise ValueError(
            'expected poses of shape (B, T, K, D) = (B, T, '
            f'{expected[0]}, {expected[1]}), got {tuple(poses.shape)}'
        )
    if scores is None:
        scores = torch.full_like(poses[..., 0], UNKNOWN_SCORE)
    kinematics = compute_kinematics(
        poses,
        sample_interval,
        distance,
        with_unsampled=head.unsampled_memory is not None,
        scores=scores,
    )
    return backbone(kinematics), kinematics


class HANetNetwork(nn.Module):
    """Encoder and decoder, for use without OpenMMLab.

    The names of the parameters are those of the registered ``HANet``.

    Args:
        backbone (dict): Arguments of :class:`HierarchicalEncoder`.
        head (dict): Arguments of :class:`KinematicDecoder`.
        sample_interval (int): N, in frames; ``(T - 1) % N == 0``.
        distance (int): ``d_t`` of eq. 1, in frames.
    """

    def __init__(
        self,
        backbone: dict,
        head: dict,
        sample_interval: int,
        distance: int = 1,
    ):
        super().__init__()
        check_parts(backbone, head)
        self.backbone = HierarchicalEncoder(**backbone)
        self.head = KinematicDecoder(**head)
        self.sample_interval = sample_interval
        self.distance = distance

    def forward(
        self, poses: Tensor, scores: Optional[Tensor] = None
    ) -> RefinedPoses:
        """Refine windows.

        Args:
            poses (Tensor): Normalised estimates, (B, T, K, D).
            scores (Tensor, optional): See :func:`encode_windows`.

        Returns:
            RefinedPoses: final (B, T, K, D) and refined (B, n, K, D).
        """
        return self.head(
            *encode_windows(
                self.backbone,
                self.head,
                poses,
                self.sample_interval,
                self.distance,
                scores,
            )
        )
