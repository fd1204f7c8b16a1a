# Copyright (c) hanet_mm contributors. All rights reserved.
"""Every config is one that MMPose can run."""

import math
from pathlib import Path

import pytest
import torch
from mmengine.config import Config
from mmengine.optim import build_optim_wrapper
from mmengine.registry import PARAM_SCHEDULERS, init_default_scope
from mmpose.registry import DATASETS, METRICS, MODELS

import hanet_mm  # noqa: F401

pytestmark = pytest.mark.mm

CONFIGS = Path(__file__).parents[2] / 'configs'
HANET = sorted((CONFIGS / 'hanet').rglob('*.py'))
FULL = CONFIGS / 'hanet/jhmdb/hanet_simplebaseline-11frm_1xb16-70e_jhmdb.py'
ABLATIONS = FULL.parent / 'ablations'


def load(path):
    cfg = Config.fromfile(path)
    init_default_scope(cfg.default_scope)
    return cfg


def narrow(model):
    """The same model, small enough to build in a moment."""
    model = Config(dict(model=model)).model
    for part in ('backbone', 'head'):
        model[part].embed_dims = 16
    return model


@pytest.mark.parametrize('path', HANET, ids=lambda path: path.stem)
def test_config_builds(path, tmp_path):
    cfg = load(path)
    model = MODELS.build(narrow(cfg.model))
    data = cfg.train_dataloader.dataset
    window = data.window_size
    assert window == model.window_size
    for loader in (cfg.train_dataloader, cfg.val_dataloader):
        assert loader.dataset.type in DATASETS
    steps = [*data.get('chunk_pipeline', []), *data.pipeline]
    (encode,) = (x for x in steps if x.type == 'GenerateTarget')
    assert encode.encoder == cfg.model.head.decoder
    for metrics in (cfg.val_evaluator, cfg.test_evaluator):
        for metric in metrics if isinstance(metrics, list) else [metrics]:
            METRICS.build(metric)
    assert cfg.test_dataloader.dataset != cfg.val_dataloader.dataset
    shape = cfg.model.backbone
    inputs = torch.randn(2, window, shape.num_keypoints, shape.coord_dims)
    final = model(inputs, None, mode='tensor').final
    assert final.shape == inputs.shape


def test_published_settings_of_sub_jhmdb():
    # SPEC section 8, first row of the table.
    model = load(FULL).model
    assert (model.sample_interval, model.window_size) == (5, 11)
    assert load(FULL).train_dataloader.batch_size == 16
    assert model.head.loss.final_weight == 5
    assert not model.backbone.norm_first
    assert model.backbone.num_levels == model.head.num_layers == 5
    with torch.device('meta'):
        built = MODELS.build(model)
    count = sum(p.numel() for p in built.parameters())
    # Published: 320.5 M, of which the unused last projection is 33.6 M.
    assert round(count / 1e6, 1) == round(320.5 - 33.6, 1)


# SPEC section 8: N, T, h, batch, pre-norm, lambda_s.
SETTINGS = {
    'h36m/hanet_fcn-51frm_1xb96-70e_h36m': (5, 51, 64, 96, True, 1),
    'h36m/hanet_fcn-101frm_1xb96-70e_h36m': (5, 101, 64, 96, True, 1),
    'h36m/hanet_mhformer-101frm_1xb576-70e_h36m': (2, 101, 64, 576, True, 5),
    'pw3d/hanet_pare-51frm_1xb64-70e_pw3d': (5, 51, 128, 64, True, 1),
    'pw3d/hanet_pare-101frm_1xb64-70e_pw3d': (5, 101, 128, 64, True, 1),
    'pw3d/hanet_pare-101frm_1xb128-70e_pw3d-smpl': (
        *(10, 101, 128, 128, False, 5),
    ),
    'aist/hanet_spin-51frm_1xb256-70e_aist': (5, 51, 32, 256, True, 5),
    'aist/hanet_spin-101frm_1xb256-70e_aist': (5, 101, 32, 256, True, 5),
    'aist/hanet_spin-101frm_1xb512-70e_aist-smpl': (
        *(10, 101, 32, 512, False, 2),
    ),
    'posetrack/hanet_dcpose-5frm_1xb16-70e_posetrack17': (
        *(1, 5, 256, 16, True, 5),
    ),
    'posetrack/hanet_dcpose-5frm_1xb16-70e_posetrack18': (
        *(1, 5, 256, 16, True, 5),
    ),
}


