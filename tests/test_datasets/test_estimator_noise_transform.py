# Copyright (c) hanet_mm contributors. All rights reserved.
"""The transform that simulates the errors of an estimator."""

import numpy as np
import pytest
from mmpose.registry import TRANSFORMS
from noise_cases import NOTHING, poses

from hanet_mm.core.poses.boxes import box_sizes
from hanet_mm.datasets.simulation import (
    JHMDB_KEYPOINT_NAMES,
    EstimatorNoise,
    simulate_estimator_noise,
)
from hanet_mm.datasets.transforms.simulate_noise import SimulateEstimatorNoise

pytestmark = pytest.mark.mm


def window(dims=2):
    truth = poses(1, 11, dims)[0]
    low, high = truth.min(axis=1), truth.max(axis=1)
    results = dict(
        keypoints_gt=truth,
        keypoints=truth.copy(),
        keypoint_scores=np.ones((11, 15), np.float32),
        keypoints_valid=np.ones((11, 15), bool),
        keypoint_names=JHMDB_KEYPOINT_NAMES,
    )
    if dims == 2:
        results['bboxes'] = np.concatenate([low, high], axis=1)
    return results


def test_transform_applies_the_function():
    transform = TRANSFORMS.build(
        dict(type='SimulateEstimatorNoise', noise=dict(missing_share=0.3))
    )
    given_arrays = window()
    before = {
        key: value.copy()
        for key, value in given_arrays.items()
        if isinstance(value, np.ndarray)
    }
    np.random.seed(5)  # noqa: NPY002
    results = transform(dict(given_arrays))
    np.random.seed(5)  # noqa: NPY002
    rng = np.random.default_rng(np.random.randint(2**31))  # noqa: NPY002
    estimates, scores = simulate_estimator_noise(
        before['keypoints_gt'],
        box_sizes(before['bboxes']),
        rng,
        EstimatorNoise(missing_share=0.3),
    )
    valid = results['keypoints_valid']
    np.testing.assert_array_equal(valid, ~np.isnan(estimates).any(-1))
    np.testing.assert_array_equal(results['keypoint_scores'], scores)
    np.testing.assert_array_equal(
        results['keypoints'][valid], estimates[valid]
    )
    assert 0 < (~valid).sum() < valid.size
    assert np.isfinite(results['keypoints']).all()
    # The arrays of the data set were not written to.
    for key, value in before.items():
        np.testing.assert_array_equal(given_arrays[key], value)


def test_transform_draws_anew_at_each_call():
    transform = SimulateEstimatorNoise()
    first, second = transform(window()), transform(window())
    assert (first['keypoints'] != second['keypoints']).any()


def test_transform_in_3d_measures_the_joints():
    transform = SimulateEstimatorNoise(noise=dict(NOTHING, jitter=0.05))
    results = window(dims=3)
    truth = results['keypoints_gt']
    error = transform(results)['keypoints'] - truth
    size = np.ptp(truth, axis=1).max(axis=-1).mean()
    assert error.std() / size == pytest.approx(0.05 * 1.1, rel=0.3)


def test_transform_names_a_skeleton_that_does_not_fit():
    transform = SimulateEstimatorNoise(keypoint_names=('left_wrist',))
    with pytest.raises(ValueError, match=r'expected 1 .*found 15'):
        transform(window())
