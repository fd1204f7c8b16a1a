# Copyright (c) hanet_mm contributors. All rights reserved.
"""The gate that leaves what a network does not know to a filter."""

import numpy as np
import pytest
import torch
from scipy.spatial.distance import cdist
from scored_refiners import normalise

from hanet_mm.core.nn.decoder import RefinedPoses
from hanet_mm.core.nn.smoother import ScoreSmoother
from hanet_mm.core.refine.gate import GatedNetwork, NoveltyGate, fit_gate

JOINTS = 6


def walkers(count, seed, noise=(0.002, 0.02), frames=9):
    """People walking on the spot: head, hip, knees and ankles, (x, y).

    Normalised by their boxes, as a network sees them.
    """
    rng = np.random.default_rng(seed)

    def draw(low, high):
        return rng.uniform(low, high, (count, 1, 1))

    size, lean = draw(80, 200), draw(-0.08, 0.08)
    time = np.arange(frames)[None, :, None] * draw(0.1, 0.3) + draw(0, 6.3)
    swing = draw(0.1, 0.2) * np.sin(time)
    still = np.zeros_like(swing)
    x = [still + lean, still, swing, -swing, 1.8 * swing, -1.8 * swing]
    heights = (0, 0.5, 0.75, 0.75, 1, 1)
    y = [still + h + draw(-0.02, 0.02) for h in heights]
    poses = np.stack([np.concatenate(x, 2), np.concatenate(y, 2)], -1)
    jitter = rng.normal(0, 1, poses.shape) * draw(*noise)[..., None]
    poses = (poses + jitter) * size[..., None] + 500
    poses = torch.from_numpy(poses.astype(np.float32))
    scores = torch.full(poses.shape[:3], 0.9)
    return normalise(poses, scores), scores


@pytest.fixture(scope='module')
def walking_gate():
    gate = NoveltyGate(JOINTS, 2)
    poses, scores = walkers(1500, seed=0)
    batches = zip(poses.split(500), scores.split(500))
    fit_gate(gate, batches)  # an iterator will do
    return gate


def test_distance_is_that_of_mahalanobis():
    gate = NoveltyGate(2, 2)
    rng = np.random.default_rng(0)
    mixing = rng.normal(0, 1, (5, 5))
    known = rng.normal(0, 1, (400, 5)) @ mixing + [0, 3, -2, 5, 1]
    new = rng.normal(0, 3, (20, 5))
    gate.fit(torch.from_numpy(known.astype(np.float32)), share=0.9)
    inverse = np.linalg.inv(np.cov(known.T))
    center = known.mean(0, keepdims=True)

    def expected(x):
        # Root mean square: a dimension counts 1 on average.
        return cdist(x, center, 'mahalanobis', VI=inverse)[:, 0] / 5**0.5

    found = gate.distance(torch.from_numpy(new.astype(np.float32)))
    np.testing.assert_allclose(found, expected(new), rtol=1e-3)
    limit = np.quantile(expected(known), 0.9)
    assert gate.limit.item() == pytest.approx(limit, rel=1e-3)


def test_a_feature_that_never_changes_is_not_infinitely_strict():
    gate = NoveltyGate(1, 1)
    known = torch.zeros(100, 2)
    known[:, 0] = torch.randn(100)
    gate.fit(known, share=1.0)
    moved = gate.center + torch.tensor([0.0, 0.03])
    # Its standard deviation counts as 0.01: 3 of these, over 2 features.
    found = gate.distance(moved[None]).item()
    assert found == pytest.approx(3 / 2**0.5, rel=1e-3)


def test_features_are_the_median_pose_and_the_jitter():
    gate = NoveltyGate(2, 2)
    poses = torch.zeros(1, 7, 2, 2)
    poses[..., 0] = torch.arange(7.0)[:, None]  # constant speed, no jitter
    poses[0, :, 1, 1] = torch.tensor([0.0, 1, 0, 1, 0, 1, 0])
    scores = torch.ones(1, 7, 2)
    features = gate.features(poses, scores)
    # Five second differences are 0 and five are 2: the lower middle counts.
    expected = torch.tensor([[3.0, 0, 3, 0, float(np.log(1e-4))]])
    torch.testing.assert_close(features, expected)
    poses[0, :, 0, 1] = poses[0, :, 1, 1]
    features = gate.features(poses, scores)
    assert features[0, -1].item() == pytest.approx(np.log(2 + 1e-4))


