# Copyright (c) hanet_mm contributors. All rights reserved.
"""Butterworth low-pass filter without phase shift."""

import numpy as np
from scipy.signal import butter, sosfiltfilt

from .base import PerSequenceFilter


class ButterworthFilter(PerSequenceFilter):
    """Butterworth low-pass, run forward and backward.

    Butterworth, Experimental Wireless 7 (1930), by
    :func:`scipy.signal.sosfiltfilt` with its padding: the sequence is
    continued at both ends by its mirror image through the end point. The two
    runs cancel each other's delay, and the gain at the cutoff is 1/2. Steady
    poses are kept exactly, poses of constant speed away from the ends.

    A sequence shorter than that padding is continued by as many frames as
    it can be, one less than it has.

    Args:
        order (int): Order of one run, at least 1.
        cutoff (float): Cutoff frequency in cycles per frame, above 0 and
            below 0.5: f Hz at r frames per second are ``f / r``.
        rotations (bool): See :class:`SequenceFilter`. Defaults to False.

    Raises:
        ValueError: If order or cutoff is out of range.
    """

    GRID = dict(
        order=(1, 2, 4),
        cutoff=(
            *(0.01, 0.014, 0.02, 0.028, 0.04, 0.05, 0.06, 0.075),
            *(0.09, 0.11, 0.13, 0.16, 0.19, 0.23, 0.28, 0.34, 0.4, 0.45),
        ),
    )

    def __init__(
        self, order: int, cutoff: float, rotations: bool = False
    ) -> None:
        super().__init__(rotations)
        if order < 1:
            raise ValueError(f'order has to be at least 1, got {order}')
        if not 0 < cutoff < 0.5:
            raise ValueError(
                'cutoff has to be above 0 and below 0.5 cycles per frame, '
                f'got {cutoff}'
            )
        self.order = order
        self.cutoff = cutoff
        self._sections = butter(order, cutoff, output='sos', fs=1.0)

    def smooth_frames(self, keypoints: np.ndarray) -> np.ndarray:
        """Filter along the frames, (T, ...) -> (T, ...)."""
        padding = min(_default_padding(self._sections), len(keypoints) - 1)
        return sosfiltfilt(self._sections, keypoints, axis=0, padlen=padding)


def _default_padding(sections: np.ndarray) -> int:
    """Frames by which scipy continues a sequence, see ``sosfiltfilt``.

    Three times the taps; a section of the first order (the last one of odd
    orders) has one tap less, a zero at the end of both polynomials.
    """
    first_order = min((sections[:, 2] == 0).sum(), (sections[:, 5] == 0).sum())
    return 3 * (2 * len(sections) + 1 - int(first_order))
