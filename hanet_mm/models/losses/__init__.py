from .oml_loss import OMLLoss
from .published_hanet_loss import PublishedHANetLoss
from .smpl_loss import SMPLLoss
from .weighted_keypoint_loss import WeightedKeypointLoss

__all__ = [
    'OMLLoss',
    'PublishedHANetLoss',
    'SMPLLoss',
    'WeightedKeypointLoss',
]
