# Copyright (c) hanet_mm contributors. All rights reserved.
"""Results do not depend on what others set in torch."""

from contextlib import contextmanager

import numpy as np
import pytest
import torch

from hanet_mm import StreamingRefiner, load_refiner
from hanet_mm.filters import KalmanFilter


@contextmanager
def default_type(kind):
    torch.set_default_dtype(kind)
    try:
        yield
        assert torch.get_default_dtype() == kind
    finally:
        torch.set_default_dtype(torch.float32)


SETTINGS = {
    'float64': lambda: default_type(torch.float64),
    'float16': lambda: default_type(torch.float16),
    'autocast': lambda: torch.autocast('cpu', dtype=torch.bfloat16),
    'device': lambda: torch.device('meta'),
    'inference': torch.inference_mode,
    'no gradients': torch.no_grad,
}


def refine_all(poses):
    refiner = load_refiner('coco17-2d')
    stream, frames = StreamingRefiner(refiner, lookahead=4), []
    for pose in poses:
        frames += stream.push(pose)
    frames += stream.flush(0)
    return (
        refiner.refine(poses).keypoints,
        np.stack([x.keypoints for x in frames]),
        KalmanFilter(1e-3, 1.0).refine(poses).keypoints,
    )


@pytest.mark.parametrize('name', SETTINGS)
def test_settings_of_others(name):
    rng = np.random.default_rng(0)
    poses = (300 + 60 * rng.normal(size=(12, 17, 2))).astype(np.float32)
    expected = refine_all(poses)
    with SETTINGS[name]():
        found = refine_all(poses)
    for one, other in zip(found, expected):
        assert one.dtype == np.float32
        # A traced network rounds as torch optimises it.
        np.testing.assert_allclose(one, other, rtol=1e-6)
