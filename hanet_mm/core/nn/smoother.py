# Copyright (c) hanet_mm contributors. All rights reserved.
"""Score-weighted smoothing and the start of the decoder (not in the paper)."""

from functools import lru_cache
from typing import Any, NamedTuple, Optional, Sequence, Tuple, cast

import torch
from torch import Tensor, nn
from torch.autograd.function import once_differentiable

from .kinematics import Kinematics, interpolate_samples
from .reduction import curvature, smoothing_change

# Weight of a missing keypoint relative to the stiffness: small next to an
# observation, large enough to hold a joint where it was filled.
_LEAST_WEIGHT = 1e-4
# Keeps the odds of the scores 0 and 1 finite.
_SOFT = 0.03
# Bound of the logarithm of a weight: float32 holds the sums.
_MAX_LOG_WEIGHT = 7.0
# Log-odds that stand for a missing keypoint as an input of the network.
_MISSING_LOG_ODDS = -4.0
_FEATURE_SCALE = 0.3
# Numbers of all full matrices up to which these are faster, times T.
_FEW = 3e6


def log_odds(scores: Tensor) -> Tensor:
    """Logarithm of the odds of scores, finite at 0 and 1, same shape."""
    scores = scores.clamp(0, 1)
    return torch.log(scores + _SOFT) - torch.log(1 - scores + _SOFT)


def score_features(scores: Tensor) -> Tensor:
    """Scale log-odds of scores, 0 = missing, to network inputs of size 1."""
    odds = torch.where(scores > 0, log_odds(scores), _MISSING_LOG_ODDS)
    return _FEATURE_SCALE * odds


def _factorize(weights: Tensor) -> Tuple[Tensor, Tensor]:
    """``L D L^T = diag(weights) + C^T C`` for weights (T, ...).

    Returns 1 / D, which is the second subdiagonal of L too, and the first
    subdiagonal of L, (T, ...) each.
    """
    frames = len(weights)
    bends = max(frames - 2, 0)
    diagonal, sides = weights.clone(), [0.0] * frames
    diagonal[:bends] += 1
    diagonal[1 : 1 + bends] += 4
    diagonal[2:] += 1
    for frame in range(bends):
        sides[frame] -= 2.0
        sides[frame + 1] -= 2.0
    inverse, lower = torch.empty_like(weights), torch.empty_like(weights)
    inverses, lowers = inverse.unbind(), lower.unbind()
    # Rounding must not make the matrix indefinite.
    least = 1e-7 if weights.dtype == torch.float32 else 2e-16
    side = torch.empty_like(weights[0])
    for t, pivot in enumerate(diagonal.unbind()):
        if t > 0:
            pivot.addcmul_(side, lowers[t - 1], value=-1)
        if t > 1:
            pivot.sub_(inverses[t - 2])
        torch.reciprocal(pivot.clamp_(min=least), out=inverses[t])
        side.fill_(sides[t])
        if 0 < t < frames - 1:
            side.sub_(lowers[t - 1])
        torch.mul(side, inverses[t], out=lowers[t])
    return inverse, lower


def _substitute(inverse: Tensor, lower: Tensor, wanted: Tensor) -> Tensor:
    """Solve with the factors (T, ..., 1) for ``wanted``, (T, ..., D)."""
    inverses, lowers = inverse.unbind(), lower.unbind()
    solution = wanted.clone(memory_format=torch.contiguous_format)
    rows = solution.unbind()
    for t in range(1, len(rows)):
        rows[t].addcmul_(lowers[t - 1], rows[t - 1], value=-1)
        if t > 1:
            rows[t].addcmul_(inverses[t - 2], rows[t - 2], value=-1)
    for t in range(len(rows) - 1, -1, -1):
        if t < len(rows) - 2:
            rows[t].sub_(rows[t + 2])
        rows[t].mul_(inverses[t])
        if t < len(rows) - 1:
            rows[t].addcmul_(lowers[t], rows[t + 1], value=-1)
    return solution


class _SmootherSolve(torch.autograd.Function):
    """Solution of a symmetric system; its gradient is one more solution."""

    @staticmethod
    def forward(ctx: Any, weights: Tensor, wanted: Tensor) -> Tensor:
        """Weights (T, ...) and right-hand sides (T, ..., D)."""
        inverse, lower = (x[..., None] for x in _factorize(weights))
        solution = _substitute(inverse, lower, wanted)
        ctx.save_for_backward(inverse, lower, solution)
        return solution

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad: Tensor) -> Tuple[Tensor, Tensor]:
        """Gradients of the weights and of the right-hand sides."""
        inverse, lower, solution = ctx.saved_tensors
        grad_wanted = _substitute(inverse, lower, grad)
        return -(grad_wanted * solution).sum(-1), grad_wanted


@lru_cache(maxsize=16)
def _stiffness_matrix(
    num_frames: int, device: torch.device, dtype: torch.dtype
) -> Tensor:
    """``C^T C`` of so many frames, cached: a constant of a traced network."""
    with torch.inference_mode(False):
        return curvature(torch.eye(num_frames, dtype=dtype, device=device))


