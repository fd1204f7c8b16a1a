# Copyright (c) hanet_mm contributors. All rights reserved.
"""tools/model_converters/published_to_mmengine.py on files of that layout."""

import os
import runpy
import sys

import numpy as np
import pytest
import torch
import yaml
from mmengine.config import Config
from mmengine.registry import init_default_scope
from mmengine.runner import load_checkpoint
from mmpose.registry import MODELS
from torch import nn

from hanet_mm import load_refiner
from hanet_mm.apis import export_refiner
from hanet_mm.models import convert_published_state_dict

pytestmark = pytest.mark.mm

WIDTH, LEVELS = 8, 2


class Published(nn.Module):
    """Parameters by the names of PUBLISHED section 6, post-norm."""

    def __init__(self, channels):
        super().__init__()
        h, c = WIDTH, channels
        widths = [h * 2**level for level in range(LEVELS)]
        module = nn.Module()
        module.encoder_embed = nn.Linear(4 * c, h)
        module.motion_embed = nn.Linear(h + 3 * c, h)
        for name in ('prev_v_embed', 'next_v_embed', 'acc_embed'):
            setattr(module, name, nn.Conv1d(c, c, 1, groups=c))
        module.projection = nn.ModuleList(
            nn.Linear(width, 2 * width) for width in widths
        )
        module.offset_refine = nn.ModuleList(
            nn.Conv1d(width, h, 1) for width in widths
        )
        module.encoder = nn.ModuleList(
            nn.TransformerEncoder(
                nn.TransformerEncoderLayer(width, 4, 4 * width),
                1,
                enable_nested_tensor=False,
            )
            for width in widths
        )
        module.decoder_embed = nn.Conv1d(c, h, 5, padding=2)
        module.decoder = nn.TransformerDecoder(
            nn.TransformerDecoderLayer(h, 4, 4 * h), LEVELS, nn.LayerNorm(h)
        )
        module.encoder_joints_embed = nn.Linear(h, c)
        module.decoder_joints_embed = nn.Linear(h, c)
        self.transformer = module


def make_yaml(**changes):
    settings = dict(
        SEED_VALUE=4321,
        DATASET_NAME='jhmdb',
        ESTIMATOR='simplebaseline',
        BODY_REPRESENTATION='2D',
        SAMPLE_INTERVAL=5,
        MODEL=dict(
            SLIDE_WINDOW_Q=2,
            DROPOUT=0.1,
            ENCODER_HEAD=4,
            ENCODER_TRANSFORMER_BLOCK=LEVELS,
            ENCODER_EMBEDDING_DIMENSION=WIDTH,
            DECODER='transformer',
        ),
        TRAIN=dict(PRE_NORM=False, USE_6D_SMPL=False, RESUME='None'),
        LOSS=dict(LAMADA=2.5, W_DECODER=1.0),
    )
    for key, value in changes.items():
        part = settings
        *parents, last = key.split('__')
        for parent in parents:
            part = part[parent]
        part[last] = value
        if value is None:
            del part[last]
    return settings


def make_checkpoint(channels=30):
    """A published checkpoint after one step of its optimizer."""
    torch.manual_seed(0)
    model = Published(channels)
    optimizer = torch.optim.AdamW(model.parameters(), amsgrad=True)
    sum(x.square().sum() for x in model.parameters()).backward()
    optimizer.step()
    return dict(
        epoch=68,
        state_dict=model.state_dict(),
        performance=dict(
            output_pck_005=np.float64(0.5), input_pck_005=np.float32(0.25)
        ),
        optimizer=optimizer.state_dict(),
    )


@pytest.fixture
def convert(tmp_path, repo_root, monkeypatch):
    """Run the tool; gives the folder it wrote to."""
    script = repo_root / 'tools/model_converters/published_to_mmengine.py'
    # Elsewhere: nothing may depend on the working directory.
    monkeypatch.chdir(tmp_path)
    init_default_scope('mmpose')

    def run(checkpoint, settings):
        source, config = tmp_path / 'EP68.pth.tar', tmp_path / 'config.yaml'
        if isinstance(checkpoint, bytes):
            source.write_bytes(checkpoint)
        else:
            torch.save(checkpoint, source)
        if not isinstance(settings, str):
            settings = yaml.safe_dump(settings)
        config.write_text(settings, encoding='utf-8')
        out = tmp_path / 'out'
        arguments = [str(script), str(source), str(config), '-o', str(out)]
        monkeypatch.setattr(sys, 'argv', arguments)
        runpy.run_path(str(script), run_name='__main__')
        return out

    return run


