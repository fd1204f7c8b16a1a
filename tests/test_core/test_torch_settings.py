# Copyright (c) hanet_mm contributors. All rights reserved.
"""Results do not depend on what others set in torch and numpy."""

from contextlib import contextmanager

import numpy as np
import pytest
import torch
from small_refiners import close, make_poses, make_refiner, run_stream, stack

from hanet_mm import StreamingRefiner, load_refiner
from hanet_mm.filters import GaussianFilter, KalmanFilter
from hanet_mm.filters.rotations import RotationFilter


@contextmanager
def default_type(kind):
    torch.set_default_dtype(kind)
    try:
        yield
        assert torch.get_default_dtype() == kind
    finally:
        torch.set_default_dtype(torch.float32)


@contextmanager
def default_device():
    torch.set_default_device('meta')
    try:
        yield
        assert torch.empty(0).device.type == 'meta'
    finally:
        torch.set_default_device(None)


@contextmanager
def deterministic():
    torch.use_deterministic_algorithms(True)
    try:
        yield
    finally:
        torch.use_deterministic_algorithms(False)


SETTINGS = {
    'float64': lambda: default_type(torch.float64),
    'float16': lambda: default_type(torch.float16),
    'bfloat16': lambda: default_type(torch.bfloat16),
    'autocast': lambda: torch.autocast('cpu', dtype=torch.bfloat16),
    'device': lambda: torch.device('meta'),
    'default device': default_device,
    'deterministic': deterministic,
    'inference': torch.inference_mode,
    'no gradients': torch.no_grad,
    'numpy': lambda: np.errstate(all='raise'),
}
# Random weights depend on the default type: these are made before.
ROTATIONS = make_refiner('rot6d', coords=6)
# Which results are of streams: their networks are traced.
STREAMED = (3, 6)


def refine_all(poses):
    refiner, spatial = load_refiner('coco17-2d'), load_refiner('h36m17-3d')
    depth = np.concatenate([poses, poses[..., :1]], -1) / 300
    vectors = 0.01 * make_poses(12, coords=3)
    stream = StreamingRefiner(refiner, lookahead=4)
    turning = StreamingRefiner(ROTATIONS, lookahead=4)
    smoother = RotationFilter(GaussianFilter(1.0, rotations=True))
    return (
        refiner.refine(poses).keypoints,
        refiner.refine(poses, fps=120).expected_error,
        # Some windows are unlike those of the training.
        spatial.refine(depth).keypoints,
        stack(run_stream(stream, poses)),
        KalmanFilter(1e-3, 1.0).refine(poses).keypoints,
        ROTATIONS.refine(vectors).keypoints,
        stack(run_stream(turning, vectors)),
        smoother.refine(vectors).keypoints,
    )


@pytest.fixture(scope='module')
def poses():
    rng = np.random.default_rng(0)
    poses = (300 + 60 * rng.normal(size=(12, 17, 2))).astype(np.float32)
    poses[3:5, 4] = np.nan
    return poses


@pytest.fixture(scope='module')
def expected(poses):
    return refine_all(poses)


@pytest.mark.filterwarnings('ignore:.*training distribution')
@pytest.mark.parametrize('name', SETTINGS)
def test_settings_of_others(poses, expected, name):
    with SETTINGS[name]():
        found = refine_all(poses)
    for index, (one, other) in enumerate(zip(found, expected)):
        assert one.dtype == np.float32
        if index in STREAMED:
            # Torch optimises a traced network in its first runs: it rounds
            # otherwise then, and more in rotations.
            close(one, other, 1e-5)
        else:
            np.testing.assert_array_equal(one, other)
