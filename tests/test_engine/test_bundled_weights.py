# Copyright (c) hanet_mm contributors. All rights reserved.
"""Training that starts from a bundled refiner."""

import pytest
import torch
from mmengine.config import Config
from mmengine.runner import CheckpointLoader
from mmpose.registry import MODELS

import hanet_mm  # noqa: F401
from hanet_mm import load_refiner
from hanet_mm.core.nn.definitions import JointDefinitions

pytestmark = pytest.mark.mm


def test_a_model_starts_with_the_weights_of_the_name(repo_root):
    cfg = Config.fromfile(
        repo_root / 'configs/hanet/jhmdb/'
        'hanet-plus_real-49frm_1xb64-300i_jhmdb.py'
    )
    model = MODELS.build(cfg.model)
    model.init_weights()
    expected = load_refiner('coco17-2d').network.state_dict()
    found = model.state_dict()
    for name, value in expected.items():
        torch.testing.assert_close(found[name], value, rtol=0, atol=0)
    assert isinstance(model.head.definitions, JointDefinitions)
    assert not model.head.definitions.weight.any()


def test_names_that_are_not_bundled_are_refused():
    with pytest.raises(ValueError, match="unknown refiner 'nobody'"):
        CheckpointLoader.load_checkpoint('hanet_mm://nobody')
