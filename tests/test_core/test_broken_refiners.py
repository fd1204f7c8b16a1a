# Copyright (c) hanet_mm contributors. All rights reserved.
"""Refiner files with headers and weights that nobody would write."""

import copy
import json

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file

from hanet_mm import Refiner, load_refiner
from hanet_mm.core.refine.weights_file import HEADER

VALUES = (-1, 0, 1, 7, 10**9, 10**400, 1.5, True, None, 'x', [], {}, 1e308)
SHAPE = dict(
    num_keypoints=4, coord_dims=2, embed_dims=8, num_heads=2, use_scores=True
)


def make_file(path):
    refiner = Refiner(
        dict(
            backbone=dict(SHAPE, num_levels=2, feedforward_channels=16),
            head=dict(SHAPE, num_layers=1, flip_indices=[0, 2, 1, 3]),
            sample_interval=2,
        ),
        window_size=5,
        normalization='box',
        keypoint_names=['nose', 'left_eye', 'right_eye', 'head'],
        fps=30,
        flip_indices=[0, 2, 1, 3],
        gate=True,
        trust=True,
    )
    refiner.save(path)
    return {'version': 1, **json.loads(json.dumps(refiner.config))}


def leaves(value, place=()):
    yield place
    if isinstance(value, (dict, list)):
        pairs = value.items() if isinstance(value, dict) else enumerate(value)
        for key, item in pairs:
            yield from leaves(item, (*place, key))


def changed(header, place, value):
    header = copy.deepcopy(header)
    if not place:
        return value
    inner = header
    for key in place[:-1]:
        inner = inner[key]
    inner[place[-1]] = value
    return header


@pytest.fixture(scope='module')
def given(tmp_path_factory):
    path = tmp_path_factory.mktemp('refiner') / 'good.safetensors'
    header = make_file(path)
    return header, load_file(path)


def test_any_value_in_a_header_is_refused_or_works(given, tmp_path):
    header, weights = given
    path = tmp_path / 'bad.safetensors'
    poses = np.random.default_rng(0).normal(size=(7, 4, 2)) * 50 + 300
    messages = []
    for place in leaves(header):
        for value in VALUES:
            text = json.dumps(changed(header, place, value))
            save_file(weights, path, metadata={HEADER: text})
            try:
                refiner = load_refiner(path)
            except ValueError as error:
                messages.append(str(error))
                continue
            assert np.isfinite(refiner.refine(poses).keypoints).all()
    assert len(messages) > 300
    assert all(str(path) in x and '\n' not in x for x in messages)


@pytest.mark.parametrize('value', [float('nan'), float('inf')])
def test_weights_have_to_be_finite(given, tmp_path, value):
    header, weights = given
    weights = {key: x.clone() for key, x in weights.items()}
    weights['backbone.embed.bias'][2] = value
    path = tmp_path / 'bad.safetensors'
    save_file(weights, path, metadata={HEADER: json.dumps(header)})
    with pytest.raises(ValueError, match=r'embed\.bias.*not finite'):
        load_refiner(path)


def test_weights_have_to_be_real_numbers(given, tmp_path):
    header, weights = given
    weights = dict(weights)
    weights['backbone.embed.bias'] = torch.ones(8, dtype=torch.bool)
    path = tmp_path / 'bad.safetensors'
    save_file(weights, path, metadata={HEADER: json.dumps(header)})
    with pytest.raises(ValueError, match='expected real numbers, found'):
        load_refiner(path)


@pytest.mark.parametrize('text', ['[' * 100_000, '{"a":' * 100_000, '{', '1'])
def test_a_header_that_is_no_json(given, tmp_path, text):
    path = tmp_path / 'bad.safetensors'
    save_file(given[1], path, metadata={HEADER: text})
    with pytest.raises(ValueError, match=r'bad\.safetensors'):
        load_refiner(path)
