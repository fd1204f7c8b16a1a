# Copyright (c) hanet_mm contributors. All rights reserved.
"""Let the network tell how far off it expects to be."""

import torch
from mmpose.registry import MODELS
from torch import Tensor, nn


@MODELS.register_module()
class ExpectedErrorLoss(nn.Module):
    """Negative log-likelihood of the errors that were made.

    Not in the paper. An error e of which b was expected is taken to be drawn
    from an exponential distribution of mean b: ``log b + e / b``, which is
    least where b is the mean of such errors. The poses do not learn from it.

    Args:
        loss_weight (float): Defaults to 0.05.
    """

    def __init__(self, loss_weight: float = 0.05):
        super().__init__()
        self.loss_weight = loss_weight

    def forward(
        self, log_error: Tensor, pred: Tensor, target: Tensor, weights: Tensor
    ) -> Tensor:
        """Loss of a batch.

        Args:
            log_error (Tensor): Logarithm of the expected error, (B, T, K).
            pred (Tensor): Refined poses, (B, T, K, D).
            target (Tensor): Truth, (B, T, K, D).
            weights (Tensor): Zero where the truth is unknown, (B, T, K).

        Returns:
            Tensor: A scalar; zero if nothing is known.
        """
        error = (pred - target).detach().norm(dim=-1)
        log_error = log_error.float()
        loss = log_error + error * torch.exp(-log_error)
        known = weights > 0
        loss = torch.where(known, loss, 0).sum() / known.sum().clamp(min=1)
        return self.loss_weight * loss
