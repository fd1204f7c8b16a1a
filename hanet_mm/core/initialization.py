"""Initial weights, shared by encoder and decoder."""

import torch
from torch import nn


@torch.no_grad()
def init_matrices(module: nn.Module) -> None:
    """Xavier-uniform weights; biases keep the defaults of their layers.

    Attention biases are zero and other linear and convolution biases are
    uniform within ``1 / sqrt(fan_in)``, as in the published code.

    Args:
        module (nn.Module): All its matrices are drawn anew.
    """
    for name, parameter in module.named_parameters():
        if parameter.ndim > 1:
            nn.init.xavier_uniform_(parameter)
        elif name.endswith('out_proj.bias'):
            nn.init.zeros_(parameter)
