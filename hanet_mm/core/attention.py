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
                attention is allowed; float: added to the logits. A query
                that may attend to nothing gets zero.

        Returns:
            Tensor: (B, Q, dims).
        """
        dims = x.shape[-1]
        weight, bias = self.in_proj_weight, self.in_proj_bias
        if memory is None:
            q, k, v = F.linear(x, weight, bias).chunk(3, dim=-1)
            pos_q, pos_k = F.linear(pos, weight[: 2 * dims]).chunk(2, dim=-1)
        else:
            q = F.linear(x, weight[:dims], bias[:dims])
            k, v = F.linear(memory, weight[dims:], bias[dims:]).chunk(2, -1)
            pos_q = F.linear(pos, weight[:dims])
            pos_k = F.linear(memory_pos, weight[dims : 2 * dims])
        # (B, Q, dims) -> (B, heads, Q, dims / heads)
        q, k, v = (
            y.unflatten(-1, (self.num_heads, -1)).transpose(1, 2)
            for y in (q + pos_q, k + pos_k, v)
        )
        mute = None
        if attn_mask is not None and attn_mask.dtype == torch.bool:
            # A softmax over nothing is NaN in some kernels.
            mute = ~attn_mask.any(-1, keepdim=True)
            attn_mask = attn_mask | mute
        y = F.scaled_dot_product_attention(
            q, k, v, attn_mask, self.dropout if self.training else 0.0
        )
        if mute is not None:
            y = y.masked_fill(mute, 0)
        return self.out_proj(y.transpose(1, 2).flatten(2))
