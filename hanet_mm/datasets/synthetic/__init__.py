"""Procedural people, a camera, and simulated estimator errors."""

from .body import BONES, JHMDB_KEYPOINT_NAMES, JOINT_NAMES
from .estimator_noise import box_size, simulate_estimator_noise
from .generator import generate_synthetic_sequences
from .motion import Motion, generate_motion
from .noise_params import LIFTER_NOISE, EstimatorNoise, estimator_noise
from .timeline import ACTIONS

__all__ = [
    'ACTIONS',
    'BONES',
    'JHMDB_KEYPOINT_NAMES',
    'JOINT_NAMES',
    'LIFTER_NOISE',
    'EstimatorNoise',
    'Motion',
    'box_size',
    'estimator_noise',
    'generate_motion',
    'generate_synthetic_sequences',
    'simulate_estimator_noise',
]
