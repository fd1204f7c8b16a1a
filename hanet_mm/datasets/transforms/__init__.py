# Copyright (c) hanet_mm contributors. All rights reserved.
"""Transforms of pose sequences."""

from .pack_pose_sequence_inputs import PackPoseSequenceInputs
from .random_pose_flip import RandomPoseFlip
from .random_yaw import RandomYaw
from .simulate_estimator_noise import SimulateEstimatorNoise
from .simulate_rotation_noise import SimulateRotationNoise

__all__ = [
    'PackPoseSequenceInputs',
    'RandomPoseFlip',
    'RandomYaw',
    'SimulateEstimatorNoise',
    'SimulateRotationNoise',
]
