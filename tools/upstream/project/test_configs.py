# Copyright (c) hanet_mm contributors. All rights reserved.
"""Configs of the project build, train and test."""

from pathlib import Path

import numpy as np
import pytest
from mmengine.config import Config
from mmengine.registry import init_default_scope
from mmengine.runner import Runner
from mmpose.registry import KEYPOINT_CODECS, METRICS, MODELS

from hanet_mm.core.data.sequences import PoseSequences, save_pose_sequences

CONFIGS = Path(__file__).resolve().parents[1] / 'configs'
SMALL = 'hanet-small_simplebaseline-11frm_1xb64-15e_jhmdb_published.py'


def write_sequences(path):
    """Four clips of 15 joints that move slowly, and noisy estimates."""
    rng = np.random.default_rng(0)
    length = np.array([20, 15, 12, 3])
    total = length.sum()
    pose = rng.normal(150, 40, (1, 15, 2))
    truth = pose + rng.normal(0, 1, (total, 15, 2)).cumsum(0)
    low, high = truth.min(1), truth.max(1)
    save_pose_sequences(
        path,
        PoseSequences(
            keypoints_est=truth + rng.normal(0, 3, truth.shape),
            scores=rng.uniform(0.2, 1, (total, 15)),
            keypoints_gt=truth,
            bboxes=np.concatenate([low, high], axis=1),
            seq_len=length,
            seq_name=np.array(['walk', 'run', 'jump', 'wave']),
            image_size=np.tile([320, 240], (4, 1)),
            fps=np.full(4, 25.0),
        ),
    )


@pytest.mark.parametrize('path', sorted(CONFIGS.glob('*.py')), ids=str)
def test_parts_of_each_config_build(path):
    cfg = Config.fromfile(path)
    init_default_scope(cfg.default_scope)
    # Of the model only a thin one: some have 300 M parameters.
    for part in (cfg.model.backbone, cfg.model.head):
        part.update(embed_dims=16)
    model = MODELS.build(cfg.model)
    KEYPOINT_CODECS.build(cfg.model.head.decoder)
    evaluators = cfg.test_evaluator
    for evaluator in [evaluators] if 'type' in evaluators else evaluators:
        METRICS.build(evaluator)
    assert model.window_size == cfg.train_dataloader.dataset.window_size


def test_small_config_trains_and_tests(tmp_path):
    for name in ('train', 'test'):
        write_sequences(tmp_path / f'{name}.npz')
    cfg = Config.fromfile(CONFIGS / SMALL)
    cfg.work_dir = str(tmp_path / 'work')
    cfg.train_cfg = dict(by_epoch=False, max_iters=1, val_interval=1)
    cfg.param_scheduler = []
    cfg.default_hooks.checkpoint.update(by_epoch=False, interval=1)
    loaders = {
        'train': cfg.train_dataloader,
        'val': cfg.val_dataloader,
        'test': cfg.test_dataloader,
    }
    for name, loader in loaders.items():
        loader.update(num_workers=0, persistent_workers=False, batch_size=4)
        loader.dataset.update(
            data_root=str(tmp_path),
            ann_file='test.npz' if name == 'test' else 'train.npz',
        )
    runner = Runner.from_cfg(cfg)
    before = {k: v.clone() for k, v in runner.model.state_dict().items()}
    runner.train()
    metrics = runner.test()
    changed = [
        k
        for k, v in runner.model.state_dict().items()
        if (v != before[k]).any()
    ]
    assert changed
    assert 0 <= metrics['refined/PCK@0.05'] <= 100
    assert np.isfinite(metrics['refined/MPJPE'])
    assert metrics['input/MPJPE'] < 6  # noise of 3 px in x and y
