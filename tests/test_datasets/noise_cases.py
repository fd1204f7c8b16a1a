# Copyright (c) hanet_mm contributors. All rights reserved.
"""Poses and amounts of simulated errors."""

import dataclasses

import numpy as np

from hanet_mm.datasets.simulation import (
    EstimatorNoise,
)

SHARES = [
    field.name
    for field in dataclasses.fields(EstimatorNoise)
    if field.name.endswith('_share')
]


NOTHING = dict(dict.fromkeys(SHARES, 0.0), jitter=0.0, occlusion_std=0.0)


def poses(num=20, frames=60, dims=2, seed=0):
    """People who stand in a line: joints far apart, moving evenly."""
    rng = np.random.default_rng(seed)
    place = rng.uniform(0, 100, (num, 1, 15, dims))
    speed = rng.uniform(-1, 1, (num, 1, 15, dims))
    time = np.arange(frames)[:, None, None]
    return (place + speed * time).astype(np.float32)
