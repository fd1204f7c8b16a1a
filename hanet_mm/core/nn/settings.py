# Copyright (c) hanet_mm contributors. All rights reserved.
"""Compute in float32 on a chosen device, whatever others set in torch."""

from contextlib import ExitStack, contextmanager
from typing import Iterator

import torch

# What may run a network, see :mod:`hanet_mm.core.nn.engines`.
ENGINES = ('torch', 'onnx', 'openvino')


@contextmanager
def own_settings() -> Iterator[None]:
    """Switch autocast and a default device off, in this thread alone.

    The default type of new tensors is one of the whole process: it stays, and
    modules are made ``float()`` instead.
    """
    casts = [kind for kind in ('cpu', 'cuda') if _is_autocast(kind)]
    # Costs a little with each call of torch: only where it is needed.
    elsewhere = torch.empty(0).device.type != 'cpu'
    if not casts and not elsewhere:
        yield
        return
    with ExitStack() as stack:
        for kind in casts:
            stack.enter_context(torch.autocast(kind, enabled=False))
        if elsewhere:
            stack.enter_context(torch.device('cpu'))
        yield


def _is_autocast(kind: str) -> bool:
    try:
        return torch.is_autocast_enabled(kind)
    except TypeError:  # torch < 2.4
        if kind == 'cpu':
            return torch.is_autocast_cpu_enabled()
        return torch.is_autocast_enabled()
