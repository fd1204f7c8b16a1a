# Copyright (c) hanet_mm contributors. All rights reserved.
"""Training data without videos: motion, cameras and simulated estimators."""

from .actions import ACTIONS
from .body import JHMDB_KEYPOINT_NAMES, JOINT_NAMES
from .error_bank import ErrorBank, load_error_bank, save_error_bank
from .error_replay import replay_errors
from .estimator_errors import (
    ClipErrors,
    clip_errors,
    definition_biases,
)
from .estimators import SimulatedEstimators
from .exercise_kinds import kinds_of_part
from .generator import (
    BOX_MARGIN,
    DIMS,
    FPS_RANGE,
    Chunk,
    ChunkGenerator,
    generate_synthetic_sequences,
)
from .motion import Motion, generate_motion
from .motion_bank import (
    MotionBank,
    captured_motion,
    cut_windows,
    exercise_motion,
    join,
    made_motion,
    procedural_motion,
)
from .noise import simulate_estimator_noise
from .noise_params import (
    USUAL_FPS,
    EstimatorNoise,
    EstimatorNoiseRanges,
    Range,
)
from .noise_presets import NOISE_PRESETS
from .noise_sources import NoiseMixture, NoiseSource, noise_source
from .rotation_noise import (
    RotationNoise,
    simulate_rotation_noise,
)

__all__ = [
    'ACTIONS',
    'BOX_MARGIN',
    'DIMS',
    'FPS_RANGE',
    'JHMDB_KEYPOINT_NAMES',
    'JOINT_NAMES',
    'NOISE_PRESETS',
    'USUAL_FPS',
    'Chunk',
    'ChunkGenerator',
    'ClipErrors',
    'ErrorBank',
    'EstimatorNoise',
    'EstimatorNoiseRanges',
    'Motion',
    'MotionBank',
    'NoiseMixture',
    'NoiseSource',
    'Range',
    'RotationNoise',
    'SimulatedEstimators',
    'captured_motion',
    'clip_errors',
    'cut_windows',
    'definition_biases',
    'exercise_motion',
    'generate_motion',
    'generate_synthetic_sequences',
    'join',
    'kinds_of_part',
    'load_error_bank',
    'made_motion',
    'noise_source',
    'procedural_motion',
    'replay_errors',
    'save_error_bank',
    'simulate_estimator_noise',
    'simulate_rotation_noise',
]
