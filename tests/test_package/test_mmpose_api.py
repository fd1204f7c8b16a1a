# Copyright (c) hanet_mm contributors. All rights reserved.
"""MMPose's own functions and registries with our models."""

import numpy as np
import pytest
import torch
from mmengine.config import Config
from mmpose.apis import inference_topdown, init_model

import hanet_mm  # noqa: F401

pytestmark = pytest.mark.mm

DEMO = 'hanet/synthetic/hanet-small_simulated-21frm_1xb64-4e_synthetic.py'


@pytest.fixture
def config(repo_root):
    cfg = Config.fromfile(repo_root / 'configs' / DEMO)
    for part in ('backbone', 'head'):
        cfg.model[part].embed_dims = 16
    return cfg


def test_init_model_loads_a_checkpoint_of_a_run(config, tmp_path):
    model = init_model(config, device='cpu')
    # As in the checkpoints of MMEngine, which weights-only loading refuses
    # unless it is told that numpy's arrays are data.
    meta = dict(dataset_meta=dict(model.dataset_meta, sigmas=np.ones(15)))
    path = tmp_path / 'epoch_1.pth'
    torch.save(dict(meta=meta, state_dict=model.state_dict()), path)
    loaded = init_model(config, str(path), device='cpu')
    np.testing.assert_array_equal(loaded.dataset_meta['sigmas'], np.ones(15))
    for name, value in model.state_dict().items():
        assert torch.equal(value, loaded.state_dict()[name])


def test_topdown_inference_names_what_to_use(config):
    model = init_model(config, device='cpu')
    with pytest.raises(ValueError, match='PoseRefinementInferencer') as error:
        inference_topdown(model, np.zeros((20, 30, 3), np.uint8))
    assert 'reads no images' in str(error.value)
    assert '\n' not in str(error.value)


@pytest.mark.parametrize('scope', ['', 'mmpose.'])
def test_inferencer_is_built_by_its_name(run_python, tmp_path, scope):
    """The error is that of the inferencer, not of the registry."""
    out = run_python(
        '-c',
        f"""
import sys
import hanet_mm  # noqa: F401
from mmengine.registry import INFERENCERS as ROOT
from mmpose.registry import INFERENCERS
assert 'hanet_mm.apis.inferencers' not in sys.modules
registry = ROOT if {scope!r} else INFERENCERS
kind = {scope!r} + 'PoseRefinementInferencer'
try:
    registry.build(dict(type=kind, pose2d='nothing-of-the-kind'))
except ValueError as error:
    print(type(error).__name__, error)
""",
        cwd=tmp_path,
    )
    assert "pose2d 'nothing-of-the-kind': neither a file nor" in out
