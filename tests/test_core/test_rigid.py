# Copyright (c) hanet_mm contributors. All rights reserved.
"""Bones of 3D poses, and limits that know of them."""

import numpy as np
import pytest
import torch
from scipy.stats import chi2

from hanet_mm.core.poses.skeleton_data import SKELETONS
from hanet_mm.core.refine.rigid import (
    RigidBody,
    keep_lengths,
    length_change,
    rigid_body,
    usual_lengths,
)
from hanet_mm.core.refine.robust_path import robust_path
from hanet_mm.core.refine.trust import allowed_part, limit_to_noise

FPS = 30.0
# A root, and two bones of 1 m, end to end.
CHAIN = RigidBody((0,), np.array([[0, 1], [1, 2]]), 3)


def chain(frames=90):
    """A chain that turns about its root, (T, 3, 3)."""
    angle = np.linspace(0, 2, frames)
    way = np.stack([np.cos(angle), np.sin(angle), 0 * angle], -1)
    return way[:, None] * np.arange(3.0)[:, None]


def none(poses):
    return np.zeros(poses.shape[:-1], bool)


def test_bones_of_human36m():
    skeleton = SKELETONS['h36m17']
    body = rigid_body(skeleton.keypoint_names, [0])
    found = {frozenset(map(int, pair)) for pair in body.bones}
    # All that is drawn as a bone there is rigid.
    assert found == {frozenset(pair) for pair in skeleton.link_indices}


def test_the_trunk_of_coco_is_not_rigid():
    names = SKELETONS['coco17'].keypoint_names
    body = rigid_body(names, [11, 12])
    limbs = {(names[a], names[b]) for a, b in body.bones}
    assert ('left_knee', 'left_ankle') in limbs
    assert len(limbs) == 8


def test_usual_lengths_are_medians_of_what_is_seen():
    found = np.array([[1.0, 2.0, 9.0], [3.0, 2.0, 9.0], [8.0, 7.0, 9.0]])
    seen = np.array([[1, 1, 0], [1, 1, 0], [1, 0, 0]], bool)
    np.testing.assert_array_equal(usual_lengths(found, seen), [3, 2, np.nan])


def test_a_rigid_body_does_not_change():
    poses = chain()
    change = length_change(poses, none(poses), CHAIN, FPS)
    np.testing.assert_allclose(change, 0, atol=1e-12)


def test_the_change_is_that_of_the_lengths_where_they_change():
    poses = chain(300)
    # Both bones 10 % longer for 2 s of 10: the median knows nothing of it.
    poses[200:260] *= 1.1
    change = length_change(poses, none(poses), CHAIN, FPS)[:, 0]
    np.testing.assert_allclose(change[225:235], 0.1)
    np.testing.assert_allclose(change[:160], 0, atol=1e-12)


def test_missing_joints_tell_nothing_of_lengths():
    poses, missing = chain(), none(chain())
    poses[:, 2] *= np.linspace(1, 3, 90)[:, None]
    missing[:, 2] = True
    change = length_change(poses, missing, CHAIN, FPS)
    np.testing.assert_allclose(change, 0, atol=1e-12)
    missing[:] = True
    assert (length_change(poses, missing, CHAIN, FPS) == 0).all()


def test_people_are_measured_alone():
    poses = np.stack([chain(), 1.5 * chain()], axis=1)
    poses[40:50, 1] *= 1.2
    both = length_change(poses, none(poses), CHAIN, FPS)
    for n in range(2):
        alone = length_change(poses[:, n], none(poses)[:, n], CHAIN, FPS)
        np.testing.assert_array_equal(both[:, n], alone)


def test_half_of_a_change_of_a_stick_is_taken_back():
    stick = RigidBody((0,), np.array([[0, 1]]), 2)
    poses = chain()[:, :2].copy()
    poses[40] *= 1.2
    kept = keep_lengths(poses, np.array([1.0]), stick)
    found = stick.lengths(kept)
    # 10 steps of 0.4 leave 0.6^10 of it, and the root stays.
    np.testing.assert_allclose(found[40], 1.1, atol=0.1 * 0.6**10 + 1e-9)
    np.testing.assert_allclose(found[:40], 1, atol=1e-12)
    assert (kept[:, 0] == 0).all()
    # Along the stick.
    np.testing.assert_allclose(
        kept[40, 1] / found[40], poses[40, 1] / 1.2, atol=1e-9
    )


def test_the_joint_that_is_less_certain_moves():
    lone = RigidBody((2,), np.array([[0, 1]]), 3)
    poses = np.zeros((1, 3, 3))
    poses[0, 1, 0] = 1.2
    errors = np.array([[0.01, 0.02, 0.01]])
    kept = keep_lengths(poses, np.array([1.0]), lone, errors)
    steps = np.abs(kept - poses)[0, :2, 0]
    np.testing.assert_allclose(steps[1] / steps[0], 4, rtol=1e-6)
    np.testing.assert_allclose(steps.sum(), 0.1, rtol=0.01)


def test_lengths_that_nobody_knows_change_nothing():
    poses = chain() * np.linspace(1, 2, 90)[:, None, None]
    kept = keep_lengths(poses, np.full(2, np.nan), CHAIN)
    np.testing.assert_allclose(kept, poses, atol=1e-12)


@pytest.mark.parametrize(
    ('change', 'noise', 'part', 'limit'),
    [
        (0.0, 0.001, 0.4, 0.0008),
        (0.004, 0.001, 0.4, 0.0008),
        (0.006, 0.001, 0.675, 12.4 * 0.003),
        (0.02, 0.001, 0.95, 24 * 0.02),
        (0.0, 0.05, 0.95, 24 * 0.05),
    ],
)
def test_a_body_that_is_not_rigid_lets_the_network_go_further(
    change, noise, part, limit
):
    found = allowed_part(
        torch.full((1, 5), noise, dtype=torch.float64),
        torch.zeros(1, 5, dtype=torch.float64),
        change=torch.full((1, 1), change, dtype=torch.float64),
    )
    np.testing.assert_allclose(found[0], part, rtol=1e-6)
    np.testing.assert_allclose(found[1], limit, rtol=1e-6)


def test_noise_in_three_dimensions_is_a_quantile_of_chi():
    # Lengths of normal vectors: 0.75 quantiles of chi with 3 and 2 degrees.
    rng = np.random.default_rng(0)
    noise = []
    for dims in (3, 2):
        poses = rng.normal(0, 0.05, (3000, 6, dims))
        poses[..., 0] += np.arange(6.0)
        path = robust_path(poses, none(poses), FPS)
        noise.append(np.median(path.noise[30:-30]))
    expected = np.sqrt(chi2.ppf(0.75, 3) / chi2.ppf(0.75, 2))
    np.testing.assert_allclose(noise[0] / noise[1], expected, rtol=0.04)


def test_a_known_offset_is_kept_where_bones_change_and_not_where_they_do_not():
    poses = chain(120)
    path = robust_path(poses, none(poses), FPS)
    refined = path.keypoints + np.float32([0, 0, 0.1])
    steady = np.zeros((120, 1))
    found = limit_to_noise(refined, path, none(poses), change=steady)
    assert np.abs(found.keypoints - path.keypoints).max() < 0.004
    loose = np.full((120, 1), 0.03)
    found = limit_to_noise(refined, path, none(poses), change=loose)
    np.testing.assert_allclose(
        found.keypoints - path.keypoints,
        [[[0, 0, 0.095]] * 3] * 120,
        atol=1e-5,
    )
