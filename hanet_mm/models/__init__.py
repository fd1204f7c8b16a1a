from .backbones import HierarchicalEncoder
from .body_models import SkeletonBodyModel, SMPLBodyModel
from .data_preprocessors import PoseSequenceDataPreprocessor
from .heads import KinematicHead
from .losses import (
    OMLLoss,
    PublishedHANetLoss,
    SMPLLoss,
    WeightedKeypointLoss,
)
from .pose_refiners import HANet
from .published import convert_published_state_dict, published_model_cfg

__all__ = [
    'HANet',
    'HierarchicalEncoder',
    'KinematicHead',
    'OMLLoss',
    'PoseSequenceDataPreprocessor',
    'PublishedHANetLoss',
    'SMPLBodyModel',
    'SMPLLoss',
    'SkeletonBodyModel',
    'WeightedKeypointLoss',
    'convert_published_state_dict',
    'published_model_cfg',
]
