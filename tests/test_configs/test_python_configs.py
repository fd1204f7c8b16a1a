# Copyright (c) hanet_mm contributors. All rights reserved.
"""Configs in the pure Python style equal those in the old style, and run."""

import importlib
from pathlib import Path

import pytest
from mmengine.config import Config

import hanet_mm
from hanet_mm.apis.config_files import config_root

pytestmark = pytest.mark.mm

ROOT = Path(hanet_mm.__file__).parent / 'configs'
PYTHON_CONFIGS = sorted((ROOT / 'hanet').rglob('hanet*.py'))
# Names that parts of configs give to values for each other.
HELPERS = {
    *('ann_file', 'base_lr', 'data', 'data_root', 'dataset_type'),
    *('evaluation', 'joint_metrics', 'joint_metrics_of_test', 'keypoints'),
    *('network', 'of_root', 'of_shape', 'restarts', 'rotations', 'size'),
    *('training', 'warmup_epochs'),
}


def old_config(path):
    """The config of the same name, but for characters of identifiers."""
    (found,) = (
        x
        for x in config_root().rglob('*.py')
        if x.stem.replace('-', '_') == path.stem
    )
    return found


def plain(value, key=''):
    """The values of a config; types by the last part of their name."""
    if isinstance(value, dict):
        return {k: plain(v, k) for k, v in value.items() if k != '_scope_'}
    if isinstance(value, (list, tuple)):
        return [plain(x) for x in value]
    if key == 'type':
        name = value if isinstance(value, str) else value.__name__
        return name.rpartition('.')[-1]
    return value


def settings(config):
    return {k: v for k, v in plain(config).items() if k not in HELPERS}


def test_there_is_one_for_each_task():
    dims = [Config.fromfile(x).model.head.coord_dims for x in PYTHON_CONFIGS]
    assert sorted(dims) == [2, 3, 6]


@pytest.mark.parametrize('path', PYTHON_CONFIGS, ids=lambda path: path.stem)
def test_content_equals_the_old_style(path):
    expected = settings(Config.fromfile(old_config(path)).to_dict())
    assert len(expected) > 20
    assert settings(Config.fromfile(path).to_dict()) == expected


@pytest.mark.parametrize('path', PYTHON_CONFIGS, ids=lambda path: path.stem)
def test_they_are_modules_too(path):
    """As editors and type checkers see them: imported, not parsed."""
    parts = path.relative_to(ROOT.parent.parent).with_suffix('').parts
    module = importlib.import_module('.'.join(parts))
    expected = plain(Config.fromfile(old_config(path)).model.to_dict())
    assert plain(module.model) == expected
    assert module.model['type'] is hanet_mm.models.HANet
