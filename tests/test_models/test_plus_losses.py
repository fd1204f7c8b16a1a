# Copyright (c) hanet_mm contributors. All rights reserved.
"""Losses beyond the paper against closed forms."""

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from mmpose.registry import KEYPOINT_CODECS, MODELS

import hanet_mm  # noqa: F401
from hanet_mm.core.metrics.errors import accel_error

pytestmark = pytest.mark.mm

FLIP = [1, 0, 2]
# Left and right wrist 1 apart, the neck 1 above their middle.
TRUTH = torch.tensor([[0.0, 0], [1, 0], [0.5, 1]])


def build(kind, **kwargs):
    return MODELS.build(dict(type=kind, **kwargs))


def frames(count=1):
    """The same truth at some frames, (1, count, 3, 2)."""
    return TRUTH.expand(1, count, -1, -1).clone()


def swap_loss(estimates, logits, weights=None, **kwargs):
    target = frames(estimates.shape[1])
    if weights is None:
        weights = torch.ones(target.shape[:3])
    loss = build('SideSwapLoss', **dict(dict(loss_weight=1.0), **kwargs))
    return loss(logits, estimates, target, weights, FLIP)


class TestSideSwapLoss:
    def test_labels_of_a_swapped_and_of_a_good_frame(self):
        estimates = frames(2)
        estimates[:, 1] = estimates[:, 1, FLIP]
        logits = torch.tensor([[[0.3, -1.2, 9.0], [2.0, -0.4, -9.0]]])
        # Both wrists of both frames are told; nothing of the neck is.
        expected = -F.logsigmoid(-logits[:, 0, :2]).sum()
        expected = (expected - F.logsigmoid(logits[:, 1, :2]).sum()) / 4
        torch.testing.assert_close(swap_loss(estimates, logits), expected)

    def test_a_swap_is_told_for_each_joint(self):
        estimates = frames()
        estimates[0, 0, 0] = TRUTH[1]  # both wrists found at the right one
        logits = torch.tensor([[[0.7, 1.1, 0.0]]])
        expected = -F.logsigmoid(logits[0, 0, 0])
        expected = (expected - F.logsigmoid(-logits[0, 0, 1])) / 2
        torch.testing.assert_close(swap_loss(estimates, logits), expected)

    @pytest.mark.parametrize(
        ('place', 'label'),
        # On the line between the wrists: the distances are x and 1 - x.
        [
            (0.0, 0),
            (0.28, 0),
            (0.29, None),
            (0.71, None),
            (0.72, 1),
            (1.0, 1),
        ],
    )
    def test_what_is_near_neither_is_not_told(self, place, label):
        # 0.4 (1 - x) = x at x = 2 / 7 = 0.286.
        estimates = frames()
        estimates[0, 0, 0, 0] = place
        logits = torch.zeros(1, 1, 3, requires_grad=True)
        swap_loss(estimates, logits).backward()
        sign = {0: 1, 1: -1, None: 0}[label]
        assert logits.grad[0, 0, 0].sign() == sign

    def test_a_small_displacement_is_no_swap(self):
        estimates = frames()
        estimates[0, 0, 0, 0] = 1.0
        logits = torch.zeros(1, 1, 3, requires_grad=True)
        # Neither swapped, nor near its own.
        swap_loss(estimates, logits, min_distance=1.1).backward()
        assert logits.grad[0, 0, 0] == 0

    @pytest.mark.parametrize('unknown', [0, 1])
    def test_both_sides_have_to_be_known(self, unknown):
        weights = torch.ones(1, 1, 3)
        weights[..., unknown] = 0
        logits = torch.ones(1, 1, 3, requires_grad=True)
        loss = swap_loss(frames(), logits, weights)
        loss.backward()
        assert loss == 0
        assert (logits.grad == 0).all()

    def test_unknown_truth_may_be_not_a_number(self):
        target, weights = frames(2), torch.ones(1, 2, 3)
        target[0, 0, 1], weights[0, 0, 1] = float('nan'), 0
        logits = torch.zeros(1, 2, 3, requires_grad=True)
        loss = build('SideSwapLoss', loss_weight=3.0)(
            logits, frames(2), target, weights, FLIP
        )
        loss.backward()
        assert loss.item() == pytest.approx(3 * np.log(2))
        assert logits.grad.isfinite().all()


