# Copyright (c) hanet_mm contributors. All rights reserved.
"""The loss on joints and vertices of SMPL rotations."""

import numpy as np
import pytest
import torch
from mmpose.registry import MODELS
from oracles.plain_smpl import LSP14, plain_smpl, random_smpl

import hanet_mm.models.body_models  # noqa: F401
from hanet_mm.core.poses.rotations import axis_angle_to_rot6d
from hanet_mm.models.losses import smpl_loss

pytestmark = pytest.mark.mm

N = 2


@pytest.fixture
def smpl(tmp_path):
    pytest.importorskip('smplx', reason='needs the extra "smpl"')
    np.savez(tmp_path / 'SMPL.npz', **random_smpl())
    return dict(type='SMPLBodyModel', model_path=str(tmp_path / 'SMPL.npz'))


def build(body_model=None, **kwargs):
    body_model = body_model or dict(type='SkeletonBodyModel')
    return MODELS.build(dict(type='SMPLLoss', body_model=body_model, **kwargs))


def batch(seed=0, size=2, frames=5):
    """final, refined, target and weights of small movements."""
    generator = torch.Generator().manual_seed(seed)
    vectors = torch.randn(2, size, frames, 24, 3, generator=generator)
    final, target = axis_angle_to_rot6d(0.4 * vectors)
    weights = torch.ones(size, frames, 24)
    return final, final[:, ::N].clone(), target, weights


def plain_matrices(form):
    """Rotations (24, 3, 3) of forms that are orthonormal already."""
    first, second = form.double().numpy().reshape(24, 3, 2).transpose(2, 0, 1)
    return np.stack([first, second, np.cross(first, second)], -1)


def test_is_the_mean_distance_of_plain_bodies(smpl):
    """On joints relative to the hips, and on vertices as they lie."""
    final, refined, target, weights = batch()
    losses = build(smpl)(final, refined, target, weights, N)
    arrays = random_smpl()
    of_joints, of_vertices = [], []
    for pair in zip(final.flatten(0, 1), target.flatten(0, 1)):
        bodies = [plain_smpl(arrays, plain_matrices(form)) for form in pair]
        joints = [body[0][LSP14] for body in bodies]
        joints = [x - (x[2] + x[3]) / 2 for x in joints]
        of_joints.append(np.abs(joints[0] - joints[1]).mean())
        of_vertices.append(np.abs(bodies[0][1] - bodies[1][1]).mean())
    assert losses['loss_joints'] == pytest.approx(np.mean(of_joints), 1e-4)
    assert losses['loss_vertices'] == pytest.approx(np.mean(of_vertices), 1e-4)


def test_closed_form_of_a_turned_elbow():
    """A forearm of 0.25 m turned by a right angle, one of five frames."""
    vectors = torch.zeros(2, 1, 5, 24, 3)
    vectors[0, 0, 3, 18, 1] = torch.pi / 2
    final, target = axis_angle_to_rot6d(vectors)
    loss = build(vertex_weight=0, joint_weight=2.0)
    losses = loss(final, target[:, ::N], target, torch.ones(1, 5, 24), N)
    # The wrist is off by 0.25 m along x and along z.
    expected = 2 * (0.25 + 0.25) / (5 * 14 * 3)
    assert losses['loss_joints'] == pytest.approx(expected, 1e-5)
    assert 'loss_vertices' not in losses


def test_weights_are_factors(smpl):
    one = build(smpl)(*batch(), N)
    other = build(smpl, joint_weight=3.0, vertex_weight=0.5)(*batch(), N)
    torch.testing.assert_close(other['loss_joints'], 3 * one['loss_joints'])
    torch.testing.assert_close(
        other['loss_vertices'], 0.5 * one['loss_vertices']
    )


@pytest.mark.parametrize('kind', ['OMLLoss', 'PublishedHANetLoss'])
def test_the_pose_loss_is_added_as_it_is(kind):
    losses = build(pose_loss=dict(type=kind), vertex_weight=0)(*batch(), N)
    alone = MODELS.build(dict(type=kind))(*batch(), N)
    assert set(losses) == {*alone, 'loss_joints'}
    for name, value in alone.items():
        torch.testing.assert_close(losses[name], value)


def test_oml_is_the_default():
    losses = build(vertex_weight=0)(*batch(), N)
    assert {'loss_refined', 'loss_final', 'loss_mutual'} < set(losses)


def test_the_truth_costs_nothing(smpl):
    _, _, target, weights = batch()
    losses = build(smpl)(target, target[:, ::N], target, weights, N)
    assert all(abs(value) < 1e-6 for value in losses.values())


def test_frames_with_a_missing_rotation_do_not_count():
    final, refined, target, weights = batch()
    kept = weights.clone()
    weights[0, 1, 7] = 0
    weights[1, 4] = 0
    expected = []
    loss = build(vertex_weight=0)
    for row, frame in np.argwhere(weights.min(-1).values.numpy() > 0):
        one = np.s_[row : row + 1, frame : frame + 1]
        args = final[one], final[one], target[one], kept[one]
        expected.append(loss(*args, 1)['loss_joints'])
    assert len(expected) == 8
    target[weights == 0] = float('nan')
    final.requires_grad_()
    losses = loss(final, refined, target, weights, N)
    torch.testing.assert_close(losses['loss_joints'], sum(expected) / 8)
    losses['loss_joints'].backward()
    assert final.grad.isfinite().all()
    assert (final.grad[0, 1] == 0).all()
    assert (final.grad[1, 4] == 0).all()


def test_nothing_visible_is_a_finite_zero(smpl):
    final, refined, target, weights = batch()
    target = torch.full_like(target, float('nan'))
    final.requires_grad_()
    losses = build(smpl)(final, refined, target, 0 * weights, N)
    assert losses['loss_joints'] == losses['loss_vertices'] == 0
    sum(losses.values()).backward()
    assert (final.grad == 0).all()


def test_chunks_change_neither_value_nor_gradient(smpl, monkeypatch):
    results = []
    for size in (64, 3):
        monkeypatch.setattr(smpl_loss, '_CHUNK_FRAMES', size)
        final, *others = batch()
        final.requires_grad_()
        losses = build(smpl)(final, *others, N)
        (losses['loss_joints'] + losses['loss_vertices']).backward()
        results.append((losses, final.grad))
    torch.testing.assert_close(*results)


def test_vertices_reach_every_rotation(smpl):
    final, *others = batch()
    final.requires_grad_()
    build(smpl)(final, *others, N)['loss_vertices'].backward()
    assert (final.grad.abs().sum(-1) > 0).all()


def test_half_precision_around_it_is_not_taken_over():
    expected = build(vertex_weight=0)(*batch(), N)['loss_joints']
    with torch.autocast('cpu', torch.bfloat16):
        loss = build(vertex_weight=0)(*batch(), N)['loss_joints']
    torch.testing.assert_close(loss, expected, rtol=1e-6, atol=0)


def test_no_body_in_the_checkpoint(smpl):
    assert not build(smpl).state_dict()


def test_vertices_of_a_body_that_has_none():
    with pytest.raises(ValueError, match='SkeletonBodyModel has no vertices'):
        build()
