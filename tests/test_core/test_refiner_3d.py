# Copyright (c) hanet_mm contributors. All rights reserved.
"""Refiners of 3D joints and of SMPL rotations."""

import numpy as np
import pytest
import torch
from scipy.spatial.transform import Rotation

from hanet_mm import Refiner, load_refiner
from hanet_mm.core.nn.network import HANetNetwork
from hanet_mm.core.refine.inference import refine_sequences
from hanet_mm.core.refine.normalization import finish_poses, fit_normalization

PERSON = np.array([[0, 1.7, 0], [0, 0.9, 0], [-0.2, 0, 0], [0.2, 0, 0]])


def make_refiner(joints, dims, normalization, idle=False, interval=2, **args):
    torch.manual_seed(0)
    shape = dict(num_keypoints=joints, coord_dims=dims, embed_dims=16)
    refiner = Refiner(
        dict(
            backbone=dict(shape, num_levels=2),
            head=dict(shape, num_layers=1),
            sample_interval=interval,
        ),
        window_size=5,
        normalization=normalization,
        **args,
    )
    if idle:  # adds nothing: what comes back went through everything else
        for layer in (
            refiner.network.head.refine,
            refiner.network.head.output,
        ):
            torch.nn.init.zeros_(layer.weight)
            torch.nn.init.zeros_(layer.bias)
    return refiner


def walk(frames, seed=0):
    rng = np.random.default_rng(seed)
    steps = rng.normal(0, 0.01, (frames, len(PERSON), 3)).cumsum(0)
    return (PERSON + steps).astype(np.float32)


def root_refiner(**args):
    return make_refiner(4, 3, 'root', root=[2, 3], **args)


def test_root_normalisation_is_blind_to_the_place_of_the_root():
    poses = walk(12)
    path = np.random.default_rng(1).normal(0, 3, (12, 1, 3))
    here = root_refiner().refine(poses).keypoints
    there = root_refiner().refine((poses + path).astype(np.float32)).keypoints
    np.testing.assert_allclose(there, here + path, atol=1e-5)
    assert np.abs(here - poses).max() > 0.01  # it did something


def test_root_normalisation_by_hand():
    poses = torch.from_numpy(walk(3))[None]
    affine = fit_normalization(
        'root', poses, torch.ones(1, 3, 4).bool(), root=(2, 3)
    )
    expected = poses - (poses[:, :, 2:3] + poses[:, :, 3:4]) / 2
    assert torch.equal(affine.encode(poses), expected)
    torch.testing.assert_close(affine.decode(expected), poses)


@pytest.mark.parametrize(
    ('normalization', 'root'), [('root', None), ('root', []), ('box', [0])]
)
def test_root_joints_go_with_root_normalisation(normalization, root):
    with pytest.raises(ValueError, match="'root'"):
        make_refiner(4, 3, normalization, root=root)


def test_millimetres_are_refused_by_name():
    with pytest.raises(ValueError, match=r"sequence 1.*in 'mm'"):
        root_refiner().refine([walk(6), walk(6) * 1000])


def test_root_survives_the_portable_file(tmp_path):
    refiner = root_refiner()
    refiner.save(tmp_path / 'a.safetensors')
    loaded = load_refiner(tmp_path / 'a.safetensors')
    assert loaded.root == [2, 3]
    np.testing.assert_array_equal(
        loaded.refine(walk(7)).keypoints, refiner.refine(walk(7)).keypoints
    )


def turning(frames, joints=3):
    """Rotation vectors; joint 0 turns steadily through the half turn."""
    vectors = np.random.default_rng(0).normal(0, 0.5, (frames, joints, 3))
    angles = np.linspace(np.pi - 0.4, np.pi + 0.4, frames)
    axis = np.array([0, 0.6, 0.8])
    turn = Rotation.from_rotvec(angles[:, None] * axis)
    vectors[:, 0] = turn.as_rotvec()  # jumps to the other side at pi
    return vectors


def matrices(vectors):
    shape = np.shape(vectors)[:-1]
    flat = np.asarray(vectors, float).reshape(-1, 3)
    return Rotation.from_rotvec(flat).as_matrix().reshape(*shape, 3, 3)


