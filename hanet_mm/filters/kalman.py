# Copyright (c) hanet_mm contributors. All rights reserved.
"""Kalman smoother whose noise follows the keypoint scores."""

import numpy as np
import torch

from hanet_mm.core.data.gaps import UNKNOWN_SCORE
from hanet_mm.core.nn.smoother import log_odds, smooth_poses

from .base import SequenceFilter

# A keypoint weighs at least so much of the heaviest of its sequence, and that
# so much of the stiffness: the digits of float64 do not hold more.
_LEAST_WEIGHT = 1e-8
_LEAST_BEST = 1e-12


class KalmanFilter(SequenceFilter):
    """Kalman filter of constant speed with Rauch-Tung-Striebel smoother.

    Kalman, Journal of Basic Engineering 82 (1960); Rauch, Tung and Striebel,
    AIAA Journal 3 (1965). Every coordinate has a position p and a speed v,
    in units of the keypoints and frames::

        p_{t+1} = p_t + v_t,   v_{t+1} = v_t + a_t
        z_t = p_t + e_t

    The standard deviation of the white acceleration ``a_t`` is
    ``process_noise``, that of ``e_t`` is
    ``measurement_noise odds_t^-score_power`` with the odds
    ``(s + 0.03) / (1 - s + 0.03)`` of the score s, from 1/34 at 0 over 1 at
    1/2 to 34 at 1; scores above 1 count as 1, and unknown ones as 0.8. The
    output is the most probable path given all frames, and goes by the ratio
    of the noises alone: 0.1 smooths scores of 1/2 as a Gaussian filter of
    about 3 frames does. Poses of constant speed are kept, there is no lag.
    Nothing is assumed of the first frame.

    Missing keypoints are no measurement: gaps are bridged with the speeds at
    their ends. Before the first and after the last measurement a keypoint
    stays where it is smoothed to there, since an extrapolated speed runs
    off. A keypoint measured in less than two frames of a sequence takes the
    positions it is filled with for measurements of unknown score.

    The most probable path minimises the sum of the squared errors, each over
    its variance, and of the squared second differences over that of the
    acceleration (Whittaker, Proc. Edinburgh Math. Soc. 41, 1922), so it is
    computed by :func:`hanet_mm.core.nn.smoother.smooth_poses`.

    Args:
        process_noise (float): Standard deviation of the change of speed in a
            frame, at least 0, unit of the keypoints per frame; 0 fits one
            straight line.
        measurement_noise (float): Standard deviation of a keypoint of score
            1/2, above 0, unit of the keypoints. Defaults to 1, with which
            ``process_noise`` is the ratio.
        score_power (float): How the noise falls with the odds of the score,
            0 to 10; 0 ignores scores. Defaults to 0.5: the variance
            falls as the odds rise.
        rotations (bool): See :class:`SequenceFilter`.

    Raises:
        ValueError: If a value is out of range.
    """

    # Only the ratio of the noises counts, so that one of them can stay.
    GRID = dict(
        process_noise=(
            *(0.003, 0.01, 0.02, 0.03, 0.04, 0.05, 0.07, 0.1, 0.14, 0.2),
            *(0.3, 0.5, 1, 3, 10, 100),
        ),
        measurement_noise=(1.0,),
        score_power=(0, 0.25, 0.5, 0.75, 1),
    )

    def __init__(
        self,
        process_noise: float,
        measurement_noise: float = 1.0,
        score_power: float = 0.5,
        rotations: bool = False,
    ) -> None:
        super().__init__(rotations)
        if not 0 <= process_noise < np.inf:
            raise ValueError(
                f'process_noise has to be at least 0, got {process_noise}'
            )
        if not 0 <= score_power <= 10:
            raise ValueError(
                f'score_power has to be from 0 to 10, got {score_power}'
            )
        if not 0 < measurement_noise < np.inf:
            raise ValueError(
                f'measurement_noise has to be above 0, got {measurement_noise}'
            )
        self.process_noise = process_noise
        self.measurement_noise = measurement_noise
        self.score_power = score_power

    def smooth_all(
        self, keypoints: np.ndarray, seq_len: np.ndarray, scores: np.ndarray
    ) -> np.ndarray:
        """Smooth all sequences, (N, K, D) -> (N, K, D) float32."""
        out = np.empty(keypoints.shape, np.float32)
        starts = np.cumsum(seq_len) - seq_len
        # Sequences side by side, of which none is twice as long as another.
        magnitude = np.ceil(np.log2(seq_len))
        for group in np.unique(magnitude):
            first = starts[magnitude == group, None]
            length = seq_len[magnitude == group, None]
            # (S, T), (S, T, K, D)
            frames = np.arange(length.max())
            inside = frames < length
            index = first + np.minimum(frames, length - 1)
            points = keypoints[index].astype(np.float64)
            weights = self._weights(scores[index], inside)
            # Small numbers keep their digits.
            origin = points[:, :1]
            smooth = smooth_poses(
                torch.from_numpy(points - origin), torch.from_numpy(weights)
            )
            held = _hold_ends(smooth.numpy() + origin, weights > 0)
            out[index[inside]] = held[inside]
        return out

    def _weights(self, scores: np.ndarray, inside: np.ndarray) -> np.ndarray:
        """Weights relative to the stiffness, (S, T, K) and (S, T)."""
        inside = inside[..., None]
        measured = inside & (scores > 0)
        enough = measured.sum(1, keepdims=True) > 1
        scores = np.where(enough, scores, UNKNOWN_SCORE)
        measured = np.where(enough, measured, inside)
        odds = log_odds(torch.from_numpy(scores).double()).exp().numpy()
        weights = np.where(measured, odds ** (2 * self.score_power), 0)
        best = weights.max(1, keepdims=True)
        weights = np.maximum(weights, _LEAST_WEIGHT * best) * measured
        ratio = self.process_noise / self.measurement_noise
        return weights * np.maximum(ratio**2, _LEAST_BEST / best)


def _hold_ends(keypoints: np.ndarray, measured: np.ndarray) -> np.ndarray:
    """Keep keypoints (S, T, K, D) still outside their measurements."""
    frames = np.arange(measured.shape[1])[:, None]
    first = measured.argmax(1)[:, None]
    last = frames[-1] - measured[:, ::-1].argmax(1)[:, None]
    rows = np.clip(frames, first, last)
    return np.take_along_axis(keypoints, rows[..., None], axis=1)
