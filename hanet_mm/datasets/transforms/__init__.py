# Copyright (c) hanet_mm contributors. All rights reserved.
"""Transforms of pose sequences."""

from .pack_pose_sequence_inputs import PackPoseSequenceInputs
from .random_views import RandomPoseFlip, RandomYaw
from .simulate_noise import SimulateEstimatorNoise, SimulateRotationNoise

__all__ = [
    'PackPoseSequenceInputs',
    'RandomPoseFlip',
    'RandomYaw',
    'SimulateEstimatorNoise',
    'SimulateRotationNoise',
]