def test_motion_is_the_mean_distance_from_the_median():
    poses = torch.zeros(1, 8, 2, 2)
    # Four frames at -3 and four at 3: the lower middle is the median.
    poses[0, :, 1, 0] = torch.tensor([-3.0, 3] * 4)
    scores = torch.ones(1, 8, 2)
    features = NoveltyGate(2, 2, motion=True).features(poses, scores)
    plain = NoveltyGate(2, 2).features(poses, scores)
    torch.testing.assert_close(features[:, :5], plain)
    expected = torch.tensor([[2e-3, 3 + 2e-3]]).log()
    torch.testing.assert_close(features[:, 5:], expected)


def test_a_gate_of_motion_tells_what_poses_alone_do_not():
    poses, scores = walkers(1500, seed=0)
    new, known = walkers(200, seed=1)
    # Twenty times slower: the same places, hardly any motion in a window.
    slow = new[:, :1] + (new - new[:, :1]) / 20
    gate = NoveltyGate(JOINTS, 2, motion=True)
    fit_gate(gate, [(poses, scores)])
    assert gate(new, known).float().mean() < 0.05
    assert gate(slow, known).float().mean() > 0.9


@pytest.mark.parametrize('motion', [False, True])
def test_missing_keypoints_do_not_enter_the_features(motion):
    gate = NoveltyGate(3, 2, motion)
    poses, scores = torch.randn(4, 9, 3, 2), torch.rand(4, 9, 3) + 0.01
    scores[:, 2:4, 0] = 0
    scores[:, 5:, 1] = 0
    features = gate.features(poses, scores)
    poses[scores == 0] = 1e4
    torch.testing.assert_close(gate.features(poses, scores), features)


def conditional(gate, features):
    """NaN put where a Gaussian of the gate's moments expects it."""
    white = gate.whitening.double().numpy()
    covariance = np.linalg.inv(white @ white.T)
    center = gate.center.double().numpy()
    filled = features.double().numpy().copy()
    for row in filled:
        gone = np.isnan(row)
        cross = covariance[np.ix_(gone, ~gone)]
        known = np.linalg.inv(covariance[np.ix_(~gone, ~gone)])
        row[gone] = center[gone] + cross @ known @ (row - center)[~gone]
    return torch.from_numpy(filled).float()


def test_what_was_not_seen_is_taken_to_be_what_goes_with_the_rest(
    walking_gate,
):
    poses, scores = walkers(50, seed=6)
    lost = scores.clone()
    lost[:, :, 2] = 0
    features = walking_gate.features(poses, lost)
    assert features[:, 4:6].isnan().all()
    expected = conditional(walking_gate, features)
    torch.testing.assert_close(
        walking_gate.distance(features),
        walking_gate.distance(expected),
        rtol=1e-3,
        atol=1e-4,
    )
    # So a joint that nobody looks for makes nobody strange.
    whole = walking_gate.distance(walking_gate.features(poses, scores))
    assert (walking_gate.distance(features) <= 1.1 * whole.max()).all()
    # Nothing was seen, or never in three frames in a row.
    assert not walking_gate(poses, scores * 0).any()
    seldom = scores.clone()
    seldom[:, ::2] = 0
    features = walking_gate.features(poses, seldom)
    assert features[:, -1].isnan().all()
    torch.testing.assert_close(
        walking_gate.distance(features),
        walking_gate.distance(conditional(walking_gate, features)),
        rtol=1e-3,
        atol=1e-4,
    )


def test_unseen_joints_of_training_windows_are_left_out():
    gate = NoveltyGate(1, 1)
    torch.manual_seed(0)
    known = torch.randn(1000, 2) + 5
    known[::2, 0] = float('nan')
    gate.fit(known, share=1.0)
    expected = known[1::2, 0].mean()
    torch.testing.assert_close(gate.center[0], expected)
    assert gate.limit.isfinite()


