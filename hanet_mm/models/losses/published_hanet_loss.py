# Copyright (c) hanet_mm contributors. All rights reserved.
"""The loss that the authors' training code computes."""

from typing import Dict

from mmpose.registry import MODELS
from torch import Tensor, nn


@MODELS.register_module()
class PublishedHANetLoss(nn.Module):
    """For those who want the published numbers; the paper's is OMLLoss.

    L1 per coordinate channel, all three terms divided by B * T * C; the
    mutual term pulls both outputs together; the hardest channels, about half
    of them and chosen over the whole batch, count a little more. Each step
    is normalised by the number of elements of the batch, so unlike in
    :class:`OMLLoss` the terms on sampled frames weigh about 1 / N.

    Departure: weights of zero leave an element out (the published code
    supervises padding too); they do not change the normaliser.

    Args:
        final_weight (float): Weight of the final output. Defaults to 5.
        refined_weight (float): Weight of the refined output and of the
            mutual term. Defaults to 1.
    """

    def __init__(self, final_weight: float = 5.0, refined_weight: float = 1.0):
        super().__init__()
        self.final_weight = final_weight
        self.refined_weight = refined_weight

    def forward(
        self,
        final: Tensor,
        refined: Tensor,
        target: Tensor,
        visible: Tensor,
        sample_interval: int,
    ) -> Dict[str, Tensor]:
        """Loss of a batch; arguments as :meth:`OMLLoss.forward`.

        Returns:
            dict[str, Tensor]: ``loss_hanet``.
        """
        hidden = visible[..., None] == 0
        hidden_s = hidden[:, ::sample_interval]
        final_s = final[:, ::sample_interval]
        target_s = target[:, ::sample_interval]
        # Sums over batch and frames, (K, D) each.
        on_final = _absolute(final, target, hidden)
        on_refined = _absolute(refined, target_s, hidden_s)
        mutual = _absolute(final_s, refined, hidden_s)
        channels = (
            self.final_weight * on_final
            + self.refined_weight * (on_refined + mutual)
        ).flatten() / final.numel()
        num_hard = 2 * (channels.numel() // 4)
        loss = channels.sum()
        if num_hard:
            loss = loss + channels.topk(num_hard).values.sum() / num_hard
        return {'loss_hanet': loss}


def _absolute(pred: Tensor, target: Tensor, hidden: Tensor) -> Tensor:
    return (pred - target).masked_fill(hidden, 0).abs().sum((0, 1))
