# Copyright (c) hanet_mm contributors. All rights reserved.
"""Losses against closed forms and the reference of the published loss."""

import numpy as np
import pytest
import torch
from mmpose.registry import MODELS

import hanet_mm  # noqa: F401

pytestmark = pytest.mark.mm

N = 5


def build(kind, **kwargs):
    return MODELS.build(dict(type=kind, **kwargs))


def poses(shape=(1, 1, 4, 2), value=0.0):
    return torch.full(shape, value)


class TestWeightedKeypointLoss:
    def test_closed_form_of_each_norm(self):
        # Errors (3, 4) at one of four keypoints: L1 = 7, L2 = 5.
        pred = poses()
        pred[0, 0, 1] = torch.tensor([3.0, 4.0])
        visible = torch.ones(1, 1, 4)
        # mean = e / 4; the hard half holds that keypoint: e / 2.
        for norms, e in ((['l1'], 7), (['l2'], 5), (['l1', 'l2'], 12)):
            loss = build('WeightedKeypointLoss', norms=norms)
            assert loss(pred, poses(), visible) == e / 4 + 0.5 * e / 2

    def test_weights_of_the_hard_half_and_of_the_whole(self):
        pred = poses()
        pred[0, 0, 1, 0] = 1.0
        args = (pred, poses(), torch.ones(1, 1, 4))
        plain = build('WeightedKeypointLoss', norms=['l1'], hard_weight=0)
        assert plain(*args) == 1 / 4
        hard = build(
            'WeightedKeypointLoss',
            norms=['l1'],
            hard_weight=1.0,
            loss_weight=2.0,
        )
        assert hard(*args) == 2 * (1 / 4 + 1 / 2)

    def test_hard_keypoints_are_chosen_per_sample(self):
        # Sample 0 errs at keypoint 0, sample 1 at keypoint 3: with one of
        # two keypoints hard, both errors count once more.
        pred = poses((2, 1, 2, 1))
        pred[0, 0, 0], pred[1, 0, 1] = 1.0, 3.0
        loss = build('WeightedKeypointLoss', norms=['l1'])
        result = loss(pred, poses((2, 1, 2, 1)), torch.ones(2, 1, 2))
        assert result == (1 + 3) / 4 + 0.5 * (1 + 3) / 2

    def test_invisible_keypoints_enter_nothing(self):
        pred, target = torch.randn(2, 3, 5, 6, 2)
        visible = (torch.rand(3, 5, 6) > 0.4).float()
        loss = build('WeightedKeypointLoss')
        expected = loss(pred, target, visible)
        target[visible == 0] = float('nan')
        pred[visible == 0] = 1e6
        pred.requires_grad_()
        result = loss(pred, target, visible)
        torch.testing.assert_close(result, expected)
        result.backward()
        assert pred.grad.isfinite().all()
        assert (pred.grad[visible == 0] == 0).all()

    def test_mean_is_over_what_is_visible(self):
        pred = torch.ones(1, 4, 2, 1)
        visible = torch.zeros(1, 4, 2)
        visible[0, 1, 0] = 1
        loss = build('WeightedKeypointLoss', norms=['l1'], hard_weight=0)
        assert loss(pred, torch.zeros_like(pred), visible) == 1

    def test_gradient_is_finite_where_the_error_is_zero(self):
        pred = torch.zeros(1, 2, 4, 2, requires_grad=True)
        loss = build('WeightedKeypointLoss')
        loss(pred, torch.zeros(1, 2, 4, 2), torch.ones(1, 2, 4)).backward()
        assert pred.grad.isfinite().all()

    def test_unknown_norm(self):
        with pytest.raises(ValueError, match="'l3'"):
            build('WeightedKeypointLoss', norms=['l3'])


