# Copyright (c) hanet_mm contributors. All rights reserved.
"""Errors of a 3D estimator: drift, depth, root, presets."""

import dataclasses

import numpy as np
import pytest
from scipy.signal import lfilter
from scipy.stats import spearmanr

from hanet_mm.datasets.simulation import (
    NOISE_PRESETS,
    EstimatorNoise,
    noise_source,
    simulate_estimator_noise,
)
from hanet_mm.datasets.simulation.keypoints import keypoint_parts
from hanet_mm.datasets.simulation.signals import smooth_noise
from hanet_mm.datasets.transforms.simulate_noise import SimulateEstimatorNoise

pytestmark = pytest.mark.mm

H36M = (
    'root', 'right_hip', 'right_knee', 'right_foot', 'left_hip',
    'left_knee', 'left_foot', 'spine', 'thorax', 'neck_base', 'head',
    'left_shoulder', 'left_elbow', 'left_wrist', 'right_shoulder',
    'right_elbow', 'right_wrist')  # fmt: skip
NOTHING = {
    field.name: 0.0
    for field in dataclasses.fields(EstimatorNoise)
    if field.name.endswith('_share')
    or field.name in ('jitter', 'jitter_spread', 'occlusion_std')
}


def only(**kwargs):
    return EstimatorNoise(**{**NOTHING, **kwargs})


def people(num=300, frames=60, seed=0):
    rng = np.random.default_rng(seed)
    place = rng.uniform(-0.7, 0.7, (num, 1, 17, 3))
    speed = rng.uniform(-0.01, 0.01, (num, 1, 17, 3))
    walk = rng.uniform(-0.05, 0.05, (num, 1, 1, 3))
    time = np.arange(frames)[:, None, None]
    return (place + (speed + walk) * time).astype(np.float32)


def errors(params, size=1.5, seed=0, truth=None):
    truth = people() if truth is None else truth
    rng = np.random.default_rng(seed)
    estimates, scores = simulate_estimator_noise(
        truth, size, rng, params, H36M
    )
    return estimates - truth, scores


@pytest.mark.parametrize('frames', [1.0, 4.0, 25.0])
def test_smooth_noise_has_unit_variance_and_its_correlation(frames):
    noise = smooth_noise(np.random.default_rng(0), (40000, 40), frames)
    # 40000 draws: five standard deviations of a variance are 3.5 %.
    np.testing.assert_allclose(noise.var(axis=0), 1, atol=0.036)
    pole = np.exp(-1 / frames)
    for lag in (1, 2, 10):
        slope = (1 - pole**2) / (1 + pole**2)
        expected = pole**lag * (1 + lag * slope)
        for first in (0, 17):
            found = np.mean(noise[:, first] * noise[:, first + lag])
            assert found == pytest.approx(expected, abs=0.03)


def test_smooth_noise_is_a_recursion_of_second_order():
    frames, pole = 6.0, np.exp(-1 / 6)
    noise = smooth_noise(np.random.default_rng(1), (3000, 50), frames)
    # What the recursion cannot tell from the past is white, and of the
    # variance that keeps the process at 1.
    fresh = lfilter([1, -2 * pole, pole**2], [1], noise, axis=1)[:, 2:]
    expected = (1 - pole**2) ** 3 / (1 + pole**2)
    assert fresh.var() == pytest.approx(expected, rel=0.03)
    lag = np.mean(fresh[:, 1:] * fresh[:, :-1]) / fresh.var()
    assert abs(lag) < 0.02


def test_drift_has_its_size_for_each_joint():
    error, _ = errors(only(drift=0.02, drift_frames=3.0))
    deviation = error.std(axis=(0, 1)) / 1.5
    parts = keypoint_parts(H36M, 3)
    expected = 0.02 * np.repeat(parts.difficulty[:, None], 3, axis=1)
    np.testing.assert_allclose(deviation, expected, rtol=0.06)


def test_drift_is_slow():
    error, _ = errors(only(drift=0.02, drift_frames=20.0))
    moving = error[:, :, 1:].astype(np.float64)
    pole = np.exp(-1 / 20)
    for lag in (1, 5):
        slope = (1 - pole**2) / (1 + pole**2)
        found = np.sum(moving[:, lag:] * moving[:, :-lag]) / np.sqrt(
            np.sum(moving[:, lag:] ** 2) * np.sum(moving[:, :-lag] ** 2)
        )
        assert found == pytest.approx(pole**lag * (1 + lag * slope), abs=0.01)
    # The same amount of jitter shakes far more.
    shaken, _ = errors(only(jitter=0.02, jitter_correlation=0.0))
    bend = [np.diff(x, 2, axis=1).std() for x in (error, shaken)]
    assert bend[0] < 0.05 * bend[1]


