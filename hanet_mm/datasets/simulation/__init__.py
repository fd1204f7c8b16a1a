# Copyright (c) hanet_mm contributors. All rights reserved.
"""Training data without videos: motion, cameras and simulated estimators."""

from .actions import ACTIONS
from .body import JHMDB_KEYPOINT_NAMES, JOINT_NAMES
from .generator import (
    BOX_MARGIN,
    DIMS,
    Chunk,
    ChunkGenerator,
    generate_synthetic_sequences,
)
from .motion import Motion, generate_motion
from .motion_bank import (
    MotionBank,
    captured_motion,
    cut_windows,
    join,
    procedural_motion,
)
from .noise import simulate_estimator_noise
from .noise_params import (
    EstimatorNoise,
    EstimatorNoiseRanges,
    NoiseSource,
    Range,
    noise_source,
)
from .noise_presets import NOISE_PRESETS
from .rotation_noise import (
    RotationNoise,
    simulate_rotation_noise,
)

__all__ = [
    'ACTIONS',
    'BOX_MARGIN',
    'DIMS',
    'JHMDB_KEYPOINT_NAMES',
    'JOINT_NAMES',
    'NOISE_PRESETS',
    'Chunk',
    'ChunkGenerator',
    'EstimatorNoise',
    'EstimatorNoiseRanges',
    'Motion',
    'MotionBank',
    'NoiseSource',
    'Range',
    'RotationNoise',
    'captured_motion',
    'cut_windows',
    'generate_motion',
    'generate_synthetic_sequences',
    'join',
    'noise_source',
    'procedural_motion',
    'simulate_estimator_noise',
    'simulate_rotation_noise',
]
