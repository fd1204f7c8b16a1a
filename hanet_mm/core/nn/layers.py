# Copyright (c) hanet_mm contributors. All rights reserved.
"""Layers of encoder and decoder: attention, dropout, positions, init."""

import math
from functools import lru_cache
from typing import Dict, Optional, Tuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn


class Attention(nn.Module):
    """Multi-head attention; parameters as in ``nn.MultiheadAttention``.

    Positional encodings are added to queries and keys, not to values, as in
    the published code; with ``pos_on_values`` to these too, as in eq. 4.
    They do not depend on the sample, so they are projected once per call and
    queries, keys and values of self-attention come from one product.
    """

    # Projected positions, once known, of copies that never change: those of
    # windows of one length.
    shifts: Optional[Dict[int, Tensor]] = None

    def __init__(
        self,
        dims: int,
        num_heads: int,
        dropout: float,
        pos_on_values: bool = False,
    ):
        super().__init__()
        if dims % num_heads or dims % 2:
            raise ValueError(
                'the width of attention has to be even and a multiple of '
                f'the number of heads, got {dims} for {num_heads} heads'
            )
        self.num_heads = num_heads
        self.dropout = dropout
        self.pos_on_values = pos_on_values
        self.in_proj_weight = nn.Parameter(torch.empty(3 * dims, dims))
        self.in_proj_bias = nn.Parameter(torch.zeros(3 * dims))
        self.out_proj = nn.Linear(dims, dims)

    def forward(
        self,
        x: Tensor,
        pos: Tensor,
        memory: Optional[Tensor] = None,
        memory_pos: Optional[Tensor] = None,
        attn_mask: Optional[Tensor] = None,
    ) -> Tensor:
        """Attend from queries (B, Q, dims) to a memory (B, M, dims).

        Without ``memory`` this is self-attention; ``pos`` (Q, dims) and
        ``memory_pos`` (M, dims) are positional encodings. ``attn_mask``
        (Q, M) is True where attention is allowed, or a float bias of the
        logits. A query may be masked from a single key and gets zero; with
        more keys, each query needs an allowed one.
        """
        dims = self.out_proj.in_features
        weight, bias = self.in_proj_weight, self.in_proj_bias
        if memory is None or memory_pos is None:
            shift = self._shift(pos, 0, 3)
            q, k, v = self._split(_add(shift, F.linear(x, weight, bias)), 3)
        else:
            q = F.linear(x, weight[:dims], bias[:dims])
            (q,) = self._split(_add(self._shift(pos, 0, 1), q), 1)
            shift = self._shift(memory_pos, 1, 3)
            kv = _add(shift, F.linear(memory, weight[dims:], bias[dims:]))
            k, v = self._split(kv, 2)
        # A softmax over nothing is NaN in some kernels.
        barred = None
        if attn_mask is not None and k.shape[2] == 1:
            if attn_mask.dtype == torch.bool:
                barred = ~attn_mask
            attn_mask = None
        y = F.scaled_dot_product_attention(
            q, k, v, attn_mask, self.dropout if self.training else 0.0
        )
        if barred is not None:
            y = y.masked_fill(barred, 0)
        return self.out_proj(y.transpose(1, 2).flatten(2))

    def _shift(self, pos: Tensor, first: int, end: int) -> Tensor:
        """Positions (M, dims) in queries, keys and values (0, 1 and 2)."""
        known = None if self.shifts is None else self.shifts.get(first)
        if known is not None:
            return known
        dims = self.out_proj.in_features
        if self.pos_on_values or end < 3:
            weight = self.in_proj_weight[first * dims : end * dims]
            shift = F.linear(pos, weight)
        else:
            # Positions do not change values: zeros for these.
            weight = self.in_proj_weight[first * dims : 2 * dims]
            shift = F.pad(F.linear(pos, weight), (0, dims))
        if self.shifts is not None:
            self.shifts[first] = shift
        return shift

    def _split(self, x: Tensor, parts: int) -> Tuple[Tensor, ...]:
        """Heads of queries, keys or values that lie side by side."""
        # (B, Q, parts * dims) -> parts times (B, heads, Q, dims / heads)
        x = x.unflatten(-1, (parts, self.num_heads, -1))
        return x.permute(2, 0, 3, 1, 4).unbind()


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


class FeedForward(nn.Module):
    """Two linear layers with a leaky ReLU (0.01) and dropout between."""

    def __init__(self, dims: int, hidden: int, dropout: float):
        super().__init__()
        self.linear1 = nn.Linear(dims, hidden)
        self.activation = nn.LeakyReLU(0.01)
        self.dropout = Dropout(dropout)
        self.linear2 = nn.Linear(hidden, dims)

    def forward(self, x: Tensor) -> Tensor:
        """(..., dims) -> (..., dims)."""
        return self.linear2(self.dropout(self.activation(self.linear1(x))))


