# Copyright (c) hanet_mm contributors. All rights reserved.
"""HANet with all additions: trained, tested, exported."""

import numpy as np
import pytest
import torch
from mmengine.config import Config
from mmengine.structures import InstanceData
from mmpose.registry import MODELS
from mmpose.structures import PoseDataSample

import hanet_mm  # noqa: F401
from hanet_mm import load_refiner
from hanet_mm.apis import export_refiner
from hanet_mm.models.heads import limited

pytestmark = pytest.mark.mm

K, T = 4, 8
FLIP = [1, 0, 3, 2]
NAMES = 'left_hand right_hand left_foot right_foot'.split()
BODY = np.array([[-1.0, 0], [1, 0], [-0.5, 2], [0.5, 2]])
AUGMENTS = [
    dict(type='ExchangeErrors', window_prob=0.3, joint_prob=0.3),
    dict(type='RandomSpeed', prob=0.5, speed_range=(0.6, 1.5)),
    dict(type='RandomWindowFlip', flip_indices=FLIP),
    dict(type='RandomTimeReversal'),
    dict(type='RandomRotateScale', max_angle=20.0, scale_range=(0.9, 1.1)),
    dict(type='RefitBox'),
]


@pytest.fixture(autouse=True)
def _seed():
    torch.manual_seed(0)


def config(head=None, **kwargs):
    shape = dict(num_keypoints=K, coord_dims=2, embed_dims=16, use_scores=True)
    head = dict(
        dict(
            type='KinematicHead',
            num_layers=1,
            init='identity',
            flip_indices=FLIP,
            predict_error=True,
            accel_loss=dict(type='AccelerationLoss'),
            decoder=dict(
                type='PoseSequenceCodec',
                normalization='box',
                supervise_missing=True,
            ),
            **shape,
        ),
        **(head or {}),
    )
    return dict(
        type='HANet',
        window_size=T,
        sample_interval=1,
        data_preprocessor=dict(
            type='PoseSequenceDataPreprocessor', batch_augments=AUGMENTS
        ),
        backbone=dict(type='HierarchicalEncoder', num_levels=2, **shape),
        head=head,
        **kwargs,
    )


def draw(frames, seed):
    """Somebody who moves, estimates and their scores."""
    rng = np.random.default_rng(seed)
    time = np.arange(frames)[:, None, None]
    swing = np.sin(time * 0.3 + rng.uniform(0, 6, (1, K, 1)))
    truth = BODY * (1 + 0.1 * swing) + rng.normal(0, 0.1, (1, K, 2))
    scores = rng.uniform(0.1, 1, (frames, K))
    noise = rng.normal(0, 0.1, truth.shape) / (5 * scores[..., None])
    poses = truth + noise
    poses[3:5] = poses[3:5, FLIP]  # sides swapped for two frames
    scores[6, 1] = 0
    return tuple(x.astype(np.float32) for x in (poses, truth, scores))


def window(seed):
    poses, truth, scores = draw(T, seed)
    sample = PoseDataSample()
    sample.gt_instance_labels = InstanceData(
        keypoint_labels=truth / 3,
        keypoint_weights=np.ones((T, K), np.float32),
        keypoint_scores=scores,
    )
    return dict(inputs=poses / 3, data_samples=sample)


def sequence(frames, seed):
    poses, _, scores = draw(frames, seed)
    sample = PoseDataSample(metainfo=dict(flip_indices=FLIP))
    sample.est_instances = InstanceData(
        keypoints=100 * poses + 300,
        keypoint_scores=scores,
        keypoints_valid=scores > 0,
    )
    inputs = sample.est_instances.keypoints
    return dict(inputs=inputs, data_samples=sample)


def collate(items):
    return {key: [item[key] for item in items] for key in items[0]}


def shake(model):
    torch.manual_seed(1)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.add_(0.05 * torch.randn_like(parameter))
    return model.eval()


def predict(model, items):
    results = model.test_step(collate(items))
    return [x.pred_instances.keypoints for x in results]


def test_training_reduces_all_losses():
    model = MODELS.build(config())
    optimizer = torch.optim.AdamW(model.parameters(), lr=5e-3)
    history = []
    for step in range(40):
        # Augmentations replace labels: samples are made anew.
        items = [window(100 * step + i) for i in range(8)]
        batch = model.data_preprocessor(collate(items), training=True)
        losses = model(**batch, mode='loss')
        total, _ = model.parse_losses(losses)
        optimizer.zero_grad()
        total.backward()
        for name, parameter in model.named_parameters():
            assert parameter.grad.isfinite().all(), name
        optimizer.step()
        history.append({key: value.item() for key, value in losses.items()})
    assert {'loss_swap', 'loss_error', 'loss_accel'} < set(history[0])
    for key in history[0]:
        first, last = (
            np.mean([x[key] for x in part])
            for part in (history[:5], history[-5:])
        )
        assert last < (0.9 * first if first > 0 else first), key


