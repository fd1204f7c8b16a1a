# Copyright (c) hanet_mm contributors. All rights reserved.
"""Rotations from places of joints."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from mmengine.registry import init_default_scope
from scipy.spatial.transform import Rotation

from hanet_mm.core.poses.body import SMPL_PARENTS, forward_kinematics
from hanet_mm.core.poses.rotations import rot6d_to_matrix
from hanet_mm.datasets.cmu_mocap_sequence_dataset import (
    CmuMocapSmplSequenceDataset,
)
from hanet_mm.datasets.joints_to_smpl import (
    CMU_UNKNOWN,
    cmu_to_smpl_joints,
    rotations_from_joints,
    smallest_rotation,
)
from hanet_mm.models.body_models import SkeletonBodyModel

pytestmark = pytest.mark.mm

OFFSETS = SkeletonBodyModel().offsets.numpy().astype(np.float64)
CHILDREN = np.arange(1, 24)
PARENTS = np.array(SMPL_PARENTS)
ENDS = [10, 11, 15, 22, 23]
SINGLE = sorted(set(range(24)) - {0, 9} - set(ENDS))


@pytest.fixture(autouse=True)
def _scope():
    init_default_scope('mmpose')


def pose(rotations, offsets=OFFSETS):
    joints = forward_kinematics(
        torch.from_numpy(rotations), torch.from_numpy(offsets)
    )
    return joints.numpy()


def random_rotations(num, angle, seed=0):
    """Local rotations with angles up to ``angle`` rad, (N, 24, 3, 3)."""
    rng = np.random.default_rng(seed)
    vectors = rng.standard_normal((num * 24, 3))
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    vectors *= rng.uniform(0, angle, (num * 24, 1))
    # Any orientation of the whole body.
    vectors[::24] = Rotation.random(num, random_state=seed).as_rotvec()
    return Rotation.from_rotvec(vectors).as_matrix().reshape(num, 24, 3, 3)


def directions(joints):
    bones = joints[:, CHILDREN] - joints[:, PARENTS[CHILDREN]]
    return bones / np.linalg.norm(bones, axis=-1, keepdims=True)


def world(local):
    turns = local.copy()
    for joint in CHILDREN:
        turns[:, joint] = turns[:, PARENTS[joint]] @ local[:, joint]
    return turns


def assert_rotations(matrices):
    np.testing.assert_allclose(
        matrices @ matrices.swapaxes(-1, -2),
        np.broadcast_to(np.eye(3), matrices.shape),
        atol=1e-10,
    )
    np.testing.assert_allclose(np.linalg.det(matrices), 1, atol=1e-10)


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 10**6), st.floats(0.0, 2.5))
def test_the_bones_point_where_they_were_seen(seed, angle):
    truth = random_rotations(5, angle, seed)
    joints = pose(truth)
    found = rotations_from_joints(joints, OFFSETS)
    assert_rotations(found)
    # The same skeleton, so the same places; and of any other lengths, the
    # same directions.
    np.testing.assert_allclose(pose(found), joints, atol=1e-7)
    rng = np.random.default_rng(seed)
    longer = OFFSETS * rng.uniform(0.5, 2, (24, 1))
    found = rotations_from_joints(pose(truth, longer), OFFSETS)
    np.testing.assert_allclose(
        directions(pose(found)), directions(joints), atol=1e-7
    )


def test_joints_with_several_children_are_found_whole():
    truth = random_rotations(50, 1.5)
    found = rotations_from_joints(pose(truth), OFFSETS)
    for joint in (0, 9):
        np.testing.assert_allclose(
            world(found)[:, joint], world(truth)[:, joint], atol=1e-6
        )


def test_twist_is_not_seen_and_taken_from_the_parent():
    truth = random_rotations(50, 1.5)
    found = rotations_from_joints(pose(truth), OFFSETS)
    for joint in SINGLE:
        (child,) = np.flatnonzero(joint == PARENTS)
        bone = OFFSETS[child]
        vectors = Rotation.from_matrix(found[:, joint]).as_rotvec()
        # The axis is perpendicular to the bone: no turn about itself.
        np.testing.assert_allclose(vectors @ bone, 0, atol=1e-7)
    np.testing.assert_allclose(
        found[:, ENDS], np.broadcast_to(np.eye(3), (50, 5, 3, 3)), atol=1e-12
    )


def test_kabsch_agrees_with_scipy_where_proportions_differ():
    rng = np.random.default_rng(0)
    joints = pose(random_rotations(30, 1.0))
    joints += rng.normal(0, 0.02, joints.shape)
    found = world(rotations_from_joints(joints, OFFSETS))
    assert_rotations(found)
    for joint, children in ((0, [1, 2, 3]), (9, [12, 13, 14])):
        rest = OFFSETS[children]
        rest = rest / np.linalg.norm(rest, axis=1, keepdims=True)
        for frame in range(30):
            seen = joints[frame, children] - joints[frame, joint]
            seen /= np.linalg.norm(seen, axis=1, keepdims=True)
            expected, _ = Rotation.align_vectors(seen, rest)
            np.testing.assert_allclose(
                found[frame, joint], expected.as_matrix(), atol=1e-6
            )


def test_three_children_in_a_plane_are_not_mirrored():
    # Seen from a skeleton whose hips lie level with the pelvis, all
    # directions span a plane: a reflection would fit as well.
    flat = OFFSETS.copy()
    flat[:, 2] = 0
    truth = random_rotations(20, 1.0)
    found = rotations_from_joints(pose(truth, flat), flat)
    assert_rotations(found)
    np.testing.assert_allclose(found[:, 0], truth[:, 0], atol=1e-6)


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 10**6))
def test_without_collars_the_shoulders_are_in_their_places(seed):
    truth = random_rotations(5, 0.4, seed)
    # Collars that turn by an angle nobody sees.
    joints = pose(truth)
    hidden = joints.copy()
    hidden[:, list(CMU_UNKNOWN)] = np.nan
    found = rotations_from_joints(hidden, OFFSETS, unknown=CMU_UNKNOWN)
    assert_rotations(found)
    again = pose(found)
    for side, shoulder in enumerate((16, 17)):
        way, seen = (
            (x[:, shoulder] - x[:, 9])
            / np.linalg.norm(x[:, shoulder] - x[:, 9], axis=-1, keepdims=True)
            for x in (again, joints)
        )
        np.testing.assert_allclose(way, seen, atol=1e-6)
        below = [18 + side, 20 + side, 22 + side]
        np.testing.assert_allclose(
            directions(again)[:, np.array(below) - 1],
            directions(joints)[:, np.array(below) - 1],
            atol=1e-6,
        )


def test_a_shoulder_out_of_reach_is_approached():
    rest = pose(np.broadcast_to(np.eye(3), (1, 24, 3, 3)).copy())
    shrugged = rest.copy()
    # Straight down from the collars' parent: farther aside than the bone.
    shrugged[:, 16] = rest[:, 9] + [0.0, -0.2, 0.0]
    found = rotations_from_joints(shrugged, OFFSETS, unknown=CMU_UNKNOWN)
    assert_rotations(found)
    collar = pose(found)[:, 13]
    shoulder = pose(found)[:, 16]
    assert np.isfinite(found).all()
    assert (shoulder - collar)[0, 1] < 0.1


@pytest.mark.parametrize('gap', [0.0, 1e-12, 1e-7, 1e-5, 1e-3, 0.5, 3.0])
def test_smallest_rotation_near_the_opposite(gap):
    rng = np.random.default_rng(0)
    start = rng.standard_normal((200, 3))
    start /= np.linalg.norm(start, axis=1, keepdims=True)
    axis = np.cross(start, rng.standard_normal((200, 3)))
    axis /= np.linalg.norm(axis, axis=1, keepdims=True)
    wanted = Rotation.from_rotvec(axis * (np.pi - gap))
    end = wanted.apply(start)
    turn = smallest_rotation(3 * start, 0.1 * end)
    np.testing.assert_allclose(
        turn @ turn.swapaxes(1, 2),
        np.broadcast_to(np.eye(3), turn.shape),
        atol=1e-6,
    )
    np.testing.assert_allclose(np.linalg.det(turn), 1, atol=1e-6)
    there = (turn @ start[..., None])[..., 0]
    np.testing.assert_allclose(there, end, atol=2e-4)
    if gap >= 1e-3:
        np.testing.assert_allclose(turn, wanted.as_matrix(), atol=1e-6)


def test_bones_without_length_turn_nothing():
    turn = smallest_rotation(np.zeros((2, 3)), np.eye(3)[:2])
    np.testing.assert_allclose(turn, np.broadcast_to(np.eye(3), (2, 3, 3)))
    found = rotations_from_joints(np.zeros((2, 24, 3)), OFFSETS)
    assert np.isfinite(found).all()
    assert_rotations(found)


@pytest.mark.parametrize(
    ('kwargs', 'message'),
    [
        (dict(joints=np.zeros((5, 17, 3))), r'\(N, 24, 3\), found \(5, 17'),
        (dict(offsets=np.zeros((23, 3))), r'\(24, 3\), found \(23, 3\)'),
        (dict(unknown=(9,)), r'joint 9 .*children \[12, 13, 14\]'),
        (dict(unknown=(22,)), r'joint 22 .*children \[\]'),
        (dict(unknown=(13, 16)), 'joint 13 '),
    ],
)
def test_bad_skeletons(kwargs, message):
    values = dict(joints=np.zeros((5, 24, 3)), offsets=OFFSETS)
    with pytest.raises(ValueError, match=message):
        rotations_from_joints(**{**values, **kwargs})


def cmu_names(names):
    return tuple(name for name in names if name)


# The joints of the CMU skeletons that stand for SMPL's, in SMPL's order.
CMU = (
    'root', 'lhipjoint', 'rhipjoint', 'lowerback', 'lfemur', 'rfemur',
    'upperback', 'ltibia', 'rtibia', 'thorax', 'lfoot', 'rfoot',
    'upperneck', '', '', 'head', 'lclavicle', 'rclavicle', 'lhumerus',
    'rhumerus', 'lwrist', 'rwrist', 'lhand', 'rhand')  # fmt: skip


@pytest.fixture
def posed_file(tmp_path):
    """A file in the layout of CMU's, of the skeleton at rest, posed."""
    truth = random_rotations(60, 0.3, seed=4)
    # Of collars that turn nobody could tell where the chest looks.
    truth[:, list(CMU_UNKNOWN)] = np.eye(3)
    joints = pose(truth).astype(np.float32)
    keep = [i for i, name in enumerate(CMU) if name]
    # Another order, and a joint that is not asked for.
    order = np.random.default_rng(0).permutation(len(keep))
    names = [cmu_names(CMU)[i] for i in order] + ['lthumb']
    places = joints[:, keep][:, order]
    places = np.concatenate([places, places[:, :1] + 1], axis=1)
    clean = np.ones(60, bool)
    clean[7] = False
    np.savez(
        tmp_path / 'mocap.npz',
        joints_3d=places,
        joint_names=np.array(names),
        joint_parents=np.zeros(len(names), np.int32),
        clean=clean,
        seq_len=np.array([20, 10, 30]),
        seq_name=np.array(['run_1', 'run_2', 'run_3']),
    )
    return str(tmp_path / 'mocap.npz'), truth


