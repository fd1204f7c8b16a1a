"""Transforms of pose sequences."""

from .pack_pose_sequence_inputs import PackPoseSequenceInputs
from .simulate_estimator_noise import SimulateEstimatorNoise

__all__ = ['PackPoseSequenceInputs', 'SimulateEstimatorNoise']
