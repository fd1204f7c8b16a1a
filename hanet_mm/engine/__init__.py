# Copyright (c) hanet_mm contributors. All rights reserved.
"""What a run needs and MMEngine lacks."""

from .running import EpochSeedHook, enable_cpu_distributed, keep_worker_seed
from .safe_globals import register_safe_globals

__all__ = ['EpochSeedHook', 'keep_worker_seed']

enable_cpu_distributed()
register_safe_globals()
