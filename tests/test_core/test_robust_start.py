# Copyright (c) hanet_mm contributors. All rights reserved.
"""Where the decoder starts from when scores are known."""

import pytest
import torch
from scored_refiners import (
    FLIP,
    D,
    K,
    T,
    draw_windows,
    make_network,
    network_arguments,
)

from hanet_mm.core.data.gaps import UNKNOWN_SCORE
from hanet_mm.core.nn.decoder import KinematicDecoder
from hanet_mm.core.nn.encoder import HierarchicalEncoder
from hanet_mm.core.nn.kinematics import compute_kinematics
from hanet_mm.core.nn.network import HANetNetwork, check_parts
from hanet_mm.core.nn.smoother import RobustStart, ScoreSmoother

WIDTH = 8


def make_start(flip=None, frames=T):
    torch.manual_seed(0)
    start = RobustStart(K, D, WIDTH, flip)
    start.init_weights()
    features = torch.randn(3, frames, WIDTH)
    return start, features, *draw_windows(frames=frames)


def test_begins_as_the_score_smoother():
    start, features, poses, scores = make_start()
    result = start.correct(features, poses, scores)
    expected = ScoreSmoother(K)(poses, scores)
    torch.testing.assert_close(result.poses, expected, rtol=0, atol=0)
    assert result.estimates is poses
    assert result.scores is scores
    assert result.swap_logits is None


def test_begins_with_next_to_no_swap():
    start, features, poses, scores = make_start(FLIP)
    result = start.correct(features, poses, scores)
    logits = torch.full((3, T, K), -3.0)
    torch.testing.assert_close(result.swap_logits, logits)
    share = logits.sigmoid()
    assert share.max() < 0.05
    expected = poses + share[..., None] * (poses[:, :, FLIP] - poses)
    torch.testing.assert_close(result.estimates, expected)
    expected = scores + share * (scores[..., FLIP] - scores)
    torch.testing.assert_close(result.scores, expected)


def know_swaps(start, swapped):
    """Features and weights that tell the swaps (B, T, K) of each frame."""
    # Feature pairs (k, K + k) = (+1, -1) where joint k is swapped: their mean
    # is 0 and their variance 1, the layer norm leaves them.
    sign = swapped.float() * 2 - 1
    features = torch.cat([sign, -sign], dim=-1)
    with torch.no_grad():
        start.swap.weight.zero_()
        start.swap.weight[:, :K].copy_(50 * torch.eye(K))
        start.swap.bias.zero_()
    return features


def test_swaps_are_undone_before_smoothing():
    start, _, poses, scores = make_start(FLIP, frames=9)
    scores = scores.clamp(min=0.1)
    swapped = torch.zeros(3, 9, K, dtype=torch.bool)
    swapped[0, 3:6] = True  # both sides, for some frames
    swapped[1, :, 2:] = True  # one pair, all the time
    seen = torch.where(swapped[..., None], poses[:, :, FLIP], poses)
    seen_scores = torch.where(swapped, scores[..., FLIP], scores)
    features = know_swaps(start, swapped)
    result = start.correct(features, seen, seen_scores)
    assert ((result.swap_logits > 40) == swapped).all()
    torch.testing.assert_close(result.estimates, poses)
    torch.testing.assert_close(result.scores, scores)
    expected = ScoreSmoother(K)(poses, scores)
    torch.testing.assert_close(result.poses, expected)
    blind = ScoreSmoother(K)(seen, seen_scores)
    assert (blind - expected).abs().max() > 0.1


def test_the_features_weigh_estimates():
    start, features, poses, scores = make_start()
    with torch.no_grad():
        start.precision.bias.copy_(torch.tensor([2.0, 0, 0, -2]))
    result = start.correct(features, poses, scores).poses
    precision = start.precision.bias.expand(3, T, K)
    expected = ScoreSmoother(K)(poses, scores, precision)
    torch.testing.assert_close(result, expected)
    plain = ScoreSmoother(K)(poses, scores)
    moved = (result - plain).abs().amax((0, 1, 3))
    assert moved[[0, 3]].min() > 1e-3
    assert moved[[1, 2]].max() < 1e-6


@pytest.mark.parametrize(
    'flip',
    [
        [1, 0, 3],  # too few
        [1, 0, 3, 2, 4],  # too many
        [1, 2, 3, 0],  # a cycle, no pairs
        [1, 0, 3, 4],  # no such joint
        [-3, 0, 3, 2],  # counted from the end
        [0, 0, 3, 2],  # twice the same
    ],
)
def test_flip_indices_have_to_pair_the_joints(flip):
    with pytest.raises(ValueError, match='flip_indices has to pair 4 joints'):
        RobustStart(K, D, WIDTH, flip)


def test_a_joint_may_be_its_own_other_side():
    start, features, poses, scores = make_start([0, 2, 1, 3])
    result = start.correct(features, poses, scores)
    kept = result.estimates[:, :, [0, 3]]
    torch.testing.assert_close(kept, poses[:, :, [0, 3]], rtol=0, atol=0)


