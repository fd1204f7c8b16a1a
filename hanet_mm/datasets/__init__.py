# Copyright (c) hanet_mm contributors. All rights reserved.
"""Datasets of pose sequences and their transforms."""

from importlib.util import find_spec

# Metainfo and the simulation of people and estimators need numpy only.
if find_spec('mmpose') is not None:
    from .benchmark_datasets import (
        AistSequenceDataset,
        AistSmplSequenceDataset,
        Human36mSequenceDataset,
        JhmdbSequenceDataset,
        PoseTrack17SequenceDataset,
        PoseTrack18SequenceDataset,
        Pw3dSequenceDataset,
        Pw3dSmplSequenceDataset,
    )
    from .cmu_mocap_sequence_dataset import (
        CmuMocapSequenceDataset,
        CmuMocapSmplSequenceDataset,
    )
    from .pose_sequence_dataset import PoseSequenceDataset
    from .simulated_pose_sequence_dataset import (
        SimulatedPoseSequenceDataset,
        SyntheticPoseSequenceDataset,
    )
    from .transforms import (
        MeasureEvidence,
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
    'MeasureEvidence',
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
