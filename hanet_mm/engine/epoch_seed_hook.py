# Copyright (c) hanet_mm contributors. All rights reserved.
"""Random numbers that depend on seed and epoch alone."""

from mmengine.dist import get_rank
from mmengine.hooks import Hook
from mmengine.runner import Runner, set_random_seed
from mmpose.registry import HOOKS


@HOOKS.register_module()
class EpochSeedHook(Hook):
    """Seed all generators of the main process anew with each epoch.

    MMEngine restores weights, optimiser and schedule of an interrupted run,
    but not the state of the generators, so dropout goes on with other
    numbers. With this hook a run resumed at an epoch equals one that was
    never interrupted. Each process has a seed of its own.
    """

    def before_train_epoch(self, runner: Runner) -> None:
        """Seed from the run's seed, the epoch and the rank."""
        # Far apart: neither epochs nor ranks of near seeds coincide.
        seed = runner.seed + 1_000_003 * (runner.epoch + 1) + 7919 * get_rank()
        set_random_seed(seed % 2**32)
