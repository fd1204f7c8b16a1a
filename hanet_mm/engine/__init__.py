# Copyright (c) hanet_mm contributors. All rights reserved.
"""Additions to MMEngine for training and testing."""

from typing import TYPE_CHECKING

from hanet_mm._lazy import lazy_names

from .atomic_checkpoint_hook import AtomicCheckpointHook
from .bundled_weights import load_bundled_weights
from .fused_adamw import FusedAdamW
from .running import (
    EpochSeedHook,
    MainProcessLoggerHook,
    enable_cpu_distributed,
    keep_worker_seed,
)

if TYPE_CHECKING:
    from .bad_case_hook import PoseSequenceBadCaseHook
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

# MMPose's hooks, of which these are made, import the runner, after which this
# package is imported: MMPose's may not be there yet.
__getattr__, __dir__ = lazy_names(
    __name__,
    {
        'PoseSequenceBadCaseHook': 'bad_case_hook',
        'PoseSequenceVisualizationHook': 'visualization_hooks',
    },
)

enable_cpu_distributed()