@pytest.mark.parametrize(('frames', 'interval'), [(5, 1), (11, 5), (1, 1)])
@pytest.mark.parametrize('flip', [None, FLIP])
def test_shapes(frames, interval, flip):
    network = make_network(
        interval=interval, head=dict(flip_indices=flip, predict_error=True)
    )
    poses, scores = draw_windows(frames=frames)
    result = network(poses, scores)
    sampled = (frames - 1) // interval + 1
    assert result.final.shape == (3, frames, K, D)
    assert result.refined.shape == (3, sampled, K, D)
    assert result.log_error.shape == (3, frames, K)
    if flip is None:
        assert result.swap_logits is None
    else:
        assert result.swap_logits.shape == (3, frames, K)
    for value in filter(torch.is_tensor, result):
        assert value.isfinite().all()


@pytest.mark.parametrize('interval', [1, 2])
def test_no_parameter_is_dead(interval):
    network = make_network(
        interval=interval, head=dict(flip_indices=FLIP, predict_error=True)
    )
    result = network(*draw_windows())
    sum(value.square().sum() for value in result).backward()
    for name, parameter in network.named_parameters():
        assert parameter.grad is not None, name
        assert parameter.grad.isfinite().all(), name
        # An offset of all keys does not change what is attended to.
        if 'k_proj' not in name and 'in_proj' not in name:
            assert (parameter.grad != 0).any(), name


@pytest.mark.parametrize(('frames', 'interval'), [(7, 1), (7, 3)])
def test_identity_starts_at_the_score_smoother(frames, interval):
    network = make_network(
        shaken=False, interval=interval, head=dict(init='identity')
    )
    poses, scores = draw_windows(frames=frames)
    result = network(poses, scores)
    smooth = ScoreSmoother(K)(poses, scores)
    torch.testing.assert_close(result.final, smooth)
    torch.testing.assert_close(result.refined, smooth[:, ::interval])


def test_unsampled_frames_are_used():
    network = make_network(interval=5)
    poses, scores = draw_windows(frames=11)
    changed = poses.clone()
    changed[:, 3] += 1  # neither sampled nor the neighbour of a sampled frame
    before, after = (network(x, scores).final for x in (poses, changed))
    assert (after - before)[:, 3].abs().max() > 1e-4
    less = scores.clone()
    less[:, 8] = 0.01
    after = network(poses, less).final
    assert (after - before)[:, 8].abs().max() > 1e-4


def test_without_scores_all_estimates_are_usual_ones():
    network = make_network(head=dict(flip_indices=FLIP, predict_error=True))
    poses, _ = draw_windows()
    usual = torch.full(poses.shape[:3], UNKNOWN_SCORE)
    for got, expected in zip(network(poses), network(poses, usual)):
        torch.testing.assert_close(got, expected, rtol=0, atol=0)


def test_encoder_sees_scores_and_deviations_at_sampled_frames():
    torch.manual_seed(0)
    arguments = network_arguments(backbone=dict(dropout=0.0))
    encoder = HierarchicalEncoder(**arguments['backbone'])
    seen = []
    encoder.embed.register_forward_pre_hook(lambda _, x: seen.append(x[0]))
    poses, scores = draw_windows(frames=7)
    encoder(compute_kinematics(poses, 3, scores=scores))
    extra = seen[0][..., 4 * K * D :]
    deviation = poses - ScoreSmoother(K)(poses, scores)
    torch.testing.assert_close(
        extra[..., : K * D], deviation[:, ::3].flatten(2)
    )
    # Scores as log-odds: 0.5 is none, and missing is less than any.
    features = extra[..., K * D :]
    missing = scores[:, ::3] == 0
    assert missing.any()
    assert features[missing].max() < features[~missing].min()
    half = (scores[:, ::3] > 0.5) & ~missing
    assert ((features > 0) == half).all()


def test_decoder_tokens_know_scores_and_deviations():
    torch.manual_seed(0)
    decoder = KinematicDecoder(**network_arguments()['head'], init='identity')
    seen = []
    decoder.embed.register_forward_pre_hook(lambda _, x: seen.append(x[0]))
    poses, scores = draw_windows()
    decoder(torch.randn(3, T, 16), compute_kinematics(poses, 1, scores=scores))
    tokens = seen[0].transpose(1, 2)
    smooth = ScoreSmoother(K)(poses, scores)
    assert tokens.shape[-1] == 2 * K * D + K
    torch.testing.assert_close(tokens[..., : K * D], smooth.flatten(2))
    deviation = (poses - smooth).flatten(2)
    torch.testing.assert_close(tokens[..., K * D : 2 * K * D], deviation)


def test_encoder_and_decoder_have_to_agree():
    arguments = network_arguments()
    del arguments['head']['use_scores']
    message = 'differ in use_scores: True and False'
    with pytest.raises(ValueError, match=message):
        HANetNetwork(**arguments)
    with pytest.raises(ValueError, match=message):
        check_parts(arguments['backbone'], arguments['head'])


@pytest.mark.parametrize(
    ('options', 'message'),
    [
        (dict(use_scores=False, flip_indices=FLIP), 'needs use_scores=True'),
        (
            dict(unsampled_memory=dict(bias=1.0)),
            'are mutually exclusive',
        ),
        (dict(flip_indices=[0, 1]), 'pair 4 joints'),
    ],
)
def test_bad_settings_are_refused(options, message):
    with pytest.raises(ValueError, match=message):
        KinematicDecoder(**dict(network_arguments()['head'], **options))


def test_scores_have_to_fit_the_poses():
    poses, scores = draw_windows()
    with pytest.raises(ValueError, match=r'\(B, T, K\) = \(3, 5, 4\)'):
        make_network()(poses, scores[:, :-1])
