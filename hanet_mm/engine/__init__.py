# Copyright (c) hanet_mm contributors. All rights reserved.
"""Additions to MMEngine for training and testing."""

from .atomic_checkpoint_hook import AtomicCheckpointHook
from .bundled_weights import load_bundled_weights
from .running import (
    EpochSeedHook,
    MainProcessLoggerHook,
    enable_cpu_distributed,
    keep_worker_seed,
)
from .safe_globals import register_safe_globals

__all__ = [
    'AtomicCheckpointHook',
    'EpochSeedHook',
    'MainProcessLoggerHook',
    'keep_worker_seed',
    'load_bundled_weights',
]

enable_cpu_distributed()
register_safe_globals()
