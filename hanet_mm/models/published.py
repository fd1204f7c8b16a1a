# Copyright (c) hanet_mm contributors. All rights reserved.
"""Published HANet checkpoints: their model config and their weights."""

import re
from typing import Any, Dict, Mapping, Optional

from torch import Tensor

# Published name -> ours; the rest of the name stays.
_NAMES = (
    (r'encoder_embed\.', 'backbone.embed.'),
    (r'projection\.(\d+)\.', r'backbone.projections.\1.'),
    (r'offset_refine\.(\d+)\.', r'backbone.offsets.\1.'),
    (r'encoder\.(\d+)\.layers\.0\.', r'backbone.levels.\1.'),
    (r'encoder_joints_embed\.', 'head.refine.'),
    (r'motion_embed\.', 'head.memory.'),
    (r'prev_v_embed\.', 'head.prev_velocity.'),
    (r'next_v_embed\.', 'head.next_velocity.'),
    (r'acc_embed\.', 'head.acceleration.'),
    (r'decoder_embed\.', 'head.embed.'),
    (
        r'decoder\.layers\.(\d+)\.multihead_attn\.',
        r'head.layers.\1.cross_attn.',
    ),
    (r'decoder\.layers\.(\d+)\.', r'head.layers.\1.'),
    (r'decoder\.norm\.', 'head.norm.'),
    (r'decoder_joints_embed\.', 'head.output.'),
)


def convert_published_state_dict(
    state_dict: Mapping[str, Tensor],
) -> Dict[str, Tensor]:
    """Rename published weights to those of :class:`HANet`.

    Weights that influence nothing are left behind: the projection after the
    last level, and the norms of the levels of pre-norm models.

    Args:
        state_dict (Mapping[str, Tensor]): Weights as published, with or
            without the prefixes 'module.' and 'transformer.'.

    Returns:
        dict[str, Tensor]: Weights that ``HANet`` loads strictly.

    Raises:
        ValueError: If a name is not one of a published HANet, or the
            encoder's levels are missing.
    """
    weights = {
        re.sub(r'^(module\.)?(transformer\.)?', '', name): value
        for name, value in state_dict.items()
    }
    levels = {
        int(match[1])
        for match in (re.match(r'encoder\.(\d+)\.', key) for key in weights)
        if match
    }
    if not levels:
        raise ValueError(
            'not the weights of a published HANet: no '
            "'transformer.encoder.0.*' among them"
        )
    unused = (rf'projection\.{max(levels)}\.', r'encoder_norm\.\d+\.')
    converted = {}
    for name, value in weights.items():
        if any(re.match(pattern, name) for pattern in unused):
            continue
        converted[_rename(name)] = _reshape(name, value)
    return converted


def _rename(name: str) -> str:
    for pattern, ours in _NAMES:
        renamed, count = re.subn('^' + pattern, ours, name)
        if count:
            return re.sub(r'\.(linear[12])\.', r'.ffn.\1.', renamed)
    raise ValueError(f'not a weight of a published HANet: {name!r}')


def _reshape(name: str, value: Tensor) -> Tensor:
    if re.match(r'(prev_v|next_v|acc)_embed\.weight', name):
        return value.reshape(-1)
    if re.match(r'offset_refine\.\d+\.weight', name):
        return value.squeeze(-1)
    return value


def published_model_cfg(
    config: Mapping[str, Any],
    unsampled_memory: Optional[Dict[str, float]] = None,
) -> dict:
    """Model config of a published HANet.

    Coordinates pass through unchanged: normalise them as the checkpoint
    expects, or set another codec.

    Args:
        config (Mapping[str, Any]): ``joints``, ``dims``, ``slide_window``,
            ``sample_interval``, ``hidden``, ``enc_layers``, ``dec_layers``,
            ``nheads``, ``dim_feedforward``, ``pre_norm``, ``dropout``, and,
            where given, ``input_dim``, ``activation``, ``leaky_slope``.
        unsampled_memory (dict, optional): ``dict(bias=1.0)`` reads the memory
            mask as old PyTorch did, see
            :class:`hanet_mm.core.nn.decoder.KinematicDecoder`.

    Returns:
        dict: For ``MODELS.build``.

    Raises:
        ValueError: If a key is missing, the activation is another one, or the
            input does not have ``joints * dims`` channels.
    """
    needed = (
        'joints dims slide_window sample_interval hidden enc_layers '
        'dec_layers nheads dim_feedforward pre_norm dropout'
    ).split()
    missing = [key for key in needed if key not in config]
    if missing:
        raise ValueError(f'published HANet config lacks {missing}')
    joints, dims = int(config['joints']), int(config['dims'])
    channels = int(config.get('input_dim', joints * dims))
    if channels != joints * dims:
        raise ValueError(
            f'input_dim {channels} is not joints * dims = {joints} * {dims}'
        )
    activation = str(config.get('activation', 'leaky_relu'))
    slope = float(config.get('leaky_slope', 0.01))
    if activation != 'leaky_relu' or abs(slope - 0.01) > 1e-6:
        raise ValueError(
            'only leaky_relu with slope 0.01 is supported, got '
            f'{activation} with slope {slope:g}'
        )
    shared = dict(
        num_keypoints=joints,
        coord_dims=dims,
        embed_dims=int(config['hidden']),
        num_heads=int(config['nheads']),
        feedforward_channels=int(config['dim_feedforward']),
        norm_first=bool(config['pre_norm']),
        dropout=float(config['dropout']),
    )
    return dict(
        type='HANet',
        window_size=int(config['slide_window']),
        sample_interval=int(config['sample_interval']),
        backbone=dict(
            type='HierarchicalEncoder',
            num_levels=int(config['enc_layers']),
            **shared,
        ),
        head=dict(
            type='KinematicHead',
            num_layers=int(config['dec_layers']),
            unsampled_memory=unsampled_memory,
            init='published',
            loss=dict(type='PublishedHANetLoss'),
            decoder=dict(type='PoseSequenceCodec', normalization='none'),
            **shared,
        ),
    )
