# Copyright (c) hanet_mm contributors. All rights reserved.
"""The weighted loss of the paper (eq. 9)."""

from typing import Sequence, Tuple

import torch
from mmpose.registry import MODELS
from torch import Tensor, nn

NORMS = {'l1': 1, 'l2': 2}


@MODELS.register_module()
class WeightedKeypointLoss(nn.Module):
    """Mean keypoint error, and once more that of the hardest keypoints.

    ``L_w = mean_visible ||target - pred|| + hard_weight * mean_hard ||.||``
    (eq. 9). The hard half of the keypoints is chosen per sample by its mean
    error over the visible frames.

    Args:
        norms (Sequence[str]): 'l1', 'l2' or both, over the D coordinates of
            a keypoint; both are added up (Table 4). Defaults to both.
        hard_weight (float): lambda of eq. 9. Defaults to 0.5.
        loss_weight (float): Factor of the whole. Defaults to 1.

    Raises:
        ValueError: If ``norms`` is empty or names an unknown norm.
    """

    def __init__(
        self,
        norms: Sequence[str] = ('l1', 'l2'),
        hard_weight: float = 0.5,
        loss_weight: float = 1.0,
    ):
        super().__init__()
        unknown = set(norms) - set(NORMS)
        if unknown or not norms:
            raise ValueError(
                f"norms have to be of 'l1' and 'l2', at least one, got {norms}"
            )
        self.norms = tuple(norms)
        self.hard_weight = hard_weight
        self.loss_weight = loss_weight

    def keypoint_errors(
        self, pred: Tensor, target: Tensor, visible: Tensor
    ) -> Tuple[Tensor, Tensor]:
        """Visibility-weighted error of each keypoint of each sample.

        Args:
            pred (Tensor): (B, T, K, D).
            target (Tensor): (B, T, K, D); anything, even NaN, where the
                weight is zero.
            visible (Tensor): Weights, (B, T, K).

        Returns:
            tuple[Tensor, Tensor]: Sums over the frames of weighted errors
            and of weights, both (B, K).
        """
        difference = (pred - target).masked_fill(visible[..., None] == 0, 0)
        error = sum(
            torch.linalg.vector_norm(difference, NORMS[norm], dim=-1)
            for norm in self.norms
        )
        return (error * visible).sum(1), visible.sum(1)

    def forward(self, pred: Tensor, target: Tensor, visible: Tensor) -> Tensor:
        """Loss of a batch.

        Args:
            pred (Tensor): Predictions, (B, T, K, D).
            target (Tensor): Ground truth, (B, T, K, D).
            visible (Tensor): Weights v, (B, T, K), zero where there is no
                annotation.

        Returns:
            Tensor: A scalar; zero if nothing is visible.
        """
        errors, counts = self.keypoint_errors(pred, target, visible)
        means = (errors / counts.clamp(min=1e-12)).detach()
        num_hard = max(1, errors.shape[1] // 2)
        # A keypoint that is nowhere visible is never a hard one.
        order = means.masked_fill(counts == 0, -1).topk(num_hard, dim=1)
        hard_errors = errors.gather(1, order.indices)
        hard_counts = counts.gather(1, order.indices)
        loss = _ratio(errors, counts)
        loss = loss + self.hard_weight * _ratio(hard_errors, hard_counts)
        return self.loss_weight * loss


def _ratio(errors: Tensor, counts: Tensor) -> Tensor:
    return errors.sum() / counts.sum().clamp(min=1e-12)
