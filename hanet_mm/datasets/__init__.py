# Copyright (c) hanet_mm contributors. All rights reserved.
"""Datasets of pose sequences and their transforms, imported when used.

Metainfo and the simulation of people and estimators need numpy only.
"""

from typing import TYPE_CHECKING

from hanet_mm._lazy import lazy_names

if TYPE_CHECKING:
    from .benchmark_datasets import (
        AistSequenceDataset,
        AistSmplSequenceDataset,
        Human36mSequenceDataset,
        JhmdbSequenceDataset,
        MpiInf3dhpSequenceDataset,
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
    from .window_sampler import PoseWindowSampler

__all__ = [
    'AistSequenceDataset',
    'AistSmplSequenceDataset',
    'CmuMocapSequenceDataset',
    'CmuMocapSmplSequenceDataset',
    'Human36mSequenceDataset',
    'JhmdbSequenceDataset',
    'MeasureEvidence',
    'MpiInf3dhpSequenceDataset',
    'PackPoseSequenceInputs',
    'PoseSequenceDataset',
    'PoseTrack17SequenceDataset',
    'PoseTrack18SequenceDataset',
    'PoseWindowSampler',
    'Pw3dSequenceDataset',
    'Pw3dSmplSequenceDataset',
    'RandomPoseFlip',
    'RandomYaw',
    'SimulateEstimatorNoise',
    'SimulateRotationNoise',
    'SimulatedPoseSequenceDataset',
    'SyntheticPoseSequenceDataset',
]

__getattr__, __dir__ = lazy_names(
    __name__,
    {
        'AistSequenceDataset': 'benchmark_datasets',
        'AistSmplSequenceDataset': 'benchmark_datasets',
        'CmuMocapSequenceDataset': 'cmu_mocap_sequence_dataset',
        'CmuMocapSmplSequenceDataset': 'cmu_mocap_sequence_dataset',
        'Human36mSequenceDataset': 'benchmark_datasets',
        'JhmdbSequenceDataset': 'benchmark_datasets',
        'MeasureEvidence': 'transforms',
        'MpiInf3dhpSequenceDataset': 'benchmark_datasets',
        'PackPoseSequenceInputs': 'transforms',
        'PoseSequenceDataset': 'pose_sequence_dataset',
        'PoseTrack17SequenceDataset': 'benchmark_datasets',
        'PoseTrack18SequenceDataset': 'benchmark_datasets',
        'PoseWindowSampler': 'window_sampler',
        'Pw3dSequenceDataset': 'benchmark_datasets',
        'Pw3dSmplSequenceDataset': 'benchmark_datasets',
        'RandomPoseFlip': 'transforms',
        'RandomYaw': 'transforms',
        'SimulateEstimatorNoise': 'transforms',
        'SimulateRotationNoise': 'transforms',
        'SimulatedPoseSequenceDataset': 'simulated_pose_sequence_dataset',
        'SyntheticPoseSequenceDataset': 'simulated_pose_sequence_dataset',
    },
)
