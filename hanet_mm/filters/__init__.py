# Copyright (c) hanet_mm contributors. All rights reserved.
"""Classical filters behind the interface of a refiner.

All but One-Euro and Kalman need scipy.
"""

from .base import SequenceFilter
from .kalman import KalmanFilter
from .linear import ButterworthFilter, GaussianFilter, SavitzkyGolayFilter
from .median import MedianButterworthFilter, MedianFilter
from .one_euro import OneEuroFilter
from .tuning import FILTERS, TuningReport, tune_filter

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
