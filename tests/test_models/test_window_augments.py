# Copyright (c) hanet_mm contributors. All rights reserved.
"""Augmentations of training batches against their definitions."""

import numpy as np
import pytest
import torch
from mmpose.registry import KEYPOINT_CODECS
from window_batches import B, K, T, augment, build, make_batch

import hanet_mm  # noqa: F401

pytestmark = pytest.mark.mm


FLIP = [1, 0, 3, 2]


def same(batch, other, **tolerance):
    for one, two in zip(batch, other):
        if one is None and two is None:
            continue
        torch.testing.assert_close(one, two, **tolerance)


ALL = [
    ('ExchangeErrors', dict(window_prob=0.4, joint_prob=0.4)),
    ('RandomSpeed', dict(prob=0.5, speed_range=(0.6, 1.5))),
    ('RandomWindowFlip', dict(flip_indices=FLIP)),
    ('RandomTimeReversal', {}),
    ('RandomRotateScale', dict(max_angle=20.0, scale_range=(0.8, 1.2))),
    ('RefitBox', {}),
]


@pytest.mark.parametrize(('kind', 'options'), ALL)
@pytest.mark.parametrize('dims', [2, 3])
def test_random_numbers_are_those_of_torch(kind, options, dims):
    batch = make_batch(dims=dims)
    result = augment(kind, batch, seed=3, **options)
    same(result, augment(kind, batch, seed=3, **options), rtol=0, atol=0)
    assert any((x != y).any() for x, y in zip(result[:4], batch[:4]))
    if kind != 'RefitBox':
        other = augment(kind, batch, seed=4, **options)
        assert any((x != y).any() for x, y in zip(result, other))


@pytest.mark.parametrize(
    ('kind', 'options'),
    [
        ('ExchangeErrors', dict(window_prob=0.0, joint_prob=0.0)),
        ('RandomSpeed', dict(prob=0.0, speed_range=(0.5, 2.0))),
        ('RandomWindowFlip', dict(flip_indices=FLIP, prob=0.0)),
        ('RandomTimeReversal', dict(prob=0.0)),
        ('RandomRotateScale', dict(max_angle=0.0, scale_range=(1.0, 1.0))),
    ],
)
def test_nothing_is_done_at_probability_zero(kind, options):
    batch = make_batch()
    same(augment(kind, batch, **options), batch)


def sources(batch, result, joint):
    """Of which window the errors of a joint are, by comparing all."""
    errors = (result.poses - result.target)[:, :, joint]
    known = result.weights[:, :, joint, None] > 0
    old = (batch.poses - batch.target)[:, :, joint]
    # (to, from)
    differ = (errors[:, None] - old[None]).abs() * known[:, None]
    fits = differ.amax((2, 3)) < 1e-5
    assert (fits.sum(1) == 1).all()
    return fits.float().argmax(1)


@pytest.mark.parametrize('how', ['window', 'joint'])
def test_errors_are_those_of_other_windows(how):
    batch = make_batch()
    options = dict(window_prob=0.0, joint_prob=0.0)
    options[f'{how}_prob'] = 1.0
    result = augment('ExchangeErrors', batch, **options)
    torch.testing.assert_close(result.target, batch.target, rtol=0, atol=0)
    found = torch.stack([sources(batch, result, k) for k in range(K)], 1)
    assert (found != torch.arange(B)[:, None]).any()
    together = (found == found[:, :1]).all()
    assert together == (how == 'window')
    for b in range(B):
        for k in range(K):
            source = found[b, k]
            # The score goes with its error; what is missing stays missing.
            expected = batch.scores[source, :, k] * (batch.scores[b, :, k] > 0)
            if source == b:
                expected = batch.scores[b, :, k]
            torch.testing.assert_close(result.scores[b, :, k], expected)
            both = batch.weights[b, :, k] * batch.weights[source, :, k]
            torch.testing.assert_close(result.weights[b, :, k], both)


def test_an_unknown_error_is_not_passed_on():
    batch = make_batch()
    batch.poses[batch.weights == 0] = 1e6
    result = augment('ExchangeErrors', batch, window_prob=1.0, joint_prob=0.0)
    moved = (result.poses != batch.poses).any(-1).any(1).any(1)
    assert moved.any()
    assert result.poses[moved].abs().max() < 100


def test_how_often_errors_are_exchanged():
    batch = make_batch(count=4000, frames=3)
    batch = batch._replace(weights=torch.ones_like(batch.weights))
    result = augment('ExchangeErrors', batch, window_prob=0.3, joint_prob=0.5)
    errors = batch.poses - batch.target
    changed = result.poses - result.target - errors
    changed = (changed.abs().amax((1, 3)) > 1e-5).float().mean()
    assert changed.item() == pytest.approx(0.8, abs=0.03)