def test_dataset_holds_the_motion(posed_file):
    path, truth = posed_file
    dataset = CmuMocapSmplSequenceDataset(path, test_mode=True)
    assert dataset.metainfo['dataset_name'] == 'smpl24'
    items = list(dataset)
    found = rot6d_to_matrix(
        torch.from_numpy(np.concatenate([x['keypoints_gt'] for x in items]))
    )
    assert found.shape == (60, 24, 3, 3)
    places = pose(truth)
    again = pose(found.numpy().astype(np.float64))
    # Up to one turn for each recording, the camera's.
    for part in np.split(np.arange(60), [20, 30]):
        old, new = (
            (x[part] - x[part][:, :1]).reshape(-1, 3) for x in (places, again)
        )
        turn, _ = Rotation.align_vectors(new, old)
        np.testing.assert_allclose(turn.apply(old), new, atol=1e-5)
        # The person's up is the camera's -y, at most 15 degrees off.
        up = turn.as_matrix()[:, 1] @ [0, -1, 0]
        assert np.cos(np.radians(15.1)) < up <= 1
    visible = np.concatenate([x['keypoints_visible'] for x in items])
    assert (visible[7] == 0).all()
    assert visible.sum() == 59 * 24


def test_dataset_parts_and_seeds(posed_file):
    path, _ = posed_file
    whole = CmuMocapSmplSequenceDataset(path, test_mode=True)
    part = CmuMocapSmplSequenceDataset(path, part='val', test_mode=True)
    assert [x['seq_name'] for x in part] == ['run_2']
    for key in ('keypoints', 'keypoints_gt', 'keypoint_scores'):
        np.testing.assert_array_equal(part[0][key], whole[1][key])
    other = CmuMocapSmplSequenceDataset(path, seed=3, test_mode=True)
    assert (other[1]['keypoints'] != whole[1]['keypoints']).any()


