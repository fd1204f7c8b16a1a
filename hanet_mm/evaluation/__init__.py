"""Metrics over whole pose sequences."""

from .accel_error import AccelError
from .pose_sequence_metric import PoseSequenceMetric
from .pose_sequence_pck import PoseSequencePCK
from .posetrack_ap import PoseTrackAP
from .sequence_mpjae import SequenceMPJAE
from .sequence_mpjpe import SequenceMPJPE
from .smpl_metric import SMPLMetric

__all__ = [
    'AccelError',
    'PoseSequenceMetric',
    'PoseSequencePCK',
    'PoseTrackAP',
    'SMPLMetric',
    'SequenceMPJAE',
    'SequenceMPJPE',
]
