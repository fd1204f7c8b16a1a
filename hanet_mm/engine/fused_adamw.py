# Copyright (c) hanet_mm contributors. All rights reserved.
"""AdamW as fast as the installed torch has it."""

from typing import Any, Iterable, Union

import torch
from mmpose.registry import OPTIMIZERS
from torch import Tensor


@OPTIMIZERS.register_module()
class FusedAdamW(torch.optim.AdamW):
    """AdamW with one kernel for all parameters, where torch has one.

    Torch has it for GPUs, and for CPUs from 2.4 on; elsewhere this is
    torch's AdamW as it is.

    Args:
        params (Iterable): Parameters, or dicts of them as groups.
        **kwargs: Of :class:`torch.optim.AdamW`, except ``fused``.
    """

    def __init__(
        self, params: Iterable[Union[Tensor, dict]], **kwargs: Any
    ) -> None:
        groups = list(params)
        super().__init__(groups, fused=_has_fused(groups), **kwargs)


def _has_fused(groups: list) -> bool:
    """Whether torch has the fused kernel where the parameters are."""
    if torch.torch_version.TorchVersion(torch.__version__) >= (2, 4):
        return True
    parts = [x['params'] if isinstance(x, dict) else x for x in groups]
    return all(
        tensor.is_cuda
        for part in parts
        for tensor in ([part] if isinstance(part, Tensor) else part)
    )