def test_an_unfitted_gate_lets_all_pass():
    gate = NoveltyGate(3, 2)
    assert not gate(torch.randn(5, 9, 3, 2) * 1e6, torch.ones(5, 9, 3)).any()


def test_batches_together_are_one_fit(walking_gate):
    poses, scores = walkers(1500, seed=0)
    gate = NoveltyGate(JOINTS, 2)
    gate.fit(gate.features(poses, scores), 0.997)
    torch.testing.assert_close(gate.center, walking_gate.center)
    torch.testing.assert_close(gate.limit, walking_gate.limit)


def test_people_and_noise_as_in_training_pass(walking_gate):
    poses, scores = walkers(1500, seed=0)
    far = walking_gate(poses, scores).float().mean().item()
    assert far == pytest.approx(0.003, abs=0.001)
    new = walking_gate(*walkers(1500, seed=1))
    assert new.float().mean() < 0.01
    calm = walkers(500, seed=2, noise=(0.002, 0.004))
    assert walking_gate(*calm).float().mean() < 0.03


@pytest.mark.parametrize('kind', ['order', 'upside down', 'sideways'])
def test_joints_in_another_order_are_far(walking_gate, kind):
    poses, scores = walkers(300, seed=3)
    if kind == 'order':
        poses = poses[:, :, [4, 2, 0, 5, 1, 3]]
    elif kind == 'upside down':
        poses = poses * torch.tensor([1.0, -1.0])
    else:
        poses = poses.flip(-1)
    assert walking_gate(normalise(poses, scores), scores).all()


def test_another_person_in_every_other_frame_is_far(walking_gate):
    poses, scores = walkers(300, seed=4)
    poses[:, ::2] += 3
    poses = normalise(poses, scores)
    assert walking_gate(poses, scores).float().mean() > 0.95


class Constant:
    """A network whose answer is easily told from that of a filter."""

    def __call__(self, poses, scores):
        error = torch.zeros_like(scores)
        return RefinedPoses(poses * 0 + 77, poses * 0 + 66, None, error)


def test_far_windows_alone_are_left_to_the_smoother(walking_gate):
    poses, scores = walkers(4, seed=5)
    poses[1] = normalise(poses[1:2, :, [4, 2, 0, 5, 1, 3]], scores[1:2])[0]
    scores[1, 3, 2] = 0
    gated = GatedNetwork(Constant(), walking_gate)
    result = gated(poses, scores)
    assert gated.rejected == 1
    assert (result.final[[0, 2, 3]] == 77).all()
    expected = ScoreSmoother(JOINTS, stiffness=200.0)(poses, scores)
    torch.testing.assert_close(result.final[1], expected[1])
    assert (result.refined == 66).all()
    gated(poses, scores)
    assert gated.rejected == 2


def test_windows_that_the_caller_replaces_are_not_smoothed(walking_gate):
    poses, scores = walkers(4, seed=5)
    poses[1] = normalise(poses[1:2, :, [4, 2, 0, 5, 1, 3]], scores[1:2])[0]
    gated = GatedNetwork(Constant(), walking_gate, 'the robust path')
    result = gated(poses, scores)
    assert (result.final == 77).all()
    told = result.log_error.isnan().flatten(1)
    assert told.all(1).tolist() == told.any(1).tolist()
    assert told.all(1).tolist() == [False, True, False, False]
    assert gated.rejected == 1


def test_unknown_features_of_a_window_change_no_other(walking_gate):
    poses, scores = walkers(6, seed=6)
    before = walking_gate.distance(walking_gate.features(poses, scores))
    scores[2, :, 1] = 0
    after = walking_gate.distance(walking_gate.features(poses, scores))
    others = [0, 1, 3, 4, 5]
    torch.testing.assert_close(after[others], before[others])
    assert after[2] != before[2]


def test_without_a_gate_all_is_refined(walking_gate):
    poses, scores = walkers(4, seed=5)
    gated = GatedNetwork(Constant(), None)
    assert (gated(poses * 1e3, scores).final == 77).all()
    assert gated.rejected == 0