class TestOMLLoss:
    def outputs(self, final, refined, frames=11):
        """One keypoint in one dimension, constant in time."""
        final = torch.full((1, frames, 1, 1), final, requires_grad=True)
        sampled = (frames - 1) // N + 1
        refined = torch.full((1, sampled, 1, 1), refined, requires_grad=True)
        target = torch.zeros(1, frames, 1, 1)
        return final, refined, target, torch.ones(1, frames, 1)

    def test_terms_of_eq_11(self):
        # One norm and no hard term: |error| and |difference|.
        loss = build(
            'OMLLoss', final_weight=5.0, norms=['l1'], hard_weight=0.0
        )
        losses = loss(*self.outputs(0.5, 0.1), N)
        assert losses['loss_refined'].item() == pytest.approx(0.1)
        assert losses['loss_final'].item() == pytest.approx(2.5)
        assert losses['loss_mutual'].item() == pytest.approx(0.4)

    @pytest.mark.parametrize(
        ('final', 'refined', 'learner'),
        [(0.5, 0.1, 'final'), (0.1, 0.5, 'refined'), (0.5, -0.1, 'final')],
    )
    def test_only_the_worse_output_learns_from_the_other(
        self, final, refined, learner
    ):
        outputs = self.outputs(final, refined)
        build('OMLLoss')(*outputs, N)['loss_mutual'].backward()
        grads = dict(final=outputs[0].grad, refined=outputs[1].grad)
        teacher = {'final': 'refined', 'refined': 'final'}[learner]
        assert grads[teacher] is None or not grads[teacher].any()
        assert grads[learner].any()
        # It moves towards the teacher, on sampled frames only.
        sign = np.sign(dict(final=final, refined=refined)[learner])
        moved = grads[learner].flatten().sign()
        if learner == 'final':
            assert moved[::N].tolist() == [sign] * 3
            assert moved.abs().sum() == 3
        else:
            assert moved.tolist() == [sign] * 3

    def test_teacher_is_chosen_per_sample_and_keypoint(self):
        final = torch.zeros(2, 1, 2, 1)
        refined = torch.zeros(2, 1, 2, 1)
        # Who errs: sample 0: final, refined; sample 1: refined, final.
        final[0, 0, 0] = final[1, 0, 1] = 1.0
        refined[0, 0, 1] = refined[1, 0, 0] = 1.0
        final.requires_grad_()
        refined.requires_grad_()
        loss = build('OMLLoss', hard_weight=0.0)
        losses = loss(
            final, refined, torch.zeros(2, 1, 2, 1), torch.ones(2, 1, 2), 1
        )
        losses['loss_mutual'].backward()
        assert (final.grad != 0).flatten().tolist() == [1, 0, 0, 1]
        assert (refined.grad != 0).flatten().tolist() == [0, 1, 1, 0]

    def test_teacher_is_chosen_on_sampled_frames(self):
        # The final output errs only between the samples: there it leads.
        final, refined, target, visible = self.outputs(0.0, 0.1)
        with torch.no_grad():
            final[:, 1:5] = 9.0
        losses = build('OMLLoss')(final, refined, target, visible, N)
        losses['loss_mutual'].backward()
        assert refined.grad.any()
        assert not final.grad.any()

    def test_oml_norms_change_the_mutual_term_only(self):
        torch.manual_seed(0)
        outputs = (
            torch.randn(2, 11, 4, 2),
            torch.randn(2, 3, 4, 2),
            torch.randn(2, 11, 4, 2),
            torch.ones(2, 11, 4),
        )
        full = build('OMLLoss')(*outputs, N)
        seen = [full['loss_mutual']]
        for norms in (['l1'], ['l2']):
            losses = build('OMLLoss', oml_norms=norms)(*outputs, N)
            assert losses['loss_refined'] == full['loss_refined']
            assert losses['loss_final'] == full['loss_final']
            seen.append(losses['loss_mutual'])
        # Both norms add up; none leaves the term out.
        torch.testing.assert_close(seen[0], seen[1] + seen[2])
        none = build('OMLLoss', oml_norms=[])(*outputs, N)
        assert set(none) == {'loss_refined', 'loss_final'}

    def test_norms_are_those_of_all_terms(self):
        losses = build('OMLLoss', norms=['l1'], hard_weight=0.0)(
            torch.ones(1, 1, 1, 2),
            torch.zeros(1, 1, 1, 2),
            torch.zeros(1, 1, 1, 2),
            torch.ones(1, 1, 1),
            1,
        )
        assert losses['loss_final'] == 5 * 2
        assert losses['loss_mutual'] == 2

    def test_nothing_visible_gives_a_finite_zero(self):
        final, refined, target, visible = self.outputs(1.0, 1.0)
        target = torch.full_like(target, float('nan'))
        losses = build('OMLLoss')(final, refined, target, 0 * visible, N)
        total = sum(losses.values())
        assert total == 0
        total.backward()
        assert not final.grad.any()
        assert not refined.grad.any()


