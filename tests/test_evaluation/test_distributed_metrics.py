# Copyright (c) hanet_mm contributors. All rights reserved.
"""One process and two give the same figures to the last bit."""

import os
import pickle

import numpy as np
import pytest
import torch.multiprocessing as mp
from mmengine.dataset import DefaultSampler
from mmengine.evaluator import Evaluator
from mmpose.registry import METRICS
from torch.utils.data import DataLoader, Dataset

import hanet_mm  # noqa: F401  (registers the metrics)
from hanet_mm.core.poses.units import as_rot6d
from hanet_mm.engine.running import init_gloo_group

pytestmark = pytest.mark.mm

NUM_SEQUENCES = 7
CONFIGS = [
    dict(type='PoseSequencePCK'),
    dict(type='PoseSequencePCK', average='sequence', prefix='published'),
    dict(type='PoseSequencePCK', source='input'),
    dict(type='SequenceMPJPE'),
    dict(type='SequenceMPJPE', alignment='similarity'),
    dict(type='AccelError'),
    dict(type='SequenceMPJPE', alignment='root', root=[0], prefix='root'),
    dict(type='AccelError', alignment='root', root=[0], prefix='root'),
]
# Of rotations.
BODY_CONFIGS = [
    dict(type='SequenceMPJAE'),
    dict(
        type='SMPLMetric',
        body_model=dict(type='SkeletonBodyModel'),
        prefix='body',
    ),
]


class Sequences(Dataset):
    """Random sequences of different length, equal in every process."""

    def __len__(self):
        return NUM_SEQUENCES

    def __getitem__(self, index):
        rng = np.random.default_rng(index)
        # Errors grow with the index, so that a sequence counted twice shows.
        shape = (3 + 2 * index, 15, 2)
        gt = rng.normal(0, 30, shape).astype(np.float32)
        noise = (1 + index) * rng.normal(0, 2, (2,) + shape)
        return dict(
            seq_name=str(index),
            gt_instances=dict(
                keypoints=gt,
                keypoints_visible=(rng.random(shape[:2]) > 0.1) * 1.0,
                bboxes=np.tile([0.0, 0.0, 60.0, 90.0], (shape[0], 1)),
            ),
            pred_instances=dict(keypoints=gt + noise[0]),
            est_instances=dict(keypoints=gt + noise[1]),
        )


class Rotations(Sequences):
    """The same of SMPL's rotations in 6D."""

    def __getitem__(self, index):
        rng = np.random.default_rng(index)
        shape = (3 + 2 * index, 24, 3)
        gt = rng.normal(0, 1, shape)
        noise = (1 + index) * rng.normal(0, 0.1, shape)
        visible = np.ones(shape[:2])
        visible[1, 3] = 0
        return dict(
            seq_name=str(index),
            gt_instances=dict(
                keypoints=as_rot6d(gt), keypoints_visible=visible
            ),
            pred_instances=dict(keypoints=as_rot6d(gt + noise)),
        )


def evaluate_both():
    """Figures of poses and of rotations."""
    return {
        **evaluate(Sequences(), CONFIGS),
        **evaluate(Rotations(), BODY_CONFIGS),
    }


def evaluate(dataset, configs):
    """MMEngine's own evaluation of the sequences this process gets."""
    loader = DataLoader(
        dataset,
        batch_size=2,
        sampler=DefaultSampler(dataset, shuffle=False, round_up=True),
        collate_fn=list,
    )
    evaluator = Evaluator([METRICS.build(cfg) for cfg in configs])
    evaluator.dataset_meta = dict(
        keypoint_name2id={f'joint{k}': k for k in range(15)}
    )
    for batch in loader:
        evaluator.process(data_samples=batch, data_batch=None)
    return evaluator.evaluate(len(dataset))


def worker(rank, folder):
    os.chdir(folder)
    init_gloo_group(
        init_method=f'file://{folder}/rendezvous', rank=rank, world_size=2
    )
    result = evaluate_both()
    with open(f'rank{rank}.pkl', 'wb') as file:
        pickle.dump(result, file)


def test_two_processes_equal_one_exactly(tmp_path, monkeypatch):
    """Seven sequences over two processes: the sampler repeats one."""
    monkeypatch.setenv('OMP_NUM_THREADS', '1')
    expected = evaluate_both()
    # PCK, errors, root-relative errors, angle, and three of a body.
    assert len(expected) == 3 * 3 + 3 + 2 + 1 + 3
    assert all(np.isfinite(value) for value in expected.values())

    mp.spawn(worker, args=(str(tmp_path),), nprocs=2)

    for rank in range(2):
        with open(tmp_path / f'rank{rank}.pkl', 'rb') as file:
            assert pickle.load(file) == expected
