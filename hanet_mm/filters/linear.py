# Copyright (c) hanet_mm contributors. All rights reserved.
"""Linear filters along the time axis, without phase shift."""

import numpy as np

from hanet_mm.core.data.extras import import_extra

from .base import PerSequenceFilter

# Of a sequence, from where on wider Gaussian weights change nothing.
_WIDEST = 100


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
        rotations (bool): See :class:`SequenceFilter`.

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
        signal = import_extra('scipy.signal', 'SavitzkyGolayFilter')
        return signal.savgol_filter(keypoints, window, self.polyorder, axis=0)


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
        rotations (bool): See :class:`SequenceFilter`.

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
        self._signal = import_extra('scipy.signal', 'ButterworthFilter')
        self._sections = self._signal.butter(
            order, cutoff, output='sos', fs=1.0
        )

    def smooth_frames(self, keypoints: np.ndarray) -> np.ndarray:
        """Filter along the frames, (T, ...) -> (T, ...)."""
        padding = min(_default_padding(self._sections), len(keypoints) - 1)
        return self._signal.sosfiltfilt(
            self._sections, keypoints, axis=0, padlen=padding
        )


def _default_padding(sections: np.ndarray) -> int:
    """Frames by which scipy continues a sequence, see ``sosfiltfilt``.

    Three times the taps; a section of the first order (the last one of odd
    orders) has one tap less, a zero at the end of both polynomials.
    """
    first_order = min((sections[:, 2] == 0).sum(), (sections[:, 5] == 0).sum())
    return 3 * (2 * len(sections) + 1 - int(first_order))


class GaussianFilter(PerSequenceFilter):
    """Mean of the frames around each frame, with Gaussian weights.

    By :func:`scipy.ndimage.gaussian_filter1d`; weights end at four sigma.
    Beyond its ends a sequence goes on as its mirror image. Zero phase;
    constant poses are kept, poses of constant speed further than four sigma
    from the ends. Sequences of any length.

    Args:
        sigma (float): Standard deviation in frames, above 0.
        rotations (bool): See :class:`SequenceFilter`.

    Raises:
        ValueError: If sigma is not above 0.
    """

    # With 0.1 the neighbours have no weight: the sequence as it is.
    GRID = dict(
        sigma=(
            *(0.1, 0.4, 0.5, 0.6, 0.8, 1, 1.25, 1.5, 1.75, 2, 2.5, 3),
            *(3.5, 4, 5, 6, 8, 10, 14, 20),
        )
    )

    def __init__(self, sigma: float, rotations: bool = False) -> None:
        super().__init__(rotations)
        if not sigma > 0:
            raise ValueError(f'sigma has to be above 0, got {sigma}')
        self.sigma = sigma

    def smooth_frames(self, keypoints: np.ndarray) -> np.ndarray:
        """Filter along the frames, (T, ...) -> (T, ...)."""
        ndimage = import_extra('scipy.ndimage', 'GaussianFilter')
        # Far wider than a sequence and its mirror images it is their mean.
        sigma = min(self.sigma, _WIDEST * len(keypoints))
        return ndimage.gaussian_filter1d(keypoints, sigma, axis=0)
