# Copyright (c) hanet_mm contributors. All rights reserved.
"""Pauses as long as a window, across which nothing is refined."""

import warnings
from typing import List, Optional, Sequence

import numpy as np


def split_pauses(positions: np.ndarray, window: int) -> List[slice]:
    """Split positions (T, ) at pauses as long as a window.

    Nothing is known of the motion in them, so no window spans one.
    """
    cuts = np.flatnonzero(np.diff(positions) >= window) + 1
    ends = [*cuts.tolist(), len(positions)]
    return [slice(*pair) for pair in zip([0, *ends], ends)]


def warn_of_pauses(
    positions: Optional[Sequence[np.ndarray]],
    window: int,
    rate: Optional[float],
    stacklevel: int,
) -> None:
    """Warn if most frames of a sequence come after pauses as long as a window:
    then the times are hardly in seconds, or a rate is an interval.
    """
    for own in positions or ():
        steps = np.diff(own)
        if len(steps) and np.median(steps) >= window:
            seconds = float(np.median(steps)) / (rate or 1)
            warn_of_interval(seconds, stacklevel + 1)
            return


def warn_of_interval(seconds: float, stacklevel: int) -> None:
    """Say that frames are too far apart to tell anything of each other."""
    warnings.warn(
        f'frames are {seconds:g} s apart, longer than a window of the '
        'refiner: each is refined alone. Are time stamps in seconds, not '
        'milliseconds, and fps in frames per second?',
        UserWarning,
        stacklevel=stacklevel + 1,
    )
