from .backbones import HierarchicalEncoder
from .data_preprocessors import PoseSequenceDataPreprocessor
from .heads import KinematicHead
from .losses import OMLLoss, PublishedHANetLoss, WeightedKeypointLoss
from .pose_refiners import HANet
from .published import convert_published_state_dict, published_model_cfg

__all__ = [
    'HANet',
    'HierarchicalEncoder',
    'KinematicHead',
    'OMLLoss',
    'PoseSequenceDataPreprocessor',
    'PublishedHANetLoss',
    'WeightedKeypointLoss',
    'convert_published_state_dict',
    'published_model_cfg',
]