def test_losses_are_those_of_the_parts():
    model = shake(MODELS.build(config()))
    model.data_preprocessor.batch_augments = []
    items = [window(i) for i in range(3)]
    batch = model.data_preprocessor(collate(items), training=True)
    losses = model(**batch, mode='loss')

    def labels(key):
        return torch.from_numpy(
            np.stack(
                [x['data_samples'].gt_instance_labels[key] for x in items]
            )
        )

    target, weights = labels('keypoint_labels'), labels('keypoint_weights')
    poses = model.head(
        *model.extract_feat(batch['inputs'], labels('keypoint_scores'))
    )
    build = MODELS.build
    expected = dict(
        loss_swap=build(dict(type='SideSwapLoss'))(
            poses.swap_logits, batch['inputs'], target, weights, FLIP
        ),
        loss_error=build(dict(type='ExpectedErrorLoss'))(
            poses.log_error, poses.final, target, weights
        ),
        loss_accel=build(dict(type='AccelerationLoss'))(
            poses.final, target, weights
        ),
    )
    for key, value in expected.items():
        assert value > 0 or key == 'loss_error'
        torch.testing.assert_close(losses[key], value)


def with_evidence(item, noise=0.02):
    labels = item['data_samples'].gt_instance_labels
    path = labels['keypoint_labels'] + np.float32(0.01)
    labels['keypoint_path'] = path
    labels['keypoint_noise'] = np.full((T, K), noise, np.float32)
    labels['keypoint_allowance'] = np.full((T, K), 0.01, np.float32)
    return item


def test_poses_learn_inside_the_limit():
    loss = dict(type='WeightedKeypointLoss', norms=['l2'], hard_weight=0)
    model = shake(MODELS.build(config(dict(limited_loss=loss))))
    model.data_preprocessor.batch_augments = []
    items = [with_evidence(window(i)) for i in range(2)]
    batch = model.data_preprocessor(collate(items), training=True)
    losses = model(**batch, mode='loss')
    labels = [x['data_samples'].gt_instance_labels for x in items]
    scores = torch.from_numpy(np.stack([x['keypoint_scores'] for x in labels]))
    poses = model.head(*model.extract_feat(batch['inputs'], scores))
    wanted = []
    for index, label in enumerate(labels):
        steps = poses.final[index].detach().numpy() - label['keypoint_path']
        length = np.linalg.norm(steps, axis=-1)
        # Noise of 2 % of the body: a quarter of the way from 1.5 to 3.5 %.
        part, limit = 0.4 + 0.5 / 4, (1.2 + 2.8 / 4) * 0.03
        share = np.minimum(part, limit / length)[..., None]
        limited = label['keypoint_path'] + share * steps
        wanted.append(limited - label['keypoint_labels'])
    error = np.linalg.norm(wanted, axis=-1).mean()
    assert losses['loss_limited'].item() == pytest.approx(error, rel=1e-4)
    losses['loss_limited'].backward()
    # What is expected of the poses does not learn from where they are.
    assert model.head.error.weight.grad is None
    assert model.head.output.weight.grad.abs().sum() > 0


def test_limited_poses_learn_the_definitions_of_the_joints():
    loss = dict(type='WeightedKeypointLoss', norms=['l2'], hard_weight=0)
    head = dict(limited_loss=loss, joint_definitions=True)
    model = shake(MODELS.build(config(head)))
    model.data_preprocessor.batch_augments = []
    torch.nn.init.normal_(model.head.definitions.weight, std=0.1)
    items = [with_evidence(window(i)) for i in range(2)]
    batch = model.data_preprocessor(collate(items), training=True)
    losses = model(**batch, mode='loss')
    labels = [x['data_samples'].gt_instance_labels for x in items]
    scores, *evidence, target = (
        torch.from_numpy(np.stack([x[f'keypoint_{key}'] for x in labels]))
        for key in ('scores', 'path', 'noise', 'allowance', 'labels')
    )
    poses = model.head(*model.extract_feat(batch['inputs'], scores))
    found = model.head.definitions(limited(poses.final, *evidence))
    error = (found - target).norm(dim=-1).mean()
    torch.testing.assert_close(losses['loss_limited'], error)
    losses['loss_limited'].backward()
    assert model.head.definitions.weight.grad.abs().min() > 0
    # Predictions are in the definitions as well.
    items = [sequence(20, 0)]
    (redefined,) = predict(model, items)
    definitions, model.head.definitions = model.head.definitions, None
    (expected,) = predict(model, items)
    expected = definitions(torch.from_numpy(expected)).detach()
    np.testing.assert_allclose(redefined, expected, rtol=1e-4)


def test_additions_bring_their_losses():
    plain = dict(flip_indices=None, predict_error=False, accel_loss=None)
    model = MODELS.build(config(plain))
    batch = model.data_preprocessor(collate([window(0)]), training=True)
    others = {'loss_swap', 'loss_error', 'loss_accel'}
    assert not others & set(model(**batch, mode='loss'))


