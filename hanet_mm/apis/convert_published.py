# Copyright (c) hanet_mm contributors. All rights reserved.
"""Convert a published HANet checkpoint to MMEngine, with its config."""

import io
from numbers import Real
from pathlib import Path
from typing import Any, Dict, Mapping, Tuple

import torch
import yaml
from mmengine.config import Config
from mmpose.registry import DATASETS
from torch import Tensor

from hanet_mm.core.data.atomic import PathLike, atomic_path, check_output
from hanet_mm.core.refine.refiner import Refiner
from hanet_mm.core.refine.weights_file import load_weights
from hanet_mm.models.published import (
    convert_published_state_dict,
    published_model_cfg,
)

from .checkpoints import read_checkpoint
from .config_files import config_root
from .export import refiner_arguments

# Configs with data and metrics; other data sets get the runtime only, also
# Human3.6M: its converted files have MMPose's joint order, the checkpoints
# another.
_BASES = {
    ('jhmdb', '2D'): 'jhmdb/hanet_simplebaseline-11frm_1xb16-70e_jhmdb.py',
    ('pw3d', '3D'): 'pw3d/hanet_pare-101frm_1xb64-70e_pw3d.py',
    ('pw3d', 'smpl'): 'pw3d/hanet_pare-101frm_1xb128-70e_pw3d-smpl.py',
    ('aist', '3D'): 'aist/hanet_spin-101frm_1xb256-70e_aist.py',
    ('aist', 'smpl'): 'aist/hanet_spin-101frm_1xb512-70e_aist-smpl.py',
}
# By the number of joints: Human3.6M's root, the middle of the hips of lsp14.
_ROOTS = {17: [0], 14: [2, 3]}
_RUNTIME = '_base_/runtime.py'


def convert_published(
    checkpoint: PathLike, config: PathLike, out_dir: PathLike
) -> Tuple[Path, Path]:
    """Convert a published checkpoint and its YAML.

    The decoder attends to unsampled frames with a bias of 1 on their logits:
    published checkpoints were most likely trained under a PyTorch that
    applied the memory mask so. 2D poses are normalised by the image size, 3D
    joints (metres) by their root; rotations are 6D. The stride is 1; the
    published evaluation used SAMPLE_INTERVAL * SLIDE_WINDOW_STEP_Q with
    ``tail='drop'``.

    Args:
        checkpoint (PathLike): ``.pth.tar`` with epoch, state_dict,
            performance and optimizer. Loaded as plain data only.
        config (PathLike): Its YAML.
        out_dir (PathLike): Folder for the checkpoint and the config, named
            after the published checkpoint.

    Returns:
        tuple[Path, Path]: MMEngine's checkpoint and config.

    Raises:
        FileNotFoundError: If a file is not there.
        ValueError: One line: another kind of file or model, a missing key,
            or weights that do not fit the YAML.
    """
    content = read_checkpoint(checkpoint)
    try:
        weights = convert_published_state_dict(content['state_dict'])
    except ValueError as error:
        raise ValueError(f'{checkpoint}: {error}') from None
    settings = _read_yaml(config)
    model = _model_cfg(settings, _count_channels(checkpoint, weights), config)
    _check_weights(model, weights, checkpoint, config)

    converted = _base_config(settings, model)
    meta = dict(cfg=converted.pretty_text, **_training(content))
    if 'train_dataloader' in converted:
        dataset = DATASETS.get(converted.train_dataloader.dataset.type)
        meta['dataset_meta'] = dataset._load_metainfo()
    name = Path(checkpoint).name.removesuffix('.tar').removesuffix('.pth')
    weights_path = Path(out_dir) / f'{name}.pth'
    config_path = Path(out_dir) / f'{name}.py'
    for path in (config_path, weights_path):
        check_output(path, [checkpoint, config])
    with atomic_path(config_path) as temporary:
        temporary.write_text(converted.pretty_text, encoding='utf-8')
    # torch would not tell that the disk is full.
    buffer = io.BytesIO()
    torch.save(dict(meta=meta, state_dict=weights), buffer)
    with atomic_path(weights_path) as temporary:
        temporary.write_bytes(buffer.getvalue())
    return weights_path, config_path


def _read_yaml(path: PathLike) -> Dict[str, Any]:
    try:
        settings = yaml.safe_load(Path(path).read_text(encoding='utf-8'))
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        reason = ' '.join(str(error).split())
        raise ValueError(f'{path}: expected YAML, found {reason}') from None
    if not isinstance(settings, dict):
        raise ValueError(
            f'{path}: expected settings by name, found '
            f'{type(settings).__name__}'
        )
    return settings


