# Copyright (c) hanet_mm contributors. All rights reserved.
"""AdamW with the kernel that the installed torch has."""

import pytest
import torch
from mmengine.optim import build_optim_wrapper
from mmengine.registry import init_default_scope

from hanet_mm.engine import FusedAdamW

pytestmark = pytest.mark.mm


@pytest.mark.parametrize(
    ('version', 'fused'),
    [
        ('2.1.2', False),
        ('2.3.1+cpu', False),
        ('2.4.0', True),
        ('2.11.0', True),
    ],
)
def test_fused_on_a_cpu_is_asked_for_from_torch_2_4_on(
    monkeypatch, version, fused
):
    monkeypatch.setattr(torch, '__version__', version)
    layer = torch.nn.Linear(2, 2)
    for parameters in (
        layer.parameters(),
        [dict(params=[layer.weight]), dict(params=layer.bias, lr=0.1)],
    ):
        optimizer = FusedAdamW(parameters, lr=0.01)
        assert bool(optimizer.defaults['fused']) == fused


@pytest.mark.parametrize('version', ['2.3.0', torch.__version__])
def test_steps_are_those_of_adamw(monkeypatch, version):
    monkeypatch.setattr(torch, '__version__', version)
    init_default_scope('mmpose')
    settings = dict(lr=0.1, weight_decay=0.01, amsgrad=True)
    values = []
    for kind in ('AdamW', 'FusedAdamW'):
        torch.manual_seed(0)
        layer = torch.nn.Linear(3, 2)
        wrapper = build_optim_wrapper(
            layer, dict(optimizer=dict(type=kind, **settings))
        )
        for _ in range(3):
            wrapper.update_params(layer(torch.ones(4, 3)).square().sum())
        values.append(layer.weight.detach())
    torch.testing.assert_close(*values)
