# Copyright (c) hanet_mm contributors. All rights reserved.
"""Filters by name."""

from typing import Dict, Type

from .base import SequenceFilter
from .butterworth import ButterworthFilter
from .gaussian import GaussianFilter
from .kalman import KalmanFilter
from .median import MedianFilter
from .median_butterworth import MedianButterworthFilter
from .one_euro import OneEuroFilter
from .savgol import SavitzkyGolayFilter

FILTERS: Dict[str, Type[SequenceFilter]] = {
    'savgol': SavitzkyGolayFilter,
    'butterworth': ButterworthFilter,
    'gaussian': GaussianFilter,
    'one_euro': OneEuroFilter,
    'median': MedianFilter,
    'kalman': KalmanFilter,
    'median_butterworth': MedianButterworthFilter,
}


def find_filter(name: str) -> Type[SequenceFilter]:
    """Class of a filter.

    Args:
        name (str): A key of :data:`FILTERS`.

    Returns:
        type: The class.

    Raises:
        ValueError: If there is none of that name.
    """
    if name not in FILTERS:
        raise ValueError(
            f'filter has to be one of {", ".join(FILTERS)}, got {name!r}'
        )
    return FILTERS[name]
