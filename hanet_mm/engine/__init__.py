# Copyright (c) hanet_mm contributors. All rights reserved.
"""What a run needs and MMEngine lacks."""

from .cpu_distributed import enable_cpu_distributed
from .epoch_seed_hook import EpochSeedHook
from .safe_globals import register_safe_globals
from .worker_seed import keep_worker_seed

__all__ = ['EpochSeedHook', 'keep_worker_seed']

enable_cpu_distributed()
register_safe_globals()
