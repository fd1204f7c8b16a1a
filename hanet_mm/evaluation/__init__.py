"""Metrics over whole pose sequences."""

from .accel_error import AccelError
from .pose_sequence_metric import PoseSequenceMetric
from .pose_sequence_pck import PoseSequencePCK
from .sequence_mpjpe import SequenceMPJPE

__all__ = [
    'AccelError',
    'PoseSequenceMetric',
    'PoseSequencePCK',
    'SequenceMPJPE',
]
