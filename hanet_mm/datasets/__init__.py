"""Datasets of pose sequences and their transforms."""

from .aist_sequence_dataset import AistSequenceDataset, AistSmplSequenceDataset
from .cmu_mocap_sequence_dataset import CmuMocapSequenceDataset
from .cmu_mocap_smpl_sequence_dataset import CmuMocapSmplSequenceDataset
from .human36m_sequence_dataset import Human36mSequenceDataset
from .jhmdb_sequence_dataset import JhmdbSequenceDataset
from .pose_sequence_dataset import PoseSequenceDataset
from .posetrack_sequence_dataset import (
    PoseTrack17SequenceDataset,
    PoseTrack18SequenceDataset,
)
from .pw3d_sequence_dataset import Pw3dSequenceDataset, Pw3dSmplSequenceDataset
from .simulated_pose_sequence_dataset import SimulatedPoseSequenceDataset
from .synthetic_pose_sequence_dataset import SyntheticPoseSequenceDataset
from .transforms import (
    PackPoseSequenceInputs,
    RandomPoseFlip,
    RandomYaw,
    SimulateEstimatorNoise,
    SimulateRotationNoise,
)

__all__ = [
    'AistSequenceDataset',
    'AistSmplSequenceDataset',
    'CmuMocapSequenceDataset',
    'CmuMocapSmplSequenceDataset',
    'Human36mSequenceDataset',
    'JhmdbSequenceDataset',
    'PackPoseSequenceInputs',
    'PoseSequenceDataset',
    'PoseTrack17SequenceDataset',
    'PoseTrack18SequenceDataset',
    'Pw3dSequenceDataset',
    'Pw3dSmplSequenceDataset',
    'RandomPoseFlip',
    'RandomYaw',
    'SimulateEstimatorNoise',
    'SimulateRotationNoise',
    'SimulatedPoseSequenceDataset',
    'SyntheticPoseSequenceDataset',
]