def test_joints_of_a_limb_drift_together():
    error, _ = errors(
        only(drift=0.02, drift_frames=2.0, drift_limb_correlation=0.6)
    )
    place = {name: i for i, name in enumerate(H36M)}
    flat = error[..., 0].reshape(-1, 17)[:, 1:]
    found = np.corrcoef(flat.T)
    groups = keypoint_parts(H36M, 3).group[1:]
    same = groups[:, None] == groups
    np.fill_diagonal(same, False)
    np.testing.assert_allclose(found[same], 0.6, atol=0.05)
    different = groups[:, None] != groups
    np.testing.assert_allclose(found[different], 0, atol=0.06)
    assert groups[place['left_wrist'] - 1] == groups[place['left_elbow'] - 1]
    assert groups[place['left_wrist'] - 1] != groups[place['right_wrist'] - 1]
    assert groups[place['left_foot'] - 1] == groups[place['left_hip'] - 1]
    assert groups[place['head'] - 1] == groups[place['spine'] - 1]


@pytest.mark.parametrize(
    'params',
    [
        dict(jitter=0.02),
        dict(drift=0.02, drift_frames=2.0, drift_limb_correlation=0.5),
        dict(outlier_share=0.1, outlier_std=0.2),
        dict(occlusion_share=0.5, occlusion_frames=2.0, occlusion_std=5.0),
    ],
)
def test_depth_is_worse_by_its_factor(params):
    error, _ = errors(only(depth_factor=2.5, **params))
    deviation = error[:, :, 1:].std(axis=(0, 1, 2))
    assert deviation[1] / deviation[0] == pytest.approx(1, rel=0.08)
    assert deviation[2] / deviation[0] == pytest.approx(2.5, rel=0.08)
    # Pictures have no depth.
    flat = people(4, 20)[..., :2]
    one, two = (
        simulate_estimator_noise(
            flat, 1.5, np.random.default_rng(0), only(**kwargs), H36M
        )[0]
        for kwargs in (params, dict(params, depth_factor=2.5))
    )
    np.testing.assert_array_equal(one, two)


def test_the_root_of_a_lifted_pose_has_no_error():
    params = dataclasses.replace(
        noise_source('lifter'), outlier_share=0.3, occlusion_share=0.3
    )
    error, _ = errors(params)
    assert (error[:, :, 0] == 0).all()
    assert (error[:, :, 1:].std(axis=(0, 1, 3)) > 0).all()
    # In a picture it is a joint like others.
    truth = people(4, 20)[..., :2]
    flat, _ = simulate_estimator_noise(
        truth, 1.5, np.random.default_rng(0), only(jitter=0.1), H36M
    )
    assert (flat != truth)[:, :, 0].all()


def test_frozen_joints_move_along_with_the_person():
    truth = people(30, 60)
    params = only(
        occlusion_share=0.1, occlusion_frames=15.0, occlusion_freeze=1.0
    )
    error, _ = errors(params, truth=truth)
    hidden = np.abs(error).max(-1) > 1e-6
    body = truth - truth.mean(axis=2, keepdims=True)
    reported = body + error
    still = np.abs(np.diff(reported, axis=1)).max(axis=-1) < 1e-6
    assert hidden[:, 1:][still].all()
    assert still.sum() > 0.4 * hidden.sum()


def test_names_of_h36m_tell_the_parts():
    parts = keypoint_parts(H36M, 3)
    rank = dict(zip(H36M, parts.difficulty))
    assert rank['right_foot'] > rank['right_knee'] > rank['right_hip'] > 0
    assert rank['left_wrist'] > rank['left_elbow'] > rank['left_shoulder']
    assert rank['head'] > rank['thorax'] > rank['spine'] > rank['root']
    mirror = [H36M[i] for i in parts.mirror]
    assert mirror[3] == 'left_foot'
    assert mirror[13] == 'right_wrist'
    assert mirror[8] == 'thorax'
    # Ankle and foot are the same end of the leg.
    assert (
        parts.limb[3]
        == parts.limb[2]
        == keypoint_parts(('left_ankle',), 2).limb
    )
    assert keypoint_parts(('neck_base',), 3).difficulty == rank['neck_base']


def test_scores_follow_the_error_weakly():
    error, scores = errors(noise_source('lifter'))
    length = np.linalg.norm(error, axis=-1)[:, :, 1:]
    tie = spearmanr(length.ravel(), scores[:, :, 1:].ravel())[0]
    assert -0.6 < tie < -0.2


def test_preset_by_name_in_configs():
    named = SimulateEstimatorNoise(noise='lifter', keypoint_names=H36M)
    assert named.estimators.noise == EstimatorNoise(**NOISE_PRESETS['lifter'])
    assert noise_source(None) == EstimatorNoise()
    assert noise_source(dict(drift=0.5)).drift == 0.5
    assert noise_source(named.estimators.noise) is named.estimators.noise
    with pytest.raises(ValueError, match=r"one of .*'lifter'.*got 'fcn'"):
        SimulateEstimatorNoise(noise='fcn')


@pytest.mark.parametrize(
    ('kwargs', 'message'),
    [
        (dict(depth_factor=0.5), 'depth_factor: expected >= 1, found 0.5'),
        (dict(drift=-1.0), 'drift: expected >= 0'),
        (dict(drift_frames=0.0), 'drift_frames: expected >= 1'),
        (dict(drift_limb_correlation=1.0), r'expected in \[0, 1\)'),
    ],
)
def test_bad_parameters_of_a_lifter(kwargs, message):
    with pytest.raises(ValueError, match=message):
        EstimatorNoise(**kwargs)
