# Copyright (c) hanet_mm contributors. All rights reserved.
"""Coordinate systems of the network."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from hanet_mm.core.refine.normalization import fit_normalization


def windows(seed=0, batch=3, dims=2):
    generator = torch.Generator().manual_seed(seed)
    return 40 * torch.randn(batch, 11, 15, dims, generator=generator) + 300


def seen(poses):
    return torch.ones(poses.shape[:3], dtype=torch.bool)


def test_image_divides_by_width_and_height():
    poses = torch.tensor([64.0, 120.0]).expand(1, 11, 15, 2)
    size = torch.tensor([[320.0, 240.0]])
    affine = fit_normalization('image', poses, seen(poses), size)
    expected = torch.tensor([0.2, 0.5]).expand(1, 11, 15, 2)
    torch.testing.assert_close(affine.encode(poses), expected)


def test_box_of_a_resting_person():
    # A person 20 wide and 80 high around (100, 50).
    pose = torch.tensor([[90.0, 10.0], [110.0, 90.0], [95.0, 40.0]])
    poses = pose.expand(1, 11, 3, 2)
    affine = fit_normalization('box', poses, seen(poses))
    assert affine.center.flatten().tolist() == [100, 50]
    assert affine.scale.item() == 80


def test_box_ignores_outliers_and_missing_keypoints():
    pose = torch.tensor([[90.0, 10.0], [110.0, 90.0], [95.0, 40.0]])
    poses = pose.repeat(1, 11, 1, 1)
    valid = seen(poses)
    poses[0, :5, 0] = 1e4  # wrong in 5 of 11 frames
    poses[0, :, 2] = -1e4  # never found
    valid[0, :, 2] = False
    poses[0, 3:9, 1] = 1e4  # not found where it is wrong
    valid[0, 3:9, 1] = False
    affine = fit_normalization('box', poses, valid)
    assert affine.center.flatten().tolist() == [100, 50]
    assert affine.scale.item() == 80


@settings(max_examples=25, deadline=None)
@given(st.floats(0.05, 20), st.floats(-1000, 1000), st.floats(-1000, 1000))
def test_box_does_not_depend_on_place_and_size(scale, dx, dy):
    poses = windows()
    moved = poses * scale + torch.tensor([dx, dy])
    one, two = (
        fit_normalization('box', x, seen(x)).encode(x) for x in (poses, moved)
    )
    torch.testing.assert_close(one, two, rtol=0, atol=2e-3)


@pytest.mark.parametrize('name', ['none', 'image', 'box'])
def test_round_trip(name):
    poses = windows()
    size = torch.tensor([[640.0, 480.0]] * 3)
    affine = fit_normalization(name, poses, seen(poses), size)
    error = affine.decode(affine.encode(poses)) - poses
    assert error.abs().max() < 1e-4


def test_windows_do_not_depend_on_each_other():
    poses = windows()
    together = fit_normalization('box', poses, seen(poses)).encode(poses)
    for i in range(3):
        one = poses[i : i + 1]
        alone = fit_normalization('box', one, seen(one)).encode(one)
        torch.testing.assert_close(alone[0], together[i])


def test_box_works_in_three_dimensions():
    poses = windows(dims=3)
    affine = fit_normalization('box', poses, seen(poses))
    assert affine.center.shape == (3, 1, 1, 3)


def test_nothing_seen_and_a_single_point_stay_finite():
    poses = torch.full((2, 11, 1, 2), 7.0)
    valid = seen(poses)
    valid[0] = False
    encoded = fit_normalization('box', poses, valid).encode(poses)
    assert encoded.abs().max() == 0


@pytest.mark.parametrize(
    ('name', 'dims', 'message'),
    [
        ('image', 2, 'needs image_size'),
        ('person', 2, "'person'"),
    ],
)
def test_what_cannot_be_done(name, dims, message):
    poses = windows(dims=dims)
    with pytest.raises(ValueError, match=message):
        fit_normalization(name, poses, seen(poses))


def test_image_is_for_two_coordinates():
    poses = windows(dims=3)
    with pytest.raises(ValueError, match='2 coordinates, got 3'):
        fit_normalization('image', poses, seen(poses), torch.ones(3, 2))
