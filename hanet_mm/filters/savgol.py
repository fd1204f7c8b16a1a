# Copyright (c) hanet_mm contributors. All rights reserved.
"""Savitzky-Golay filter."""

import numpy as np
from scipy.signal import savgol_filter

from .base import PerSequenceFilter


class SavitzkyGolayFilter(PerSequenceFilter):
    """Fits a polynomial to the frames around each frame.

    Savitzky and Golay, Analytical Chemistry 36 (1964), by
    :func:`scipy.signal.savgol_filter`. The first and the last half window
    take the values of the polynomial fitted to the first and last window.
    Zero phase; polynomials over time of the given degree are kept.

    A sequence shorter than the window is filtered with the largest odd
    window that fits; where the polynomial goes through all points of that,
    the sequence comes back as it is.

    Args:
        window (int): Frames of a window, odd.
        polyorder (int): Degree of the polynomial, below ``window``.
        rotations (bool): See :class:`SequenceFilter`. Defaults to False.

    Raises:
        ValueError: If the window is not odd, or too short for the degree.
    """

    # Of degree 2 over 3 frames: the sequence as it is.
    GRID = dict(
        window=(3, 5, 7, 9, 11, 13, 15, 17, 21, 25, 31, 41, 51),
        polyorder=(1, 2),
    )

    def __init__(
        self, window: int, polyorder: int, rotations: bool = False
    ) -> None:
        super().__init__(rotations)
        if window < 1 or window % 2 == 0:
            raise ValueError(f'window has to be odd, got {window}')
        if not 0 <= polyorder < window:
            raise ValueError(
                f'polyorder has to be from 0 to window - 1 = {window - 1}, '
                f'got {polyorder}'
            )
        self.window = window
        self.polyorder = polyorder

    def smooth_frames(self, keypoints: np.ndarray) -> np.ndarray:
        """Filter along the frames, (T, ...) -> (T, ...)."""
        frames = len(keypoints)
        window = min(self.window, frames - 1 + frames % 2)
        if self.polyorder >= window - 1:
            return keypoints
        return savgol_filter(keypoints, window, self.polyorder, axis=0)
