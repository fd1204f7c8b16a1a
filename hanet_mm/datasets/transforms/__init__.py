# Copyright (c) hanet_mm contributors. All rights reserved.
"""Transforms of pose sequences."""

from .measure_evidence import MeasureEvidence
from .pack_pose_sequence_inputs import PackPoseSequenceInputs
from .random_views import RandomPoseFlip, RandomYaw
from .simulate_noise import SimulateEstimatorNoise, SimulateRotationNoise

__all__ = [
    'MeasureEvidence',
    'PackPoseSequenceInputs',
    'RandomPoseFlip',
    'RandomYaw',
    'SimulateEstimatorNoise',
    'SimulateRotationNoise',
]
