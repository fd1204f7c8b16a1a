# Copyright (c) hanet_mm contributors. All rights reserved.
"""Kinematic decoder (paper section 3.3)."""

import math
from typing import Dict, NamedTuple, Optional, Sequence, Union

import torch
from torch import Tensor, nn

from .definitions import JointDefinitions
from .kinematics import (
    Kinematics,
    interpolate_samples,
    past_acceleration,
)
from .layers import DecoderLayer, init_matrices, sine_table
from .smoother import RobustStart, StartingPath

INITS = ('default', 'identity', 'published')


class RefinedPoses(NamedTuple):
    """Outputs of the network.

    Attributes:
        final (Tensor): P_s of eq. 8 at all frames, (B, T, K, D).
        refined (Tensor): P' of eq. 6 at the sampled frames, (B, n, K, D).
        swap_logits (Tensor, optional): Log-odds that the estimate of a joint
            belongs to the opposite side, (B, T, K).
        log_error (Tensor, optional): Logarithm of the expected error of
            ``final``, in network units, (B, T, K).
    """

    final: Tensor
    refined: Tensor
    swap_logits: Optional[Tensor] = None
    log_error: Optional[Tensor] = None


class ChannelAffine(nn.Module):
    """One scale and one offset per channel (eq. 7, "WB" of Table 5).

    The paper writes matrices; the published code has depth-wise weights.
    """

    def __init__(self, channels: int, init: str):
        super().__init__()
        self.weight = nn.Parameter(torch.ones(channels))
        self.bias = nn.Parameter(torch.zeros(channels))
        if init == 'published':
            # What Xavier makes of a depth-wise convolution, and its bias.
            bound = math.sqrt(6 / (1 + channels))
            nn.init.uniform_(self.weight, -bound, bound)
            nn.init.uniform_(self.bias, -1, 1)

    def forward(self, x: Tensor) -> Tensor:
        """(..., channels) -> (..., channels)."""
        return x * self.weight + self.bias


class SampledStart(nn.Module):
    """Starting path of equation 6: refined samples, interpolated."""

    def __init__(self, channels: int):
        super().__init__()
        self.token_channels = channels

    def forward(
        self, features: Tensor, kinematics: Kinematics, offsets: Tensor
    ) -> StartingPath:
        """Add offsets (B, n, C) to the sampled estimates."""
        refined = kinematics.poses[:, : kinematics.num_sampled] + offsets
        path = interpolate_samples(refined, kinematics.interval)
        return StartingPath(refined, path, path)