def test_files_without_a_joint_are_refused(posed_file, tmp_path):
    path, _ = posed_file
    values = dict(np.load(path))
    names = np.where(
        values['joint_names'] == 'root', 'x', values['joint_names']
    )
    np.savez(tmp_path / 'bad.npz', **{**values, 'joint_names': names})
    with pytest.raises(ValueError, match=r"bad.npz: joint_names: .*'root'"):
        CmuMocapSmplSequenceDataset(str(tmp_path / 'bad.npz'))


def test_real_motion_keeps_its_bone_directions(shared_dir):
    data = np.load(
        shared_dir / 'data' / 'cmu_mocap_train.npz', allow_pickle=False
    )
    joints = cmu_to_smpl_joints(
        data['joints_3d'][::40], tuple(data['joint_names'])
    )
    found = rotations_from_joints(joints, OFFSETS, unknown=CMU_UNKNOWN)
    assert_rotations(found)
    cosine = np.sum(directions(pose(found)) * directions(joints), axis=-1)
    # Where a joint has one child the bone is exact. The pelvis and the
    # upper spine of CMU have other proportions; the collars are not seen.
    exact = [child - 1 for child in CHILDREN if PARENTS[child] in SINGLE]
    exact = [i for i in exact if i + 1 not in (16, 17)]
    np.testing.assert_allclose(cosine[:, exact], 1, atol=1e-6)
    # At the hips that is the difference of atan(83 / 114), CMU's at rest,
    # and atan(90 / 80), 12 degrees.
    several = np.degrees(np.arccos(cosine[:, [0, 1, 2, 11]]))
    assert np.median(several) < 16