class EncoderLayer(nn.Module):
    """Self-attention and feed-forward, with residual connections.

    ``norm_first`` puts each LayerNorm before its part rather than after.
    """

    def __init__(
        self,
        dims: int,
        num_heads: int,
        hidden: int,
        norm_first: bool,
        dropout: float,
        pos_on_values: bool = False,
    ):
        super().__init__()
        self.norm_first = norm_first
        self.self_attn = Attention(dims, num_heads, dropout, pos_on_values)
        self.ffn = FeedForward(dims, hidden, dropout)
        self.norm1 = nn.LayerNorm(dims)
        self.norm2 = nn.LayerNorm(dims)
        self.dropout = Dropout(dropout)

    def forward(
        self,
        x: Tensor,
        pos: Tensor,
        num_keys: int,
        attn_mask: Optional[Tensor] = None,
    ) -> Tensor:
        """Transform tokens (B, M, dims); the first ``num_keys`` are keys."""
        if self.norm_first:
            x = _add(x, self._attend(self.norm1(x), pos, num_keys, attn_mask))
            return _add(x, self.dropout(self.ffn(self.norm2(x))))
        x = self.norm1(_add(x, self._attend(x, pos, num_keys, attn_mask)))
        return self.norm2(_add(x, self.dropout(self.ffn(x))))

    def _attend(
        self,
        x: Tensor,
        pos: Tensor,
        num_keys: int,
        attn_mask: Optional[Tensor],
    ) -> Tensor:
        keys = {}
        if num_keys < x.shape[1]:
            keys = {'memory': x[:, :num_keys], 'memory_pos': pos[:num_keys]}
        return self.dropout(
            self.self_attn(x, pos, attn_mask=attn_mask, **keys)
        )


class DecoderLayer(EncoderLayer):
    """Self-attention, cross-attention to a memory, and feed-forward."""

    def __init__(
        self,
        dims: int,
        num_heads: int,
        hidden: int,
        norm_first: bool,
        dropout: float,
    ):
        super().__init__(dims, num_heads, hidden, norm_first, dropout)
        self.cross_attn = Attention(dims, num_heads, dropout)
        self.norm3 = nn.LayerNorm(dims)

    def forward(  # type: ignore[override]
        self,
        x: Tensor,
        pos: Tensor,
        memory: Tensor,
        memory_pos: Tensor,
        memory_bias: Optional[Tensor] = None,
    ) -> Tensor:
        """Transform tokens (B, T, dims) with a memory (B, M, dims).

        ``memory_bias`` (1, M) is added to the logits of the memory tokens.
        """

        def look(y: Tensor) -> Tensor:
            return self.dropout(
                self.cross_attn(y, pos, memory, memory_pos, memory_bias)
            )

        num_keys = x.shape[1]
        if self.norm_first:
            x = _add(x, self._attend(self.norm1(x), pos, num_keys, None))
            x = _add(x, look(self.norm2(x)))
            return _add(x, self.dropout(self.ffn(self.norm3(x))))
        x = self.norm1(_add(x, self._attend(x, pos, num_keys, None)))
        x = self.norm2(_add(x, look(x)))
        return self.norm3(_add(x, self.dropout(self.ffn(x))))


def _add(x: Tensor, change: Tensor) -> Tensor:
    """The sum, in the memory of the change where it fits."""
    # Under automatic mixed precision it has more digits; what changes in place
    # keeps torch from exporting a graph.
    if change.dtype != x.dtype or torch.onnx.is_in_onnx_export():
        return x + change
    return change.add_(x)


@lru_cache(maxsize=64)
def sine_table(
    num_frames: int,
    dims: int,
    device: torch.device = torch.device('cpu'),  # noqa: B008
    dtype: torch.dtype = torch.float32,
) -> Tensor:
    """Positional encodings (T, dims) of a window, cached: do not write to it.

    Positions run from 0 to 2 pi over the window and the k-th of ``dims / 2``
    frequencies is ``10000 ** (-2 k / (dims / 2))``, as in the published code;
    sine and cosine alternate along the channels. Computed in float64.
    """
    # Built outside inference mode, so that a table made while predicting
    # can be used while training.
    with torch.inference_mode(False):
        frames = torch.arange(num_frames, dtype=torch.float64)
        phase = frames / (num_frames - 1 + 1e-6) * (2 * math.pi)
        k = torch.arange(dims // 2, dtype=torch.float64)
        angles = phase[:, None] / 10000 ** (2 * k / (dims // 2))
        # (T, dims / 2, 2) -> (T, dims)
        table = torch.stack([angles.sin(), angles.cos()], dim=-1).flatten(1)
        return table.to(device=device, dtype=dtype)


@torch.no_grad()
def init_matrices(module: nn.Module) -> None:
    """Initialise weights Xavier-uniform; biases keep their layers' defaults.

    Attention biases are zero and other linear and convolution biases are
    uniform within ``1 / sqrt(fan_in)``, as in the published code.
    """
    for name, parameter in module.named_parameters():
        if parameter.ndim > 1:
            nn.init.xavier_uniform_(parameter)
        elif name.endswith('out_proj.bias'):
            nn.init.zeros_(parameter)