class KinematicDecoder(nn.Module):
    """From features to poses: refined at sampled frames, final at all.

    The offsets of the encoder refine the sampled poses (eq. 6). These,
    interpolated to all frames, are the tokens of a transformer decoder whose
    memory holds the encoder's features with velocity and acceleration
    (eq. 7 and 8). As published the poses are the queries; eq. 8 calls them
    values.

    Args:
        num_keypoints (int): K.
        coord_dims (int): D, coordinates of a keypoint.
        embed_dims (int): Width h, that of the encoder's output.
        num_layers (int): Decoder layers.
        num_heads (int): Attention heads.
        feedforward_channels (int, optional): ``4 * embed_dims`` if None.
        norm_first (bool): Pre-norm layers; otherwise post-norm.
        dropout (float): Dropout rate.
        use_velocity (bool): Velocities in the memory (Table 5).
        use_acceleration (bool): Acceleration in the memory (Table 5); needs
            the velocities.
        motion_affine (bool): Scale and offset of velocity and acceleration
            ("WB" of Table 5).
        unsampled_memory (dict, optional): ``dict(bias=1.0)`` lets the decoder
            attend to unsampled frames too, with that bias on their logits, as
            an old PyTorch read the mask of the published code.
        init (str): 'default': velocity and acceleration start with scale 1
            and offset 0; 'identity': both output layers start at 0 too, so
            that training begins at the estimates (in between, at their
            interpolation); 'published': velocity and acceleration as the
            published code draws them, and equal feed-forward biases in all
            layers.
        use_scores (bool): Start from :class:`RobustStart` in place of the
            sampled estimates (not in the paper).
        flip_indices (Sequence[int], optional): Opposite-side joint of each
            joint: swaps of left and right are corrected. Needs
            ``use_scores``.
        predict_error (bool): Add a head that predicts the error of each
            joint (not in the paper).
        as_written (bool): Eq. 2, 7 and 8 as the paper writes them, not as
            they were published: acceleration from the two frames before,
            matrices in place of scales, no skip connection and no last
            LayerNorm.
        joint_definitions (bool): Hold :class:`JointDefinitions`, for whoever
            makes sequences of the windows to apply (not in the paper).
    """

    def __init__(
        self,
        num_keypoints: int,
        coord_dims: int,
        embed_dims: int = 64,
        num_layers: int = 5,
        num_heads: int = 4,
        feedforward_channels: Optional[int] = None,
        norm_first: bool = True,
        dropout: float = 0.1,
        use_velocity: bool = True,
        use_acceleration: bool = True,
        motion_affine: bool = True,
        unsampled_memory: Optional[Dict[str, float]] = None,
        init: str = 'default',
        use_scores: bool = False,
        flip_indices: Optional[Sequence[int]] = None,
        predict_error: bool = False,
        joint_definitions: bool = False,
        as_written: bool = False,
    ):
        super().__init__()
        if use_acceleration and not use_velocity:
            raise ValueError(
                'acceleration is the difference of the embedded velocities: '
                'use_acceleration=True needs use_velocity=True'
            )
        if use_scores and unsampled_memory is not None:
            raise ValueError(
                'use_scores and unsampled_memory are mutually exclusive'
            )
        if flip_indices is not None and not use_scores:
            raise ValueError('flip_indices needs use_scores=True')
        if as_written and unsampled_memory is not None:
            raise ValueError(
                'as_written and unsampled_memory are mutually exclusive'
            )
        if joint_definitions and coord_dims > 3:
            raise ValueError('joint_definitions are of keypoints only')
        if init not in INITS:
            raise ValueError(f'init has to be one of {INITS}, got {init!r}')
        channels = num_keypoints * coord_dims
        self.num_keypoints = num_keypoints
        self.coord_dims = coord_dims
        self.embed_dims = embed_dims
        self.use_velocity = use_velocity
        self.use_acceleration = use_acceleration
        self.unsampled_memory = unsampled_memory
        self.use_scores = use_scores

        self.refine = nn.Linear(embed_dims, channels)
        motion = channels * (2 * use_velocity + use_acceleration)
        self.memory = nn.Linear(embed_dims + motion, embed_dims)
        self.start: Union[SampledStart, RobustStart] = (
            RobustStart(num_keypoints, coord_dims, embed_dims, flip_indices)
            if use_scores
            else SampledStart(channels)
        )
        self.embed = nn.Conv1d(
            self.start.token_channels, embed_dims, 5, padding=2
        )
        hidden = feedforward_channels or 4 * embed_dims
        self.layers = nn.ModuleList(
            DecoderLayer(embed_dims, num_heads, hidden, norm_first, dropout)
            for _ in range(num_layers)
        )
        self.as_written = as_written
        self.norm = nn.Identity() if as_written else nn.LayerNorm(embed_dims)
        self.output = nn.Linear(embed_dims, channels)
        self.error = (
            nn.Linear(embed_dims, num_keypoints) if predict_error else None
        )
        self._init_weights(init)

        def affine(used: bool) -> nn.Module:
            if not (motion_affine and used):
                return nn.Identity()
            if as_written:
                return nn.Linear(channels, channels)
            return ChannelAffine(channels, init)

        self.prev_velocity = affine(use_velocity)
        self.next_velocity = affine(use_velocity)
        self.acceleration = affine(use_acceleration)
        self.definitions = (
            JointDefinitions(num_keypoints) if joint_definitions else None
        )

    def forward(
        self, features: Tensor, kinematics: Kinematics
    ) -> RefinedPoses:
        """Decode poses from features X (B, M, embed_dims) of the tokens."""
        offsets = self.refine(features[:, : kinematics.num_sampled])
        start = self.start(features, kinematics, offsets)
        x = self._decode(start.tokens, features, kinematics)
        final = self.output(x)
        if not self.as_written:
            # Published, not in eq. 8: the decoder corrects its tokens.
            final = final + start.path
        shape = (self.num_keypoints, self.coord_dims)
        return RefinedPoses(
            final.unflatten(-1, shape),
            start.refined.unflatten(-1, shape),
            start.swap_logits,
            None if self.error is None else self.error(x),
        )

    @torch.no_grad()
    def redefine(self, poses: Tensor) -> Tensor:
        """Refined poses (..., K, D) in the definitions that were learnt."""
        return poses if self.definitions is None else self.definitions(poses)

    def _decode(
        self, tokens: Tensor, features: Tensor, kinematics: Kinematics
    ) -> Tensor:
        """Features of all frames from tokens, (B, T, C) -> (B, T, h)."""
        memory = self.memory(self._stack(features, kinematics))
        table = sine_table(
            kinematics.num_frames,
            self.embed_dims,
            features.device,
            features.dtype,
        )
        memory_pos = table[kinematics.positions]
        bias = None
        if self.unsampled_memory is not None:
            bias = memory.new_zeros(1, memory.shape[1])
            bias[:, kinematics.num_sampled :] = self.unsampled_memory['bias']
        x = self.embed(tokens.transpose(1, 2)).transpose(1, 2)
        for layer in self.layers:
            x = layer(x, table, memory, memory_pos, bias)
        return self.norm(x)

    def _stack(self, features: Tensor, kinematics: Kinematics) -> Tensor:
        parts = [features]
        if self.use_velocity:
            v_prev = self.prev_velocity(kinematics.v_prev)
            v_next = self.next_velocity(kinematics.v_next)
            parts += [v_prev, v_next]
        if self.use_acceleration:
            if self.as_written:
                acceleration = past_acceleration(kinematics)
            else:
                # Of the embedded velocities before and after, as published.
                acceleration = v_next - v_prev
            parts.append(self.acceleration(acceleration**2))
        return torch.cat(parts, dim=-1)

    @torch.no_grad()
    def _init_weights(self, init: str) -> None:
        init_matrices(self)
        if isinstance(self.start, RobustStart):
            self.start.init_weights()
        if init == 'published':
            for layer in self.layers[1:]:
                for name in ('linear1', 'linear2'):
                    first = getattr(self.layers[0].ffn, name)
                    getattr(layer.ffn, name).bias.copy_(first.bias)
        if init == 'identity':
            for layer in (self.refine, self.output):
                nn.init.zeros_(layer.weight)
                nn.init.zeros_(layer.bias)
