# Copyright (c) hanet_mm contributors. All rights reserved.
"""HANet computed plainly: all T frames are tokens, masks hide what is unseen.

The oracle of the tests and of the benchmark. It shares no code with the
package: attention is ``torch.nn.MultiheadAttention``, the neighbours are
taken before masking, as SPEC sections 1 to 3 and the published code say.
The names of its parameters are those of ``HANetNetwork``.
"""

import math

import torch
import torch.nn.functional as F
from torch import nn


def position_table(num_frames, width):
    table = torch.zeros(num_frames, width)
    for t in range(num_frames):
        place = t / (num_frames - 1 + 1e-6) * 2 * math.pi
        for k in range(width // 2):
            angle = place / 10000 ** (2 * k / (width // 2))
            table[t, 2 * k] = math.sin(angle)
            table[t, 2 * k + 1] = math.cos(angle)
    return table


class Ffn(nn.Module):
    def __init__(self, width, hidden, dropout):
        super().__init__()
        self.linear1 = nn.Linear(width, hidden)
        self.linear2 = nn.Linear(hidden, width)
        self.dropout = nn.Dropout(dropout)

    def forward(self, x):
        return self.linear2(self.dropout(F.leaky_relu(self.linear1(x), 0.01)))


class Layer(nn.Module):
    def __init__(self, width, heads, hidden, norm_first, dropout, cross):
        super().__init__()
        self.norm_first = norm_first
        attention = dict(dropout=dropout, batch_first=True)
        self.self_attn = nn.MultiheadAttention(width, heads, **attention)
        self.ffn = Ffn(width, hidden, dropout)
        self.norm1 = nn.LayerNorm(width)
        self.norm2 = nn.LayerNorm(width)
        self.dropout = nn.Dropout(dropout)
        if cross:
            self.cross_attn = nn.MultiheadAttention(width, heads, **attention)
            self.norm3 = nn.LayerNorm(width)

    def attend(self, x, pos, attn_mask, hidden_keys):
        y, _ = self.self_attn(
            x + pos,
            x + pos,
            x,
            attn_mask=attn_mask,
            key_padding_mask=hidden_keys,
            need_weights=False,
        )
        return self.dropout(y)

    def look(self, x, pos, memory, memory_mask):
        y, _ = self.cross_attn(
            x + pos,
            memory + pos,
            memory,
            key_padding_mask=memory_mask,
            need_weights=False,
        )
        return self.dropout(y)

    def forward(self, x, pos, attn_mask, hidden_keys):
        if self.norm_first:
            x = x + self.attend(self.norm1(x), pos, attn_mask, hidden_keys)
            return x + self.dropout(self.ffn(self.norm2(x)))
        x = self.norm1(x + self.attend(x, pos, attn_mask, hidden_keys))
        return self.norm2(x + self.dropout(self.ffn(x)))

    def decode(self, x, pos, memory, memory_mask):
        if self.norm_first:
            x = x + self.attend(self.norm1(x), pos, None, None)
            x = x + self.look(self.norm2(x), pos, memory, memory_mask)
            return x + self.dropout(self.ffn(self.norm3(x)))
        x = self.norm1(x + self.attend(x, pos, None, None))
        x = self.norm2(x + self.look(x, pos, memory, memory_mask))
        return self.norm3(x + self.dropout(self.ffn(x)))


class ChannelAffine(nn.Module):
    def __init__(self, channels):
        super().__init__()
        self.weight = nn.Parameter(torch.ones(channels))
        self.bias = nn.Parameter(torch.zeros(channels))

    def forward(self, x):
        return x * self.weight + self.bias


class PlainHANet(nn.Module):
    """Full-length masked HANet with all its components.

    Args:
        num_keypoints, coord_dims, window, interval: K, D, T, N.
        width, levels, heads: h, L, attention heads.
        norm_first, dropout: Of all layers.
        unsampled_bias: +1 for the reading of old PyTorch, None otherwise.
        unused_projection: Project the last level too, as published, though
            nothing uses it; for the benchmark.
    """

    def __init__(
        self,
        num_keypoints,
        coord_dims,
        window,
        interval,
        width,
        levels,
        heads=4,
        norm_first=True,
        dropout=0.1,
        unsampled_bias=None,
        unused_projection=False,
    ):
        super().__init__()
        channels = num_keypoints * coord_dims
        self.shape = (num_keypoints, coord_dims)
        self.interval = interval
        self.unsampled_bias = unsampled_bias
        widths = [width * 2**i for i in range(levels)]
        self.backbone = nn.Module()
        self.backbone.embed = nn.Linear(4 * channels, width)
        self.backbone.levels = nn.ModuleList(
            Layer(w, heads, 4 * w, norm_first, dropout, False) for w in widths
        )
        wider = [*widths[1:], 2 * widths[-1]][: levels - 1 + unused_projection]
        self.backbone.projections = nn.ModuleList(
            nn.Linear(a, b) for a, b in zip(widths, wider)
        )
        self.backbone.offsets = nn.ModuleList(
            nn.Linear(w, width) for w in widths
        )
        self.head = nn.Module()
        self.head.refine = nn.Linear(width, channels)
        self.head.memory = nn.Linear(width + 3 * channels, width)
        self.head.embed = nn.Conv1d(channels, width, 5, padding=2)
        self.head.layers = nn.ModuleList(
            Layer(width, heads, 4 * width, norm_first, dropout, True)
            for _ in range(levels)
        )
        self.head.norm = nn.LayerNorm(width)
        self.head.output = nn.Linear(width, channels)
        self.head.prev_velocity = ChannelAffine(channels)
        self.head.next_velocity = ChannelAffine(channels)
        self.head.acceleration = ChannelAffine(channels)
        for i, w in enumerate(widths):
            self.register_buffer(
                f'pos{i}', position_table(window, w), persistent=False
            )

    def forward(self, poses):
        x = poses.flatten(2)
        batch, window, _ = x.shape
        sampled = torch.arange(window, device=x.device) % self.interval == 0
        prev = torch.cat([x[:, :1], x[:, :-1]], 1)
        next_ = torch.cat([x[:, 1:], x[:, -1:]], 1)
        keep = sampled[None, :, None].to(x)
        x, prev, next_ = x * keep, prev * keep, next_ * keep

        hidden = (~sampled).expand(batch, window)
        itself = torch.eye(window, dtype=torch.bool, device=x.device)
        flow = (prev + x + next_) / 3
        y = self.backbone.embed(torch.cat([flow, x, prev, next_], -1))
        features = 0
        for i, level in enumerate(self.backbone.levels):
            y = level(y, getattr(self, f'pos{i}'), itself, hidden)
            features = features + self.backbone.offsets[i](y)
            if i < len(self.backbone.projections):
                y = self.backbone.projections[i](y)
        features = features / len(self.backbone.levels)

        refined = (x + self.head.refine(features))[:, sampled]
        tokens = F.interpolate(
            refined.transpose(1, 2), window, mode='linear', align_corners=True
        )
        v_prev = self.head.prev_velocity(x - prev)
        v_next = self.head.next_velocity(next_ - x)
        change = self.head.acceleration((v_next - v_prev) ** 2)
        memory = self.head.memory(
            torch.cat([features, v_prev, v_next, change], -1)
        )
        memory_mask = hidden
        if self.unsampled_bias is not None:
            memory_mask = hidden.to(x) * self.unsampled_bias
        y = self.head.embed(tokens).transpose(1, 2)
        for layer in self.head.layers:
            y = layer.decode(y, self.pos0, memory, memory_mask)
        final = self.head.output(self.head.norm(y)) + tokens.transpose(1, 2)
        return (
            final.unflatten(-1, self.shape),
            refined.unflatten(-1, self.shape),
        )
