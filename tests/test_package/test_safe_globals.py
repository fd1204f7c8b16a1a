# Copyright (c) hanet_mm contributors. All rights reserved.
"""Checkpoints of MMEngine load and resume with weights-only loading on."""

import io
import os
import pickle

import numpy as np
import pytest
import torch
from mmengine.config import ConfigDict
from mmengine.evaluator import BaseMetric
from mmengine.logging import HistoryBuffer
from mmengine.model import BaseModel
from mmengine.runner import Runner
from mmpose.datasets.datasets.utils import parse_pose_metainfo
from torch import nn
from torch.serialization import get_unsafe_globals_in_checkpoint
from torch.utils.data import Dataset

from hanet_mm.engine.safe_globals import (
    history_statistic,
    list_safe_globals,
    register_safe_globals,
    safe_checkpoints,
)

pytestmark = pytest.mark.mm

COCO = dict(from_file='configs/_base_/datasets/coco.py')


@pytest.fixture(autouse=True)
def safe():
    """The list, whether or not another test has built a HANet before."""
    with safe_checkpoints():
        yield


class Line(BaseModel):
    """One linear layer, so that training takes no time."""

    def __init__(self):
        super().__init__()
        self.linear = nn.Linear(2, 1)

    def forward(self, inputs, data_samples=None, mode='tensor'):
        output = self.linear(inputs)
        return dict(loss=output.square().mean()) if mode == 'loss' else output


class Points(Dataset):
    """Six points; the meta information of a real data set of MMPose."""

    metainfo = parse_pose_metainfo(COCO)

    def __len__(self):
        return 6

    def __getitem__(self, index):
        return dict(inputs=torch.tensor([float(index), 1.0]))


class Count(BaseMetric):
    """A metric whose value is a numpy scalar, as MMPose's are."""

    def process(self, data_batch, data_samples):
        self.results.append(len(data_samples))

    def compute_metrics(self, results):
        return dict(count=np.float32(sum(results)))


def build_runner(work_dir, epochs, resume=False):
    loader = dict(
        dataset=Points(),
        batch_size=3,
        collate_fn=dict(type='default_collate'),
        sampler=dict(type='DefaultSampler', shuffle=False),
    )
    return Runner(
        model=Line(),
        work_dir=str(work_dir),
        train_dataloader=loader,
        val_dataloader=loader,
        train_cfg=dict(by_epoch=True, max_epochs=epochs),
        val_cfg=dict(),
        val_evaluator=[Count()],
        optim_wrapper=dict(optimizer=dict(type='AdamW', lr=0.1)),
        param_scheduler=dict(type='LinearLR', end=2, by_epoch=True),
        default_hooks=dict(
            checkpoint=dict(
                type='CheckpointHook', save_best='count', rule='greater'
            )
        ),
        resume=resume,
        experiment_name=f'safe_globals_{work_dir.name}_{epochs}_{resume}',
        default_scope='mmengine',
    )


@pytest.fixture(scope='module')
def work_dir(tmp_path_factory):
    """Work folder of a finished epoch."""
    folder = tmp_path_factory.mktemp('run')
    build_runner(folder, epochs=1).train()
    return folder


@pytest.fixture
def no_safe_globals():
    """Torch's list as it is without this package."""
    before = torch.serialization.get_safe_globals()
    torch.serialization.clear_safe_globals()
    yield
    torch.serialization.clear_safe_globals()
    torch.serialization.add_safe_globals(before)


def saved(value, path):
    """Save in torch's single-file layout, whose pickle is easily edited."""
    torch.save(value, path, _use_new_zipfile_serialization=False)
    return path


class Reduced:
    """Pickles as the call of a function."""

    def __init__(self, function, *arguments):
        self.call = (function, arguments)

    def __reduce__(self):
        return self.call


def test_torch_alone_refuses_the_checkpoint(work_dir, no_safe_globals):
    checkpoint = work_dir / 'epoch_1.pth'
    # The test below proves nothing unless the file holds what the model
    # zoo's files hold.
    assert {
        'mmengine.logging.history_buffer.HistoryBuffer',
        'builtins.getattr',
        'numpy.ndarray',
        'numpy.dtype',
    } <= set(get_unsafe_globals_in_checkpoint(checkpoint))
    with pytest.raises(pickle.UnpicklingError):
        torch.load(checkpoint)


@pytest.mark.parametrize('name', ['epoch_1.pth', 'best_count_epoch_1.pth'])
def test_checkpoint_of_a_run_loads(work_dir, name):
    checkpoint = torch.load(work_dir / name, weights_only=True)
    meta = checkpoint['meta']['dataset_meta']
    np.testing.assert_array_equal(
        meta['sigmas'], parse_pose_metainfo(COCO)['sigmas']
    )
    loss = checkpoint['message_hub']['log_scalars']['train/loss']
    assert isinstance(loss, HistoryBuffer)
    assert np.isfinite(loss.statistics('mean'))


