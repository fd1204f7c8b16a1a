"""Procedural people, a camera, and simulated estimator errors."""

from .body import BONES, JHMDB_KEYPOINT_NAMES, JOINT_NAMES
from .estimator_noise import box_size, simulate_estimator_noise
from .generator import generate_synthetic_sequences
from .motion import Motion, generate_motion
from .noise_params import LIFTER_NOISE, EstimatorNoise, estimator_noise
from .noise_ranges import (
    EstimatorNoiseRanges,
    NoiseSource,
    Range,
    draw_noise,
    noise_source,
)
from .timeline import ACTIONS

__all__ = [
    'ACTIONS',
    'BONES',
    'JHMDB_KEYPOINT_NAMES',
    'JOINT_NAMES',
    'LIFTER_NOISE',
    'EstimatorNoise',
    'EstimatorNoiseRanges',
    'Motion',
    'NoiseSource',
    'Range',
    'box_size',
    'draw_noise',
    'estimator_noise',
    'generate_motion',
    'generate_synthetic_sequences',
    'noise_source',
    'simulate_estimator_noise',
]