class TestPublishedHANetLoss:
    def load(self, shared_dir, name):
        with np.load(shared_dir / 'fixtures' / name) as data:
            return {key: data[key] for key in data.files}

    def test_value_and_gradient_of_the_reference(self, shared_dir):
        data = self.load(shared_dir, 'hanet_ref_loss.npz')
        final, refined, target = (
            torch.from_numpy(data[key]).unflatten(-1, (15, 2)).requires_grad_()
            for key in ('final', 'refined', 'gt')
        )
        loss = build('PublishedHANetLoss', final_weight=float(data['lamada']))
        result = loss(
            final,
            refined[:, ::N],
            target.detach(),
            torch.ones(target.shape[:3]),
            int(data['sample_interval']),
        )['loss_hanet']
        assert abs(result.item() - data['final_loss_float64']) < 1e-6
        result.backward()
        for output, key in ((final, 'grad_final'), (refined, 'grad_refined')):
            error = output.grad.flatten(2).numpy() - data[key]
            assert np.abs(error).max() < 1e-6

    def test_closed_form(self):
        # K = 2, D = 2, T = 1: four channels, 2 * (4 // 4) = 2 hard ones.
        final = torch.tensor([1.0, 2.0, 3.0, 4.0]).view(1, 1, 2, 2)
        refined = torch.tensor([1.0, 1.0, 1.0, 1.0]).view(1, 1, 2, 2)
        loss = build(
            'PublishedHANetLoss', final_weight=2.0, refined_weight=3.0
        )(final, refined, torch.zeros(1, 1, 2, 2), torch.ones(1, 1, 2), 1)[
            'loss_hanet'
        ]
        channels = [(2 * f + 3 * (1 + abs(f - 1))) / 4 for f in (1, 2, 3, 4)]
        assert loss == pytest.approx(
            sum(channels) + (channels[2] + channels[3]) / 2
        )

    def test_both_outputs_are_pulled_together(self):
        # PUBLISHED section 8: the better one stops learning.
        final = torch.full((1, 1, 1, 1), 0.5, requires_grad=True)
        refined = torch.full((1, 1, 1, 1), 0.1, requires_grad=True)
        build('PublishedHANetLoss', final_weight=0.0)(
            final, refined, torch.zeros(1, 1, 1, 1), torch.ones(1, 1, 1), 1
        )['loss_hanet'].backward()
        assert final.grad.item() == 1
        assert refined.grad.item() == 0

    def test_hidden_elements_enter_nothing(self):
        final = torch.randn(2, 11, 4, 2, requires_grad=True)
        refined = torch.randn(2, 3, 4, 2)
        target = torch.full((2, 11, 4, 2), float('nan'))
        loss = build('PublishedHANetLoss')(
            final, refined, target, torch.zeros(2, 11, 4), N
        )['loss_hanet']
        assert loss == 0
        loss.backward()
        assert not final.grad.any()