def constant_speed(count=B, frames=T):
    """Truth that moves by (1, -2) a frame, all known."""
    batch = make_batch(count, frames)
    place = torch.arange(float(frames))[:, None, None]
    target = (place * torch.tensor([1.0, -2])).expand(count, -1, K, -1)
    errors = batch.poses - batch.target
    return batch._replace(
        poses=target + errors,
        target=target.clone(),
        weights=torch.ones_like(batch.weights),
    )


@pytest.mark.parametrize('speed', [0.5, 0.8, 1.0, 1.5])
def test_speed_of_a_constant_motion(speed):
    batch = constant_speed()
    result = augment(
        'RandomSpeed', batch, prob=1.0, speed_range=(speed, speed)
    )
    place = speed * np.arange(T)
    # Beyond the last frame it runs backward.
    place = np.where(place > T - 1, 2 * (T - 1) - place, place)
    expected = place[:, None] * np.array([1, -2])
    for k in range(K):
        np.testing.assert_allclose(
            result.target[:, :, k],
            np.broadcast_to(expected, (B, T, 2)),
            atol=1e-4,
        )
    torch.testing.assert_close(
        result.poses - result.target, batch.poses - batch.target
    )
    torch.testing.assert_close(result.scores, batch.scores)
    torch.testing.assert_close(result.weights, batch.weights)


def test_the_motion_turns_where_the_truth_ends():
    batch = constant_speed(count=1)
    batch.weights[:, 6:] = 0  # as the padding of a short sequence
    result = augment('RandomSpeed', batch, prob=1.0, speed_range=(2.0, 2.0))
    # Frames 0, 2, 4, then 6 -> 4 and 8 -> 2 mirrored about frame 5.
    place = result.target[0, :5, 0, 0]
    torch.testing.assert_close(place, torch.tensor([0.0, 2, 4, 4, 2]))
    assert (result.weights[0, 6:] == 0).all()
    assert (result.weights[0, :6] == 1).all()


def test_interpolated_truth_needs_both_neighbours():
    batch = constant_speed(count=1)
    batch.weights[0, 2, 0] = 0
    result = augment('RandomSpeed', batch, prob=1.0, speed_range=(0.5, 0.5))
    # Frames 0, 0.5, ..., 4: those within 1 of frame 2 are unknown, and
    # frame 2, of which the estimate may have been missing, stays out.
    expected = torch.tensor([1.0, 1, 0, 0, 0, 0, 1, 1, 1])
    torch.testing.assert_close(result.weights[0, :, 0], expected)
    torch.testing.assert_close(result.weights[0, :, 1], torch.ones(T))


def test_speeds_are_drawn_from_their_range():
    batch = constant_speed(count=2000, frames=3)
    result = augment('RandomSpeed', batch, prob=0.5, speed_range=(0.5, 1.0))
    speed = result.target[:, 1, 0, 0]
    assert (speed == 1).float().mean().item() == pytest.approx(0.5, abs=0.05)
    drawn = speed[speed != 1]
    assert 0.5 <= drawn.min() < 0.52
    assert 0.98 < drawn.max() <= 1
    # Log-uniform: the median is the geometric mean.
    assert drawn.median().item() == pytest.approx(0.5**0.5, abs=0.03)


def test_flip_mirrors_and_changes_sides():
    batch = make_batch(dims=3)
    result = augment('RandomWindowFlip', batch, flip_indices=FLIP, prob=1.0)
    for k, other in enumerate(FLIP):
        for new, old in (
            (result.poses, batch.poses),
            (result.target, batch.target),
        ):
            torch.testing.assert_close(new[:, :, k, 0], -old[:, :, other, 0])
            torch.testing.assert_close(new[:, :, k, 1:], old[:, :, other, 1:])
        torch.testing.assert_close(
            result.scores[:, :, k], batch.scores[:, :, other]
        )
        torch.testing.assert_close(
            result.weights[:, :, k], batch.weights[:, :, other]
        )
    again = augment('RandomWindowFlip', result, flip_indices=FLIP, prob=1.0)
    same(again, batch, rtol=0, atol=0)


def test_reversal_is_undone_by_itself():
    batch = make_batch()
    result = augment('RandomTimeReversal', batch, prob=1.0)
    for new, old in zip(result[:4], batch[:4]):
        for t in range(T):
            torch.testing.assert_close(new[:, t], old[:, T - 1 - t])
    again = augment('RandomTimeReversal', result, prob=1.0)
    same(again, batch, rtol=0, atol=0)


