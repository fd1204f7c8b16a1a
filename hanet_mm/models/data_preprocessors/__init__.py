# Copyright (c) hanet_mm contributors. All rights reserved.
from .pose_sequence_data_preprocessor import PoseSequenceDataPreprocessor
from .window_augments import (
    DropKeypoints,
    ExchangeErrors,
    RandomRotateScale,
    RandomSpeed,
    RandomTimeReversal,
    RandomWindowFlip,
    RefitBox,
)

__all__ = [
    'DropKeypoints',
    'ExchangeErrors',
    'PoseSequenceDataPreprocessor',
    'RandomRotateScale',
    'RandomSpeed',
    'RandomTimeReversal',
    'RandomWindowFlip',
    'RefitBox',
]
