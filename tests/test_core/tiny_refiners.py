# Copyright (c) hanet_mm contributors. All rights reserved.
"""Refiners with random weights, for files and sequences."""

import numpy as np
import torch

from hanet_mm import Refiner

K, D = 5, 2


NAMES = ['head', 'left_hand', 'right_hand', 'left_foot', 'right_foot']


def make_refiner(
    normalization='box', window=5, interval=2, stride=1, coords=D, names=None
):
    """A tiny network with random weights."""
    torch.manual_seed(0)
    shape = dict(num_keypoints=K, coord_dims=coords, embed_dims=16)
    return Refiner(
        dict(
            backbone=dict(shape, num_levels=2),
            head=dict(shape, num_layers=1),
            sample_interval=interval,
        ),
        window_size=window,
        normalization=normalization,
        stride=stride,
        keypoint_names=names,
    )


def make_poses(frames, seed=0, coords=D):
    """A random walk in pixels."""
    rng = np.random.default_rng(seed)
    start = rng.uniform(50, 250, (1, K, coords))
    steps = rng.normal(0, 3, (frames, K, coords))
    return (start + steps.cumsum(0)).astype(np.float32)


def make_gaps(frames=12):
    """Poses with gaps inside, at both ends, and one keypoint never seen."""
    poses = make_poses(frames)
    missing = np.zeros((frames, K), bool)
    missing[4:7, 0] = True
    missing[:3, 1] = True
    missing[-2:, 2] = True
    missing[:, 4] = True
    return poses, missing
