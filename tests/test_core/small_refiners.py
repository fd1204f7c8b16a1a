# Copyright (c) hanet_mm contributors. All rights reserved.
"""Tiny refiners with random weights, and poses for them."""

import numpy as np
import torch

from hanet_mm import Refiner

K, D, T = 4, 2, 5


def make_refiner(
    normalization='box', interval=2, coords=D, window=T, **options
):
    torch.manual_seed(0)
    shape = dict(num_keypoints=K, coord_dims=coords, embed_dims=16)
    return Refiner(
        dict(
            backbone=dict(shape, num_levels=1),
            head=dict(shape, num_layers=1),
            sample_interval=interval,
        ),
        window_size=window,
        normalization=normalization,
        **options,
    )


def idle_refiner(normalization='none', **options):
    """Adds nothing and samples every frame: hands back its input."""
    refiner = make_refiner(normalization, interval=1, **options)
    for layer in (refiner.network.head.refine, refiner.network.head.output):
        torch.nn.init.zeros_(layer.weight)
        torch.nn.init.zeros_(layer.bias)
    return refiner


def make_poses(frames, seed=0, coords=D):
    """A random walk in pixels, (frames, K, D)."""
    rng = np.random.default_rng(seed)
    start = rng.uniform(50, 250, (1, K, coords))
    steps = rng.normal(0, 3, (frames, K, coords))
    return (start + steps.cumsum(0)).astype(np.float32)


def close(actual, expected, relative=1e-6):
    """To float rounding, relative to the largest coordinate."""
    limit = relative * np.nanmax(np.abs(expected), initial=1)
    np.testing.assert_allclose(actual, expected, rtol=0, atol=limit)


def run_stream(stream, poses, scores=None, timestamps=None, track_id=0):
    """All frames of one person, the rest flushed."""
    frames = []
    for i, pose in enumerate(poses):
        frames += stream.push(
            pose,
            None if scores is None else scores[i],
            None if timestamps is None else float(timestamps[i]),
            track_id,
        )
    frames += stream.flush(track_id)
    assert [x.index for x in frames] == list(range(len(poses)))
    return frames


def stack(frames):
    return np.stack([x.keypoints for x in frames])


def stack_filled(frames):
    return np.stack([x.filled for x in frames])


class WindowCount:
    """How many windows each call of a network had."""

    def __init__(self, refiner):
        self.calls = []
        refiner.network.register_forward_pre_hook(
            lambda _, inputs: self.calls.append(len(inputs[0]))
        )
