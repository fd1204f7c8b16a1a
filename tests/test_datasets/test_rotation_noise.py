# Copyright (c) hanet_mm contributors. All rights reserved.
"""Simulated errors of rotations."""

import numpy as np
import pytest
import torch
from mmengine.registry import init_default_scope
from mmpose.registry import TRANSFORMS
from scipy.spatial.transform import Rotation
from scipy.stats import spearmanr

from hanet_mm.core.poses.rotations import rot6d_to_matrix
from hanet_mm.datasets.cmu_mocap_sequence_dataset import (
    CmuMocapSmplSequenceDataset,
)
from hanet_mm.datasets.simulation.rotation_noise import (
    RotationNoise,
    simulate_rotation_noise,
)
from hanet_mm.datasets.transforms.simulate_noise import SimulateRotationNoise
from hanet_mm.models.body_models import SkeletonBodyModel

pytestmark = pytest.mark.mm

NOTHING = dict(jitter=0.0, drift=0.0, spread=0.0, burst_share=0.0)


@pytest.fixture(autouse=True)
def _scope():
    init_default_scope('mmpose')


def only(**kwargs):
    return RotationNoise(**{**NOTHING, **kwargs})


def turning(frames=400, count=60, seed=0):
    rotations = Rotation.random(frames * count, random_state=seed)
    matrices = rotations.as_matrix().reshape(frames, count, 3, 3)
    return matrices.astype(np.float32)


def errors(params, truth=None, seed=0):
    """Rotation vectors of truth^T estimate in degrees, (T, K, 3); scores."""
    truth = turning() if truth is None else truth
    estimates, scores = simulate_rotation_noise(
        truth, np.random.default_rng(seed), params
    )
    turn = truth.swapaxes(-1, -2) @ estimates
    vectors = Rotation.from_matrix(turn.reshape(-1, 3, 3)).as_rotvec()
    return np.degrees(vectors).reshape(*truth.shape[:2], 3), scores


def test_no_errors_no_change():
    truth = turning(20, 24)
    estimates, scores = simulate_rotation_noise(
        truth, np.random.default_rng(0), only()
    )
    np.testing.assert_allclose(estimates, truth, atol=1e-6)
    assert scores.min() > 0.999
    assert estimates.dtype == scores.dtype == np.float32


def test_estimates_are_rotations():
    estimates, _ = simulate_rotation_noise(
        turning(100, 24),
        np.random.default_rng(0),
        RotationNoise(drift=40.0, burst_share=0.3, burst=90.0),
    )
    np.testing.assert_allclose(
        estimates @ estimates.swapaxes(-1, -2),
        np.broadcast_to(np.eye(3), estimates.shape),
        atol=1e-5,
    )
    np.testing.assert_allclose(np.linalg.det(estimates), 1, atol=1e-5)


@pytest.mark.parametrize('correlation', [0.0, 0.6])
def test_jitter_in_degrees_and_its_correlation(correlation):
    error, _ = errors(only(jitter=4.0, jitter_correlation=correlation))
    np.testing.assert_allclose(error.std(axis=(0, 1)), 4, rtol=0.03)
    lag = np.mean(error[1:] * error[:-1]) / np.mean(error**2)
    assert lag == pytest.approx(correlation, abs=0.02)


def test_drift_in_degrees_and_its_correlation():
    truth = turning(60, 1500)
    error, _ = errors(only(drift=6.0, drift_frames=8.0), truth)
    np.testing.assert_allclose(error.std(axis=(1, 2)), 6, rtol=0.06)
    pole = np.exp(-1 / 8)
    slope = (1 - pole**2) / (1 + pole**2)
    for lag in (1, 6, 20):
        found = np.mean(error[lag:] * error[:-lag]) / 36
        expected = pole**lag * (1 + lag * slope)
        assert found == pytest.approx(expected, abs=0.03)


def test_joints_differ_by_the_spread():
    truth = turning(200, 500)
    error, _ = errors(
        only(jitter=3.0, spread=0.5, jitter_correlation=0.0), truth
    )
    level = np.log(error.std(axis=(0, 2)))
    assert level.std() == pytest.approx(0.5, rel=0.1)
    assert level.mean() == pytest.approx(np.log(3), abs=0.08)


def test_bursts_hold_one_error_while_they_last():
    truth = turning(300, 100)
    params = only(burst_share=0.1, burst_frames=20.0, burst=15.0)
    error, scores = errors(params, truth)
    angle = np.linalg.norm(error, axis=-1)
    hidden = angle > 0.05
    # The eased first and last frames count as hidden, too.
    assert hidden.mean() == pytest.approx(0.1, abs=0.02)
    still = np.abs(np.diff(error, axis=0)).max(-1) < 1e-2
    inside = hidden[1:] & hidden[:-1] & still
    assert inside.sum() > 0.5 * hidden.sum()
    assert error[1:][inside].std() == pytest.approx(15, rel=0.15)
    # They come and go within frames, not at once.
    begins = hidden[1:] & ~hidden[:-1]
    whole = angle[3:][begins[:-2] & hidden[3:] & hidden[2:-1]]
    first = angle[1:-2][begins[:-2] & hidden[3:] & hidden[2:-1]]
    assert np.median(first / whole) < 0.5
    assert np.median(scores[hidden]) < np.median(scores[~hidden])


