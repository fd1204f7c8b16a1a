# Copyright (c) hanet_mm contributors. All rights reserved.
"""Several processes on a machine without accelerator."""

import mmengine.dist.utils as dist_utils
import torch
import torch.distributed as torch_dist
from mmengine.device import get_device
from mmengine.logging import print_log


def enable_cpu_distributed() -> None:
    """Let ``--launcher pytorch`` work where there is no accelerator.

    MMEngine 0.10 selects a CUDA device before it makes the process group and
    fails where there is none, whatever the backend of the config. On such a
    machine, and only there, the group is made with gloo.
    """
    if get_device() == 'cpu' and not torch.cuda.is_available():
        dist_utils._init_dist_pytorch = _init_with_gloo


def _init_with_gloo(
    backend: str, init_backend: str = 'torch', **kwargs
) -> None:
    if backend != 'gloo':
        print_log(
            f'no accelerator: processes talk through gloo, not {backend}',
            logger='current',
        )
    torch_dist.init_process_group(backend='gloo', **kwargs)
