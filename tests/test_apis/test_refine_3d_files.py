# Copyright (c) hanet_mm contributors. All rights reserved.
"""``hanet-mm refine`` on 3D joints and on SMPL rotations."""

import numpy as np
import pytest
import torch

from hanet_mm import Refiner
from hanet_mm.apis import refine_file
from hanet_mm.core.data.sequences import (
    PoseSequences,
    load_pose_sequences,
    save_pose_sequences,
)

FRAMES = 8


def make_refiner(joints, dims, normalization, root=None):
    torch.manual_seed(0)
    shape = dict(num_keypoints=joints, coord_dims=dims, embed_dims=16)
    return Refiner(
        dict(
            backbone=dict(shape, num_levels=2),
            head=dict(shape, num_layers=1),
            sample_interval=2,
        ),
        window_size=5,
        normalization=normalization,
        root=root,
    )


def rotations():
    return make_refiner(24, 6, 'rot6d')


def joints_file(path, units, factor):
    rng = np.random.default_rng(0)
    points = rng.normal(0, 0.4, (1, 5, 3)) + rng.normal(
        0, 0.01, (FRAMES, 5, 3)
    )
    save_pose_sequences(
        path,
        PoseSequences(
            keypoints_est=points * factor,
            scores=np.ones((FRAMES, 5)),
            seq_len=[FRAMES],
            seq_name=['walk'],
            meta=dict(units=units),
            extras=dict(transl_est=np.ones((FRAMES, 3))),
        ),
    )
    return path


def test_millimetres_go_in_and_come_out(tmp_path):
    refiner = make_refiner(5, 3, 'root', [0])
    out = {}
    for unit, factor in (('m', 1), ('mm', 1000)):
        source = joints_file(tmp_path / f'{unit}.npz', unit, factor)
        refine_file(source, tmp_path / 'out.npz', refiner)
        result = load_pose_sequences(tmp_path / 'out.npz')
        assert result.meta['units'] == unit
        assert (result.extras['transl_est'] == 1).all()
        out[unit] = result.keypoints_est
        given = load_pose_sequences(source).keypoints_est
        assert np.abs(result.keypoints_est - given).max() > 1e-3 * factor
    np.testing.assert_allclose(out['mm'], out['m'] * 1000, atol=0.01)


def test_undeclared_millimetres_are_refused(tmp_path):
    refiner = make_refiner(5, 3, 'root', [0])
    source = joints_file(tmp_path / 'a.npz', 'mysterious', 1000)
    with pytest.raises(ValueError, match=r"a\.npz: .*to be in 'mm'"):
        refine_file(source, tmp_path / 'out.npz', refiner)
    assert not (tmp_path / 'out.npz').exists()


@pytest.mark.parametrize('key', ['pose', 'poses', 'smpl_poses'])
@pytest.mark.parametrize('shape', [(FRAMES, 72), (FRAMES, 24, 3)])
def test_smpl_poses_are_refined_and_the_rest_passes_through(
    tmp_path, key, shape
):
    rng = np.random.default_rng(1)
    poses = rng.normal(0, 0.3, shape).astype(np.float32)
    rest = dict(
        betas=rng.normal(0, 1, (FRAMES, 10)),
        expression=rng.normal(0, 1, (FRAMES, 3)),
        gender=np.array('neutral'),
    )
    source, out = tmp_path / 'smpl.npz', tmp_path / 'out.npz'
    np.savez(source, **{key: poses}, **rest)
    refine_file(source, out, rotations())
    with np.load(out) as result:
        assert result[key].shape == shape
        assert np.abs(result[key] - poses).max() > 0.01
        np.testing.assert_array_equal(result[f'{key}_input'], poses)
        for name, value in rest.items():
            np.testing.assert_array_equal(result[name], value)
        direct = rotations().refine(poses.reshape(FRAMES, 24, 3))
        np.testing.assert_array_equal(
            result[key].reshape(FRAMES, 24, 3), direct.keypoints
        )


@pytest.mark.parametrize(
    ('poses', 'message'),
    [
        (np.zeros((FRAMES, 71)), r'smpl\.npz: poses: .*\(8, 71\)'),
        (np.zeros((FRAMES, 156)), r'smpl\.npz: poses: .*24, 3 or 6'),
        (np.zeros((0, 72)), r'smpl\.npz: poses'),
        (np.full((FRAMES, 72), np.nan), r'smpl\.npz: poses: all'),
        (np.array(['a'] * FRAMES), r'smpl\.npz: poses: expected rotations'),
    ],
)
def test_bad_smpl_poses(tmp_path, poses, message):
    source = tmp_path / 'smpl.npz'
    np.savez(source, poses=poses)
    with pytest.raises(ValueError, match=message):
        refine_file(source, tmp_path / 'out.npz', rotations())


def test_flat_axis_angles_stay_axis_angles(tmp_path):
    vectors = np.random.default_rng(1).normal(0, 0.3, (FRAMES, 24, 3))
    source, out = tmp_path / 'flat.npz', tmp_path / 'out.npz'
    save_pose_sequences(
        source,
        PoseSequences(
            keypoints_est=vectors,
            scores=np.ones((FRAMES, 24)),
            seq_len=[FRAMES],
            seq_name=['dance'],
            meta=dict(units='axis-angle'),
            extras=dict(betas_est=np.ones((FRAMES, 10))),
        ),
    )
    refine_file(source, out, rotations())
    result = load_pose_sequences(out)
    assert result.keypoints_est.shape == (FRAMES, 24, 3)
    assert result.meta['units'] == 'axis-angle'
    assert (result.extras['betas_est'] == 1).all()