class TestExpectedErrorLoss:
    def make(self, size, log_error, weights=None, **kwargs):
        """Loss where errors are (3, 4) / 5 times a size, (1, T, K)."""
        target = torch.randn(*size.shape, 2)
        pred = target + size[..., None] * torch.tensor([0.6, 0.8])
        weights = torch.ones_like(size) if weights is None else weights
        loss = build('ExpectedErrorLoss', **dict(loss_weight=1.0, **kwargs))
        return loss(log_error, pred, target, weights)

    def test_closed_form(self):
        size = torch.tensor([[[2.0, 0.5]]])
        expected = torch.tensor([[[4.0, 0.1]]])
        loss = self.make(size, expected.log())
        wanted = (np.log(4) + 2 / 4 + np.log(0.1) + 0.5 / 0.1) / 2
        assert loss.item() == pytest.approx(wanted, rel=1e-5)

    def test_least_at_the_mean_error(self):
        torch.manual_seed(0)
        size = torch.rand(1, 50, 1) * 3
        log_error = size.mean().log().clone().requires_grad_()
        self.make(size, log_error.expand(1, 50, 1)).backward()
        assert log_error.grad.abs() < 1e-5
        losses = [
            self.make(size, (size.mean() * factor).log().expand(1, 50, 1))
            for factor in (0.5, 0.9, 1.0, 1.1, 2.0)
        ]
        assert min(losses) == losses[2]

    def test_poses_do_not_learn_from_it(self):
        pred = torch.randn(1, 4, 2, 2, requires_grad=True)
        log_error = torch.zeros(1, 4, 2, requires_grad=True)
        loss = build('ExpectedErrorLoss')
        args = torch.zeros(1, 4, 2, 2), torch.ones(1, 4, 2)
        loss(log_error, pred, *args).backward()
        assert pred.grad is None
        assert (log_error.grad != 0).all()

    def test_mean_over_what_is_known(self):
        size = torch.tensor([[[1.0, 100.0]]])
        weights = torch.tensor([[[0.5, 0.0]]])
        loss = self.make(size, torch.zeros(1, 1, 2), weights)
        assert loss.item() == pytest.approx(1)
        size[..., 1] = float('nan')
        loss = self.make(size, torch.zeros(1, 1, 2), weights)
        assert loss.item() == pytest.approx(1)
        nothing = self.make(size, torch.zeros(1, 1, 2), weights * 0)
        assert nothing == 0


class TestAccelerationLoss:
    def test_equals_the_metric(self):
        rng = np.random.default_rng(0)
        pred, target = rng.normal(0, 1, (2, 3, 12, 4, 2))
        weights = (rng.random((3, 12, 4)) > 0.2).astype(float)
        loss = build('AccelerationLoss', loss_weight=1.0)
        found = loss(*map(torch.from_numpy, (pred, target, weights)))
        sums = [accel_error(*x) for x in zip(pred, target, weights)]
        total, count = np.sum(sums, axis=0)
        assert found.item() == pytest.approx(total / count, rel=1e-9)

    def test_closed_form_and_weight(self):
        pred = torch.zeros(1, 3, 1, 2)
        pred[0, 1, 0] = torch.tensor([3.0, -4])
        args = torch.zeros(1, 3, 1, 2), torch.ones(1, 3, 1)
        assert build('AccelerationLoss', loss_weight=0.5)(pred, *args) == 5

    def test_constant_and_linear_errors_cost_nothing(self):
        target = torch.randn(2, 10, 3, 2)
        drift = torch.arange(10.0)[:, None, None] * 0.5 + 3
        loss = build('AccelerationLoss')
        weights = torch.ones(2, 10, 3)
        assert loss(target + drift, target, weights) < 1e-4

    def test_unknown_truth_enters_nothing(self):
        target = torch.zeros(1, 9, 1, 2)
        weights = torch.ones(1, 9, 1)
        weights[0, 4] = 0
        target[0, 4] = float('nan')
        pred = torch.randn(1, 9, 1, 2, requires_grad=True)
        loss = build('AccelerationLoss')(pred, target, weights)
        loss.backward()
        assert loss.isfinite()
        assert pred.grad.isfinite().all()
        assert (pred.grad[0, 4] == 0).all()

    @pytest.mark.parametrize('count', [1, 2])
    def test_too_short_for_an_acceleration(self, count):
        poses = torch.ones(1, count, 2, 2)
        loss = build('AccelerationLoss')
        assert loss(poses, 0 * poses, torch.ones(1, count, 2)) == 0

    def test_gradient_is_finite_where_the_error_is_zero(self):
        pred = torch.zeros(1, 5, 2, 2, requires_grad=True)
        args = torch.zeros(1, 5, 2, 2), torch.ones(1, 5, 2)
        build('AccelerationLoss')(pred, *args).backward()
        assert pred.grad.isfinite().all()


@pytest.mark.parametrize('supervise', [False, True])
def test_codec_may_teach_to_fill_what_is_missing(supervise):
    rng = np.random.default_rng(0)
    poses = rng.normal(0, 1, (6, 3, 2)).astype(np.float32)
    valid, visible = np.ones((6, 3), bool), np.ones((6, 3), np.float32)
    valid[2, 1] = False
    visible[4, 0] = 0
    codec = KEYPOINT_CODECS.build(
        dict(type='PoseSequenceCodec', supervise_missing=supervise)
    )
    encoded = codec.encode(poses, visible, poses + 1, valid)
    expected = visible.copy()
    expected[2, 1] = supervise
    np.testing.assert_array_equal(encoded['keypoint_weights'], expected)
