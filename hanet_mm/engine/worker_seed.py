# Copyright (c) hanet_mm contributors. All rights reserved.
"""Random numbers of data loading workers that follow the epoch."""

from mmengine.registry import FUNCTIONS


@FUNCTIONS.register_module()
def keep_worker_seed(worker_id: int) -> None:
    """Leave a worker the seeds that PyTorch gave it.

    PyTorch seeds Python, NumPy and itself in each worker from a number that
    the main process draws when an epoch begins; with :class:`EpochSeedHook`
    that follows from seed, epoch and rank. MMEngine's own function seeds all
    epochs alike, so random transforms would repeat themselves. Workers have
    to be started anew with each epoch::

        train_dataloader = dict(
            persistent_workers=False,
            worker_init_fn=dict(type='keep_worker_seed'),
        )

    Args:
        worker_id (int): Not needed.
    """
