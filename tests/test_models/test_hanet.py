# Copyright (c) hanet_mm contributors. All rights reserved.
"""HANet as MMPose builds, trains and tests it."""

import numpy as np
import pytest
import torch
from mmengine.structures import InstanceData
from mmpose.registry import MODELS
from mmpose.structures import PoseDataSample

import hanet_mm  # noqa: F401
from hanet_mm.core.nn.network import HANetNetwork

pytestmark = pytest.mark.mm


@pytest.fixture(autouse=True)
def _seed():
    torch.manual_seed(0)


def config(normalization='box', coord_dims=2, **kwargs):
    shared = dict(num_keypoints=5, coord_dims=coord_dims, embed_dims=16)
    return dict(
        type='HANet',
        window_size=11,
        sample_interval=5,
        backbone=dict(type='HierarchicalEncoder', num_levels=2, **shared),
        head=dict(
            type='KinematicHead',
            num_layers=2,
            decoder=dict(
                type='PoseSequenceCodec', normalization=normalization
            ),
            **shared,
        ),
        **kwargs,
    )


def window(frames=11, dims=2, seed=0):
    rng = np.random.default_rng(seed)
    labels = InstanceData(
        keypoint_labels=rng.normal(size=(frames, 5, dims)).astype(np.float32),
        keypoint_weights=np.ones((frames, 5), np.float32),
    )
    sample = PoseDataSample()
    sample.gt_instance_labels = labels
    inputs = rng.normal(size=(frames, 5, dims)).astype(np.float32)
    return dict(inputs=inputs, data_samples=sample)


def sequence(frames, seed=0):
    rng = np.random.default_rng(seed)
    poses = rng.normal(200, 40, (frames, 5, 2)).astype(np.float32)
    sample = PoseDataSample(metainfo=dict(image_size=(320, 240)))
    sample.est_instances = InstanceData(
        keypoints=poses,
        keypoint_scores=rng.random((frames, 5)).astype(np.float32),
        keypoints_valid=np.ones((frames, 5), bool),
    )
    return dict(inputs=poses, data_samples=sample)


def collate(items):
    return {key: [item[key] for item in items] for key in items[0]}


@pytest.mark.parametrize('dims', [2, 3])
def test_training_reduces_the_loss(dims):
    model = MODELS.build(config(coord_dims=dims))
    batch = model.data_preprocessor(
        collate([window(dims=dims, seed=i) for i in range(4)]), training=True
    )
    optimizer = torch.optim.AdamW(model.parameters(), lr=3e-3)
    history = []
    for _ in range(30):
        losses = model(**batch, mode='loss')
        total, _ = model.parse_losses(losses)
        optimizer.zero_grad()
        total.backward()
        optimizer.step()
        history.append(total.item())
    assert history[-1] < 0.7 * history[0]


def test_loss_stays_in_float32_under_mixed_precision():
    model = MODELS.build(config())
    batch = model.data_preprocessor(
        collate([window(seed=i) for i in range(4)]), training=True
    )
    expected = model.eval()(**batch, mode='loss')
    exact = model(batch['inputs'], None, mode='tensor').final
    with torch.autocast('cpu', dtype=torch.bfloat16):
        poses = model(batch['inputs'], None, mode='tensor')
        losses = model(**batch, mode='loss')
    # Half precision was at work, but coordinates stay in float32.
    assert poses.final.dtype == torch.float32
    assert 1e-4 < (poses.final - exact).abs().max() < 0.1
    for name, value in losses.items():
        assert value.dtype == torch.float32
        torch.testing.assert_close(value, expected[name], rtol=0.05, atol=0)
    sum(losses.values()).backward()
    for parameter in model.parameters():
        assert parameter.grad.isfinite().all()


def test_predict_gives_one_result_per_sequence():
    model = MODELS.build(config()).eval()
    items = [sequence(n, n) for n in (30, 1, 11, 4)]
    results = model.test_step(collate(items))
    for item, result in zip(items, results):
        frames = len(item['inputs'])
        assert result.pred_instances.keypoints.shape == (frames, 5, 2)
        assert result.pred_instances.refined_mask.all()
        np.testing.assert_array_equal(
            result.pred_instances.keypoint_scores,
            item['data_samples'].est_instances.keypoint_scores,
        )


@pytest.mark.parametrize('normalization', ['image', 'box', 'none'])
def test_prediction_does_not_depend_on_the_batch(normalization):
    model = MODELS.build(config(normalization)).eval()
    model.test_cfg = dict(window_batch=3)
    items = [sequence(n, n) for n in (30, 4, 17)]
    together = model.test_step(collate(items))
    for item, one in zip(items, together):
        model.test_cfg = {}
        (alone,) = model.test_step(collate([item]))
        np.testing.assert_allclose(
            one.pred_instances.keypoints,
            alone.pred_instances.keypoints,
            atol=1e-3,
        )


