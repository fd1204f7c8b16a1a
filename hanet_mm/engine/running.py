# Copyright (c) hanet_mm contributors. All rights reserved.
"""Seeds that follow the epoch, and several processes."""

import atexit
import gc
import os
import sys
from importlib import import_module
from typing import Any, Dict, Optional

import mmengine.dist.utils as dist_utils
import torch
import torch.distributed as torch_dist
from mmengine.device import get_device
from mmengine.dist import get_rank, master_only
from mmengine.hooks import Hook, LoggerHook
from mmengine.logging import print_log
from mmengine.runner import Runner, set_random_seed
from mmpose.registry import HOOKS

# Their functions have the group of the moment of their import as a default.
# Imported later, as MMPose's models do, they keep it from being destroyed.
_KEEP_THE_GROUP = (
    'torch.distributed.nn.functional',
    'torch.distributed.optim',
)


def enable_cpu_distributed() -> None:
    """Let ``--launcher pytorch`` work where there is no accelerator.

    MMEngine 0.10 selects a CUDA device before it makes the process group and
    fails where there is none, whatever the backend of the config. On such a
    machine, and only in a process that torch's launcher has started, where
    MMEngine's own function cannot work, the group is made with gloo.
    """
    launched = {'RANK', 'LOCAL_RANK', 'WORLD_SIZE'} <= {*os.environ}
    on_cpu = get_device() == 'cpu' and not torch.cuda.is_available()
    if launched and on_cpu:
        dist_utils._init_dist_pytorch = _init_with_gloo


def _init_with_gloo(
    backend: str, init_backend: str = 'torch', **kwargs: Any
) -> None:
    if backend != 'gloo':
        print_log(
            f'no accelerator: processes talk through gloo, not {backend}',
            logger='current',
        )
    init_gloo_group(**kwargs)


def init_gloo_group(**kwargs: Any) -> None:
    """Make the default process group with gloo, and destroy it at the end.

    A group that is still there when Python ends has threads that hold
    tensors, and an exit in thirty aborts (seen with PyTorch 2.11). A model
    wrapped for several processes keeps its group as long as it lives itself.

    Args:
        **kwargs: Of :func:`torch.distributed.init_process_group`.
    """
    for name in _KEEP_THE_GROUP:
        import_module(name)
    torch_dist.init_process_group(backend='gloo', **kwargs)
    atexit.register(_destroy_group)


def _destroy_group() -> None:
    """Destroy the group, unless an error ends the process.

    After an error this process may be in the middle of a step that the
    others do not take any more: destroying the group would wait for them.
    """
    if torch_dist.is_initialized() and getattr(sys, 'last_type', None) is None:
        gc.collect()  # wrapped models refer to the group
        torch_dist.destroy_process_group()


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


@HOOKS.register_module()
class MainProcessLoggerHook(LoggerHook):
    """The logger hook of MMEngine; one process writes the figures of a test.

    In MMEngine 0.10 each process writes the same file at the same time, so
    that it is broken now and then.
    """

    @master_only
    def after_test_epoch(
        self, runner: Runner, metrics: Optional[Dict[str, float]] = None
    ) -> None:
        """Log the figures and write them, in the main process."""
        super().after_test_epoch(runner, metrics)


def keep_worker_seed(worker_id: int) -> None:
    """Leave a worker the seeds that PyTorch gave it.

    PyTorch seeds Python, NumPy and itself in each worker from a number that
    the main process draws when an epoch begins; with :class:`EpochSeedHook`
    that follows from seed, epoch and rank. MMEngine's own function seeds all
    epochs alike, so random transforms would repeat themselves. Workers have to
    be started anew with each epoch::

        train_dataloader = dict(
            persistent_workers=False,
            worker_init_fn=dict(type='hanet_mm.engine.keep_worker_seed'),
        )

    MMEngine looks such functions up in a registry that all packages share;
    there is no entry for it: the full name is found without one.
    """
