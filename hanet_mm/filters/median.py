# Copyright (c) hanet_mm contributors. All rights reserved.
"""Median filter, alone or followed by a low-pass."""

import numpy as np

from hanet_mm.core.data.extras import import_extra

from .base import PerSequenceFilter
from .linear import ButterworthFilter


class MedianFilter(PerSequenceFilter):
    """Median of the frames around each frame, coordinate by coordinate.

    Tukey, Exploratory Data Analysis (1977), by
    :func:`scipy.ndimage.median_filter`. Beyond its ends a sequence goes on
    with its first and last frame. Outliers that last for less than half a
    window leave no trace; coordinates that only rise or only fall are kept
    exactly. Not linear, no lag. Sequences of any length.

    Args:
        window (int): Frames of a window, odd.
        rotations (bool): See :class:`SequenceFilter`.

    Raises:
        ValueError: If the window is not odd.
    """

    GRID = dict(window=(1, 3, 5, 7, 9, 11, 13, 15, 17, 21, 25, 31))

    def __init__(self, window: int, rotations: bool = False) -> None:
        super().__init__(rotations)
        if window < 1 or window % 2 == 0:
            raise ValueError(f'window has to be odd, got {window}')
        self.window = window

    def smooth_frames(self, keypoints: np.ndarray) -> np.ndarray:
        """Filter along the frames, (T, ...) -> (T, ...)."""
        size = (self.window,) + (1,) * (keypoints.ndim - 1)
        ndimage = import_extra('scipy.ndimage', 'MedianFilter')
        return ndimage.median_filter(keypoints, size, mode='nearest')


class MedianButterworthFilter(PerSequenceFilter):
    """Takes outliers out by a median, jitter by a low-pass.

    :class:`MedianFilter`, then :class:`ButterworthFilter` of second order:
    what lasts for less than half a window does not reach the low-pass, which
    would smear it over its neighbours. Zero phase; sequences of any length.

    Args:
        window (int): Frames of a window of the median, odd.
        cutoff (float): Cutoff of the low-pass in cycles per frame, above 0
            and below 0.5.
        rotations (bool): See :class:`SequenceFilter`.

    Raises:
        ValueError: If window or cutoff is out of range.
    """

    GRID = dict(
        window=(1, 3, 5, 7, 9, 13),
        cutoff=(0.02, 0.04, 0.05, 0.06, 0.075, 0.09, 0.11, 0.16, 0.23, 0.4),
    )

    def __init__(
        self, window: int, cutoff: float, rotations: bool = False
    ) -> None:
        super().__init__(rotations)
        self._median = MedianFilter(window)
        self._low_pass = ButterworthFilter(2, cutoff)
        self.window = window
        self.cutoff = cutoff

    def smooth_frames(self, keypoints: np.ndarray) -> np.ndarray:
        """Filter along the frames, (T, ...) -> (T, ...)."""
        filtered = self._median.smooth_frames(keypoints)
        return self._low_pass.smooth_frames(filtered)
