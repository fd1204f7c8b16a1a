# Copyright (c) hanet_mm contributors. All rights reserved.
"""Poses to be timed: people that sway."""

import numpy as np

from hanet_mm import Refiner

# Somebody seen from the front, x and y of COCO's keypoints in pixels.
_X = (0, 3, -3, 7, -7, 18, -18, 24, -24, 26, -26, 11, -11, 12, -12, 12, -12)
_Y = (-90, -93, -93, -91, -91, -68, -68, -38, -38, -10, -10, -8, -8, 38, 38)
STANDING = np.stack([_X, (*_Y, 82, 82)], axis=1)


def make_walks(refiner: Refiner, frames: int, people: int = 1) -> np.ndarray:
    """People that sway, with noise, (frames, people, K, D) in pixels."""
    head = refiner.network.head
    rng = np.random.default_rng(0)
    shape = (people, head.num_keypoints, head.coord_dims)
    place = rng.uniform(-100, 100, shape)
    if shape[1:] == (len(STANDING), 2):
        place = np.broadcast_to(STANDING, shape)
    phase = rng.uniform(0, 1, shape) + rng.uniform(0, 6, (people, 1, 1))
    time = np.arange(frames)[:, None, None, None] / 30
    poses = 200 + place + 5 * np.sin(2 * time + phase)
    poses = poses + rng.normal(0, 1, (frames, *shape))
    # Metres, for refiners of 3D poses.
    scale = 1.0 if head.coord_dims == 2 else 0.005
    return (scale * poses).astype(np.float32)
