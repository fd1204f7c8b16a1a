"""Multi-head attention with positions on queries and keys only."""

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
        if memory is None:
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