@pytest.mark.parametrize('kind', ['RandomWindowFlip', 'RandomTimeReversal'])
def test_whole_windows_are_drawn(kind):
    batch = make_batch(count=1000)
    options = dict(flip_indices=FLIP) if 'Flip' in kind else {}
    result = augment(kind, batch, prob=0.3, **options)
    whole = augment(kind, batch, prob=1.0, **options)
    done = torch.stack(
        [
            (new == all_).flatten(1).all(1)
            for new, all_ in zip(result[:4], whole[:4])
        ]
    )
    left = torch.stack(
        [
            (new == old).flatten(1).all(1)
            for new, old in zip(result[:4], batch[:4])
        ]
    )
    assert (done.all(0) ^ left.all(0)).all()
    share = done.all(0).float().mean().item()
    assert share == pytest.approx(0.3, abs=0.05)


def distances(poses):
    return (poses[:, :, :, None] - poses[:, :, None]).norm(dim=-1)


def test_rotation_keeps_distances():
    batch = make_batch(count=500, dims=3)
    result = augment(
        'RandomRotateScale', batch, max_angle=30.0, scale_range=(1.0, 1.0)
    )
    torch.testing.assert_close(
        distances(result.poses), distances(batch.poses), rtol=0, atol=1e-4
    )
    errors = [(x.poses - x.target).norm(dim=-1) for x in (result, batch)]
    torch.testing.assert_close(*errors, rtol=0, atol=1e-4)
    torch.testing.assert_close(result.poses[..., 2], batch.poses[..., 2])
    old, new = (x.poses[:, 0, 0, :2].numpy() for x in (batch, result))
    angle = np.arctan2(*new.T[::-1]) - np.arctan2(*old.T[::-1])
    angle = np.rad2deg((angle + np.pi) % (2 * np.pi) - np.pi)
    assert np.abs(angle).max() <= 30.01
    assert angle.min() < -28
    assert angle.max() > 28


def test_stretch_along_the_axes():
    batch = make_batch(count=500)
    result = augment(
        'RandomRotateScale', batch, max_angle=0.0, scale_range=(0.8, 1.2)
    )
    factor = result.poses / batch.poses
    torch.testing.assert_close(
        factor, factor[:, :1, :1].expand_as(factor), rtol=1e-3, atol=0
    )
    torch.testing.assert_close(
        result.target, batch.target * factor[:, :1, :1], rtol=1e-3, atol=1e-5
    )
    factor = factor[:, 0, 0]
    assert (factor[:, 0] - factor[:, 1]).abs().max() > 0.2
    assert 0.799 < factor.min() < 0.81
    assert 1.19 < factor.max() < 1.201


def with_path(batch):
    """The truth as the path, a length in either other field."""
    length = torch.full_like(batch.scores, 0.5)
    return batch._replace(
        path=batch.target.clone(), noise=length, allowance=2 * length
    )


@pytest.mark.parametrize(('kind', 'options'), ALL[2:])
def test_path_goes_where_the_truth_goes(kind, options):
    batch = with_path(make_batch())
    if kind == 'DropKeypoints':
        batch = batch._replace(path=batch.poses.clone())
    result = augment(kind, batch, **options)
    wanted = result.poses if kind == 'DropKeypoints' else result.target
    torch.testing.assert_close(result.path, wanted)
    plain = augment(kind, batch._replace(path=None), **options)
    torch.testing.assert_close(plain.poses, result.poses)


def test_lengths_follow_the_scale():
    batch = with_path(make_batch())
    stretched = augment(
        'RandomRotateScale', batch, max_angle=0.0, scale_range=(3.0, 3.0)
    )
    torch.testing.assert_close(stretched.noise, 3 * batch.noise)
    refitted = augment('RefitBox', stretched)
    moved = refitted.path[:, 1:] - refitted.path[:, :1]
    before = stretched.path[:, 1:] - stretched.path[:, :1]
    ratio = (moved.norm(dim=-1) / before.norm(dim=-1)).mean((1, 2))
    torch.testing.assert_close(
        refitted.allowance, stretched.allowance * ratio[:, None, None]
    )


@pytest.mark.parametrize(('kind', 'options'), ALL[:2])
def test_measured_errors_are_not_changed(kind, options):
    with pytest.raises(ValueError, match=f'{kind} changes the errors'):
        build(kind, **options)(with_path(make_batch()))


def test_refitted_box_is_that_of_the_codec():
    batch = make_batch()
    moved = batch._replace(
        poses=3 * batch.poses + 5, target=3 * batch.target + 5
    )
    result = augment('RefitBox', moved)
    codec = KEYPOINT_CODECS.build(
        dict(type='PoseSequenceCodec', normalization='box')
    )
    for b in range(B):
        encoded = codec.encode(
            moved.poses[b].numpy(),
            keypoints_gt=moved.target[b].numpy(),
            keypoints_valid=moved.scores[b].numpy() > 0,
        )
        for new, key in (
            (result.poses, 'keypoint_inputs'),
            (result.target, 'keypoint_labels'),
        ):
            np.testing.assert_allclose(new[b], encoded[key], atol=1e-5)
