"""What a run needs and MMEngine lacks."""

from .cpu_distributed import enable_cpu_distributed
from .epoch_seed_hook import EpochSeedHook
from .safe_globals import register_safe_globals

__all__ = ['EpochSeedHook']

enable_cpu_distributed()
register_safe_globals()