def _solve_full(
    weights: Tensor, wanted: Tensor, stiffness: Tensor
) -> Optional[Tensor]:
    """Solve for (T, ..., D) by Cholesky; None where rounding forbids it."""
    frames = len(weights)
    series_weights = weights.reshape(frames, -1).T
    matrix = stiffness.repeat(len(series_weights), 1, 1)
    matrix.diagonal(0, 1, 2).add_(series_weights)
    factor, failed = torch.linalg.cholesky_ex(matrix)
    if bool(failed.any()):
        return None
    series = wanted.reshape(frames, len(matrix), -1).transpose(0, 1)
    solution = torch.cholesky_solve(series, factor)
    return solution.transpose(0, 1).reshape(wanted.shape)


@torch.jit.script_if_tracing
def _solve(
    weights: Tensor,
    wanted: Tensor,
    stiffness: Optional[Tensor],
    few: float = _FEW,
) -> Tensor:
    """Solve in the faster of both ways, in a traced network too."""
    size = len(weights) * len(weights) * weights.numel()
    if stiffness is not None and size <= few:
        solution = _solve_full(weights, wanted, stiffness)
        if solution is not None:
            return solution
    inverse, lower = _factorize(weights)
    return _substitute(inverse[..., None], lower[..., None], wanted)


def solve_smoother(weights: Tensor, wanted: Tensor) -> Tensor:
    """Solve ``(diag(w) + C^T C) x = wanted``, C the second differences.

    The matrix has five diagonals: it is factorised frame by frame, for all
    series (T, ..., D) with weights w (T, ...) at once, in O(T) and without a
    pivot search. Differentiable. A few short series, as a stream has them,
    are faster as full matrices.
    """
    learns = torch.is_grad_enabled() and (
        weights.requires_grad or wanted.requires_grad
    )
    if learns:
        return _SmootherSolve.apply(weights, wanted)
    # A number in traced networks too: windows have one length.
    frames, stiffness = int(weights.shape[0]), None
    if frames**3 <= _FEW:
        stiffness = _stiffness_matrix(frames, weights.device, weights.dtype)
    return _solve(weights, wanted, stiffness)


def weighted_line(values: Tensor, weights: Tensor) -> Tensor:
    """Least-squares straight lines through values (T, ..., D) over time."""
    times = torch.arange(len(values), dtype=values.dtype, device=values.device)
    times = times.view(-1, *[1] * (values.ndim - 1))
    weights = weights[..., None]
    total = weights.sum(0)
    times = times - (weights * times).sum(0) / total
    mean = (weights * values).sum(0) / total
    spread = (weights * times.square()).sum(0)
    slope = (weights * times * values).sum(0) / spread
    return mean + times * torch.where(spread > 0, slope, 0)


def smooth_poses(poses: Tensor, weights: Tensor) -> Tensor:
    """Smooth poses (B, T, K, D) with weights (B, T, K).

    Per joint and coordinate the x that minimises
    ``sum_t w_t (x_t - p_t)^2 + sum_t (x_{t-1} - 2 x_t + x_{t+1})^2``
    (Whittaker, Proc. Edinburgh Math. Soc. 41, 1922), which is what the
    Rauch-Tung-Striebel smoother of a point of constant speed finds: constant
    speed is kept without lag. Each series needs a weight above 0.
    """
    series = poses.transpose(0, 1).contiguous()
    weights = weights.transpose(0, 1).contiguous()
    # Solve for the change: constant poses change by exactly zero.
    if torch.onnx.is_in_onnx_export():
        change = smoothing_change(series, weights)
    else:
        change = solve_smoother(weights, -curvature(series))
    with torch.no_grad():
        # Weighted, the change has no straight line; what there is, is
        # rounding, which grows with the stiffness.
        rounding = weighted_line(change, weights)
    return (series + (change - rounding)).transpose(0, 1)


class ScoreSmoother(nn.Module):
    """:func:`smooth_poses` with learnt stiffness and trust in the scores.

    A keypoint of score s weighs ``odds(s) ** score_power / stiffness``, times
    a factor from the network; missing ones weigh next to nothing. Each
    keypoint has its own parameters.
    """

    def __init__(
        self,
        num_keypoints: int,
        stiffness: float = 300.0,
        score_power: float = 1.0,
    ):
        super().__init__()
        self.log_stiffness = nn.Parameter(
            # Of float32, whatever the default type: its digits count.
            torch.full((num_keypoints,), stiffness, dtype=torch.float32).log()
        )
        self.score_power = nn.Parameter(
            torch.full((num_keypoints,), score_power, dtype=torch.float32)
        )

    def forward(
        self,
        poses: Tensor,
        scores: Tensor,
        log_precision: Optional[Tensor] = None,
    ) -> Tensor:
        """Smooth windows (B, T, K, D) without gaps by scores (B, T, K).

        ``log_precision`` (B, T, K) is added to the logarithm of the weights.
        """
        log_weights = self.score_power * log_odds(scores)
        if log_precision is not None:
            log_weights = log_weights + log_precision
        log_weights = log_weights.clamp(-_MAX_LOG_WEIGHT, _MAX_LOG_WEIGHT)
        weights = (log_weights - self.log_stiffness).exp()
        weights = weights.masked_fill(scores <= 0, 0) + _LEAST_WEIGHT
        # A stiff path needs more digits than float32 has; MPS and the programs
        # that run exported networks have no others.
        short = poses.is_mps or torch.onnx.is_in_onnx_export()
        digits = torch.float32 if short else torch.float64
        smooth = smooth_poses(poses.to(digits), weights.to(digits))
        return smooth.to(poses.dtype)


