# Copyright (c) hanet_mm contributors. All rights reserved.
"""Files of refiners: saved, loaded, foreign, damaged."""

import json

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file
from tiny_refiners import NAMES, make_gaps, make_poses, make_refiner

from hanet_mm import Refiner, load_refiner


def test_saved_refiner_is_the_same(tmp_path):
    path = tmp_path / 'folder' / 'refiner.safetensors'
    refiner = make_refiner(stride=2, names=NAMES)
    refiner.save(path)
    loaded = load_refiner(path)
    poses, missing = make_gaps()
    poses[missing] = np.nan
    before, after = refiner.refine(poses), loaded.refine(poses)
    np.testing.assert_array_equal(before.keypoints, after.keypoints)
    np.testing.assert_array_equal(before.filled, after.filled)
    assert loaded.keypoint_names == NAMES
    assert repr(loaded) == repr(refiner)
    assert [x.name for x in path.parent.iterdir()] == [path.name]


def test_refiners_without_taper_are_as_before(tmp_path):
    tapered = make_refiner(stride=2)
    assert 'taper' not in tapered.config
    flat = tapered.refine(make_poses(12)).keypoints
    tapered = Refiner(**tapered.config, taper=True)
    tapered.save(tmp_path / 'refiner.safetensors')
    loaded = load_refiner(tmp_path / 'refiner.safetensors')
    assert loaded.taper
    assert np.abs(loaded.refine(make_poses(12)).keypoints - flat).max() > 0.1


def test_saved_refiner_may_be_read_as_any_new_file(tmp_path):
    make_refiner().save(tmp_path / 'refiner.safetensors')
    (tmp_path / 'other').touch()
    modes = [path.stat().st_mode for path in tmp_path.iterdir()]
    assert modes[0] == modes[1]


def test_loaded_refiner_is_in_evaluation_mode(tmp_path):
    make_refiner().save(tmp_path / 'a.safetensors')
    refiner = load_refiner(tmp_path / 'a.safetensors')
    poses = make_poses(9)
    np.testing.assert_array_equal(
        refiner.refine(poses).keypoints, refiner.refine(poses).keypoints
    )


def rewrite(path, change=None, header=None):
    """Change weights or header of a portable file."""
    weights = load_file(path)
    if change:
        change(weights)
    if header is None:
        text = json.dumps(dict(version=1, **make_refiner().config))
        header = dict(hanet_mm=text)
    save_file(weights, path, metadata=header)


def header_with(**changes):
    config = dict(make_refiner().config, version=1, **changes)
    return dict(hanet_mm=json.dumps(config))


@pytest.mark.parametrize(
    ('change', 'header', 'message'),
    [
        (
            lambda weights: weights.pop('head.norm.bias'),
            None,
            r"'head.norm.bias': expected shape \(16,\), found none",
        ),
        (
            lambda weights: weights.update({'foot.bias': torch.ones(3)}),
            None,
            r"'foot.bias': expected none, found shape \(3,\)",
        ),
        (
            lambda weights: weights.update({'head.norm.bias': torch.ones(8)}),
            None,
            r"'head.norm.bias': expected shape \(16,\), found shape \(8,\)",
        ),
        (None, dict(format='pt'), 'a safetensors file of another program'),
        (None, dict(hanet_mm='{'), 'header is not JSON'),
        (None, dict(hanet_mm='[1]'), 'version 1, found None'),
        (None, dict(hanet_mm='{"version": 2}'), 'version 1, found 2'),
        (None, dict(hanet_mm='{"version": 1}'), 'not one of a refiner'),
        (None, header_with(network={}), "KeyError: 'sample_interval'"),
        (None, header_with(colour=1), 'colour'),
    ],
)
def test_files_of_another_model_are_one_line_errors(
    tmp_path, change, header, message
):
    path = tmp_path / 'refiner.safetensors'
    make_refiner().save(path)
    rewrite(path, change, header)
    with pytest.raises(ValueError, match=message) as info:
        load_refiner(path)
    assert str(path) in str(info.value)
    assert '\n' not in str(info.value)


@pytest.mark.parametrize(
    'content', [b'', b'no safetensors', 'cut'], ids=['empty', 'text', 'cut']
)
def test_damaged_files_are_one_line_errors(tmp_path, content):
    path = tmp_path / 'refiner.safetensors'
    make_refiner().save(path)
    data = path.read_bytes()
    path.write_bytes(data[: len(data) // 2] if content == 'cut' else content)
    with pytest.raises(ValueError, match='not a refiner file') as info:
        load_refiner(path)
    assert str(path) in str(info.value)
    assert '\n' not in str(info.value)


def test_missing_file(tmp_path):
    with pytest.raises(FileNotFoundError, match='no such refiner file'):
        load_refiner(tmp_path / 'nothing.safetensors')
