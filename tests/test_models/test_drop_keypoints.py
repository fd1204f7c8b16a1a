# Copyright (c) hanet_mm contributors. All rights reserved.
"""Keypoints that are taken away for whole windows."""

import numpy as np
import pytest
import torch

from hanet_mm.core.data.gaps import fill_missing
from hanet_mm.models.data_preprocessors import DropKeypoints
from hanet_mm.models.data_preprocessors.window_augments import WindowBatch

pytestmark = pytest.mark.mm


def make_batch(count=200, frames=4, joints=5):
    generator = torch.Generator().manual_seed(0)

    def draw(*shape):
        return torch.rand(count, frames, joints, *shape, generator=generator)

    return WindowBatch(draw(2), 0.1 + draw(), draw(2), 0.5 + draw())


def test_what_is_gone_is_as_if_it_had_never_been_seen():
    batch = make_batch()
    torch.manual_seed(0)
    drop = DropKeypoints([[0, 1]], group_prob=0.3, keypoint_prob=0.2)
    result = drop(batch)
    gone = (result.scores == 0).numpy()
    assert 0 < gone.mean() < 1
    # For the whole of a window.
    assert (gone == gone[:, :1]).all()
    filled = fill_missing(
        batch.poses.flatten(0, 1).numpy(), gone.reshape(-1, 5), [4] * 200
    )
    np.testing.assert_allclose(
        result.poses.flatten(0, 1), filled, rtol=0, atol=1e-6
    )
    kept = ~torch.from_numpy(gone)
    assert torch.equal(result.scores[kept], batch.scores[kept])
    assert torch.equal(result.target, batch.target)
    weights = torch.where(kept, batch.weights, 0.1 * batch.weights)
    torch.testing.assert_close(result.weights, weights)


def test_a_group_goes_together_and_as_often_as_asked():
    batch = make_batch(count=4000)
    torch.manual_seed(0)
    result = DropKeypoints([[0, 1], [3]], 0.25, 0.0)(batch)
    gone = (result.scores == 0)[:, 0].float()
    assert torch.equal(gone[:, 0], gone[:, 1])
    # Standard error 0.007.
    expected = torch.tensor([0.25, 0.25, 0, 0.25, 0])
    torch.testing.assert_close(gone.mean(0), expected, rtol=0, atol=0.03)


def test_somebody_is_left():
    batch = make_batch(count=20)
    result = DropKeypoints([], group_prob=0, keypoint_prob=1)(batch)
    assert all(torch.equal(*pair) for pair in zip(result[:4], batch[:4]))
