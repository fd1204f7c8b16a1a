"""Kalman smoother whose noise follows the keypoint scores."""

from typing import Tuple

import numpy as np

from hanet_mm.core.data.gaps import UNKNOWN_SCORE

from .base import SequenceFilter

# A keypoint weighs at least so much of the heaviest of its sequence: with
# less the digits of float64 do not hold both.
_LEAST_WEIGHT = 1e-8
# Keeps the odds of the scores 0 and 1 finite.
_SOFT = 0.03
# Signs of the entries pp, pv, vv (and p, v) where time runs backward.
_MIRROR = np.array([1.0, -1.0, 1.0])[:, None, None]


class KalmanFilter(SequenceFilter):
    """Kalman filter of constant speed with Rauch-Tung-Striebel smoother.

    Kalman, Journal of Basic Engineering 82 (1960); Rauch, Tung and Striebel,
    AIAA Journal 3 (1965). Every coordinate has a position p and a speed v,
    in units of the keypoints and frames::

        p_{t+1} = p_t + v_t + a_t,   v_{t+1} = v_t + b_t
        z_t = p_t + e_t

    ``(a, b)`` is what white acceleration adds in a frame: covariance
    ``process_noise^2 [[1/3, 1/2], [1/2, 1]]``. The standard deviation of
    ``e_t`` is ``measurement_noise odds_t^-score_power`` with the odds
    ``(s + 0.03) / (1 - s + 0.03)`` of the score s, from 1/34 at 0 over 1 at
    1/2 to 34 at 1; scores above 1 count as 1, and unknown ones as 0.8. The
    output is the most probable path given all frames, and goes by the ratio
    of the noises alone: 0.1 smooths as a Gaussian filter
    of about 3 frames does. Poses of constant speed are kept, there is no
    lag. Nothing is assumed of the first frame.

    Missing keypoints are no measurement: gaps are bridged with the speeds at
    their ends. Before the first and after the last measurement a keypoint
    stays where it is smoothed to there, since an extrapolated speed runs
    off. A keypoint measured in less than two frames of a sequence takes the
    positions it is filled with for measurements.

    It is computed as two filters of information, forward and backward, whose
    sum is the smoother (Fraser and Potter, IEEE Transactions on Automatic
    Control 14, 1969).

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
        rotations (bool): See :class:`SequenceFilter`. Defaults to False.

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
        """Smooth all sequences at once, frame after frame.

        Args:
            keypoints (np.ndarray): (N, K, D).
            seq_len (np.ndarray): (S,).
            scores (np.ndarray): (N, K); 0 = no measurement.

        Returns:
            np.ndarray: (N, K, D) float32.
        """
        starts = np.cumsum(seq_len) - seq_len
        weights = self._weights(scores, starts, seq_len)
        # Small numbers keep their digits, and steady poses stay exactly.
        origin = np.repeat(keypoints[starts], seq_len, axis=0)
        points = keypoints.astype(np.float64) - origin
        heavy = weights[..., None] * points
        matrix, vector = self._neighbours(weights, heavy, starts, seq_len)
        pp, pv, vv = matrix[..., None]
        pp = pp + weights[..., None]
        # Before the first and after the last measurement it may be singular.
        with np.errstate(divide='ignore', invalid='ignore'):
            out = vv * (heavy + vector[0]) - pv * vector[1]
            out /= pp * vv - pv**2
        # Of one frame alone there is no speed to know.
        out[np.repeat(seq_len == 1, seq_len)] = 0
        out = (out + origin).astype(np.float32)
        return _hold_ends(out, weights > 0, starts, seq_len)

    def _weights(
        self, scores: np.ndarray, starts: np.ndarray, seq_len: np.ndarray
    ) -> np.ndarray:
        """Information of each measurement, 1 at even odds, (N, K)."""
        measured = ~(scores <= 0)
        seen = np.add.reduceat(measured, starts, dtype=np.int64) > 1
        enough = np.repeat(seen, seq_len, axis=0)
        known = np.where(enough, np.clip(scores, 0, 1), UNKNOWN_SCORE)
        measured |= ~enough
        odds = (known + _SOFT) / (1 - known + _SOFT)
        weights = np.where(measured, odds ** (2 * self.score_power), 0)
        best = np.maximum.reduceat(weights, starts)
        least = np.repeat(_LEAST_WEIGHT * best, seq_len, axis=0)
        return np.where(measured, np.maximum(weights, least), 0)

    def _neighbours(
        self,
        weights: np.ndarray,
        heavy: np.ndarray,
        starts: np.ndarray,
        seq_len: np.ndarray,
    ) -> Tuple[np.ndarray, np.ndarray]:
        """What all other frames say of each frame.

        Backward in time the model is the same with the speed negated, so
        that both directions run as one.

        Args:
            weights (np.ndarray): (N, K).
            heavy (np.ndarray): Weights times keypoints, (N, K, D).
            starts (np.ndarray): (S,).
            seq_len (np.ndarray): (S,).

        Returns:
            tuple: Entries pp, pv, vv of the inverse covariance, (3, N, K),
            and p, v of that matrix times the state, (2, N, K, D).
        """
        # Longest first: those that still have frame t are the first ones.
        order = np.argsort(-seq_len, kind='stable')
        longest_first = seq_len[order]
        ends = np.stack([starts, starts + seq_len - 1])[:, order]
        step = np.array([[1], [-1]])
        matrix = np.zeros((3, *weights.shape))
        vector = np.zeros((2, *heavy.shape))
        # In each direction: of what the frames so far say, (., 2, S, ...).
        info = np.zeros((3, *ends.shape, *weights.shape[1:]))
        state = np.zeros((2, *ends.shape, *heavy.shape[1:]))
        for frame in range(1, int(longest_first[0])):
            left = int(np.searchsorted(-longest_first, -frame))
            index = ends[:, :left] + step * (frame - 1)
            info, state = info[:, :, :left], state[:, :, :left]
            info[0] += weights[index]
            state[0] += heavy[index]
            info, state = self._predict(info, state)
            there, back = index + step
            matrix[:, there] += info[:, 0]
            vector[:, there] += state[:, 0]
            matrix[:, back] += _MIRROR * info[:, 1]
            vector[:, back] += _MIRROR[:2, ..., None] * state[:, 1]
        return matrix, vector

    def _predict(
        self, info: np.ndarray, state: np.ndarray
    ) -> Tuple[np.ndarray, np.ndarray]:
        """Information a frame later.

        With F the motion at constant speed and Q the noise in a frame,
        ``L' = F^-T L F^-1`` becomes ``(L'^-1 + Q)^-1``, written such that L
        may be singular and Q zero.
        """
        noise = (self.process_noise / self.measurement_noise) ** 2
        pp, pv, vv = info
        vv = vv - 2 * pv + pp
        pv = pv - pp
        p, v = state[0], state[1] - state[0]
        minor = noise * np.maximum(pp * vv - pv**2, 0)
        scale = 1 + noise * (pp / 3 + pv + vv) + noise / 12 * minor
        info = np.stack([pp + minor, pv - minor / 2, vv + minor / 3]) / scale
        # (1 + L' Q)^-1 of the vector, by its adjugate.
        pp, pv, vv, scale = (x[..., None] for x in (pp, pv, vv, scale))
        state = np.stack(
            [
                (1 + noise * (pv / 2 + vv)) * p - noise * (pp / 2 + pv) * v,
                (1 + noise * (pp / 3 + pv / 2)) * v
                - noise * (pv / 3 + vv / 2) * p,
            ]
        )
        return info, state / scale


def _hold_ends(
    keypoints: np.ndarray,
    measured: np.ndarray,
    starts: np.ndarray,
    seq_len: np.ndarray,
) -> np.ndarray:
    """Keep keypoints before their first and after their last measurement."""
    frames = np.arange(len(keypoints))[:, None]
    first = np.minimum.reduceat(
        np.where(measured, frames, len(keypoints)), starts
    )
    last = np.maximum.reduceat(np.where(measured, frames, -1), starts)
    rows = np.clip(
        frames,
        np.repeat(first, seq_len, axis=0),
        np.repeat(last, seq_len, axis=0),
    )
    return keypoints[rows, np.arange(keypoints.shape[1])]
