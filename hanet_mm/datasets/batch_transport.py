# Copyright (c) hanet_mm contributors. All rights reserved.
"""Batches that come from a worker process in one piece of memory.

Torch sends each tensor as a file of its own: for each the processes talk to
each other, and its pages are made one by one when they are first written.
"""

import mmap
import os
from multiprocessing.reduction import DupFd, ForkingPickler
from typing import Any, Callable, Dict, Tuple

import numpy as np
import torch
from torch import Tensor


class StackedBatch(dict):
    """A batch of ``inputs``, ``labels`` and ``data_samples``.

    Inputs and the labels, a dictionary, are tensors (B, T, ...) on the CPU.
    Other ways to copy or to store it than to send it are those of a
    dictionary.
    """


# Name, type and shape of each tensor.
_Layout = Tuple[Tuple[str, np.dtype, Tuple[int, ...]], ...]


def _send(batch: StackedBatch) -> Tuple[Callable, tuple]:
    """Write the tensors to memory that has no name and can be sent."""
    tensors = dict(batch['labels'], inputs=batch['inputs'])
    arrays = {name: x.contiguous().numpy() for name, x in tensors.items()}
    with open(os.memfd_create('batch'), 'wb') as file:
        for array in arrays.values():
            file.write(array.data)
        file.flush()
        memory = DupFd(file.fileno())
    layout = tuple((k, x.dtype, x.shape) for k, x in arrays.items())
    return _receive, (memory, layout, batch['data_samples'])


def _receive(memory: Any, layout: _Layout, samples: list) -> StackedBatch:
    """The batch that was sent; its tensors share the memory."""
    with open(memory.detach(), 'r+b') as file:
        pages = mmap.mmap(file.fileno(), 0)
    labels: Dict[str, Tensor] = {}
    begin = 0
    for name, kind, shape in layout:
        values = np.ndarray(shape, kind, pages, begin)
        labels[name] = torch.from_numpy(values)
        begin += values.nbytes
    inputs = labels.pop('inputs')
    return StackedBatch(inputs=inputs, data_samples=samples, labels=labels)


# Elsewhere than on Linux tensors are sent as ever.
if hasattr(os, 'memfd_create'):
    ForkingPickler.register(StackedBatch, _send)
