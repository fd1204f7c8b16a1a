# Copyright (c) hanet_mm contributors. All rights reserved.
"""Shortcuts where a mask has nothing to say."""

import torch
from torch import Tensor


def is_all_true(mask: Tensor) -> bool:
    """Whether all of a mask is True, as far as that is known at once.

    False on other devices than the CPU, where to ask would be to wait, and
    while a graph is traced, which is for other masks too.
    """
    return mask.is_cpu and not torch.jit.is_tracing() and bool(mask.all())
