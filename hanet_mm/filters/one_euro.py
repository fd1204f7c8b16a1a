# Copyright (c) hanet_mm contributors. All rights reserved.
"""One-Euro filter."""

from typing import Any, Dict, Mapping

import numpy as np

from .base import SequenceFilter


class OneEuroFilter(SequenceFilter):
    """Low-pass whose cutoff grows with the speed; needs no later frame.

    Casiez, Roussel and Vogel, CHI 2012, Algorithms 1 and 2. With r frames
    per second and ``a(f) = 1 / (1 + r / (2 pi f))``, coordinate by
    coordinate and frame by frame::

        v_t = a(d_cutoff) (x_t - y_{t-1}) r + (1 - a(d_cutoff)) v_{t-1}
        f_t = min_cutoff + beta |v_t|
        y_t = a(f_t) x_t + (1 - a(f_t)) y_{t-1},     y_0 = x_0, v_0 = 0

    The output lags behind: at a constant speed v by ``v / (2 pi f)``. Steady
    poses are kept; sequences of any length.

    Args:
        min_cutoff (float): Cutoff of a keypoint at rest, Hz, above 0.
        beta (float): Rise of the cutoff with the speed, at least 0: Hz per
            (unit of the keypoints per second), so that px need another beta
            than m.
        d_cutoff (float): Cutoff of the speed, Hz, above 0.
        fps (float): Frames per second.
        rotations (bool): See :class:`SequenceFilter`.

    Raises:
        ValueError: If a value is out of range.
    """

    # beta: Hz per (size of a person per second), see in_units. At 1000 Hz
    # next to nothing is filtered.
    GRID = dict(
        min_cutoff=(0.1, 0.2, 0.5, 1, 1.5, 2, 3, 4, 5, 7, 10, 20, 50, 1000),
        beta=(0, 0.2, 0.5, 1, 2, 3, 5, 10, 20, 50, 100),
    )

    def __init__(
        self,
        min_cutoff: float,
        beta: float,
        d_cutoff: float = 1.0,
        fps: float = 30.0,
        rotations: bool = False,
    ) -> None:
        super().__init__(rotations)
        values = dict(min_cutoff=min_cutoff, d_cutoff=d_cutoff, fps=fps)
        for name, value in values.items():
            if not value > 0:
                raise ValueError(f'{name} has to be above 0, got {value}')
        if not beta >= 0:
            raise ValueError(f'beta has to be at least 0, got {beta}')
        self.min_cutoff = min_cutoff
        self.beta = beta
        self.d_cutoff = d_cutoff
        self.fps = fps

    @classmethod
    def in_units(
        cls, settings: Mapping[str, float], size: float, fps: float
    ) -> Dict[str, Any]:
        """Arguments for one point of the grid; ``beta / size`` is theirs."""
        return dict(settings, beta=settings['beta'] / size, fps=fps)

    def smooth_all(
        self, keypoints: np.ndarray, seq_len: np.ndarray, scores: np.ndarray
    ) -> np.ndarray:
        """Filter all sequences at once, frame after frame, (N, K, D) ->
        float32.
        """
        del scores
        # Longest first: those that still have frame t are the first ones.
        order = np.argsort(-seq_len, kind='stable')
        starts = (np.cumsum(seq_len) - seq_len)[order]
        out = np.empty(keypoints.shape, np.float32)
        filtered = keypoints[starts].astype(np.float64)
        speed = np.zeros_like(filtered)
        out[starts] = filtered
        speed_gain = self._gain(np.asarray(float(self.d_cutoff)))
        longest_first = seq_len[order]
        for frame in range(1, int(longest_first[0])):
            left = int(np.searchsorted(-longest_first, -frame))
            index = starts[:left] + frame
            filtered, speed = filtered[:left], speed[:left]
            # The paper's speed is from the last output, not the last input.
            change = keypoints[index] - filtered
            speed = speed + speed_gain * (change * self.fps - speed)
            gain = self._gain(self.min_cutoff + self.beta * np.abs(speed))
            filtered = filtered + gain * change
            out[index] = filtered
        return out

    def _gain(self, cutoff: np.ndarray) -> np.ndarray:
        """Weight of the new value, a(f)."""
        return 1 / (1 + self.fps / (2 * np.pi * cutoff))
