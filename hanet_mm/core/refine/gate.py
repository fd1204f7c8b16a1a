# Copyright (c) hanet_mm contributors. All rights reserved.
"""Detection of input unlike the training data, and its fallback."""

import warnings
from typing import Callable, Iterable, Optional, Union

import torch
from torch import Tensor, nn

from ..nn.decoder import RefinedPoses
from ..nn.smoother import ScoreSmoother
from .masks import is_all_true
from .medians import nan_median

# Stiffness of the fallback: that of the best Kalman smoother on people in
# video at 25 frames/s.
_STIFFNESS = 200.0
_SMOOTHER = 'a Kalman smoother'
# Jitter below this share of the unit length counts as none.
_STILL = 1e-4
# Motion below this share of the unit length counts as none.
_AT_REST = 2e-3
# Lower bound of the variance of a feature in the fit.
_LEAST_VARIANCE = 1e-4


class NoveltyGate(nn.Module):
    """Detects out-of-distribution windows.

    The features (F, ) of a window are its median pose, its amount of jitter
    and, with ``motion``, how far each joint moves about its median, all in
    network units. A window is out of distribution if its Mahalanobis distance
    exceeds the 99.7 % quantile of the training windows: joints in another
    order, an animal, a track of two people, a motion of another kind. The
    distance says nothing about the quality of the estimates.
    """

    center: Tensor
    whitening: Tensor
    limit: Tensor

    def __init__(
        self, num_keypoints: int, coord_dims: int, motion: bool = False
    ):
        super().__init__()
        self.motion = motion
        features = num_keypoints * (coord_dims + motion) + 1
        self.register_buffer('center', torch.zeros(features))
        self.register_buffer('whitening', torch.eye(features))
        self.register_buffer('limit', torch.tensor(float('inf')))

    def features(self, poses: Tensor, scores: Tensor) -> Tensor:
        """Features (B, F) of normalised windows (B, T, K, D).

        The median pose, log median jitter and with ``motion`` the log mean
        distance of each joint from its median. NaN for joints that were not
        seen.
        """
        seen = scores > 0
        whole = is_all_true(seen)
        known = poses
        if not whole:
            known = poses.masked_fill(~seen[..., None], float('nan'))
        median = nan_median(known)
        bend = (poses[:, :-2] - 2 * poses[:, 1:-1] + poses[:, 2:]).norm(dim=-1)
        if not whole:
            still = ~(seen[:, :-2] & seen[:, 1:-1] & seen[:, 2:])
            bend = bend.masked_fill(still, float('nan'))
        jitter = nan_median(bend.flatten(1))
        parts = [median.flatten(1), (jitter + _STILL).log()[:, None]]
        if self.motion:
            moved = (known - median[:, None]).norm(dim=-1).nanmean(dim=1)
            parts.append((moved + _AT_REST).log())
        return torch.cat(parts, dim=1)

    def distance(self, features: Tensor) -> Tensor:
        """Mahalanobis distances over sqrt(F), (B, F) -> (B, ).

        Unknown features take their most probable values.
        """
        features = features - self.center
        unknown = features.isnan()
        if not is_all_true(~unknown):
            features = self._without_gaps(features.nan_to_num(0), unknown)
        white = features @ self.whitening
        return white.square().mean(dim=1).sqrt()

    def _without_gaps(self, features: Tensor, unknown: Tensor) -> Tensor:
        """Complete the rows that have gaps."""
        if not features.is_cpu:
            # To look for them would be to wait for the device.
            return self._complete(features, unknown)
        rows = unknown.any(1).nonzero()[:, 0]
        complete = self._complete(features[rows], unknown[rows])
        return features.index_copy(0, rows, complete)

    def _complete(self, features: Tensor, unknown: Tensor) -> Tensor:
        """Fill unknown centred features by their conditional mean.

        With P the inverse covariance, ``x_u = -P_uu^-1 P_uk x_k``; rows and
        columns of known features are those of the identity.
        """
        precision = self.whitening @ self.whitening.T
        pairs = unknown[:, :, None] & unknown[:, None, :]
        matrix = precision * pairs + torch.diag_embed((~unknown).to(features))
        wanted = torch.where(unknown, -(features @ precision), features)
        # A part of a positive definite matrix: there is nothing to check.
        return torch.linalg.solve_ex(matrix, wanted).result

    def forward(self, poses: Tensor, scores: Tensor) -> Tensor:
        """Detect windows (B, T, K, D) out of distribution, bool (B, )."""
        return self.distance(self.features(poses, scores)) > self.limit

    @torch.no_grad()
    def fit(self, features: Tensor, share: float) -> None:
        """Fit to features (N, F) of training windows, N well above F.

        ``share`` of these windows will pass.
        """
        usual = features.nanmean(dim=0)
        features = torch.where(features.isnan(), usual, features).double()
        self.center.copy_(usual)
        values, vectors = torch.linalg.eigh(features.T.cov())
        scale = values.clamp(min=_LEAST_VARIANCE).rsqrt()
        self.whitening.copy_(vectors * scale)
        distance = self.distance(features.to(self.center))
        self.limit.copy_(distance.quantile(share))


class GatedNetwork:
    """A network that leaves out-of-distribution windows to a Kalman smoother.

    Their expected error is NaN. With another ``fallback`` whoever calls it
    replaces the windows with that error; those of a network that predicts no
    error are smoothed all the same.
    """

    def __init__(
        self,
        network: Callable[[Tensor, Tensor], RefinedPoses],
        gate: Optional[NoveltyGate],
        fallback: str = _SMOOTHER,
    ):
        self.network = network
        self.gate = gate
        self.fallback = fallback
        self._rejected: Union[int, Tensor] = 0

    @property
    def rejected(self) -> int:
        """Windows that were out of distribution since construction."""
        return int(self._rejected)

    def __call__(self, poses: Tensor, scores: Tensor) -> RefinedPoses:
        """Refine windows, or smooth those out of distribution."""
        refined = self.network(poses, scores)
        if self.gate is None:
            return refined
        outside = self.gate(poses, scores)
        if is_all_true(~outside):
            return refined
        self._rejected = self._rejected + outside.sum()
        final, log_error = refined.final, refined.log_error
        if log_error is not None:
            # It was predicted for other poses.
            log_error = log_error.masked_fill(
                outside[:, None, None], float('nan')
            )
        if log_error is None or self.fallback == _SMOOTHER:
            final = _smooth_rows(final, poses, scores, outside)
        return refined._replace(final=final, log_error=log_error)

    def warn(self, stacklevel: int) -> None:
        """Warn of windows that were smoothed instead since construction."""
        if self.rejected:
            warnings.warn(
                f"{self.rejected} windows are outside the refiner's training "
                'distribution (wrong keypoint order, not a person, or an '
                f'identity switch?) and were smoothed with {self.fallback} '
                'instead',
                stacklevel=stacklevel + 1,
            )


def _smooth_rows(
    final: Tensor, poses: Tensor, scores: Tensor, outside: Tensor
) -> Tensor:
    """Replace the windows ``outside``, bool (B, ), by smoothed estimates."""
    rows = outside.nonzero()[:, 0]
    if not len(rows):
        return final
    smoother = ScoreSmoother(poses.shape[2], _STIFFNESS).to(poses)
    smooth = smoother(poses[rows], scores[rows])
    return final.index_copy(0, rows, smooth.to(final))


def fit_gate(
    gate: NoveltyGate, batches: Iterable, share: float = 0.997
) -> None:
    """Fit a gate to batches of normalised windows (B, T, K, D) and scores."""
    gate.fit(torch.cat([gate.features(*batch) for batch in batches]), share)