def test_run_resumes(work_dir):
    runner = build_runner(work_dir, epochs=2, resume=True)
    runner.train()
    assert runner.epoch == 2
    # Two batches an epoch: those before the resume are still in the history.
    losses, _ = runner.message_hub.get_scalar('train/loss').data
    assert len(losses) == 4


@pytest.mark.parametrize('core', ['core', '_core'])
def test_numpy_data_of_either_numpy_loads(tmp_path, core):
    value = dict(array=np.arange(3.0), scalar=np.float64(2.5), flag=np.True_)
    path = saved(value, tmp_path / 'numpy.pth')
    data = path.read_bytes()
    for name in (b'numpy.core.', b'numpy._core.'):
        data = data.replace(b'c' + name, b'cnumpy.' + core.encode() + b'.')
    assert b'numpy.' + core.encode() + b'.multiarray' in data
    loaded = torch.load(io.BytesIO(data), weights_only=True)
    np.testing.assert_array_equal(loaded['array'], value['array'])
    assert loaded['scalar'] == 2.5
    assert loaded['flag']


@pytest.mark.parametrize(
    'dtype', ['f2', 'f4', 'f8', 'i4', 'i8', 'u1', '?', 'c8', 'U3', 'S2']
)
def test_plain_dtypes_load(tmp_path, dtype):
    value = np.ones(2).astype(dtype)
    loaded = torch.load(saved(value, tmp_path / 'a.pth'), weights_only=True)
    assert loaded.dtype == value.dtype
    np.testing.assert_array_equal(loaded, value)


@pytest.mark.parametrize('new_zip', [True, False])
@pytest.mark.parametrize(
    'name', ['coco', 'h36m', 'halpe26', 'jhmdb', 'mpii', 'posetrack18']
)
def test_description_of_any_data_set_loads(tmp_path, name, new_zip):
    # Human3.6M has an array of no sigmas, which is pickled in its own way.
    meta = parse_pose_metainfo(
        dict(from_file=f'configs/_base_/datasets/{name}.py')
    )
    path = tmp_path / 'meta.pth'
    torch.save(meta, path, _use_new_zipfile_serialization=new_zip)
    loaded = torch.load(path, weights_only=True)
    assert loaded.keys() == meta.keys()
    np.testing.assert_array_equal(loaded['sigmas'], meta['sigmas'])


def test_bytes_are_empty_or_refused(tmp_path):
    path = saved(dict(x=Reduced(bytes, 10**12)), tmp_path / 'large.pth')
    with pytest.raises((pickle.UnpicklingError, TypeError)):
        torch.load(path)


def test_config_dict_loads(tmp_path):
    value = ConfigDict(a=1, b=dict(c='x'))
    loaded = torch.load(saved(value, tmp_path / 'c.pth'), weights_only=True)
    assert loaded == value


@pytest.mark.parametrize(
    ('function', 'arguments'),
    [
        (os.system, ('touch ran',)),
        (eval, ("open('ran', 'w')",)),
        (getattr, (HistoryBuffer, '__init__')),
        (getattr, (getattr, '__self__')),
        (getattr, (np.ndarray, 'tofile')),
        (np.load, ('file',)),
    ],
)
def test_calls_are_still_refused(tmp_path, monkeypatch, function, arguments):
    monkeypatch.chdir(tmp_path)
    path = saved(dict(x=Reduced(function, *arguments)), tmp_path / 'bad.pth')
    with pytest.raises(pickle.UnpicklingError):
        torch.load(path)
    assert not (tmp_path / 'ran').exists()


def test_object_arrays_are_still_refused(tmp_path):
    path = saved(np.array([object], dtype=object), tmp_path / 'object.pth')
    with pytest.raises(pickle.UnpicklingError):
        torch.load(path)


def test_statistics_of_the_history_are_the_only_attributes():
    assert history_statistic(HistoryBuffer, 'mean') is HistoryBuffer.mean
    with pytest.raises(pickle.UnpicklingError, match="'update'"):
        history_statistic(HistoryBuffer, 'update')
    with pytest.raises(pickle.UnpicklingError, match='expected one of'):
        history_statistic(os, 'system')


def test_the_list_names_no_function_that_runs_code():
    listed = {x[0] if isinstance(x, tuple) else x for x in list_safe_globals()}
    assert not listed & {getattr, eval, exec, os.system, np.load}


def test_registering_twice_changes_nothing():
    register_safe_globals()
    before = set(torch.serialization.get_safe_globals())
    register_safe_globals()
    assert set(torch.serialization.get_safe_globals()) == before
