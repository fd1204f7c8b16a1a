# Copyright (c) hanet_mm contributors. All rights reserved.
"""Gaussian filter."""

import numpy as np
from scipy.ndimage import gaussian_filter1d

from .base import PerSequenceFilter


class GaussianFilter(PerSequenceFilter):
    """Mean of the frames around each frame, with Gaussian weights.

    By :func:`scipy.ndimage.gaussian_filter1d`; weights end at four sigma.
    Beyond its ends a sequence goes on as its mirror image. Zero phase;
    steady poses are kept, poses of constant speed further than four sigma
    from the ends. Sequences of any length.

    Args:
        sigma (float): Standard deviation in frames, above 0.
        rotations (bool): See :class:`SequenceFilter`. Defaults to False.

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
        return gaussian_filter1d(keypoints, self.sigma, axis=0)
