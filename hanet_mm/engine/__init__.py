# Copyright (c) hanet_mm contributors. All rights reserved.
"""Additions to MMEngine for training and testing."""

from .atomic_checkpoint_hook import AtomicCheckpointHook
from .bad_case_hook import PoseSequenceBadCaseHook
from .bundled_weights import load_bundled_weights
from .fused_adamw import FusedAdamW
from .running import (
    EpochSeedHook,
    MainProcessLoggerHook,
    enable_cpu_distributed,
    keep_worker_seed,
)
from .visualization_hooks import PoseSequenceVisualizationHook

__all__ = [
    'AtomicCheckpointHook',
    'EpochSeedHook',
    'FusedAdamW',
    'MainProcessLoggerHook',
    'PoseSequenceBadCaseHook',
    'PoseSequenceVisualizationHook',
    'keep_worker_seed',
    'load_bundled_weights',
]

enable_cpu_distributed()
