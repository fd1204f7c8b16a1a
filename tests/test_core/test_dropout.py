# Copyright (c) hanet_mm contributors. All rights reserved.
"""Dropout with its own generator of masks."""

import pytest
import torch

from hanet_mm.core.nn.layers import Dropout


@pytest.mark.parametrize('rate', [0.1, 0.5, 0.9])
def test_rate_and_mean_are_kept(rate):
    torch.manual_seed(0)
    result = Dropout(rate).train()(torch.ones(1000, 1001))
    dropped = (result == 0).float().mean().item()
    # Five standard deviations of a million draws.
    assert dropped == pytest.approx(rate, abs=5 * 0.5e-3)
    kept = result[result != 0].unique()
    assert kept.tolist() == pytest.approx([1 / (1 - rate)], rel=1e-3)


def test_neighbours_are_independent():
    torch.manual_seed(0)
    kept = (Dropout(0.5).train()(torch.ones(400_000)) > 0).float() - 0.5
    for lag in (1, 2, 3, 4):
        correlation = (kept[lag:] * kept[:-lag]).mean() / 0.25
        assert abs(correlation.item()) < 5 / 400_000**0.5


def test_seed_decides():
    dropout, x = Dropout(0.3).train(), torch.ones(50)
    torch.manual_seed(1)
    one = dropout(x)
    two = dropout(x)
    torch.manual_seed(1)
    assert torch.equal(dropout(x), one)
    assert not torch.equal(one, two)


def test_gradient_is_the_mask():
    x = torch.randn(7, 3, requires_grad=True)
    y = Dropout(0.4).train()(x)
    y.sum().backward()
    torch.testing.assert_close(x.grad * x.detach(), y.detach())


def test_nothing_happens_when_it_is_off():
    x = torch.randn(5)
    assert torch.equal(Dropout(0.4).eval()(x), x)
    assert torch.equal(Dropout(0.0).train()(x), x)


def test_all_dropped():
    assert not Dropout(1.0).train()(torch.ones(9)).any()
