# Copyright (c) hanet_mm contributors. All rights reserved.
"""Hierarchical encoder (paper section 3.2)."""

from typing import List, Optional, cast

import torch
from torch import Tensor, nn

from .kinematics import Kinematics
from .layers import EncoderLayer, init_matrices, sine_table
from .smoother import ScoreSmoother, score_features


class HierarchicalEncoder(nn.Module):
    """Transformer levels whose width doubles, merged into one feature.

    Level l has width ``embed_dims * 2 ** l`` and feed-forward width
    ``feedforward_channels * 2 ** l``, so a level costs four times the one
    before it. Only sampled frames are tokens; unsampled frames, if they are
    tokens too, are queries but never keys.

    Args:
        num_keypoints (int): K.
        coord_dims (int): D, coordinates of a keypoint.
        embed_dims (int): Width h of the first level (C of eq. 3) and of the
            output.
        num_levels (int): N_L of eq. 4.
        num_heads (int): Attention heads of each level.
        feedforward_channels (int, optional): Feed-forward width of the first
            level; ``4 * embed_dims`` if None.
        hierarchical (bool): Double the width at each level; otherwise it
            stays (Table 4, row 1).
        norm_first (bool): Pre-norm layers, as eq. 5; otherwise post-norm.
        dropout (float): Dropout rate.
        mask_self (bool): A token does not attend to itself, as in the
            published code.
        use_flow (bool): Keypoint flow in the input (Table 5).
        stack_neighbors (bool): Previous and next pose in the input (eq. 3,
            Table 5).
        use_scores (bool): Scores of the keypoints in the input, and the
            deviations of the estimates from the path of
            :class:`ScoreSmoother` (not in the paper).
        as_written (bool): Eq. 4 as the paper writes it, not as it was
            published: positions on values too, and level l = 1, .., N_L of
            width ``embed_dims * 2 ** l``.
    """

    def __init__(
        self,
        num_keypoints: int,
        coord_dims: int,
        embed_dims: int = 64,
        num_levels: int = 5,
        num_heads: int = 4,
        feedforward_channels: Optional[int] = None,
        hierarchical: bool = True,
        norm_first: bool = True,
        dropout: float = 0.1,
        mask_self: bool = True,
        use_flow: bool = True,
        stack_neighbors: bool = True,
        use_scores: bool = False,
        as_written: bool = False,
    ):
        super().__init__()
        self.mask_self = mask_self
        self.use_flow = use_flow
        self.stack_neighbors = stack_neighbors
        self.widths = [
            embed_dims * 2 ** (level + as_written)
            if hierarchical
            else embed_dims
            for level in range(num_levels)
        ]
        hidden = feedforward_channels or 4 * embed_dims
        channels = num_keypoints * coord_dims
        inputs = (1 + use_flow + 2 * stack_neighbors) * channels
        self.smoother = None
        if use_scores:
            self.smoother = ScoreSmoother(num_keypoints)
            inputs += channels + num_keypoints
        self.embed = nn.Linear(inputs, embed_dims)
        self.levels = nn.ModuleList(
            EncoderLayer(
                width,
                num_heads,
                hidden * width // embed_dims,
                norm_first,
                dropout,
                as_written,
            )
            for width in self.widths
        )
        # Published: the embedding is level 0; eq. 4: it is projected too.
        inner = [embed_dims, *self.widths] if as_written else self.widths
        self.projections = nn.ModuleList(
            nn.Linear(width, wider) for width, wider in zip(inner, inner[1:])
        )
        # The 1x1 convolutions of eq. 6, as what they are: linear per frame. As
        # published they lead to width h, and one projection of their mean to
        # the offsets: only so the memory of eq. 8 has 3 K D + h channels.
        self.offsets = nn.ModuleList(
            nn.Linear(width, embed_dims) for width in self.widths
        )
        init_matrices(self)

    def forward(self, kinematics: Kinematics) -> Tensor:
        """Multi-level features X (B, M, embed_dims) of M tokens."""
        x = self.embed(self._stack(kinematics))
        mask = self._mask(kinematics, x.device)
        features = x.new_zeros(())
        for level, layer in enumerate(self.levels):
            place = level - len(self.levels) + len(self.projections)
            if place >= 0:
                x = self.projections[place](x)
            table = sine_table(
                kinematics.num_frames, self.widths[level], x.device, x.dtype
            )
            pos = table[kinematics.positions]
            x = layer(x, pos, kinematics.num_sampled, mask)
            features = features + self.offsets[level](x)
        return features / len(self.levels)

    def _stack(self, kinematics: Kinematics) -> Tensor:
        parts = [kinematics.poses]
        if self.use_flow:
            parts.insert(0, kinematics.flow)
        if self.stack_neighbors:
            parts += [kinematics.prev, kinematics.next]
        if self.smoother is not None:
            parts += self._reliability(self.smoother, kinematics)
        return torch.cat(parts, dim=-1)

    @staticmethod
    def _reliability(
        smoother: ScoreSmoother, kinematics: Kinematics
    ) -> List[Tensor]:
        """Deviations (B, n, C) and scores (B, n, K) of sampled frames."""
        frames, step = kinematics.frames, kinematics.interval
        scores = cast(Tensor, kinematics.scores)
        deviation = frames - smoother(frames, scores)
        return [
            deviation[:, ::step].flatten(2),
            score_features(scores)[:, ::step],
        ]

    def _mask(
        self, kinematics: Kinematics, device: torch.device
    ) -> Optional[Tensor]:
        if not self.mask_self:
            return None
        return ~torch.eye(
            len(kinematics.positions),
            kinematics.num_sampled,
            dtype=torch.bool,
            device=device,
        )
