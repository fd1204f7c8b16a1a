# Copyright (c) hanet_mm contributors. All rights reserved.
from .acceleration_loss import AccelerationLoss
from .expected_error_loss import ExpectedErrorLoss
from .oml_loss import OMLLoss
from .published_hanet_loss import PublishedHANetLoss
from .side_swap_loss import SideSwapLoss
from .smpl_loss import SMPLLoss
from .weighted_keypoint_loss import WeightedKeypointLoss

__all__ = [
    'AccelerationLoss',
    'ExpectedErrorLoss',
    'OMLLoss',
    'PublishedHANetLoss',
    'SMPLLoss',
    'SideSwapLoss',
    'WeightedKeypointLoss',
]