def build(folder):
    """Build the model of a written config, and load what it was for."""
    config = Config.fromfile(folder / 'EP68.py')
    model = MODELS.build(config.model)
    load_checkpoint(model, str(folder / 'EP68.pth'), strict=True)
    return model.eval(), config


def test_config_builds_and_loads_the_weights(convert, capsys):
    checkpoint = make_checkpoint()
    folder = convert(checkpoint, make_yaml())
    assert {x.name for x in folder.iterdir()} == {'EP68.pth', 'EP68.py'}
    assert capsys.readouterr().out.count('\n') == 1

    model, config = build(folder)
    assert (model.window_size, model.sample_interval) == (11, 5)
    assert model.head.unsampled_memory == dict(bias=1.0)
    assert model.head.decoder.normalization == 'image'
    assert model.head.loss_module.final_weight == 2.5
    expected = convert_published_state_dict(checkpoint['state_dict'])
    for name, value in model.state_dict().items():
        torch.testing.assert_close(value, expected[name], rtol=0, atol=0)

    # With the data and metrics of our own config of that data set.
    assert config.train_dataloader.dataset.type == 'JhmdbSequenceDataset'
    assert config.train_dataloader.dataset.window_size == 11
    assert config.custom_imports.imports == ['hanet_mm']
    meta = torch.load(folder / 'EP68.pth', weights_only=True)['meta']
    assert meta['epoch'] == 68
    assert meta['performance'] == dict(output_pck_005=0.5, input_pck_005=0.25)


def test_outputs_equal_the_published_model(convert, shared_dir):
    with np.load(shared_dir / 'fixtures' / 'hanet_ref_small.npz') as data:
        reference = dict(data)
    weights = {
        key[3:]: torch.from_numpy(value)
        for key, value in reference.items()
        if key.startswith('sd/')
    }
    settings = make_yaml(
        MODEL__ENCODER_TRANSFORMER_BLOCK=int(reference['cfg/enc_layers']),
        MODEL__ENCODER_EMBEDDING_DIMENSION=int(reference['cfg/hidden']),
    )
    model, _ = build(convert(dict(state_dict=weights), settings))
    inputs = torch.from_numpy(reference['x']).unflatten(-1, (15, 2))
    with torch.no_grad():
        final = model(inputs, None, mode='tensor').final
    error = final.flatten(2).numpy() - reference['joints_legacy_intmask']
    assert np.abs(error).max() < 2e-5


def test_converted_checkpoint_exports(convert):
    folder = convert(make_checkpoint(), make_yaml())
    export_refiner(folder / 'EP68.pth', folder / 'a.safetensors')
    refiner = load_refiner(folder / 'a.safetensors')
    assert refiner.keypoint_names[:3] == ['neck', 'belly', 'head']
    poses = np.random.default_rng(0).uniform(0, 200, (7, 15, 2))
    refined = refiner.refine(poses, image_size=(320, 240)).keypoints
    assert np.isfinite(refined).all()


@pytest.mark.parametrize(
    ('body', 'six', 'channels', 'keypoints', 'dims', 'codec'),
    [
        ('3D', False, 51, 17, 3, dict(normalization='root', root=[0])),
        ('3D', False, 42, 14, 3, dict(normalization='root', root=[2, 3])),
        ('smpl', True, 144, 24, 6, dict(normalization='rot6d')),
        # Nothing of ours refines rotation vectors: they pass as they are.
        ('smpl', False, 72, 24, 3, dict(normalization='none')),
    ],
)
def test_other_bodies(convert, body, six, channels, keypoints, dims, codec):
    settings = make_yaml(
        DATASET_NAME='h36m',
        BODY_REPRESENTATION=body,
        TRAIN__USE_6D_SMPL=six,
        SAMPLE_INTERVAL=2,
        MODEL__SLIDE_WINDOW_Q=50,
    )
    model, config = build(convert(make_checkpoint(channels), settings))
    assert model.window_size == 101
    assert config.model.head.decoder == dict(type='PoseSequenceCodec', **codec)
    shape = (model.head.num_keypoints, model.head.coord_dims)
    assert shape == (keypoints, dims)
    # Its converted files have another order of joints: runtime only.
    assert 'train_dataloader' not in config


