# Copyright (c) hanet_mm contributors. All rights reserved.
"""Each component of Tables 4 and 5 is one argument that does what it says."""

import pytest
import torch

from hanet_mm.core.nn.decoder import ChannelAffine
from hanet_mm.core.nn.kinematics import compute_kinematics, past_acceleration
from hanet_mm.core.nn.layers import Attention
from hanet_mm.core.nn.network import HANetNetwork

K, D, H = 5, 2, 16
C = K * D


def build(levels=3, backbone=None, head=None):
    torch.manual_seed(0)
    shared = dict(num_keypoints=K, coord_dims=D, embed_dims=H)
    return HANetNetwork(
        dict(shared, num_levels=levels, **(backbone or {})),
        dict(shared, num_layers=levels, **(head or {})),
        sample_interval=5,
    ).eval()


def shapes(network):
    return {name: p.shape for name, p in network.named_parameters()}


def changed(network, other):
    one, two = shapes(network), shapes(other)
    return {
        name
        for name in one.keys() | two.keys()
        if one.get(name) != two.get(name)
    }


def reads_output(network, frames_of):
    """Largest change of the final poses when ``frames_of`` is edited."""
    poses = torch.randn(1, 11, K, D)
    edited = frames_of(poses.clone())
    with torch.no_grad():
        return (network(poses).final - network(edited).final).abs().max()


def move_neighbours(poses):
    # Frame 6 is only the next neighbour of the sampled frame 5; frame 4 the
    # previous one. Both moved alike leave flow differences to the rest.
    poses[:, 4] += 1
    poses[:, 6] -= 1
    return poses


def test_constant_width_keeps_the_width_and_all_else():
    network = build(backbone=dict(hierarchical=False))
    assert network.backbone.widths == [H, H, H]
    assert build().backbone.widths == [H, 2 * H, 4 * H]
    touched = changed(network, build())
    assert all(
        name.startswith(
            (
                'backbone.levels.1',
                'backbone.levels.2',
                'backbone.projections',
                'backbone.offsets.1',
                'backbone.offsets.2',
            )
        )
        for name in touched
    )


def test_number_of_levels():
    network = build(levels=4)
    assert len(network.backbone.levels) == len(network.head.layers) == 4
    touched = changed(network, build())
    assert all(
        name.startswith(
            (
                'backbone.levels.3',
                'backbone.projections.2',
                'backbone.offsets.3',
                'head.layers.3',
            )
        )
        for name in touched
    )


def test_without_flow_the_input_is_narrower():
    network = build(backbone=dict(use_flow=False))
    assert changed(network, build()) == {'backbone.embed.weight'}
    assert network.backbone.embed.in_features == 3 * C


def test_without_stacking_the_input_is_narrower():
    network = build(backbone=dict(stack_neighbors=False))
    assert changed(network, build()) == {'backbone.embed.weight'}
    assert network.backbone.embed.in_features == 2 * C


def test_without_stacking_only_flow_and_motion_see_the_neighbours():
    # previous + next is unchanged, and so is the flow.
    backbone = dict(stack_neighbors=False)
    motion = dict(use_velocity=False, use_acceleration=False)
    blind = build(backbone=backbone, head=motion)
    assert reads_output(blind, move_neighbours) < 1e-5
    assert reads_output(build(head=motion), move_neighbours) > 1e-3
    assert reads_output(build(backbone=backbone), move_neighbours) > 1e-3


def test_without_any_kinematics_the_neighbours_are_not_read():
    network = build(
        backbone=dict(use_flow=False, stack_neighbors=False),
        head=dict(use_velocity=False, use_acceleration=False),
    )
    poses = torch.randn(1, 11, K, D, requires_grad=True)
    network(poses).final.sum().backward()
    read = poses.grad.abs().sum((0, 2, 3)).nonzero().flatten()
    assert read.tolist() == [0, 5, 10]


def test_without_velocity_and_acceleration():
    plain = dict(use_velocity=False, use_acceleration=False)
    network = build(head=plain)
    assert network.head.memory.in_features == H
    assert changed(network, build()) == {
        'head.memory.weight',
        'head.prev_velocity.weight',
        'head.prev_velocity.bias',
        'head.next_velocity.weight',
        'head.next_velocity.bias',
        'head.acceleration.weight',
        'head.acceleration.bias',
    }


def test_without_acceleration():
    network = build(head=dict(use_acceleration=False))
    assert network.head.memory.in_features == H + 2 * C
    assert changed(network, build()) == {
        'head.memory.weight',
        'head.acceleration.weight',
        'head.acceleration.bias',
    }


def test_without_weight_and_bias_motion_enters_as_it_is():
    network = build(head=dict(motion_affine=False))
    full = build()
    assert not any(isinstance(m, ChannelAffine) for m in network.modules())
    # At scale 1 and offset 0, where training starts, they are the same.
    full.load_state_dict({**full.state_dict(), **network.state_dict()})
    poses = torch.randn(2, 11, K, D)
    with torch.no_grad():
        torch.testing.assert_close(network(poses).final, full(poses).final)


def test_a_token_that_may_attend_to_itself_changes_the_encoder():
    network = build(backbone=dict(mask_self=False))
    full = build()
    assert changed(network, full) == set()
    full.load_state_dict(network.state_dict())
    poses = torch.randn(1, 11, K, D)
    with torch.no_grad():
        difference = network(poses).refined - full(poses).refined
    assert difference.abs().max() > 1e-3


def test_widths_of_eq_4_begin_with_twice_the_first():
    network = build(backbone=dict(as_written=True))
    assert network.backbone.widths == [2 * H, 4 * H, 8 * H]
    # W_1 to W_3 of eq. 4.
    sizes = [tuple(x.weight.shape) for x in network.backbone.projections]
    assert sizes == [(2 * H, H), (4 * H, 2 * H), (8 * H, 4 * H)]


def test_positions_of_eq_4_are_on_values_too():
    torch.manual_seed(0)
    attention = Attention(H, 4, 0.0, pos_on_values=True)
    expected = torch.nn.MultiheadAttention(H, 4, batch_first=True)
    torch.nn.init.normal_(attention.in_proj_weight)
    attention.load_state_dict(expected.state_dict())
    x, pos = torch.randn(2, 7, H), torch.randn(7, H)
    tokens = x + pos
    torch.testing.assert_close(
        attention(x, pos), expected(tokens, tokens, tokens)[0]
    )


def test_acceleration_of_eq_2_looks_back():
    # Second differences of t ** 3 about t - d are 6 (t - d) d ** 2.
    times = torch.arange(21.0)
    poses = (times**3).reshape(1, -1, 1, 1)
    for distance in (1, 2):
        found = past_acceleration(compute_kinematics(poses, 5, distance))
        expected = 6 * (times[5::5] - distance)
        torch.testing.assert_close(found[0, 1:, 0], expected)


def test_eq_7_and_8_as_written():
    network = build(head=dict(as_written=True))
    assert network.head.acceleration.weight.shape == (C, C)
    for parameter in network.head.output.parameters():
        parameter.data.zero_()
    # No skip connection: all of the pose comes from the decoder.
    assert not network(torch.randn(2, 11, K, D)).final.any()
    assert 'head.norm.weight' not in shapes(network)


def test_what_was_published_by_accident_is_not_as_written():
    head = dict(as_written=True, unsampled_memory=dict(bias=1.0))
    with pytest.raises(ValueError, match='mutually exclusive'):
        build(head=head)
