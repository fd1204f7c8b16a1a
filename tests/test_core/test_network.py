# Copyright (c) hanet_mm contributors. All rights reserved.
"""The network against a plain masked computation and by its behaviour."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from hanet_mm.core.nn.kinematics import compute_kinematics, interpolate_samples
from hanet_mm.core.nn.layers import sine_table
from hanet_mm.core.nn.network import HANetNetwork


def make_network(interval=5, norm_first=False, seed=0, head=None, **backbone):
    torch.manual_seed(seed)
    shared = dict(
        num_keypoints=7, coord_dims=2, embed_dims=16, norm_first=norm_first
    )
    network = HANetNetwork(
        backbone=dict(shared, num_levels=3, **backbone),
        head=dict(shared, num_layers=3, **(head or {})),
        sample_interval=interval,
    )
    # Away from the initial values, where errors of sign or place can hide.
    with torch.no_grad():
        for parameter in network.parameters():
            parameter.add_(0.05 * torch.randn_like(parameter))
    return network.eval()


@pytest.mark.parametrize('unsampled_bias', [None, 1.0])
@pytest.mark.parametrize('norm_first', [False, True])
@pytest.mark.parametrize(
    ('window', 'interval'), [(11, 5), (5, 1), (6, 5), (21, 2)]
)
def test_equals_full_length_masked_computation(
    plain_hanet, window, interval, norm_first, unsampled_bias
):
    memory = unsampled_bias and dict(bias=unsampled_bias)
    network = make_network(
        interval, norm_first, head=dict(unsampled_memory=memory)
    )
    plain = plain_hanet(
        7,
        2,
        window,
        interval,
        16,
        3,
        norm_first=norm_first,
        unsampled_bias=unsampled_bias,
    ).eval()
    plain.load_state_dict(network.state_dict())
    # Rounding of float32 differs from machine to machine.
    network, plain = network.double(), plain.double()
    poses = torch.randn(4, window, 7, 2, dtype=torch.float64)
    with torch.no_grad():
        final, refined = network(poses)[:2]
        plain_final, plain_refined = plain(poses)
    torch.testing.assert_close(final, plain_final, rtol=0, atol=2e-5)
    torch.testing.assert_close(refined, plain_refined, rtol=0, atol=2e-5)


def test_gradients_equal_those_of_the_plain_computation(plain_hanet):
    network = make_network()
    plain = plain_hanet(7, 2, 11, 5, 16, 3, norm_first=False).eval()
    plain.load_state_dict(network.state_dict())
    poses = torch.randn(4, 11, 7, 2)
    for model in (network, plain):
        final, refined = model(poses)[:2]
        (final.square().mean() + refined.square().mean()).backward()
    expected = dict(plain.named_parameters())
    for name, parameter in network.named_parameters():
        torch.testing.assert_close(
            parameter.grad, expected[name].grad, rtol=1e-4, atol=1e-6
        )


def test_no_parameter_is_dead():
    network = make_network()
    final, refined = network(torch.randn(4, 11, 7, 2))[:2]
    (final.square().mean() + refined.square().mean()).backward()
    dead = [
        name
        for name, parameter in network.named_parameters()
        if parameter.grad is None or not parameter.grad.any()
    ]
    assert dead == []


def test_reads_sampled_frames_and_their_neighbours_only():
    network = make_network(interval=5)
    poses = torch.randn(1, 11, 7, 2, requires_grad=True)
    network(poses).final.sum().backward()
    read = poses.grad.abs().sum((0, 2, 3)).nonzero().flatten()
    # PUBLISHED section 0, item 2.
    assert read.tolist() == [0, 1, 4, 5, 6, 9, 10]


def test_a_single_frame_gives_finite_poses_and_gradients():
    network = make_network(interval=1)
    final, refined = network(torch.randn(2, 1, 7, 2))[:2]
    assert final.shape == (2, 1, 7, 2)
    assert refined.shape == (2, 1, 7, 2)
    final.sum().backward()
    for parameter in network.parameters():
        assert parameter.grad is None or parameter.grad.isfinite().all()


def test_attention_of_a_single_token_is_zero():
    # Then neither queries, keys nor values of the encoder matter.
    network = make_network(interval=1)
    poses = torch.randn(2, 1, 7, 2)
    with torch.no_grad():
        before = network(poses).refined
        for level in network.backbone.levels:
            level.self_attn.in_proj_weight.normal_()
            level.self_attn.in_proj_bias.normal_()
        assert torch.equal(network(poses).refined, before)


def test_a_single_frame_is_finite_in_the_legacy_reading_too():
    network = make_network(1, head=dict(unsampled_memory=dict(bias=1.0)))
    assert network(torch.randn(2, 1, 7, 2)).final.isfinite().all()


def test_output_does_not_depend_on_the_batch():
    network = make_network()
    poses = torch.randn(9, 11, 7, 2)
    with torch.no_grad():
        together = network(poses).final
        alone = torch.cat([network(x[None]).final for x in poses])
    torch.testing.assert_close(together, alone, rtol=0, atol=1e-5)


@pytest.mark.parametrize(
    ('shape', 'message'),
    [
        ((2, 12, 7, 2), r'T = 12, N = 5'),
        ((2, 11, 8, 2), r'\(B, T, 7, 2\), got \(2, 11, 8, 2\)'),
        ((2, 11, 7, 3), r'\(B, T, 7, 2\), got \(2, 11, 7, 3\)'),
        ((11, 7, 2), r'got \(11, 7, 2\)'),
    ],
)
def test_wrong_shapes_are_named(shape, message):
    with pytest.raises(ValueError, match=message):
        make_network()(torch.zeros(shape))


def test_width_has_to_fit_the_heads():
    with pytest.raises(ValueError, match='10 for 4 heads'):
        HANetNetwork(
            dict(num_keypoints=7, coord_dims=2, embed_dims=10),
            dict(num_keypoints=7, coord_dims=2, embed_dims=10),
            5,
        )


def test_positional_encoding_of_the_first_step():
    # PUBLISHED section 4, row 1 for T=11, d=16.
    expected = [
        0.58779, 0.80902, 0.06279, 0.99803, 0.00628, 0.99998, 0.00063, 1,
        6e-5, 1, 1e-5, 1, 0, 1, 0, 1,
    ]  # fmt: skip
    np.testing.assert_allclose(sine_table(11, 16)[1], expected, atol=6e-6)


def test_positional_table_made_while_predicting_can_be_trained_with():
    sine_table.cache_clear()
    network = make_network()
    with torch.inference_mode():
        network(torch.randn(1, 11, 7, 2))
    network(torch.randn(1, 11, 7, 2)).final.sum().backward()


class TestKinematics:
    def test_features_of_uniform_acceleration(self):
        # x(t) = t^2 / 2: x(t+1) - x(t) = t + 1/2, x(t) - x(t-1) = t - 1/2.
        time = torch.arange(11.0)
        poses = (time**2 / 2)[None, :, None, None]
        features = compute_kinematics(poses, 5)
        assert features.positions.tolist() == [0, 5, 10]
        assert features.poses.flatten().tolist() == [0, 12.5, 50]
        # Replicated borders: no velocity towards the outside.
        assert features.v_prev.flatten().tolist() == [0, 4.5, 9.5]
        assert features.v_next.flatten().tolist() == [0.5, 5.5, 0]
        flow = [(0 + 0 + 0.5) / 3, (8 + 12.5 + 18) / 3, (40.5 + 50 + 50) / 3]
        torch.testing.assert_close(features.flow.flatten(), torch.tensor(flow))

    def test_distance_scales_velocities(self):
        poses = torch.arange(11.0)[None, :, None, None] * 3
        features = compute_kinematics(poses, 5, distance=2)
        assert features.v_prev.flatten().tolist() == [0, 3, 3]
        assert features.v_next.flatten().tolist() == [3, 3, 0]
        assert features.prev.flatten().tolist() == [0, 9, 24]

    def test_channels_are_keypoint_major(self):
        poses = torch.arange(6.0).view(1, 1, 3, 2)
        assert compute_kinematics(poses, 1).poses.tolist() == [
            [[0, 1, 2, 3, 4, 5]]
        ]


@settings(max_examples=25, deadline=None)
@given(st.integers(1, 6), st.integers(1, 7), st.integers(0, 99))
def test_interpolation_is_that_of_numpy(interval, samples, seed):
    rng = np.random.default_rng(seed)
    values = rng.normal(size=(2, samples, 3)).astype(np.float32)
    knots = np.arange(samples) * interval
    frames = np.arange(knots[-1] + 1)
    result = interpolate_samples(torch.from_numpy(values), interval).numpy()
    for b in range(2):
        for c in range(3):
            expected = np.interp(frames, knots, values[b, :, c])
            np.testing.assert_allclose(result[b, :, c], expected, atol=1e-6)
    np.testing.assert_array_equal(result[:, knots], values)
