# Copyright (c) hanet_mm contributors. All rights reserved.
"""Tell the network which estimates belong to the other side."""

from typing import Sequence

import torch
import torch.nn.functional as F
from mmpose.registry import MODELS
from torch import Tensor, nn

# Much nearer is nearer by this factor.
_MUCH_NEARER = 0.4


@MODELS.register_module()
class SideSwapLoss(nn.Module):
    """Cross-entropy of swaps of left and right; labels come from the data.

    Not in the paper. An estimate that is much nearer to the true joint of
    the other side than to its own is swapped; one much nearer to its own is
    not; of the others, where both sides are close or both far, nothing is
    said. So no data set has to be annotated for it.

    Args:
        min_distance (float): A swap displaces a joint by at least so much,
            network units. Defaults to 0.05.
        loss_weight (float): Defaults to 0.3.
    """

    def __init__(
        self,
        min_distance: float = 0.05,
        loss_weight: float = 0.3,
    ):
        super().__init__()
        self.min_distance = min_distance
        self.loss_weight = loss_weight

    def forward(
        self,
        logits: Tensor,
        estimates: Tensor,
        target: Tensor,
        weights: Tensor,
        flip_indices: Sequence[int],
    ) -> Tensor:
        """Loss of a batch.

        Args:
            logits (Tensor): Log-odds of a swap, (B, T, K).
            estimates (Tensor): What the estimator found, (B, T, K, D).
            target (Tensor): Truth, (B, T, K, D).
            weights (Tensor): Zero where the truth is unknown, (B, T, K).
            flip_indices (Sequence[int]): Joint of the other side, (K, ).

        Returns:
            Tensor: A scalar; zero if nothing can be told.
        """
        flip = list(flip_indices)
        here = (estimates - target).norm(dim=-1)
        there = (estimates - target[:, :, flip]).norm(dim=-1)
        swapped = (there < _MUCH_NEARER * here) & (here > self.min_distance)
        told = swapped | (here < _MUCH_NEARER * there)
        told &= (weights > 0) & (weights[..., flip] > 0)
        # In float32 under automatic mixed precision.
        loss = F.binary_cross_entropy_with_logits(
            logits.float(), swapped.float(), reduction='none'
        )
        loss = torch.where(told, loss, 0).sum() / told.sum().clamp(min=1)
        return self.loss_weight * loss