def test_the_error_is_in_the_frame_of_the_joint():
    # The same draws on another truth: the same turn, applied after it.
    one, two = turning(50, 24, 1), turning(50, 24, 2)
    params = RotationNoise()
    first, second = (
        simulate_rotation_noise(x, np.random.default_rng(3), params)[0]
        for x in (one, two)
    )
    np.testing.assert_allclose(
        one.swapaxes(-1, -2) @ first,
        two.swapaxes(-1, -2) @ second,
        atol=1e-5,
    )


def test_scores_fall_with_the_angle():
    truth = turning(200, 60)
    error, scores = errors(only(jitter=8.0, score_noise=0.0), truth)
    angle = np.linalg.norm(error, axis=-1).ravel()
    assert spearmanr(angle, scores.ravel())[0] < -0.999
    near = np.abs(angle - only().score_tolerance) < 0.05
    np.testing.assert_allclose(scores.ravel()[near], 0.5, atol=0.01)
    error, scores = errors(None, truth)
    angle = np.linalg.norm(error, axis=-1).ravel()
    assert -0.6 < spearmanr(angle, scores.ravel())[0] < -0.1


def window(frames=30):
    truth = turning(frames, 24)[..., :2].reshape(frames, 24, 6)
    return dict(
        keypoints_gt=truth,
        keypoints=truth.copy(),
        keypoint_scores=np.ones((frames, 24), np.float32),
        keypoints_valid=np.ones((frames, 24), bool),
    )


def test_rotation_transform_applies_the_function():
    transform = TRANSFORMS.build(
        dict(type='SimulateRotationNoise', noise=dict(drift=9.0))
    )
    before = window()
    np.random.seed(5)  # noqa: NPY002
    after = transform(dict(before))
    np.random.seed(5)  # noqa: NPY002
    rng = np.random.default_rng(np.random.randint(2**31))  # noqa: NPY002
    matrices = rot6d_to_matrix(torch.from_numpy(before['keypoints_gt']))
    expected, scores = simulate_rotation_noise(
        matrices.numpy(), rng, RotationNoise(drift=9.0)
    )
    found = rot6d_to_matrix(torch.from_numpy(after['keypoints'])).numpy()
    np.testing.assert_allclose(found, expected, atol=1e-5)
    np.testing.assert_array_equal(after['keypoint_scores'], scores)
    assert after['keypoints_valid'].all()
    for key, value in window().items():
        np.testing.assert_array_equal(before[key], value)
    again = transform(dict(before))
    assert (again['keypoints'] != after['keypoints']).any()


def test_unknown_rotations_are_missing_and_filled():
    results = window()
    results['keypoints_gt'][4:7, 3] = np.nan
    after = SimulateRotationNoise()(results)
    missing = np.zeros((30, 24), bool)
    missing[4:7, 3] = True
    np.testing.assert_array_equal(after['keypoints_valid'], ~missing)
    np.testing.assert_array_equal(after['keypoint_scores'] == 0, missing)
    columns = after['keypoints'].reshape(30, 24, 3, 2)
    np.testing.assert_allclose(
        columns.swapaxes(-1, -2) @ columns,
        np.broadcast_to(np.eye(2), (30, 24, 2, 2)),
        atol=1e-5,
    )


@pytest.mark.parametrize(
    ('kwargs', 'message'),
    [
        (dict(drift=-1.0), 'drift: expected >= 0, found -1.0'),
        (dict(burst_share=1.0), r'burst_share: expected in \[0, 1\)'),
        (dict(jitter_correlation=1.0), r'expected in \[0, 1\), found 1.0'),
        (dict(burst_frames=0.5), 'burst_frames: expected >= 1'),
        (dict(score_tolerance=0.0), 'score_tolerance: expected > 0'),
    ],
)
def test_bad_amounts(kwargs, message):
    with pytest.raises(ValueError, match=message):
        RotationNoise(**kwargs)


def test_bad_rotations():
    rng = np.random.default_rng(0)
    with pytest.raises(ValueError, match=r'\(T, K, 3, 3\), found \(5, 24, 6'):
        simulate_rotation_noise(np.zeros((5, 24, 6)), rng)
    with pytest.raises(ValueError, match=r'SimulateRotationNoise: .*D = 3'):
        SimulateRotationNoise()(dict(keypoints_gt=np.zeros((5, 24, 3))))


def test_real_motion_has_the_errors_of_the_paper(shared_dir):
    dataset = CmuMocapSmplSequenceDataset(
        str(shared_dir / 'data' / 'cmu_mocap_train.npz'),
        part='val',
        test_mode=True,
    )
    model, errors, bends = SkeletonBodyModel(), [], []
    for item in dataset:
        error = 0
        for key, sign in (('keypoints', 1), ('keypoints_gt', -1)):
            rotations = rot6d_to_matrix(torch.from_numpy(item[key]))
            joints = model(rotations).joints
            error += sign * (joints - joints[:, 2:4].mean(1, keepdim=True))
        seen = item['keypoints_visible'][:, 0] > 0
        errors.append(error.norm(dim=-1)[seen].ravel())
        bends.append(error.diff(n=2, dim=0).norm(dim=-1).ravel())
    # PARE on 3DPW, paper Table 2.
    assert 1000 * torch.cat(errors).mean() == pytest.approx(78.9, rel=0.1)
    assert 1000 * torch.cat(bends).mean() == pytest.approx(25.7, rel=0.1)
