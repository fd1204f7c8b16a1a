# Copyright (c) hanet_mm contributors. All rights reserved.
from .hanet_losses import OMLLoss, PublishedHANetLoss
from .keypoint_losses import (
    AccelerationLoss,
    ExpectedErrorLoss,
    SideSwapLoss,
    WeightedKeypointLoss,
)
from .smpl_loss import SMPLLoss

__all__ = [
    'AccelerationLoss',
    'ExpectedErrorLoss',
    'OMLLoss',
    'PublishedHANetLoss',
    'SMPLLoss',
    'SideSwapLoss',
    'WeightedKeypointLoss',
]
