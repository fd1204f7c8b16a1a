# Copyright (c) hanet_mm contributors. All rights reserved.
"""Layers of encoder and decoder: attention, dropout, positions, init."""

import math
from functools import lru_cache
from typing import Optional

import torch
import torch.nn.functional as F
from torch import Tensor, nn


class Attention(nn.Module):
    """Multi-head attention; parameters as in ``nn.MultiheadAttention``.

    Positional encodings are added to queries and keys, not to values.
    They do not depend on the sample, so they are projected once per call and
    queries, keys and values of self-attention come from one product.

    Args:
        dims (int): Width of queries, keys and values.
        num_heads (int): Number of heads; divides ``dims``.
        dropout (float): Dropout of the attention weights.
    """

    def __init__(self, dims: int, num_heads: int, dropout: float):
        super().__init__()
        if dims % num_heads or dims % 2:
            raise ValueError(
                'the width of attention has to be even and a multiple of '
                f'the number of heads, got {dims} for {num_heads} heads'
            )
        self.num_heads = num_heads
        self.dropout = dropout
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
        """Attend from each token of ``x`` to the memory.

        Args:
            x (Tensor): Tokens that ask, (B, Q, dims).
            pos (Tensor): Their positional encodings, (Q, dims).
            memory (Tensor, optional): Tokens that answer, (B, M, dims).
                Defaults to ``x`` itself.
            memory_pos (Tensor, optional): Positional encodings of the
                memory, (M, dims). Needed with ``memory``.
            attn_mask (Tensor, optional): (Q, M). Boolean: True where
                attention is allowed; float: added to the logits. With a
                single key a query may be barred from it and gets zero;
                with more, each query has to be allowed one.

        Returns:
            Tensor: (B, Q, dims).
        """
        dims = x.shape[-1]
        weight, bias = self.in_proj_weight, self.in_proj_bias
        if memory is None or memory_pos is None:
            # Positions do not change values: zeros for these.
            shift = F.pad(F.linear(pos, weight[: 2 * dims]), (0, dims))
            q, k, v = (F.linear(x, weight, bias) + shift).chunk(3, dim=-1)
        else:
            q = F.linear(x, weight[:dims], bias[:dims])
            q = q + F.linear(pos, weight[:dims])
            shift = F.linear(memory_pos, weight[dims : 2 * dims])
            shift = F.pad(shift, (0, dims))
            kv = F.linear(memory, weight[dims:], bias[dims:]) + shift
            k, v = kv.chunk(2, dim=-1)
        # (B, Q, dims) -> (B, heads, Q, dims / heads)
        q, k, v = (
            y.unflatten(-1, (self.num_heads, -1)).transpose(1, 2)
            for y in (q, k, v)
        )
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
    """Two linear layers with a leaky ReLU (0.01) and dropout between.

    Args:
        dims (int): Width of input and output.
        hidden (int): Width between.
        dropout (float): Dropout after the activation.
    """

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

    Args:
        dims (int): Width.
        num_heads (int): Number of heads.
        hidden (int): Width of the feed-forward part.
        norm_first (bool): LayerNorm before each part rather than after.
        dropout (float): Dropout, at the four usual places.
    """

    def __init__(
        self,
        dims: int,
        num_heads: int,
        hidden: int,
        norm_first: bool,
        dropout: float,
    ):
        super().__init__()
        self.norm_first = norm_first
        self.self_attn = Attention(dims, num_heads, dropout)
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
        """Transform the tokens.

        Args:
            x (Tensor): Tokens, (B, M, dims).
            pos (Tensor): Positional encodings, (M, dims).
            num_keys (int): Only the first so many tokens are attended to.
            attn_mask (Tensor, optional): (M, num_keys), see
                :class:`Attention`.

        Returns:
            Tensor: (B, M, dims).
        """
        if self.norm_first:
            x = x + self._attend(self.norm1(x), pos, num_keys, attn_mask)
            return x + self.dropout(self.ffn(self.norm2(x)))
        x = self.norm1(x + self._attend(x, pos, num_keys, attn_mask))
        return self.norm2(x + self.dropout(self.ffn(x)))

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
    """Self-attention, cross-attention to a memory, and feed-forward.

    Arguments are those of :class:`EncoderLayer`.
    """

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
        """Transform the tokens with a look at the memory.

        Args:
            x (Tensor): Tokens, (B, T, dims).
            pos (Tensor): Positional encodings, (T, dims).
            memory (Tensor): Memory tokens, (B, M, dims).
            memory_pos (Tensor): Their positional encodings, (M, dims).
            memory_bias (Tensor, optional): Added to the logits of the
                memory tokens, (1, M).

        Returns:
            Tensor: (B, T, dims).
        """

        def look(y: Tensor) -> Tensor:
            return self.dropout(
                self.cross_attn(y, pos, memory, memory_pos, memory_bias)
            )

        num_keys = x.shape[1]
        if self.norm_first:
            x = x + self._attend(self.norm1(x), pos, num_keys, None)
            x = x + look(self.norm2(x))
            return x + self.dropout(self.ffn(self.norm3(x)))
        x = self.norm1(x + self._attend(x, pos, num_keys, None))
        x = self.norm2(x + look(x))
        return self.norm3(x + self.dropout(self.ffn(x)))


@lru_cache(maxsize=64)
def sine_table(
    num_frames: int,
    dims: int,
    device: torch.device = torch.device('cpu'),  # noqa: B008
    dtype: torch.dtype = torch.float32,
) -> Tensor:
    """Positional encodings of all frames of a window.

    Positions run from 0 to 2 pi over the window and the k-th of ``dims / 2``
    frequencies is ``10000 ** (-2 k / (dims / 2))``, as in the published
    code; sine and cosine alternate along the channels.

    Args:
        num_frames (int): T.
        dims (int): Width, even.
        device (torch.device): Where to put the table.
        dtype (torch.dtype): Of the table; it is computed in float64.

    Returns:
        Tensor: The table, (T, dims). Cached: do not write to it.
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
