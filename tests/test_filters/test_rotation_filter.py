# Copyright (c) hanet_mm contributors. All rights reserved.
"""Filters of rotations: against scipy, and by what rotations are."""

import pickle

import numpy as np
import pytest
from scipy.spatial.transform import Rotation, Slerp

from hanet_mm.apis import refine_file
from hanet_mm.apis.formats import open_poses
from hanet_mm.filters import FILTERS, GaussianFilter
from hanet_mm.filters.rotations import RotationFilter, slerp_gaps


def matrices(vectors):
    return Rotation.from_rotvec(vectors.reshape(-1, 3)).as_matrix()


def angles_between(a, b):
    first, second = (Rotation.from_rotvec(x.reshape(-1, 3)) for x in (a, b))
    return (first.inv() * second).magnitude()


def turning(frames=40):
    """A joint that turns by 4 rad about an axis, through half a turn."""
    axis = np.array([0.6, 0.0, 0.8])
    return np.linspace(1, 5, frames)[:, None, None] * axis


def test_gaps_are_filled_by_slerp():
    ends = Rotation.from_rotvec([[0.1, 0.2, 0.3], [1.0, -0.7, 0.2]])
    expected = Slerp([0, 5], ends)(np.arange(6)).as_matrix()
    known = expected[..., :2].reshape(6, 1, 6).astype(np.float32)
    missing = np.zeros((6, 1), bool)
    missing[1:5] = True
    given = np.where(missing[..., None], 0, known)
    np.testing.assert_allclose(slerp_gaps(given, missing), known, atol=1e-6)


@pytest.mark.parametrize('name', FILTERS)
def test_noise_falls_and_half_a_turn_is_no_jump(name):
    from hanet_mm.apis.filter_choice import choose_filter

    truth = turning()
    noise = np.random.default_rng(0).normal(0, 0.05, truth.shape)
    noisy = (
        Rotation.from_rotvec(truth[:, 0]) * Rotation.from_rotvec(noise[:, 0])
    ).as_rotvec()[:, None]
    assert np.abs(np.diff(noisy[:, 0], axis=0)).max() > 3  # it wraps around
    result = choose_filter(name, [], 30, rotations=True).refine(noisy)
    inner = slice(5, -5)
    before = angles_between(noisy[inner], truth[inner]).mean()
    after = angles_between(result.keypoints[inner], truth[inner]).mean()
    assert after < 0.9 * before
    assert np.abs(np.diff(result.keypoints[:, 0], axis=0)).max() < 1


def test_turning_the_world_turns_the_result():
    noisy = turning() + np.random.default_rng(0).normal(0, 0.1, (40, 1, 3))
    world = Rotation.from_rotvec([0.4, 1.1, -0.3])
    turned = (world * Rotation.from_rotvec(noisy[:, 0])).as_rotvec()
    method = RotationFilter(GaussianFilter(2, rotations=True))
    plain = method.refine(noisy).keypoints
    other = method.refine(turned[:, None]).keypoints
    expected = (world * Rotation.from_rotvec(plain[:, 0])).as_matrix()
    np.testing.assert_allclose(matrices(other), expected, atol=1e-5)


def test_what_is_never_known_stays_unknown():
    given = np.concatenate([turning(), np.full((40, 1, 3), np.nan)], 1)
    given[3:6, 0] = np.nan
    method = RotationFilter(GaussianFilter(1, rotations=True))
    result = method.refine(given)
    assert np.isnan(result.keypoints[:, 1]).all()
    assert result.filled[:, 0].sum() == 3
    assert not result.filled[:, 1].any()
    with pytest.raises(ValueError, match='no rotation in any frame'):
        method.refine(given[:, 1:])
    with pytest.raises(ValueError, match=r'found \(40, 6\)'):
        method.refine(given.reshape(40, 6))


