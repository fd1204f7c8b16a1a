# Copyright (c) hanet_mm contributors. All rights reserved.
"""Losses of HANet's two outputs: the paper's, and that of its code."""

from typing import Dict, Optional, Sequence

import torch
from mmpose.registry import MODELS
from torch import Tensor, nn

from .keypoint_losses import WeightedKeypointLoss


@MODELS.register_module()
class OMLLoss(nn.Module):
    """Online mutual learning (paper section 3.4).

    Supervision of both outputs, and of the worse one by the better one:
    ``L = L_w(G, P') + final_weight * L_w(G, P_s) + L_O(P', P_s)`` (eq. 11).
    In L_O (eq. 10) the output with the smaller error against the ground truth
    is the target of the other, decided per sample and keypoint on the sampled
    frames. Gradients flow into the learning output only.

    Args:
        final_weight (float): lambda_s of eq. 11.
        norms (Sequence[str]): Norms of L_w, see :class:`WeightedKeypointLoss`.
        oml_norms (Sequence[str], optional): Norms of L_O (Table 4); an empty
            sequence leaves L_O out. None: ``norms``.
        hard_weight (float): lambda of eq. 9.
    """

    def __init__(
        self,
        final_weight: float = 5.0,
        norms: Sequence[str] = ('l1', 'l2'),
        oml_norms: Optional[Sequence[str]] = None,
        hard_weight: float = 0.5,
    ):
        super().__init__()
        self.final_weight = final_weight
        self.supervised = WeightedKeypointLoss(norms, hard_weight)
        oml_norms = norms if oml_norms is None else oml_norms
        self.mutual = (
            WeightedKeypointLoss(oml_norms, hard_weight) if oml_norms else None
        )

    def forward(
        self,
        final: Tensor,
        refined: Tensor,
        target: Tensor,
        visible: Tensor,
        sample_interval: int,
    ) -> Dict[str, Tensor]:
        """Losses of a batch of windows.

        Args:
            final (Tensor): P_s, (B, T, K, D).
            refined (Tensor): P' at the sampled frames, (B, n, K, D).
            target (Tensor): G, (B, T, K, D).
            visible (Tensor): Weights v, (B, T, K).
            sample_interval (int): N.

        Returns:
            dict[str, Tensor]: ``loss_refined``, ``loss_final`` and, unless
            it is left out, ``loss_mutual``.
        """
        target_s = target[:, ::sample_interval]
        visible_s = visible[:, ::sample_interval]
        losses = {
            'loss_refined': self.supervised(refined, target_s, visible_s),
            'loss_final': self.final_weight
            * self.supervised(final, target, visible),
        }
        if self.mutual is not None:
            losses['loss_mutual'] = self._mutual(
                final[:, ::sample_interval], refined, target_s, visible_s
            )
        return losses

    def _mutual(
        self, final: Tensor, refined: Tensor, target: Tensor, visible: Tensor
    ) -> Tensor:
        with torch.no_grad():
            # Same weights on both sides: sums compare as means do.
            final_error, _ = self.mutual.keypoint_errors(
                final, target, visible
            )
            refined_error, _ = self.mutual.keypoint_errors(
                refined, target, visible
            )
            # (B, K) -> (B, 1, K, 1)
            final_leads = (final_error < refined_error)[:, None, :, None]
        teacher = torch.where(final_leads, final, refined).detach()
        learner = torch.where(final_leads, refined, final)
        return self.mutual(learner, teacher, visible)


@MODELS.register_module()
class PublishedHANetLoss(nn.Module):
    """The loss of the authors' code, for the published numbers; cf. OMLLoss.

    L1 per coordinate channel, all three terms divided by B * T * C; the mutual
    term pulls both outputs together; the hardest channels, about half of them
    and chosen over the whole batch, count a little more. Each step is
    normalised by the number of elements of the batch, so unlike in
    :class:`OMLLoss` the terms on sampled frames weigh about 1 / N.

    Departure: weights of zero leave an element out (the published code
    supervises padding too); they do not change the normaliser.

    Args:
        final_weight (float): Weight of the final output.
        refined_weight (float): Weight of the refined output and of the mutual
            term.
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
        """The loss ``loss_hanet``; arguments as :meth:`OMLLoss.forward`."""
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
