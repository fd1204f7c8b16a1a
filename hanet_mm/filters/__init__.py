# Copyright (c) hanet_mm contributors. All rights reserved.
"""Classical filters behind the interface of a refiner; needs scipy."""

from .base import SequenceFilter
from .butterworth import ButterworthFilter
from .gaussian import GaussianFilter
from .kalman import KalmanFilter
from .median import MedianFilter
from .median_butterworth import MedianButterworthFilter
from .one_euro import OneEuroFilter
from .registry import FILTERS
from .savgol import SavitzkyGolayFilter
from .tuning import TuningReport, tune_filter

__all__ = [
    'FILTERS',
    'ButterworthFilter',
    'GaussianFilter',
    'KalmanFilter',
    'MedianButterworthFilter',
    'MedianFilter',
    'OneEuroFilter',
    'SavitzkyGolayFilter',
    'SequenceFilter',
    'TuningReport',
    'tune_filter',
]
