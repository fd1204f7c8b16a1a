# Copyright (c) hanet_mm contributors. All rights reserved.
"""The kind of array in which a sequence comes changes nothing."""

import numpy as np
import pytest
import torch
from small_refiners import make_refiner

from hanet_mm.filters import GaussianFilter, KalmanFilter, MedianFilter
from hanet_mm.filters.rotations import RotationFilter

METHODS = {
    'box': (make_refiner('box'), 2),
    'none': (make_refiner('none'), 2),
    'root': (make_refiner('root', coords=3, root=[0]), 3),
    'rotations': (make_refiner('rot6d', coords=6), 3),
    'rotation filter': (
        RotationFilter(GaussianFilter(1.0, rotations=True)),
        3,
    ),
    'kalman': (KalmanFilter(1e-3, 1.0), 2),
    'median': (MedianFilter(5), 2),
}


def hidden(values):
    missing = np.isnan(values)
    return np.ma.masked_array(np.where(missing, 7, values), missing)


def strided(values):
    return np.repeat(values, 2, axis=0)[::2]


FORMS = [hidden, strided, torch.from_numpy, np.asfortranarray, np.float64]
FORMS.append(lambda values: values.astype('>f4'))


def answer(method, poses, scores):
    """What comes back, or the line with which it is refused."""
    try:
        return np.asarray(method.refine(poses, scores).keypoints, np.float32)
    except ValueError as error:
        return str(error)


@pytest.mark.parametrize('name', METHODS)
def test_what_a_mask_hides_does_not_count(name):
    method, coords = METHODS[name]
    rng = np.random.default_rng(0)
    poses = rng.normal(size=(12, 4, coords)).astype(np.float32)
    poses[rng.random((12, 4)) < 0.2] = np.nan
    scores = np.ones((12, 4))
    expected = answer(method, poses, scores)
    np.testing.assert_array_equal(
        answer(method, hidden(poses), scores), expected
    )


@pytest.mark.fuzz(70)
def test_the_form_of_a_sequence_does_not_count(seed):
    rng = np.random.default_rng(seed)
    method, coords = METHODS[[*METHODS][seed % len(METHODS)]]
    frames = int(rng.choice([1, 2, 5, 12, 40]))
    poses = rng.normal(size=(frames, 4, coords)).cumsum(0)
    poses = (poses * rng.choice([0, 1, 100])).astype(np.float32)
    poses[rng.random((frames, 4)) < rng.choice([0, 0.2, 0.9])] = np.nan
    if rng.random() < 0.1:
        poses[rng.integers(frames), 1] = rng.choice([np.inf, 1e15])
    scores = rng.random((frames, 4)).astype(np.float32)
    expected = answer(method, poses, scores)
    form = FORMS[rng.integers(len(FORMS))]
    found = answer(method, form(poses), scores)
    if isinstance(expected, str):
        assert found == expected
    else:
        np.testing.assert_allclose(found, expected, rtol=1e-6)
