"""Training data without videos: motion, views and simulated estimators."""

from .chunks import DIMS, Chunk, ChunkGenerator
from .motion_bank import (
    SKELETONS,
    MotionBank,
    captured_motion,
    cut_windows,
    join,
    procedural_motion,
)

__all__ = [
    'DIMS',
    'SKELETONS',
    'Chunk',
    'ChunkGenerator',
    'MotionBank',
    'captured_motion',
    'cut_windows',
    'join',
    'procedural_motion',
]
