# Copyright (c) hanet_mm contributors. All rights reserved.
"""Losses of single terms: places, accelerations, swaps, expected errors."""

from typing import Sequence, Tuple

import torch
import torch.nn.functional as F
from mmpose.registry import MODELS
from torch import Tensor, nn

NORMS = ('l1', 'l2')
# Its square keeps the gradient of a length of 0 at 0.
_TINY = 1e-15


def lengths(steps: Tensor, norm: str = 'l2') -> Tensor:
    """Norms of steps (..., D), their gradient 0 where they are 0.

    Sums: over so few numbers ``torch.linalg.vector_norm`` takes ten times as
    long.
    """
    if norm == 'l1':
        return steps.abs().sum(-1)
    return (steps.square().sum(-1) + _TINY**2).sqrt()


@MODELS.register_module()
class WeightedKeypointLoss(nn.Module):
    """Mean keypoint error, and once more that of the hardest keypoints.

    ``L_w = mean_visible ||target - pred|| + hard_weight * mean_hard ||.||``
    (paper, eq. 9). The hard half of the keypoints is chosen per sample by its
    mean error over the visible frames.

    Args:
        norms (Sequence[str]): 'l1', 'l2' or both, over the D coordinates of a
            keypoint; both are added up (Table 4).
        hard_weight (float): lambda of eq. 9.
        loss_weight (float): Factor of the whole.

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
        """Sums over the frames of weighted errors and of weights, both (B, K).

        Predictions and truth are (B, T, K, D), the latter anything, even NaN,
        where the weight (B, T, K) is zero.
        """
        # The weight takes care of the rest.
        target = target.masked_fill(visible[..., None] == 0, 0)
        difference = pred - target
        error = sum(lengths(difference, norm) for norm in self.norms)
        return (error * visible).sum(1), visible.sum(1)

    def forward(self, pred: Tensor, target: Tensor, visible: Tensor) -> Tensor:
        """Loss of poses and truth, (B, T, K, D); zero if nothing is visible.

        The weights (B, T, K) are zero where there is no annotation.
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


@MODELS.register_module()
class AccelerationLoss(nn.Module):
    """Mean acceleration error, as the metric measures it.

    Not in the paper: ``mean ||a(pred) - a(target)||`` with the second
    difference ``a(x)_t = x_{t-1} - 2 x_t + x_{t+1}``. Jerks of the truth are
    to be followed, those of the estimates not.

    Args:
        loss_weight (float): Large, for accelerations are small beside errors
            of the place.
    """

    def __init__(self, loss_weight: float = 10.0):
        super().__init__()
        self.loss_weight = loss_weight

    def forward(self, pred: Tensor, target: Tensor, weights: Tensor) -> Tensor:
        """Loss of poses and truth, (B, T, K, D); zero if nothing is known.

        A keypoint counts where its weights (B, T, K) are not zero in three
        frames in a row.
        """
        known = weights > 0
        error = pred - target.masked_fill(~known[..., None], 0)
        error = error[:, :-2] - 2 * error[:, 1:-1] + error[:, 2:]
        known = known[:, :-2] & known[:, 1:-1] & known[:, 2:]
        loss = torch.where(known, lengths(error), 0).sum()
        loss = loss / known.sum().clamp(min=1)
        return self.loss_weight * loss


# Much nearer is nearer by this factor.
_MUCH_NEARER = 0.4


@MODELS.register_module()
class SideSwapLoss(nn.Module):
    """Cross-entropy of swaps of left and right; labels come from the data.

    Not in the paper. An estimate that is much nearer to the true joint of the
    other side than to its own is swapped; one much nearer to its own is not;
    of the others, where both sides are close or both far, nothing is said. So
    no data set has to be annotated for it.

    Args:
        min_distance (float): A swap displaces a joint by at least so much,
            network units.
        loss_weight (float): Factor of the whole.
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
        """Loss of log-odds of a swap, (B, T, K); zero if nothing can be told.

        Estimates and truth are (B, T, K, D); weights (B, T, K) are zero where
        the truth is unknown; flip_indices (K, ) are the joints of the other
        side.
        """
        flip = list(flip_indices)
        here = lengths(estimates - target)
        there = lengths(estimates - target[:, :, flip])
        swapped = (there < _MUCH_NEARER * here) & (here > self.min_distance)
        told = swapped | (here < _MUCH_NEARER * there)
        told &= (weights > 0) & (weights[..., flip] > 0)
        # In float32 under automatic mixed precision.
        loss = F.binary_cross_entropy_with_logits(
            logits.float(), swapped.float(), reduction='none'
        )
        loss = torch.where(told, loss, 0).sum() / told.sum().clamp(min=1)
        return self.loss_weight * loss


@MODELS.register_module()
class ExpectedErrorLoss(nn.Module):
    """Negative log-likelihood of the errors that were made.

    Not in the paper. An error e of which b was expected is taken to be drawn
    from an exponential distribution of mean b: ``log b + e / b``, which is
    least where b is the mean of such errors. The poses do not learn from it.

    Args:
        loss_weight (float): Factor of the whole.
    """

    def __init__(self, loss_weight: float = 0.05):
        super().__init__()
        self.loss_weight = loss_weight

    def forward(
        self, log_error: Tensor, pred: Tensor, target: Tensor, weights: Tensor
    ) -> Tensor:
        """Loss of logarithms of the expected errors, (B, T, K).

        Poses and truth are (B, T, K, D); weights (B, T, K) are zero where the
        truth is unknown. Zero if nothing is known.
        """
        error = lengths((pred - target).detach())
        log_error = log_error.float()
        loss = log_error + error * torch.exp(-log_error)
        known = weights > 0
        loss = torch.where(known, loss, 0).sum() / known.sum().clamp(min=1)
        return self.loss_weight * loss
