"""Datasets of pose sequences and their transforms."""

from .jhmdb_sequence_dataset import JhmdbSequenceDataset
from .pose_sequence_dataset import PoseSequenceDataset
from .synthetic_pose_sequence_dataset import SyntheticPoseSequenceDataset
from .transforms import PackPoseSequenceInputs, SimulateEstimatorNoise

__all__ = [
    'JhmdbSequenceDataset',
    'PackPoseSequenceInputs',
    'PoseSequenceDataset',
    'SimulateEstimatorNoise',
    'SyntheticPoseSequenceDataset',
]
