"""Dropout that is cheap on a CPU, too."""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

# A mask is decided by 16 random bits, four to a word.
_LEVELS = 2**16


class Dropout(nn.Dropout):
    """``nn.Dropout`` with a faster generator of masks on the CPU.

    There PyTorch draws one element at a time, which took a third of the
    forward pass in training; drawing 16 bits an element takes a third of
    that. The rate is exact to 1 / 65536 and the scale is that of the rate.
    """

    def forward(self, x: Tensor) -> Tensor:
        """Same shape and type as ``x``."""
        if not self.training or self.p == 0:
            return x
        dropped = round(self.p * _LEVELS)
        if x.device.type != 'cpu' or not 0 < dropped < _LEVELS:
            return F.dropout(x, self.p, self.training)
        words = torch.empty((x.numel() + 3) // 4, dtype=torch.int64)
        words.random_(-(2**63), None)
        bits = words.view(torch.int16)[: x.numel()].view(x.shape)
        kept = (bits >= dropped - _LEVELS // 2).to(x.dtype)
        return x * kept.mul_(_LEVELS / (_LEVELS - dropped))