def test_stride_and_tail_of_the_test_config():
    model = MODELS.build(config(test_cfg=dict(stride=5, tail='drop'))).eval()
    (result,) = model.test_step(collate([sequence(13)]))
    assert (
        result.pred_instances.refined_mask.tolist()
        == [True] * 11 + [False] * 2
    )


def test_weights_are_those_of_the_core():
    model = MODELS.build(config())
    cfg = config()
    for part in ('backbone', 'head'):
        for key in ('type', 'decoder'):
            cfg[part].pop(key, None)
    core = HANetNetwork(cfg['backbone'], cfg['head'], 5)
    core.load_state_dict(model.state_dict())
    poses = torch.randn(2, 11, 5, 2)
    with torch.no_grad():
        expected = core.eval()(poses)
        result = model.eval()(poses, None, mode='tensor')
    torch.testing.assert_close(result.final, expected.final)


def test_windows_of_another_length():
    model = MODELS.build(config())
    batch = model.data_preprocessor(collate([window(16)]), training=True)
    with pytest.raises(ValueError, match='window_size = 11 frames, got 16'):
        model(**batch, mode='loss')


def test_window_that_does_not_fit_the_interval():
    with pytest.raises(ValueError, match=r'\(T - 1\) % N == 0.*T = 12, N = 5'):
        MODELS.build({**config(), 'window_size': 12})


@pytest.mark.parametrize(
    ('key', 'value', 'message'),
    [
        ('num_keypoints', 6, 'num_keypoints: 5 and 6'),
        ('coord_dims', 3, 'coord_dims: 2 and 3'),
        ('embed_dims', 32, 'embed_dims: 16 and 32'),
    ],
)
def test_backbone_and_head_have_to_agree(key, value, message):
    cfg = config()
    cfg['head'][key] = value
    with pytest.raises(ValueError, match=message):
        MODELS.build(cfg)


def test_initial_weights():
    torch.manual_seed(0)
    default = MODELS.build(config())
    # Motion enters as it is: scale 1, offset 0.
    assert (default.head.prev_velocity.weight == 1).all()
    assert (default.head.acceleration.bias == 0).all()
    # Xavier for the packed projection: sqrt(6 / 4d).
    packed = default.backbone.levels[1].self_attn.in_proj_weight
    bound = (6 / (4 * 32)) ** 0.5
    assert 0.97 * bound < packed.abs().max() <= bound
    assert not default.backbone.levels[1].self_attn.out_proj.bias.any()
    # Other biases within 1 / sqrt(fan_in).
    bias = default.backbone.levels[1].ffn.linear1.bias
    assert 0.8 * 32**-0.5 < bias.abs().max() <= 32**-0.5

    cfg = config()
    cfg['head']['init'] = 'published'
    published = MODELS.build(cfg)
    # Offsets in U(-1, 1), scales within sqrt(6 / (1 + C)), C = 10.
    bias = published.head.next_velocity.bias
    assert 0.3 < bias.abs().max() <= 1
    assert published.head.next_velocity.weight.abs().max() <= (6 / 11) ** 0.5
    first, second = published.head.layers
    assert torch.equal(first.ffn.linear1.bias, second.ffn.linear1.bias)
    assert not torch.equal(
        default.head.layers[0].ffn.linear1.bias,
        default.head.layers[1].ffn.linear1.bias,
    )


def test_training_can_start_at_the_estimates():
    cfg = config()
    cfg['head']['init'] = 'identity'
    model = MODELS.build(cfg).eval()
    inputs = torch.randn(3, 11, 5, 2)
    final, refined = model(inputs, None, mode='tensor')[:2]
    samples = inputs[:, ::5]
    assert torch.equal(refined, samples)
    # In between, at the straight line from sample to sample.
    way = (torch.arange(11) % 5 / 5)[:, None, None]
    left = samples[:, [*[0] * 5, *[1] * 5, 2]]
    right = samples[:, [*[1] * 5, *[2] * 6]]
    torch.testing.assert_close(final, left + way * (right - left))
    # Everything else learns from the second step on.
    (final.sum() + refined.sum()).backward()
    assert model.head.output.weight.grad.abs().max() > 0


def test_unknown_initialisation():
    cfg = config()
    cfg['head']['init'] = 'random'
    with pytest.raises(ValueError, match="'random'"):
        MODELS.build(cfg)
