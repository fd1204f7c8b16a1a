# Copyright (c) hanet_mm contributors. All rights reserved.
"""Swaps of left and right in rotations of SMPL are undone exactly."""

import numpy as np
import pytest
import torch
from scipy.spatial.transform import Rotation

from hanet_mm.core.poses.body import (
    forward_kinematics,
    mean_adult_offsets,
    mirror_rotations,
    smpl_flip_indices,
)
from hanet_mm.core.poses.rotations import (
    axis_angle_to_matrix,
    axis_angle_to_rot6d,
)
from hanet_mm.core.refine.rotation_swaps import unswap_rotations
from hanet_mm.filters.rotations import RotationPath

FRAMES = 90
# Left arm and leg, from collar and hip on, with their hand.
ARMS, LEGS = (13, 14, 16, 17, 18, 19, 20, 21), (1, 2, 4, 5, 7, 8, 10, 11)


def walking(count=24):
    """Rotation vectors (T, K, 3): arms hang, legs and arms swing in turn."""
    rng = np.random.default_rng(0)
    swing = np.sin(np.arange(FRAMES) / 6)
    vectors = np.zeros((FRAMES, count, 3))
    vectors[:, 0] = [0.1, 0.4, 0.05]
    vectors[:, 0, 1] += np.arange(FRAMES) / 80
    vectors[:, 3] = [0.1, 0.1, -0.05]
    for left, right, axis, size in ((1, 2, 0, 0.5), (16, 17, 0, 0.6)):
        vectors[:, left, axis] = size * swing
        vectors[:, right, axis] = -size * swing
    vectors[:, 4, 0] = 0.5 + 0.4 * swing
    vectors[:, 5, 0] = 0.5 - 0.4 * swing
    vectors[:, 18, 1], vectors[:, 19, 1] = -0.9, 0.2
    vectors[:, 16, 2], vectors[:, 17, 2] = -1.1, 1.2
    return vectors + 0.01 * rng.standard_normal(vectors.shape)


def mirrored(vectors):
    """By the rule in rotation vectors, the root mirrored in depth."""
    flip = list(smpl_flip_indices(vectors.shape[1]))
    other = vectors[:, flip] * [1, -1, -1]
    root = Rotation.from_rotvec(vectors[:, 0]).as_matrix()
    root = np.diag([1, 1, -1]) @ root @ np.diag([-1, 1, 1])
    other[:, 0] = Rotation.from_matrix(root).as_rotvec()
    return other


def as_6d(vectors):
    return axis_angle_to_rot6d(torch.from_numpy(vectors)).float().numpy()


@pytest.mark.parametrize('count', [22, 24, 52, 55])
def test_joints_of_a_mirrored_body_are_the_mirrored_joints(count):
    vectors = torch.from_numpy(walking(count)[::30])
    rotations = axis_angle_to_matrix(vectors)
    other = mirror_rotations(rotations)
    twice = mirror_rotations(other)
    np.testing.assert_allclose(twice, rotations, atol=1e-12)
    if count != 24:
        return
    offsets = mean_adult_offsets().double()
    joints = forward_kinematics(rotations, offsets)
    flip = list(smpl_flip_indices(24))
    found = forward_kinematics(other, offsets)
    expected = joints[:, flip] * torch.tensor([-1.0, 1, 1])
    np.testing.assert_allclose(found, expected, atol=1e-12)


@pytest.mark.parametrize('count', [22, 24, 52, 55])
@pytest.mark.parametrize('joints', [None, ARMS, LEGS])
def test_swaps_are_undone_exactly(count, joints):
    truth = walking(count)
    given = truth.copy()
    rows, joints = slice(30, 39), list(joints or range(count))
    given[rows, joints] = mirrored(truth)[rows, joints]
    missing = np.zeros(given.shape[:2], bool)
    found = unswap_rotations(as_6d(given), missing)
    np.testing.assert_array_equal(
        found.swapped.any(1),
        (np.arange(FRAMES) >= 30) & (np.arange(FRAMES) < 39),
    )
    # Hands that are as they were are alike on both sides, but for noise.
    body = slice(0, 22)
    np.testing.assert_allclose(
        found.rotations[:, body], as_6d(truth)[:, body], atol=1e-6
    )


def test_who_turns_round_is_not_swapped():
    truth = walking()
    truth[:, 0] = 0
    truth[:, 0, 1] = np.linspace(0, 4 * np.pi, FRAMES)
    missing = np.zeros(truth.shape[:2], bool)
    assert not unswap_rotations(as_6d(truth), missing).swapped.any()


def test_noise_alone_is_not_swapped():
    rng = np.random.default_rng(0)
    noise = 0.1 * rng.standard_normal((60, 24, 3))
    missing = np.zeros(noise.shape[:2], bool)
    assert not unswap_rotations(as_6d(noise), missing).swapped.any()


def test_gaps_go_along_and_other_bodies_stay():
    truth = walking()
    given = truth.copy()
    given[30:39] = mirrored(truth)[30:39]
    missing = np.zeros(given.shape[:2], bool)
    missing[33:35, 16] = True
    found = unswap_rotations(as_6d(given), missing)
    np.testing.assert_array_equal(
        np.argwhere(found.missing), [[33, 17], [34, 17]]
    )
    odd = as_6d(given)[:, :23]
    assert not unswap_rotations(odd, missing[:, :23]).swapped.any()


@pytest.mark.parametrize('fps', [15, 30, 60, 120])
def test_the_path_keeps_even_turns_and_wraps(fps):
    time = np.arange(3 * fps) / fps
    vectors = time[:, None, None] * np.array([[0, 4.0, 0], [1.5, 1.5, 0]])
    # As files have them: angles up to half a turn.
    given = Rotation.from_rotvec(vectors.reshape(-1, 3)).as_rotvec()
    given = given.reshape(vectors.shape)
    result = RotationPath(fps).refine(given)
    apart = Rotation.from_rotvec(result.keypoints.reshape(-1, 3))
    apart = apart.inv() * Rotation.from_rotvec(given.reshape(-1, 3))
    assert np.degrees(apart.magnitude()).max() < 0.5
    assert not result.filled.any()


def test_a_glitch_is_removed_and_noise_falls():
    truth = walking()
    rng = np.random.default_rng(1)
    given = truth + np.radians(3) * rng.standard_normal(truth.shape)
    given[45, 4] += 1.0
    result = RotationPath().refine(given)

    def error(vectors):
        first = Rotation.from_rotvec(vectors.reshape(-1, 3))
        last = Rotation.from_rotvec(truth.reshape(-1, 3))
        return (first.inv() * last).magnitude().reshape(FRAMES, -1)

    assert error(result.keypoints).mean() < 0.6 * error(given).mean()
    assert error(result.keypoints)[45, 4] < 0.2
    assert result.reason[45, 4] == 3
