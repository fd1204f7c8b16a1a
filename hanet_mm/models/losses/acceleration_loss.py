# Copyright (c) hanet_mm contributors. All rights reserved.
"""Smoothness where the truth is smooth."""

import torch
from mmpose.registry import MODELS
from torch import Tensor, nn


@MODELS.register_module()
class AccelerationLoss(nn.Module):
    """Mean acceleration error, as the metric measures it.

    Not in the paper: ``mean ||a(pred) - a(target)||`` with the second
    difference ``a(x)_t = x_{t-1} - 2 x_t + x_{t+1}``. Jerks of the truth are
    to be followed, those of the estimates not.

    Args:
        loss_weight (float): Defaults to 10: accelerations are small beside
            errors of the place.
    """

    def __init__(self, loss_weight: float = 10.0):
        super().__init__()
        self.loss_weight = loss_weight

    def forward(self, pred: Tensor, target: Tensor, weights: Tensor) -> Tensor:
        """Loss of a batch.

        Args:
            pred (Tensor): Refined poses, (B, T, K, D).
            target (Tensor): Truth, (B, T, K, D).
            weights (Tensor): Zero where the truth is unknown, (B, T, K); a
                keypoint counts where it is known in three frames in a row.

        Returns:
            Tensor: A scalar; zero if nothing is known.
        """
        known = weights > 0
        error = (pred - target).masked_fill(~known[..., None], 0)
        error = error[:, :-2] - 2 * error[:, 1:-1] + error[:, 2:]
        known = known[:, :-2] & known[:, 1:-1] & known[:, 2:]
        size = torch.linalg.vector_norm(error, dim=-1)
        loss = torch.where(known, size, 0).sum() / known.sum().clamp(min=1)
        return self.loss_weight * loss