def _get(settings: Mapping[str, Any], key: str, path: PathLike) -> Any:
    """Get a setting such as ``MODEL.DROPOUT``."""
    value: Any = settings
    for part in key.split('.'):
        if not isinstance(value, dict) or part not in value:
            raise ValueError(f'{path}: key {key} is missing')
        value = value[part]
    return value


def _count_channels(path: PathLike, weights: Mapping[str, Tensor]) -> int:
    """C of the network, whose input has 4 C values for a frame."""
    embed = weights.get('backbone.embed.weight')
    if embed is None or embed.ndim != 2 or embed.shape[1] % 4:
        raise ValueError(
            f'{path}: transformer.encoder_embed.weight: expected shape '
            f'(h, 4C), found {"none" if embed is None else tuple(embed.shape)}'
        )
    return embed.shape[1] // 4


def _model_cfg(
    settings: Mapping[str, Any], channels: int, path: PathLike
) -> Dict[str, Any]:
    def get(key: str) -> Any:
        return _get(settings, key, path)

    dims = _count_dims(settings, channels, path)
    width = get('MODEL.ENCODER_EMBEDDING_DIMENSION')
    interval, intervals = get('SAMPLE_INTERVAL'), get('MODEL.SLIDE_WINDOW_Q')
    loss_weight = get('LOSS.LAMADA')
    # The published decoder takes its size from the encoder's settings.
    shape = dict(
        hidden=width,
        enc_layers=get('MODEL.ENCODER_TRANSFORMER_BLOCK'),
        dec_layers=get('MODEL.ENCODER_TRANSFORMER_BLOCK'),
        nheads=get('MODEL.ENCODER_HEAD'),
        pre_norm=get('TRAIN.PRE_NORM'),
        dropout=get('MODEL.DROPOUT'),
    )
    try:
        model = published_model_cfg(
            dict(
                shape,
                joints=channels // dims,
                dims=dims,
                slide_window=interval * intervals + 1,
                sample_interval=interval,
                dim_feedforward=4 * width,
            ),
            unsampled_memory=dict(bias=1.0),
        )
        model['head']['loss']['final_weight'] = float(loss_weight)
    except (TypeError, ValueError) as error:
        raise ValueError(f'{path}: {error}') from None
    codec, body = model['head']['decoder'], get('BODY_REPRESENTATION')
    if dims in (2, 6):
        codec['normalization'] = {2: 'image', 6: 'rot6d'}[dims]
    elif body == '3D' and channels // 3 in _ROOTS:
        codec.update(normalization='root', root=_ROOTS[channels // 3])
    model['test_cfg'] = dict(stride=1)
    return model


def _check_weights(
    model: Dict[str, Any],
    weights: Mapping[str, Tensor],
    checkpoint: PathLike,
    config: PathLike,
) -> None:
    try:
        refiner = Refiner(**refiner_arguments(model))
    except ValueError as error:
        raise ValueError(f'{config}: {error}') from None
    load_weights(refiner.network, weights, f'{checkpoint} and {config}')


def _count_dims(
    settings: Mapping[str, Any], channels: int, path: PathLike
) -> int:
    """D of the body representation, which has to divide the channels."""
    body = _get(settings, 'BODY_REPRESENTATION', path)
    dims = {'2D': 2, '3D': 3, 'smpl': 3}.get(str(body))
    if body == 'smpl' and _get(settings, 'TRAIN.USE_6D_SMPL', path):
        dims = 6
    if not dims or channels % dims:
        raise ValueError(
            f'{path}: BODY_REPRESENTATION: expected 2D, 3D or smpl to fit '
            f'the {channels} channels of the checkpoint, found {body!r}'
        )
    return dims


def _base_config(settings: Mapping[str, Any], model: Dict[str, Any]) -> Config:
    kind = (
        str(settings.get('DATASET_NAME')),
        str(settings.get('BODY_REPRESENTATION')),
    )
    base = _RUNTIME
    # The data sets have one normalisation each.
    if kind in _BASES and model['head']['decoder']['normalization'] != 'none':
        base = f'hanet/{_BASES[kind]}'
    config = Config.fromfile(config_root() / base)
    config.model = model
    if 'train_dataloader' in config:
        config.train_dataloader.dataset.window_size = model['window_size']
    return config


def _training(content: Mapping[str, Any]) -> Dict[str, Any]:
    """Epoch and performance in the checkpoint, as plain numbers."""
    found: Dict[str, Any] = {}
    if isinstance(content.get('epoch'), int):
        found['epoch'] = content['epoch']
    performance = content.get('performance')
    if isinstance(performance, dict):
        found['performance'] = {
            str(name): float(value)
            for name, value in performance.items()
            if isinstance(value, Real)
        }
    return found