@pytest.mark.parametrize(('name', 'expected'), SETTINGS.items())
def test_published_settings(name, expected):
    cfg = load(CONFIGS / 'hanet' / f'{name}.py')
    model, loader = cfg.model, cfg.train_dataloader
    for part in (model.backbone, model.head):
        found = (
            model.sample_interval,
            model.window_size,
            part.embed_dims,
            loader.batch_size,
            part.norm_first,
            model.head.loss.final_weight,
        )
        assert found == expected
    assert loader.dataset.window_size == model.window_size
    assert model.backbone.num_levels == model.head.num_layers == 5
    assert cfg.train_cfg.max_epochs == 70
    # Neither trained nor selected on what is tested.
    files = [
        cfg[f'{x}_dataloader'].dataset.ann_file
        for x in ('train', 'val', 'test')
    ]
    assert files[0] == files[1] != files[2]
    parts = loader.dataset.part, cfg.val_dataloader.dataset.part
    assert parts == ('train', 'val')
    with torch.device('meta'):
        MODELS.build(model)


def test_schedule_is_the_closed_form():
    # PUBLISHED section 7, with 4 iterations per epoch.
    cfg = load(FULL)
    layer = torch.nn.Linear(2, 2)
    wrapper = build_optim_wrapper(layer, cfg.optim_wrapper)
    optimizer = wrapper.optimizer
    assert isinstance(optimizer, torch.optim.AdamW)
    assert optimizer.defaults['amsgrad']
    assert optimizer.defaults['weight_decay'] == 0.01
    assert optimizer.defaults['betas'] == (0.9, 0.999)
    per_epoch = 4
    schedulers = []
    for scheduler in cfg.param_scheduler:
        scheduler = dict(scheduler)
        kind = PARAM_SCHEDULERS.get(scheduler.pop('type'))
        assert scheduler.pop('convert_to_iter_based')
        schedulers.append(
            kind.build_iter_from_epoch(
                optimizer=wrapper, epoch_length=per_epoch, **scheduler
            )
        )
    warm, total = 5 * per_epoch, 70 * per_epoch
    for t in range(total):
        if t < warm:
            expected = 1e-6 + t * (1e-3 - 1e-6) / (warm - 1)
        else:
            turn = math.pi * (t - warm) / (total - warm)
            expected = 1e-5 + 0.5 * (1e-3 - 1e-5) * (1 + math.cos(turn))
        lr = optimizer.param_groups[0]['lr']
        assert lr == pytest.approx(expected, rel=1e-9), t
        optimizer.step()
        for scheduler in schedulers:
            scheduler.step()


def changes(cfg, base, prefix=''):
    """Flat names of the settings in which two configs differ."""
    found = {}
    for key in sorted(set(cfg) | set(base)):
        one, two = cfg.get(key), base.get(key)
        if isinstance(one, dict) and isinstance(two, dict):
            found.update(changes(one, two, f'{prefix}{key}.'))
        elif one != two:
            found[prefix + key] = one
    return found


LEVELS4 = {'backbone.num_levels': 4, 'head.num_layers': 4}
PLAIN = {
    'backbone.stack_neighbors': False,
    'head.motion_affine': False,
}


@pytest.mark.parametrize(
    ('name', 'expected'),
    [
        (
            'constant-width-4levels-no-oml',
            {
                **LEVELS4,
                'backbone.hierarchical': False,
                'head.loss.oml_norms': [],
            },
        ),
        ('4levels-no-oml', {**LEVELS4, 'head.loss.oml_norms': []}),
        ('4levels-oml-l2', {**LEVELS4, 'head.loss.oml_norms': ['l2']}),
        ('4levels-oml-l1', {**LEVELS4, 'head.loss.oml_norms': ['l1']}),
        ('4levels', LEVELS4),
        ('6levels', {'backbone.num_levels': 6, 'head.num_layers': 6}),
        (
            'no-kinematics',
            {
                **PLAIN,
                'backbone.use_flow': False,
                'head.use_velocity': False,
                'head.use_acceleration': False,
            },
        ),
        (
            'flow',
            {
                **PLAIN,
                'head.use_velocity': False,
                'head.use_acceleration': False,
            },
        ),
        ('flow-velocity', {**PLAIN, 'head.use_acceleration': False}),
        ('flow-velocity-acceleration', PLAIN),
        ('no-stacking', {'backbone.stack_neighbors': False}),
        ('no-self-mask', {'backbone.mask_self': False}),
    ],
)
def test_ablations_change_what_they_say(name, expected):
    base = load(FULL)
    cfg = load(ABLATIONS / f'{FULL.stem}_{name}.py')
    assert changes(cfg.model, base.model) == expected
    assert set(changes(cfg, base)) == {f'model.{key}' for key in expected}


def test_every_ablation_is_tested():
    marks = test_ablations_change_what_they_say.pytestmark[0]
    tested = {f'{FULL.stem}_{name}' for name, _ in marks.args[1]}
    assert tested == {path.stem for path in ABLATIONS.glob('*.py')}


@pytest.mark.parametrize('path', HANET, ids=lambda path: path.stem)
def test_learning_rates_are_for_the_batch_size_of_the_config(path):
    # The name says on how many GPUs (1) and with which batch size.
    cfg = load(path)
    batch = cfg.train_dataloader.batch_size
    assert f'_1xb{batch}-' in path.stem
    assert cfg.auto_scale_lr == dict(base_batch_size=batch)
