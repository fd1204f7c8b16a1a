"""Does the input look like what the network was trained on?"""

import warnings
from typing import Callable, Iterable, Optional

import torch
from torch import Tensor, nn

from ..nn.decoder import RefinedPoses
from ..nn.smoother import ScoreSmoother

# Smooths as the best Kalman smoother does on people in video at 25 frames/s.
_STIFFNESS = 200.0
# Jitter below this part of the unit length is none.
_STILL = 1e-4
# Least variance of a feature that the fit allows for.
_LEAST_VARIANCE = 1e-4


class NoveltyGate(nn.Module):
    """Tells windows that are far from the training data.

    Of a window it looks at the median pose and the amount of jitter, both in
    network units. Far is a Mahalanobis distance that next to no training
    window has: joints in another order, an animal, a track of two people. It
    says nothing about the quality of the estimates.

    Args:
        num_keypoints (int): K.
        coord_dims (int): D.

    Attributes:
        center (Tensor): Mean of the features, (F, ).
        whitening (Tensor): Matrix that makes them white, (F, F).
        limit (Tensor): Largest root-mean-square whitened feature that is not
            far, a number.
    """

    center: Tensor
    whitening: Tensor
    limit: Tensor

    def __init__(self, num_keypoints: int, coord_dims: int):
        super().__init__()
        features = num_keypoints * coord_dims + 1
        self.register_buffer('center', torch.zeros(features))
        self.register_buffer('whitening', torch.eye(features))
        self.register_buffer('limit', torch.tensor(float('inf')))

    def features(self, poses: Tensor, scores: Tensor) -> Tensor:
        """What is looked at.

        Args:
            poses (Tensor): Normalised estimates, (B, T, K, D).
            scores (Tensor): 0 = missing, (B, T, K).

        Returns:
            Tensor: Median pose and logarithm of the median jitter, (B, F),
            NaN of joints that were not seen.
        """
        seen = scores > 0
        known = poses.masked_fill(~seen[..., None], float('nan'))
        median = known.nanmedian(dim=1).values
        bend = (poses[:, :-2] - 2 * poses[:, 1:-1] + poses[:, 2:]).norm(dim=-1)
        still = ~(seen[:, :-2] & seen[:, 1:-1] & seen[:, 2:])
        jitter = bend.masked_fill(still, float('nan')).flatten(1)
        jitter = jitter.nanmedian(dim=1).values
        return torch.cat(
            [median.flatten(1), (jitter + _STILL).log()[:, None]], dim=1
        )

    def distance(self, features: Tensor) -> Tensor:
        """Root mean square of whitened features, (B, F) -> (B, ).

        What is not known is taken to be what goes best with the rest.
        """
        features = features - self.center
        unknown = features.isnan()
        if unknown.any():
            features = self._completed(features.nan_to_num(0), unknown)
        white = features @ self.whitening
        return white.square().mean(dim=1).sqrt()

    def _completed(self, features: Tensor, unknown: Tensor) -> Tensor:
        """Fill features about the center by their conditional mean.

        With P the inverse covariance, ``x_u = -P_uu^-1 P_uk x_k``; rows and
        columns of what is known are those of the identity.
        """
        precision = self.whitening @ self.whitening.T
        pairs = unknown[:, :, None] & unknown[:, None, :]
        matrix = precision * pairs + torch.diag_embed((~unknown).to(features))
        wanted = torch.where(unknown, -(features @ precision), features)
        return torch.linalg.solve(matrix, wanted)

    def forward(self, poses: Tensor, scores: Tensor) -> Tensor:
        """Which windows are far.

        Args:
            poses (Tensor): Normalised estimates, (B, T, K, D).
            scores (Tensor): 0 = missing, (B, T, K).

        Returns:
            Tensor: Bool, (B, ).
        """
        return self.distance(self.features(poses, scores)) > self.limit

    @torch.no_grad()
    def fit(self, features: Tensor, share: float) -> None:
        """Set the gate by features of training windows.

        Args:
            features (Tensor): (N, F), N well above F.
            share (float): Of these windows that are to pass.
        """
        usual = features.nanmean(dim=0)
        features = torch.where(features.isnan(), usual, features).double()
        self.center.copy_(usual)
        values, vectors = torch.linalg.eigh(features.T.cov())
        scale = values.clamp(min=_LEAST_VARIANCE).rsqrt()
        self.whitening.copy_(vectors * scale)
        distance = self.distance(features.to(self.center))
        self.limit.copy_(distance.quantile(share))


class GuardedNetwork:
    """A network that leaves what it does not know to a classical filter.

    Args:
        network (Callable): From poses (B, T, K, D) and scores (B, T, K) to
            :class:`RefinedPoses`.
        gate (NoveltyGate, optional): None: every window is refined.

    Attributes:
        far (int): Windows that were left to the filter so far; of these
            no error can be expected, it is NaN.
    """

    def __init__(
        self,
        network: Callable[[Tensor, Tensor], RefinedPoses],
        gate: Optional[NoveltyGate],
    ):
        self.network = network
        self.gate = gate
        self.far = 0

    def __call__(self, poses: Tensor, scores: Tensor) -> RefinedPoses:
        """Refine windows, smooth those that are far."""
        refined = self.network(poses, scores)
        if self.gate is None:
            return refined
        far = self.gate(poses, scores)
        if not far.any():
            return refined
        self.far += int(far.sum())
        smoother = ScoreSmoother(poses.shape[2], _STIFFNESS).to(poses)
        smooth = smoother(poses, scores)
        final = torch.where(far[:, None, None, None], smooth, refined.final)
        log_error = refined.log_error
        if log_error is not None:
            # It is that of other poses.
            log_error = log_error.masked_fill(far[:, None, None], float('nan'))
        return refined._replace(final=final, log_error=log_error)

    def warn(self, stacklevel: int) -> None:
        """Say if windows were left to the filter since this was made.

        Args:
            stacklevel (int): Of :func:`warnings.warn`.

        Warns:
            UserWarning: With the number of windows.
        """
        if self.far:
            warnings.warn(
                f'{self.far} windows are unlike those that the refiner was '
                'trained on (keypoints in another order, no person, a track '
                'of several people?): a classical filter smoothed them',
                stacklevel=stacklevel + 1,
            )


def fit_gate(
    gate: NoveltyGate, batches: Iterable, share: float = 0.997
) -> None:
    """Fit a gate to batches of training windows.

    Args:
        gate (NoveltyGate): Changed in place.
        batches (Iterable): Pairs of normalised estimates (B, T, K, D) and
            scores (B, T, K).
        share (float): See :meth:`NoveltyGate.fit`. Defaults to 0.997.
    """
    gate.fit(torch.cat([gate.features(*batch) for batch in batches]), share)