@pytest.mark.parametrize('form', ['(T, K, 3)', '(T, 3K)', '(T, 6K)', '6D'])
@pytest.mark.parametrize('kind', ['numpy', 'torch'])
def test_rotations_come_back_as_they_were_given(form, kind):
    vectors = turning(9)
    sixd = matrices(vectors)[..., :2].reshape(9, 3, 6)
    given = {
        '(T, K, 3)': vectors,
        '(T, 3K)': vectors.reshape(9, 9),
        '(T, 6K)': sixd.reshape(9, 18),
        '6D': sixd,
    }[form]
    if kind == 'torch':
        given = torch.from_numpy(given)
    refiner = make_refiner(3, 6, 'rot6d', idle=True, interval=1)
    result = refiner.refine(given).keypoints
    assert type(result) is type(given)
    assert result.shape == given.shape
    assert result.dtype == given.dtype
    result = np.asarray(result).reshape(9, 3, -1)
    if result.shape[-1] == 3:
        np.testing.assert_allclose(
            matrices(result), matrices(vectors), atol=2e-6
        )
    else:
        np.testing.assert_allclose(result, sixd, atol=2e-6)


def test_axis_angles_are_continuous_over_the_half_turn():
    vectors = turning(21)
    assert np.abs(np.diff(vectors[:, 0], axis=0)).max() > 3  # the jump
    refiner = make_refiner(3, 6, 'rot6d', idle=True, interval=1)
    result = refiner.refine(vectors).keypoints
    steps = np.linalg.norm(np.diff(result[:, 0], axis=0), axis=-1)
    np.testing.assert_allclose(steps, 0.04, atol=1e-5)


def test_refined_rotations_are_rotations():
    refiner = make_refiner(3, 6, 'rot6d')
    sixd = matrices(turning(20))[..., :2].reshape(20, 3, 6)
    noisy = sixd + np.random.default_rng(2).normal(0, 0.2, sixd.shape)
    noisy[5] = np.nan
    result = refiner.refine(noisy)
    columns = result.keypoints.reshape(20, 3, 3, 2)
    gram = np.einsum('tkij,tkil->tkjl', columns, columns)
    np.testing.assert_allclose(
        gram, np.broadcast_to(np.eye(2), gram.shape), atol=1e-5
    )
    assert result.filled[5].all()
    assert result.filled.sum() == 3


def test_rotations_do_not_depend_on_how_they_are_written():
    # The same rotation as a vector longer by a full turn.
    vectors = turning(10)
    norm = np.linalg.norm(vectors, axis=-1, keepdims=True)
    longer = vectors * (1 + 2 * np.pi / norm)
    refiner = make_refiner(3, 6, 'rot6d')
    one = refiner.refine(matrices(vectors)[..., :2].reshape(10, 3, 6))
    two = refiner.refine(longer)
    np.testing.assert_allclose(
        matrices(two.keypoints)[..., :2].reshape(10, 3, 6),
        one.keypoints,
        atol=1e-5,
    )


def test_wrong_number_of_joints():
    with pytest.raises(ValueError, match='expected shape'):
        make_refiner(24, 6, 'rot6d').refine(np.zeros((4, 66)))
    poses, valid = torch.zeros(1, 4, 24, 3), torch.ones(1, 4, 24).bool()
    with pytest.raises(ValueError, match='6 coordinates'):
        fit_normalization('rot6d', poses, valid)


def test_only_rotations_are_finished():
    poses = torch.randn(2, 3, 6)
    assert finish_poses('box', poses) is poses
    assert not torch.allclose(finish_poses('rot6d', poses), poses)


def test_a_sequence_never_seen_stays_unknown():
    shape = dict(num_keypoints=4, coord_dims=3, embed_dims=16)
    network = HANetNetwork(
        backbone=dict(shape, num_levels=1),
        head=dict(shape, num_layers=1),
        sample_interval=2,
    ).eval()
    poses = [torch.from_numpy(walk(6)), torch.zeros(4, 4, 3)]
    valid = [torch.ones(6, 4).bool(), torch.zeros(4, 4).bool()]
    seen, unseen = refine_sequences(
        network, poses, valid, window=5, stride=1, normalization='none'
    )
    assert seen.keypoints.isfinite().all()
    assert unseen.keypoints.isnan().all()
