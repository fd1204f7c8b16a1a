# Copyright (c) hanet_mm contributors. All rights reserved.
"""Medians that leave out what is not known."""

import pytest
import torch

from hanet_mm.core.refine.medians import nan_median


@pytest.mark.parametrize('dtype', [torch.float32, torch.float64])
@pytest.mark.parametrize('frames', [1, 2, 9, 10])
def test_medians_are_those_of_torch(frames, dtype):
    torch.manual_seed(0)
    values = torch.randn(50, frames, 3, 2).to(dtype)
    values[torch.rand(values.shape) < 0.4] = float('nan')
    values[3] = float('nan')
    wanted = values.nanmedian(dim=1).values
    assert wanted.isnan().any()
    found = nan_median(values.requires_grad_())
    torch.testing.assert_close(found, wanted, rtol=0, atol=0, equal_nan=True)


@pytest.mark.parametrize('frames', [1, 2, 9, 10])
def test_medians_where_all_is_known(frames):
    torch.manual_seed(0)
    values = torch.randn(5, frames, 3, 2)
    before = values.clone()
    wanted = values.median(dim=1).values
    torch.testing.assert_close(nan_median(values), wanted, rtol=0, atol=0)
    torch.testing.assert_close(values, before, rtol=0, atol=0)


def test_traced_medians_are_no_constants():
    values = torch.randn(2, 4, 9)
    traced = torch.jit.trace(nan_median, values[0, None])
    torch.testing.assert_close(
        traced(values[1, None]), nan_median(values[1, None])
    )
