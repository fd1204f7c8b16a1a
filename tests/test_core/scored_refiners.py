# Copyright (c) hanet_mm contributors. All rights reserved.
"""Tiny networks and refiners that make use of scores."""

import numpy as np
import torch

from hanet_mm import Refiner
from hanet_mm.core.nn.network import HANetNetwork
from hanet_mm.core.refine.normalization import fit_normalization

K, D, T = 4, 2, 5
FLIP = [1, 0, 3, 2]


def normalise(poses, scores):
    """Poses (B, T, K, D) in the units of their boxes."""
    return fit_normalization('box', poses, scores > 0).encode(poses)


def network_arguments(
    interval=1, head=None, backbone=None, joints=K, coords=D
):
    shape = dict(
        num_keypoints=joints, coord_dims=coords, embed_dims=16, use_scores=True
    )
    return dict(
        backbone=dict(shape, num_levels=2, **(backbone or {})),
        head=dict(shape, num_layers=1, **(head or {})),
        sample_interval=interval,
    )


def shake(module, size=0.05):
    """Away from the initial values, where errors can hide."""
    torch.manual_seed(1)
    with torch.no_grad():
        for parameter in module.parameters():
            parameter.add_(size * torch.randn_like(parameter))
    return module


def make_network(shaken=True, **options):
    torch.manual_seed(0)
    network = HANetNetwork(**network_arguments(**options))
    return (shake(network) if shaken else network).eval()


def make_scored_refiner(
    normalization='box', shaken=True, network=None, **options
):
    torch.manual_seed(0)
    refiner = Refiner(
        network_arguments(**(network or {})),
        options.pop('window_size', T),
        normalization,
        **options,
    )
    if shaken:
        shake(refiner.network)
    return refiner


def make_track(frames, seed=0, least=0.05):
    """A random walk in pixels and its scores, none of them zero."""
    rng = np.random.default_rng(seed)
    poses = rng.uniform(50, 250, (1, K, D))
    poses = poses + rng.normal(0, 3, (frames, K, D)).cumsum(0)
    scores = rng.uniform(least, 1, (frames, K))
    return poses.astype(np.float32), scores.astype(np.float32)


def draw_windows(count=3, frames=T, joints=K, coords=D, seed=0):
    """Windows in network units and their scores, some missing."""
    generator = torch.Generator().manual_seed(seed)
    poses = torch.randn(count, frames, joints, coords, generator=generator)
    scores = torch.rand(count, frames, joints, generator=generator)
    return poses, scores * (scores > 0.15)