@pytest.mark.parametrize(
    ('name', 'body', 'channels', 'dataset'),
    [
        ('pw3d', '3D', 42, 'Pw3dSequenceDataset'),
        ('aist', '3D', 42, 'AistSequenceDataset'),
        ('pw3d', 'smpl', 144, 'Pw3dSmplSequenceDataset'),
        ('aist', 'smpl', 144, 'AistSmplSequenceDataset'),
    ],
)
def test_data_and_metrics_come_along(convert, name, body, channels, dataset):
    settings = make_yaml(
        DATASET_NAME=name,
        BODY_REPRESENTATION=body,
        TRAIN__USE_6D_SMPL=body == 'smpl',
        SAMPLE_INTERVAL=5,
        MODEL__SLIDE_WINDOW_Q=10,
    )
    _, config = build(convert(make_checkpoint(channels), settings))
    train = config.train_dataloader.dataset
    assert (train.type, train.window_size) == (dataset, 51)
    assert train.pipeline[0].encoder == config.model.head.decoder


def without(*keys):
    content = make_checkpoint()
    for key in keys:
        del content['state_dict'][key]
    return content


class Call:
    """Unpickling it calls a function."""

    def __reduce__(self):
        return os.getcwd, ()


BAD = {
    'bytes': (b'nonsense', make_yaml(), ['EP68.pth.tar', 'not a checkpoint']),
    'code': (
        dict(make_checkpoint(), extra=Call()),
        make_yaml(),
        ['EP68.pth.tar', 'getcwd', 'plain data only'],
    ),
    'no weights': (
        dict(epoch=1),
        make_yaml(),
        ["EP68.pth.tar: expected a checkpoint with 'state_dict'"],
    ),
    'another model': (
        dict(state_dict={'conv.weight': torch.ones(1)}),
        make_yaml(),
        ['EP68.pth.tar: not the weights of a published HANet'],
    ),
    'no input layer': (
        without('transformer.encoder_embed.weight'),
        make_yaml(),
        ['encoder_embed.weight: expected shape (h, 4C), found none'],
    ),
    'a weight less': (
        without('transformer.decoder.norm.bias'),
        make_yaml(),
        ["'head.norm.bias': expected shape (8,), found none"],
    ),
    'other width': (
        make_checkpoint(),
        make_yaml(MODEL__ENCODER_EMBEDDING_DIMENSION=16),
        ['EP68.pth.tar', 'config.yaml', 'expected shape', 'found shape'],
    ),
    'other blocks': (
        make_checkpoint(),
        make_yaml(MODEL__ENCODER_TRANSFORMER_BLOCK=3),
        ['EP68.pth.tar', 'levels.2', 'found none'],
    ),
    'heads': (
        make_checkpoint(),
        make_yaml(MODEL__ENCODER_HEAD=3),
        ['config.yaml: '],
    ),
    'missing key': (
        make_checkpoint(),
        make_yaml(MODEL__SLIDE_WINDOW_Q=None),
        ['config.yaml: key MODEL.SLIDE_WINDOW_Q is missing'],
    ),
    'text for a number': (
        make_checkpoint(),
        make_yaml(MODEL__DROPOUT='much'),
        ['config.yaml: ', 'much'],
    ),
    'body': (
        make_checkpoint(),
        make_yaml(BODY_REPRESENTATION='4D'),
        ['BODY_REPRESENTATION: expected 2D, 3D or smpl', "found '4D'"],
    ),
    'channels': (
        make_checkpoint(28),
        make_yaml(BODY_REPRESENTATION='3D'),
        ['the 28 channels', "found '3D'"],
    ),
    'not a mapping': (make_checkpoint(), '- 1\n', ['config.yaml', 'list']),
    'not YAML': (make_checkpoint(), 'a: [', ['config.yaml: expected YAML']),
    'YAML with code': (
        make_checkpoint(),
        'a: !!python/object/apply:os.getcwd []',
        ['config.yaml: expected YAML', 'python/object'],
    ),
}


@pytest.mark.parametrize('name', BAD)
def test_bad_input_is_a_one_line_error(convert, tmp_path, name):
    checkpoint, settings, parts = BAD[name]
    with pytest.raises(SystemExit) as info:
        convert(checkpoint, settings)
    message = info.value.code
    assert message.startswith('error: ')
    assert '\n' not in message
    for part in parts:
        assert part in message
    assert not (tmp_path / 'out').exists()
