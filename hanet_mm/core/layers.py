"""Transformer layers of the encoder and of the decoder (paper eq. 5)."""

from typing import Optional

from torch import Tensor, nn

from .attention import Attention
from .dropout import Dropout


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

    def forward(
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