def test_prediction_uses_the_scores():
    model = shake(MODELS.build(config()))
    item, other = sequence(20, 0), sequence(20, 0)
    other['data_samples'].est_instances.keypoint_scores[10] *= 0.3
    changed = predict(model, [other])[0] - predict(model, [item])[0]
    assert np.abs(changed[10]).max() > 0.01
    missing = sequence(20, 0)
    missing['data_samples'].est_instances.keypoints_valid[10] = False
    zero = sequence(20, 0)
    zero['data_samples'].est_instances.keypoint_scores[10] = 0
    np.testing.assert_array_equal(
        predict(model, [missing])[0], predict(model, [zero])[0]
    )


def mirrored(item, width=700):
    """The item of the mirrored video."""
    inputs = item['inputs'][:, FLIP].copy()
    inputs[..., 0] = width - inputs[..., 0]
    estimate = item['data_samples'].est_instances
    sample = PoseDataSample(metainfo=dict(flip_indices=FLIP))
    sample.est_instances = InstanceData(
        keypoints=inputs,
        keypoint_scores=estimate.keypoint_scores[:, FLIP],
        keypoints_valid=estimate.keypoints_valid[:, FLIP],
    )
    return dict(inputs=inputs, data_samples=sample)


def test_flip_test_is_the_mean_with_the_mirrored_prediction():
    # An odd window: in an even one the lower of two medians makes the box.
    plain = shake(MODELS.build(dict(config(), window_size=7)))
    tested = MODELS.build(
        dict(config(test_cfg=dict(flip_test=True)), window_size=7)
    )
    tested.load_state_dict(plain.state_dict())
    items = [sequence(n, n) for n in (7, 15)]
    for item in items:
        found = item['data_samples'].est_instances
        found.keypoint_scores = found.keypoint_scores.clip(0.1)
        found.keypoints_valid = np.ones_like(found.keypoints_valid)
    results = predict(tested.eval(), items)
    ones = predict(plain, items)
    others = predict(plain, [mirrored(item) for item in items])
    for result, one, other in zip(results, ones, others):
        other = other[:, FLIP]
        other[..., 0] = 700 - other[..., 0]
        assert np.abs(one - other).max() > 0.1
        np.testing.assert_allclose(result, (one + other) / 2, atol=5e-3)


def save_checkpoint(model, cfg, path, **dataset_meta):
    names = dict(enumerate(NAMES))
    meta = dict(
        cfg=Config(dict(model=cfg)).pretty_text,
        dataset_meta=dict(keypoint_id2name=names, **dataset_meta),
    )
    torch.save(dict(state_dict=model.state_dict(), meta=meta), path)
    return path


@pytest.mark.parametrize('flip_test', [False, True])
def test_exported_refiner_equals_the_model(tmp_path, flip_test):
    cfg = config(test_cfg=dict(flip_test=flip_test, stride=3))
    model = shake(MODELS.build(cfg))
    path = save_checkpoint(model, cfg, tmp_path / 'a.pth', flip_indices=FLIP)
    export_refiner(path, tmp_path / 'a.safetensors', fps=25)
    refiner = load_refiner(tmp_path / 'a.safetensors')
    assert refiner.flip_indices == (FLIP if flip_test else None)
    assert refiner.network.head.start.flip_indices == FLIP
    assert refiner.keypoint_names == NAMES
    assert refiner.fps == 25
    items = [sequence(n, n) for n in (20, 9, 8)]
    estimates = [item['data_samples'].est_instances for item in items]
    # Where nothing was found the data set fills in what the refiner does.
    poses = [x.keypoints for x in estimates]
    for x, points in zip(estimates, poses):
        before, after = points[[5, 7], 1]
        assert (~x.keypoints_valid).nonzero()[0].tolist() == [6]
        points[6, 1] = (before + after) / 2
    expected = predict(model, items)
    results = refiner.refine(poses, [x.keypoint_scores for x in estimates])
    for result, keypoints in zip(results, expected):
        np.testing.assert_allclose(result.keypoints, keypoints, atol=1e-3)
        assert (result.expected_error > 0).all()
        assert np.abs(keypoints - 300).max() > 50


def test_mirrored_tests_need_to_know_the_sides(tmp_path):
    cfg = config(test_cfg=dict(flip_test=True))
    path = save_checkpoint(MODELS.build(cfg), cfg, tmp_path / 'a.pth')
    with pytest.raises(ValueError, match='flip_test needs flip_indices'):
        export_refiner(path, tmp_path / 'a.safetensors')


def test_no_mirrored_test_in_other_coordinates():
    decoder = dict(type='PoseSequenceCodec', normalization='none')
    cfg = config(dict(decoder=decoder), test_cfg=dict(flip_test=True))
    model = MODELS.build(cfg).eval()
    with pytest.raises(ValueError, match="need the normalization 'box'"):
        predict(model, [sequence(9, 0)])
