# Copyright (c) hanet_mm contributors. All rights reserved.
from .backbones import HierarchicalEncoder
from .body_models import SkeletonBodyModel, SMPLBodyModel
from .data_preprocessors import PoseSequenceDataPreprocessor
from .heads import KinematicHead
from .losses import (
    AccelerationLoss,
    ExpectedErrorLoss,
    OMLLoss,
    PublishedHANetLoss,
    SideSwapLoss,
    SMPLLoss,
    WeightedKeypointLoss,
)
from .pose_refiners import HANet
from .published import convert_published_state_dict, published_model_cfg

__all__ = [
    'AccelerationLoss',
    'ExpectedErrorLoss',
    'HANet',
    'HierarchicalEncoder',
    'KinematicHead',
    'OMLLoss',
    'PoseSequenceDataPreprocessor',
    'PublishedHANetLoss',
    'SMPLBodyModel',
    'SMPLLoss',
    'SideSwapLoss',
    'SkeletonBodyModel',
    'WeightedKeypointLoss',
    'convert_published_state_dict',
    'published_model_cfg',
]
