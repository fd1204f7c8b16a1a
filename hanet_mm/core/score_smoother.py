"""A smoother that trusts each estimate as far as its score says."""

from typing import Optional

import torch
from torch import Tensor, nn

# Score of an estimate of which none was given: that of a usual one.
UNKNOWN_SCORE = 0.8
# Missing keypoints weigh so much of the stiffness: little beside estimates,
# but enough to hold a joint where it was filled, and for float32's digits.
_LEAST_WEIGHT = 1e-4
# Keeps the odds of the scores 0 and 1 finite.
_SOFT = 0.03
# Bound of the logarithm of a weight: float32 holds the sums.
_MAX_LOG_WEIGHT = 7.0
# Log-odds that stand for a missing keypoint as an input of the network.
_MISSING_LOG_ODDS = -4.0
_FEATURE_SCALE = 0.3


def log_odds(scores: Tensor) -> Tensor:
    """Logarithm of the odds of scores, finite at 0 and 1, same shape."""
    scores = scores.clamp(0, 1)
    return torch.log(scores + _SOFT) - torch.log(1 - scores + _SOFT)


def score_features(scores: Tensor) -> Tensor:
    """Scores as inputs of a network, of size about 1.

    Args:
        scores (Tensor): 0 = missing, any shape.

    Returns:
        Tensor: Of that shape.
    """
    odds = torch.where(scores > 0, log_odds(scores), _MISSING_LOG_ODDS)
    return _FEATURE_SCALE * odds


def smooth_poses(poses: Tensor, weights: Tensor) -> Tensor:
    """The smooth path through poses, each pulling with its weight.

    Per joint and coordinate the x that minimises
    ``sum_t w_t (x_t - p_t)^2 + sum_t (x_{t-1} - 2 x_t + x_{t+1})^2``
    (Whittaker, Proc. Edinburgh Math. Soc. 41, 1922), which is what the
    Rauch-Tung-Striebel smoother of a point of constant speed finds. Constant
    speed is kept, there is no lag; differentiable in all arguments.

    Args:
        poses (Tensor): (B, T, K, D).
        weights (Tensor): At least 1e-4 in float32, (B, T, K).

    Returns:
        Tensor: (B, T, K, D).
    """
    num_frames = poses.shape[1]
    eye = torch.eye(num_frames, device=poses.device, dtype=poses.dtype)
    bend = eye[:-2] - 2 * eye[1:-1] + eye[2:]
    # (T, T), with (B, K, T) on the diagonal -> (B, K, T, T)
    matrix = bend.T @ bend + torch.diag_embed(weights.transpose(1, 2))
    series = poses.transpose(1, 2)
    # Solved for the change: that keeps digits, as steady poses have none.
    wanted = -(bend.T @ (bend @ series))
    change = torch.cholesky_solve(wanted, torch.linalg.cholesky(matrix))
    return (series + change).transpose(1, 2)


class ScoreSmoother(nn.Module):
    """:func:`smooth_poses` with learnt stiffness and trust in the scores.

    A keypoint of score s weighs ``odds(s) ** score_power / stiffness``, times
    what the network adds; missing ones weigh next to nothing.

    Args:
        num_keypoints (int): K; each has values of its own.
        stiffness (float): To begin with. Defaults to 300.
        score_power (float): To begin with. Defaults to 1.
    """

    def __init__(
        self,
        num_keypoints: int,
        stiffness: float = 300.0,
        score_power: float = 1.0,
    ):
        super().__init__()
        self.log_stiffness = nn.Parameter(
            torch.full((num_keypoints,), stiffness).log()
        )
        self.score_power = nn.Parameter(
            torch.full((num_keypoints,), score_power)
        )

    def forward(
        self,
        poses: Tensor,
        scores: Tensor,
        log_precision: Optional[Tensor] = None,
    ) -> Tensor:
        """Smooth windows.

        Args:
            poses (Tensor): Without gaps, (B, T, K, D).
            scores (Tensor): In [0, 1], 0 = missing, (B, T, K).
            log_precision (Tensor, optional): Added to the logarithm of the
                weights, (B, T, K).

        Returns:
            Tensor: (B, T, K, D).
        """
        log_weights = self.score_power * log_odds(scores)
        if log_precision is not None:
            log_weights = log_weights + log_precision
        log_weights = log_weights.clamp(-_MAX_LOG_WEIGHT, _MAX_LOG_WEIGHT)
        weights = (log_weights - self.log_stiffness).exp()
        weights = weights.masked_fill(scores <= 0, 0) + _LEAST_WEIGHT
        # Under automatic mixed precision a solver needs full digits.
        with torch.autocast(poses.device.type, enabled=False):
            return smooth_poses(poses.float(), weights.float()).to(poses.dtype)