# Initially an estimate is kept unless the network says otherwise.
_NO_SWAP = -3.0


class StartingPath(NamedTuple):
    """Initial poses of the decoder, C = K * D channels.

    ``refined`` (B, n, C) is P' of eq. 6 at the sampled frames, ``path``
    (B, T, C) what the decoder adds to, ``tokens`` (B, T, C') its input, and
    ``swap_logits`` (B, T, K) are as in :class:`RefinedPoses`.
    """

    refined: Tensor
    path: Tensor
    tokens: Tensor
    swap_logits: Optional[Tensor] = None


class CorrectedPoses(NamedTuple):
    """Smooth poses, the corrected estimates (B, T, K, D) and their scores."""

    poses: Tensor
    estimates: Tensor
    scores: Tensor
    swap_logits: Optional[Tensor]


class RobustStart(nn.Module):
    """Initial poses for the decoder: swap correction and smoothing.

    Not in the paper. From the encoder's features it predicts the precision of
    each estimate, beyond its score, and whether it belongs to the joint of the
    opposite side, given by ``flip_indices``. A swap of confident estimates can
    be undone but not smoothed away, so that comes first. Initially next to
    nothing is swapped and only the scores count.
    """

    def __init__(
        self,
        num_keypoints: int,
        coord_dims: int,
        embed_dims: int,
        flip_indices: Optional[Sequence[int]] = None,
    ):
        super().__init__()
        self.token_channels = num_keypoints * (2 * coord_dims + 1)
        self.norm = nn.LayerNorm(embed_dims)
        self.precision = nn.Linear(embed_dims, num_keypoints)
        self.smoother = ScoreSmoother(num_keypoints)
        self.swap = None
        if flip_indices is not None:
            _check_pairs(flip_indices, num_keypoints)
            self.flip_indices = list(flip_indices)
            self.swap = nn.Linear(embed_dims, num_keypoints)

    def init_weights(self) -> None:
        """Begin with the scores alone and no swap."""
        for layer in filter(None, (self.precision, self.swap)):
            nn.init.zeros_(layer.weight)
            nn.init.zeros_(layer.bias)
        if self.swap is not None:
            nn.init.constant_(self.swap.bias, _NO_SWAP)

    def forward(
        self, features: Tensor, kinematics: Kinematics, offsets: Tensor
    ) -> StartingPath:
        """Add offsets (B, n, C), interpolated, to smooth poses.

        The tokens hold the path, the deviations of the estimates and their
        scores.
        """
        interval = kinematics.interval
        start = self.correct(
            interpolate_samples(features, interval),
            kinematics.frames,
            cast(Tensor, kinematics.scores),
        )
        poses = start.poses.flatten(2)
        path = poses + interpolate_samples(offsets, interval)
        deviations = start.estimates.flatten(2) - poses
        return StartingPath(
            poses[:, ::interval] + offsets,
            path,
            torch.cat(
                [path, deviations, score_features(start.scores)], dim=-1
            ),
            start.swap_logits,
        )

    def correct(
        self, features: Tensor, poses: Tensor, scores: Tensor
    ) -> CorrectedPoses:
        """Correct swaps and smooth, with features (B, T, h) of all frames."""
        features = self.norm(features)
        logits = None
        if self.swap is not None:
            logits = self.swap(features)
            # Under automatic mixed precision the poses keep theirs.
            share = logits.sigmoid().to(poses.dtype)
            flip = self.flip_indices
            scores = torch.lerp(scores, scores[..., flip], share)
            poses = torch.lerp(poses, poses[:, :, flip], share[..., None])
        smooth = self.smoother(poses, scores, self.precision(features))
        return CorrectedPoses(smooth, poses, scores, logits)


def _check_pairs(flip_indices: Sequence[int], num_keypoints: int) -> None:
    every = list(range(num_keypoints))
    twice = [
        flip_indices[i] if 0 <= i < len(flip_indices) else None
        for i in flip_indices
    ]
    if len(flip_indices) != num_keypoints or twice != every:
        raise ValueError(
            f'flip_indices has to pair {num_keypoints} joints, got '
            f'{list(flip_indices)}'
        )
