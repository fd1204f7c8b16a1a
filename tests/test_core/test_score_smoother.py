# Copyright (c) hanet_mm contributors. All rights reserved.
"""The smoother that trusts scores, against two slow computations of it."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from hanet_mm.core.nn.smoother import (
    ScoreSmoother,
    log_odds,
    score_features,
    smooth_poses,
    solve_smoother,
)


def dense_solution(poses, weights):
    """Normal equations, one series at a time, in float64."""
    poses, weights = np.float64(poses), np.float64(weights)
    frames = poses.shape[1]
    bend = np.zeros((max(frames - 2, 0), frames))
    for row in range(len(bend)):
        bend[row, row : row + 3] = 1, -2, 1
    out = np.empty_like(poses)
    for b, k, d in np.ndindex(poses.shape[0], *poses.shape[2:]):
        matrix = np.diag(weights[b, :, k]) + bend.T @ bend
        wanted = weights[b, :, k] * poses[b, :, k, d]
        out[b, :, k, d] = np.linalg.solve(matrix, wanted)
    return out


def rauch_tung_striebel(series, weights):
    """Kalman filter and RTS smoother of one series, constant speed.

    The speed changes by noise of variance 1 in a frame, a measurement of
    weight w has the variance 1 / w, nothing is known before the first.
    """
    move = np.array([[1.0, 1], [0, 1]])
    noise = np.diag([0.0, 1])
    state, cov = np.zeros(2), np.eye(2) * 1e9
    before, after = [], []
    for z, weight in zip(series, weights):
        before.append((state, cov))
        gain = cov[:, 0] / (cov[0, 0] + 1 / weight)
        state = state + gain * (z - state[0])
        cov = cov - np.outer(gain, cov[0])
        after.append((state, cov))
        state, cov = move @ state, move @ cov @ move.T + noise
    smooth = [after[-1][0]]
    for t in range(len(series) - 2, -1, -1):
        state, cov = after[t]
        predicted, predicted_cov = before[t + 1]
        gain = cov @ move.T @ np.linalg.inv(predicted_cov)
        smooth.append(state + gain @ (smooth[-1] - predicted))
    return np.array(smooth[::-1])[:, 0]


def draw(shape, seed=0):
    """Poses of size 1 and scores with missing keypoints."""
    rng = np.random.default_rng(seed)
    poses = rng.normal(0, 1, shape).astype(np.float32)
    scores = rng.uniform(0.02, 1, shape[:3]).astype(np.float32)
    scores[rng.random(shape[:3]) < 0.2] = 0
    return torch.from_numpy(poses), torch.from_numpy(scores)


def draw_smoother(joints, seed=0, stiffness=30.0):
    torch.manual_seed(seed)
    smoother = ScoreSmoother(joints, stiffness)
    with torch.no_grad():
        smoother.log_stiffness.add_(torch.randn(joints))
        smoother.score_power.add_(0.3 * torch.randn(joints))
    return smoother


@settings(deadline=None, max_examples=30)
@given(
    frames=st.integers(1, 14),
    joints=st.integers(1, 3),
    dims=st.integers(1, 3),
    seed=st.integers(0, 99),
)
def test_equals_the_normal_equations(frames, joints, dims, seed):
    rng = np.random.default_rng(seed)
    poses = rng.normal(0, 1, (2, frames, joints, dims))
    weights = 10 ** rng.uniform(-4, 2, (2, frames, joints))
    result = smooth_poses(torch.from_numpy(poses), torch.from_numpy(weights))
    np.testing.assert_allclose(
        result, dense_solution(poses, weights), atol=1e-8
    )


def test_equals_the_smoother_of_a_point_of_constant_speed():
    rng = np.random.default_rng(1)
    poses = rng.normal(0, 1, (1, 25, 3, 1))
    weights = 10 ** rng.uniform(-3, 1, (1, 25, 3))
    result = smooth_poses(torch.from_numpy(poses), torch.from_numpy(weights))
    for k in range(3):
        expected = rauch_tung_striebel(poses[0, :, k, 0], weights[0, :, k])
        np.testing.assert_allclose(result[0, :, k, 0], expected, atol=1e-5)


def test_weight_follows_score_power_stiffness_and_network():
    poses, scores = draw((2, 12, 3, 2))
    smoother = draw_smoother(3)
    log_precision = torch.randn(2, 12, 3)
    s = np.float64(scores)
    odds = (s + 0.03) / (1 - s + 0.03)
    power = smoother.score_power.detach().double().numpy()
    stiffness = smoother.log_stiffness.detach().double().exp().numpy()
    weights = odds**power * np.exp(np.float64(log_precision)) / stiffness
    weights[s == 0] = 0
    expected = dense_solution(poses, weights + 1e-4)
    result = smoother(poses, scores, log_precision).detach()
    np.testing.assert_allclose(result, expected, atol=1e-4)


@pytest.mark.parametrize('sign', [-1, 1])
def test_the_network_moves_weights_within_bounds(sign):
    poses, _ = draw((1, 9, 2, 2))
    scores = torch.full((1, 9, 2), 0.5)
    huge = torch.zeros(1, 9, 2)
    huge[:, 4] = 1000 * sign
    bound = torch.zeros(1, 9, 2)
    bound[:, 4] = 7 * sign
    smoother = ScoreSmoother(2, stiffness=300.0)
    torch.testing.assert_close(
        smoother(poses, scores, huge), smoother(poses, scores, bound)
    )


def test_lines_are_kept_exactly():
    steps = torch.tensor([[3.0, -2], [0, 5]])
    poses = torch.arange(20.0)[:, None, None] * steps + 7
    scores = draw((1, 20, 2, 2))[1]
    result = draw_smoother(2)(poses[None], scores)
    torch.testing.assert_close(result[0], poses, rtol=0, atol=0)


@pytest.mark.parametrize('frames', [1, 2])
def test_too_short_to_bend_is_kept(frames):
    poses, scores = draw((3, frames, 4, 2))
    torch.testing.assert_close(draw_smoother(4)(poses, scores), poses)


def test_what_stands_where_a_keypoint_is_missing_hardly_matters():
    poses = torch.zeros(1, 21, 2, 1)
    scores = torch.full((1, 21, 2), 0.9)
    scores[:, 8:11, 0] = 0
    poses[:, 8:11] = 1.0
    result = ScoreSmoother(2)(poses, scores)[0, :, :, 0]
    assert result[:, 0].abs().max() < 0.01  # bridged
    assert result[8:11, 1].min() > 0.2  # the other joint was seen there


def test_a_joint_never_seen_stays_near_where_it_was_filled():
    poses = torch.full((1, 30, 1, 2), 0.7)
    result = ScoreSmoother(1, stiffness=1e4)(poses, torch.zeros(1, 30, 1))
    torch.testing.assert_close(result, poses)


def test_higher_scores_pull_more():
    poses = torch.zeros(1, 11, 1, 1)
    poses[:, 5] = 1
    place = []
    for score in (0.05, 0.3, 0.6, 0.95):
        scores = torch.full((1, 11, 1), 0.5)
        scores[:, 5] = score
        place.append(ScoreSmoother(1)(poses, scores)[0, 5, 0, 0].item())
    assert place == sorted(place)
    assert place[-1] > 2 * place[0]


def test_joints_do_not_know_of_each_other():
    poses, scores = draw((2, 10, 4, 2))
    smoother, other = draw_smoother(4), draw_smoother(4)
    order = [2, 0, 3, 1]
    with torch.no_grad():
        for mine, its in zip(other.parameters(), smoother.parameters()):
            mine.copy_(its[order])
    torch.testing.assert_close(
        other(poses[:, :, order], scores[:, :, order]),
        smoother(poses, scores)[:, :, order],
    )


def test_windows_do_not_know_of_each_other():
    poses, scores = draw((4, 10, 2, 2))
    smoother = draw_smoother(2)
    together = smoother(poses, scores)
    for i in range(4):
        alone = smoother(poses[i : i + 1], scores[i : i + 1])
        torch.testing.assert_close(together[i : i + 1], alone)


def test_time_may_run_backward_and_places_may_move():
    poses, scores = draw((1, 15, 2, 2))
    smoother = draw_smoother(2)
    result = smoother(poses, scores)
    backward = smoother(poses.flip(1), scores.flip(1)).flip(1)
    torch.testing.assert_close(backward, result, rtol=0, atol=1e-4)
    moved = smoother(3 - 2 * poses, scores)
    torch.testing.assert_close(moved, 3 - 2 * result, rtol=0, atol=1e-4)


def test_gradients_are_those_of_finite_differences():
    torch.manual_seed(0)
    poses = torch.randn(1, 5, 2, 1, dtype=torch.float64, requires_grad=True)
    weights = torch.rand(1, 5, 2, dtype=torch.float64) + 0.1
    weights.requires_grad_()
    assert torch.autograd.gradcheck(smooth_poses, (poses, weights))


def test_all_parameters_learn():
    poses, scores = draw((2, 12, 3, 2))
    precision = torch.zeros(2, 12, 3, requires_grad=True)
    smoother = draw_smoother(3)
    smoother(poses, scores, precision).square().sum().backward()
    for tensor in (*smoother.parameters(), precision):
        assert tensor.grad.isfinite().all()
    assert (smoother.log_stiffness.grad != 0).all()
    assert (smoother.score_power.grad != 0).all()
    # A missing keypoint has no precision to learn.
    assert ((precision.grad != 0) == (scores > 0)).all()


@pytest.mark.parametrize('stiffness', [1.0, 300.0, 1e4])
@pytest.mark.parametrize('case', ['one seen', 'extreme', 'two blocks'])
def test_digits_of_float32_suffice(stiffness, case):
    poses, _ = draw((1, 41, 3, 2))
    scores = torch.zeros(1, 41, 3)
    precision = torch.zeros(1, 41, 3)
    if case == 'one seen':
        scores[:, 20] = 1
    elif case == 'extreme':
        scores[:, ::2], scores[:, 1::2] = 1, 1e-6
        precision[:, ::3], precision[:, 1::3] = 7, -7
    else:
        scores[:, :5], scores[:, -5:] = 0.9, 0.1
    smoother = ScoreSmoother(3, stiffness)
    result = smoother(poses, scores, precision).detach()
    log_weights = (log_odds(scores).double() + precision).clamp(-7, 7)
    weights = log_weights.exp() / stiffness
    weights = weights.masked_fill(scores == 0, 0) + 1e-4
    expected = dense_solution(poses, weights)
    np.testing.assert_allclose(result, expected, atol=0.01)


def test_mixed_precision_keeps_its_digits():
    poses, scores = draw((1, 30, 2, 2))
    smoother = draw_smoother(2)
    expected = smoother(poses, scores)
    with torch.autocast('cpu', dtype=torch.bfloat16):
        result = smoother(poses, scores)
    assert result.dtype == torch.float32
    torch.testing.assert_close(result, expected)


def test_log_odds():
    scores = torch.tensor([0.0, 0.25, 0.5, 0.75, 1.0, 1.7, -0.5])
    odds = log_odds(scores)
    torch.testing.assert_close(odds[:5], -odds[:5].flip(0))
    # (1 + 0.03) / 0.03 = 34.33 and what is out of range counts as its end.
    assert odds[4].exp().item() == pytest.approx(103 / 3, rel=1e-5)
    assert odds[5] == odds[4]
    assert odds[6] == odds[0]


def test_score_features_tell_missing_from_doubted():
    values = score_features(torch.tensor([0.0, 1e-3, 0.2, 0.8, 1.0]))
    assert (values.diff() > 0).all()
    assert values[1] - values[0] > 0.1
    assert values.abs().max() < 1.5


@pytest.mark.parametrize('shape', [(49, 17, 2), (30, 2, 5, 3), (2, 1, 2)])
def test_few_series_are_solved_as_many(shape):
    torch.manual_seed(0)
    weights = torch.rand(shape[:-1], dtype=torch.float64) + 1e-3
    wanted = torch.randn(shape, dtype=torch.float64)
    few = solve_smoother(weights, wanted)
    learning = weights.clone().requires_grad_()
    banded = solve_smoother(learning, wanted).detach()
    torch.testing.assert_close(few, banded, rtol=1e-9, atol=1e-9)