@pytest.mark.parametrize('numbers', [69, 72, 156, 165])
def test_files_of_smpl(tmp_path, numbers):
    """All joints at once, their parts with them; the rest is kept."""
    joints = numbers // 3
    rng = np.random.default_rng(0)
    poses = np.repeat(turning(), joints, 1) / 5
    poses = (poses + rng.normal(0, 0.02, poses.shape)).reshape(40, -1)
    path, out = tmp_path / 'in.npz', tmp_path / 'out.npz'
    np.savez(
        path,
        poses=poses,
        root_orient=poses[:, :3],
        pose_body=poses[:, 3:66],
        betas=poses[:, :3] + 1,
        mocap_framerate=120.0,
    )
    refine_file(path, out, 'filter:savgol')
    with np.load(out) as after:
        assert after['poses'].shape == poses.shape
        np.testing.assert_array_equal(after['poses_input'], poses)
        np.testing.assert_array_equal(after['betas'], poses[:, :3] + 1)
        np.testing.assert_array_equal(
            after['root_orient'], after['poses'][:, :3]
        )
        np.testing.assert_array_equal(
            after['pose_body'], after['poses'][:, 3:66]
        )
        rough = np.diff(poses, n=2, axis=0).std()
        assert np.diff(after['poses'], n=2, axis=0).std() < rough / 2


def test_parts_and_matrices(tmp_path):
    vectors = turning()
    path, out = tmp_path / 'in.npz', tmp_path / 'out.npz'
    np.savez(
        path,
        global_orient=matrices(vectors).reshape(40, 1, 3, 3),
        body_pose=np.repeat(vectors / 5, 23, 1).reshape(40, 69),
        betas=np.ones(10),
    )
    refine_file(path, out, 'filter:gaussian:sigma=0.001')
    with np.load(path) as before, np.load(out) as after:
        for key in ('global_orient', 'body_pose', 'betas'):
            np.testing.assert_allclose(after[key], before[key], atol=1e-5)


def four_humans(poses):
    """Frames with the rotations of persons as matrices."""
    return {
        f'outputs/{t:06d}.jpg': dict(
            tid=[3],
            smpl=[
                dict(
                    global_orient=matrices(pose[:1]),
                    body_pose=matrices(pose[1:]),
                    betas=np.ones(10),
                )
            ],
            time=t,
        )
        for t, pose in enumerate(poses)
    }


PICKLES = {
    'vibe': lambda x: {
        1: dict(
            pose=x.reshape(len(x), 72).astype(np.float32),
            frame_ids=np.arange(len(x)) + 5,
            betas=np.ones((len(x), 10)),
        )
    },
    'aist': lambda x: dict(smpl_poses=x.reshape(len(x), 72), smpl_trans=1),
    '4d-humans': four_humans,
}


@pytest.mark.parametrize('name', PICKLES)
def test_pickles_are_read_on_trust(tmp_path, name):
    poses = np.repeat(turning(), 24, 1) / 5
    path, out = tmp_path / 'in.pkl', tmp_path / 'out.pkl'
    path.write_bytes(pickle.dumps(PICKLES[name](poses)))
    with pytest.raises(ValueError, match='--trust-pickle'):
        open_poses(path)
    (track,) = open_poses(path, trust_pickle=True).tracks
    assert track.first_frame == (5 if name == 'vibe' else 0)
    np.testing.assert_allclose(track.keypoints, poses, atol=1e-6)
    rough = poses + np.random.default_rng(0).normal(0, 0.02, poses.shape)
    path.write_bytes(pickle.dumps(PICKLES[name](rough)))
    summary = refine_file(path, out, 'filter:savgol', trust_pickle=True)
    assert 'all but the rotations copied (a translation' in summary.brief
    (after,) = open_poses(out, trust_pickle=True).tracks
    before = np.diff(rough, n=2, axis=0).std()
    assert np.diff(after.keypoints, n=2, axis=0).std() < before / 2
    given = pickle.loads(path.read_bytes())
    found = pickle.loads(out.read_bytes())
    assert {*given} == {*found}
    assert type(next(iter(found.values()))) is type(next(iter(given.values())))


@pytest.mark.parametrize(
    'shape', [(9, 24, 6), (9, 144), (9, 24, 4), (9, 85), (9,), (9, 0)]
)
def test_what_are_no_vectors_is_an_error(tmp_path, shape):
    np.savez(tmp_path / 'in.npz', poses=np.ones(shape))
    with pytest.raises(ValueError, match='poses: expected rotations') as error:
        open_poses(tmp_path / 'in.npz')
    assert str(shape) in str(error.value)
