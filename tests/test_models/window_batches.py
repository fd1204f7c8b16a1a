# Copyright (c) hanet_mm contributors. All rights reserved.
"""Batches of windows to augment."""

import numpy as np
import torch
from mmpose.registry import MODELS

import hanet_mm  # noqa: F401
from hanet_mm.models.data_preprocessors.window_augments import WindowBatch

B, T, K = 6, 9, 4


def build(kind, **kwargs):
    return MODELS.build(dict(type=kind, **kwargs))


def make_batch(count=B, frames=T, dims=2, seed=0):
    """Windows; a fifth of the estimates missing, of the truth unknown."""
    rng = np.random.default_rng(seed)

    def lose(share):
        return rng.random((count, frames, K)) >= share

    target = rng.normal(0, 1, (count, frames, K, dims))
    poses = target + rng.normal(0, 0.1, target.shape)
    scores = rng.uniform(0.1, 1, target.shape[:3]) * lose(0.2)
    arrays = poses, scores, target, 1.0 * lose(0.2)
    return WindowBatch(*(torch.tensor(x, dtype=torch.float32) for x in arrays))


def augment(kind, batch, seed=0, **kwargs):
    """An augmented batch of the same shapes and types; the old one is kept."""
    copy = batch.each(torch.clone)
    torch.manual_seed(seed)
    result = build(kind, **kwargs)(batch)
    for before, old, new in zip(copy, batch, result):
        if old is None:
            assert new is None
            continue
        torch.testing.assert_close(old, before, rtol=0, atol=0)
        assert new.shape == old.shape
        assert new.dtype == old.dtype
    return result
