# Copyright (c) hanet_mm contributors. All rights reserved.
"""Published checkpoints: parity with their model, renaming, configs."""

import numpy as np
import pytest
import torch
from mmpose.registry import MODELS

from hanet_mm.models import (
    convert_published_state_dict,
    published_model_cfg,
)

pytestmark = pytest.mark.mm

CONFIG = dict(
    joints=15,
    dims=2,
    slide_window=11,
    sample_interval=5,
    hidden=16,
    enc_layers=3,
    dec_layers=2,
    nheads=4,
    dim_feedforward=64,
    pre_norm=1,
    dropout=0.1,
)


@pytest.fixture(scope='module')
def reference(shared_dir):
    with np.load(shared_dir / 'fixtures' / 'hanet_ref_small.npz') as data:
        return {key: data[key] for key in data.files}


def weights_of(data, prefix):
    return {
        key[len(prefix) :]: torch.from_numpy(value)
        for key, value in data.items()
        if key.startswith(prefix)
    }


def build_reference(reference, unsampled_memory=None):
    config = {k[4:]: v for k, v in reference.items() if k[:4] == 'cfg/'}
    model = MODELS.build(published_model_cfg(config, unsampled_memory))
    weights = convert_published_state_dict(weights_of(reference, 'sd/'))
    model.load_state_dict(weights)
    return model.eval()


@pytest.mark.parametrize(
    ('memory', 'suffix'),
    [(None, ''), (dict(bias=1.0), '_legacy_intmask')],
)
def test_outputs_equal_the_published_model(reference, memory, suffix):
    model = build_reference(reference, memory)
    inputs = torch.from_numpy(reference['x']).unflatten(-1, (15, 2))
    with torch.no_grad():
        final, refined = model(inputs, None, mode='tensor')[:2]
    assert final.shape == (3, 11, 15, 2)
    assert refined.shape == (3, 3, 15, 2)
    error = final.flatten(2).numpy() - reference['joints' + suffix]
    assert np.abs(error).max() < 2e-5
    expected = reference['reco' + suffix][:, ::5]
    assert np.abs(refined.flatten(2).numpy() - expected).max() < 2e-5


def test_gradients_equal_the_published_model(reference, shared_dir):
    path = shared_dir / 'fixtures' / 'hanet_ref_small_grads.npz'
    with np.load(path) as data:
        grads = {key: data[key] for key in data.files}
    model = build_reference(reference)
    inputs = torch.from_numpy(reference['x']).unflatten(-1, (15, 2))
    target = torch.from_numpy(grads['gt']).unflatten(-1, (15, 2))
    loss = model.head.loss_module(
        *model(inputs, None, mode='tensor')[:2],
        target,
        torch.ones(3, 11, 15),
        5,
    )['loss_hanet']
    assert abs(loss.item() - grads['final_loss']) < 2e-5
    loss.backward()
    expected = convert_published_state_dict(weights_of(grads, 'grad/'))
    assert set(expected) == {name for name, _ in model.named_parameters()}
    for name, parameter in model.named_parameters():
        error = (parameter.grad - expected[name]).abs().max()
        assert error < 2e-5, name


def published_names(pre_norm):
    """Names and shapes as PUBLISHED section 6 lists them, h=16, E=3, D=2."""
    shapes = {}

    def linear(name, out, *sizes):
        shapes[f'{name}.weight'] = (out, *sizes)
        shapes[f'{name}.bias'] = (out,)

    def norm(name, width):
        shapes[f'{name}.weight'] = shapes[f'{name}.bias'] = (width,)

    def attention(name, width):
        shapes[f'{name}.in_proj_weight'] = (3 * width, width)
        shapes[f'{name}.in_proj_bias'] = (3 * width,)
        linear(f'{name}.out_proj', width, width)

    def layer(name, width, norms):
        attention(f'{name}.self_attn', width)
        linear(f'{name}.linear1', 4 * width, width)
        linear(f'{name}.linear2', width, 4 * width)
        for i in norms:
            norm(f'{name}.norm{i}', width)

    linear('encoder_embed', 16, 120)
    linear('motion_embed', 16, 106)
    for name in ('prev_v_embed', 'next_v_embed', 'acc_embed'):
        linear(name, 30, 1, 1)
    for i, width in enumerate((16, 32, 64)):
        linear(f'projection.{i}', 2 * width, width)
        linear(f'offset_refine.{i}', 16, width, 1)
        layer(f'encoder.{i}.layers.0', width, (1, 2))
        if pre_norm:
            norm(f'encoder_norm.{i}', width)
    linear('decoder_embed', 16, 30, 5)
    for i in range(2):
        layer(f'decoder.layers.{i}', 16, (1, 2, 3))
        attention(f'decoder.layers.{i}.multihead_attn', 16)
    norm('decoder.norm', 16)
    linear('encoder_joints_embed', 30, 16)
    linear('decoder_joints_embed', 30, 16)
    return {f'transformer.{k}': torch.randn(v) for k, v in shapes.items()}


@pytest.mark.parametrize('prefix', ['', 'module.'])
@pytest.mark.parametrize('pre_norm', [0, 1])
def test_all_weights_find_their_place(pre_norm, prefix):
    published = {
        prefix + name: value
        for name, value in published_names(pre_norm).items()
    }
    model = MODELS.build(published_model_cfg({**CONFIG, 'pre_norm': pre_norm}))
    model.load_state_dict(convert_published_state_dict(published))
    moved = model.head.layers[1].cross_attn.in_proj_weight
    source = 'transformer.decoder.layers.1.multihead_attn.in_proj_weight'
    assert torch.equal(moved, published[prefix + source])


def test_coordinates_pass_through_unchanged():
    model = MODELS.build(published_model_cfg(CONFIG)).eval()
    # With zero weights the network is the interpolation of its samples.
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.zero_()
    line = torch.arange(11.0)[None, :, None, None].expand(1, 11, 15, 2)
    final, refined = model(1000 * line, None, mode='tensor')[:2]
    torch.testing.assert_close(final, 1000 * line)
    torch.testing.assert_close(refined, 1000 * line[:, ::5])


def test_other_weights_are_refused():
    with pytest.raises(ValueError, match='not the weights of a published'):
        convert_published_state_dict({'conv1.weight': torch.zeros(1)})
    odd = {**published_names(0), 'transformer.extra': torch.zeros(1)}
    with pytest.raises(ValueError, match="'extra'"):
        convert_published_state_dict(odd)


@pytest.mark.parametrize(
    ('change', 'message'),
    [
        (dict(activation='gelu'), 'gelu'),
        (dict(leaky_slope=0.2), '0.2'),
        (dict(input_dim=31), r'31 is not joints \* dims = 15 \* 2'),
        (dict(slide_window=12), r'T = 12, N = 5'),
    ],
)
def test_configs_that_cannot_be_built(change, message):
    with pytest.raises(ValueError, match=message):
        MODELS.build(published_model_cfg({**CONFIG, **change}))


def test_missing_config_keys_are_named():
    config = {k: v for k, v in CONFIG.items() if k != 'nheads'}
    with pytest.raises(ValueError, match=r"lacks .'nheads'"):
        published_model_cfg(config)
