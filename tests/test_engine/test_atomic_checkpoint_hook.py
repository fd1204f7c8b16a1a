# Copyright (c) hanet_mm contributors. All rights reserved.
"""Training runs that are killed while they write go on without loss."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from mmengine.config import Config
from mmengine.runner import Runner

from hanet_mm.apis.checkpoints import read_checkpoint

pytestmark = [
    pytest.mark.mm,
    pytest.mark.slow,
    pytest.mark.skipif(os.name != 'posix', reason='POSIX signals'),
]

ROOT = Path(__file__).parents[2]
BASE = 'configs/hanet/synthetic/hanet-small_simulated-21frm_1xb64-4e_synthetic'

TINY = """
_base_ = [{base!r}]
small = dict(num_sequences=7, seq_len_range=(20, 26))
train_dataloader = dict(batch_size=16, num_workers=0,
    persistent_workers=False, dataset=small)
val_dataloader = dict(batch_size=2, num_workers=0, persistent_workers=False,
    dataset=small)
test_dataloader = dict(batch_size=2, num_workers=0,
    persistent_workers=False, dataset=small)
model = dict(backbone=dict(embed_dims=16, num_levels=2),
    head=dict(embed_dims=16, num_layers=1))
train_cfg = dict(max_epochs=3)
visualizer = dict(vis_backends=[dict(type='LocalVisBackend')])
custom_imports = dict(imports=['hanet_mm', 'interruptions'])
custom_hooks = [
    dict(type='SyncBuffersHook'),
    dict(type='EpochSeedHook'),
    dict(type='Interruption'),
]
"""
INTERRUPTIONS = """
import os
import resource
import signal

from mmengine.hooks import Hook
from mmpose.registry import HOOKS

WANTED = os.environ.get('INTERRUPTION')


@HOOKS.register_module()
class Interruption(Hook):
    def before_save_checkpoint(self, runner, checkpoint):
        if WANTED == 'kill' and checkpoint['meta']['epoch'] == 2:
            # The system kills the process after so many bytes of a file.
            signal.signal(signal.SIGXFSZ, signal.SIG_DFL)
            resource.setrlimit(resource.RLIMIT_FSIZE, (30_000, 30_000))

    def before_train_iter(self, runner, batch_idx, data_batch=None):
        if WANTED == 'ctrl-c' and runner.epoch == 1:
            os.kill(os.getpid(), signal.SIGINT)
"""


@pytest.fixture(scope='module')
def config(tmp_path_factory):
    folder = tmp_path_factory.mktemp('config')
    (folder / 'interruptions.py').write_text(INTERRUPTIONS)
    path = folder / 'tiny.py'
    path.write_text(TINY.format(base=str(ROOT / f'{BASE}.py')))
    return path


def train(config, work_dir, *options, interruption=''):
    """Run tools/train.py; its status and what it wrote to stderr."""
    paths = [str(config.parent), str(ROOT), os.environ.get('PYTHONPATH', '')]
    done = subprocess.run(
        [
            *(sys.executable, ROOT / 'tools' / 'train.py', config),
            *('--work-dir', work_dir, *options),
        ],
        env={
            **os.environ,
            'PYTHONPATH': os.pathsep.join(paths),
            'INTERRUPTION': interruption,
        },
        capture_output=True,
        text=True,
        check=False,
    )
    return done.returncode, done.stderr


def weights(path):
    return read_checkpoint(path)['state_dict']


@pytest.fixture(scope='module')
def whole(config, tmp_path_factory):
    """Work directory of a run that nobody killed."""
    work_dir = tmp_path_factory.mktemp('whole')
    assert train(config, work_dir)[0] == 0
    return work_dir


def test_a_run_killed_while_it_writes_goes_on(config, whole, tmp_path):
    status, _ = train(config, tmp_path, interruption='kill')
    assert status < 0
    assert list(tmp_path.glob('.*'))
    assert (tmp_path / 'last_checkpoint').read_text().endswith('epoch_1.pth')
    status, errors = train(config, tmp_path, '--resume')
    assert status == 0, errors
    expected = weights(whole / 'epoch_3.pth')
    found = weights(tmp_path / 'epoch_3.pth')
    for name, value in expected.items():
        assert torch.equal(value, found[name]), name
    names = sorted(x.name for x in tmp_path.glob('*epoch*'))
    assert names == sorted(x.name for x in whole.glob('*epoch*'))
    assert not list(tmp_path.glob('.*'))


def test_what_is_outdated_goes_last(whole):
    (best,) = whole.glob('best_*.pth')
    names = sorted(x.name for x in whole.glob('*.pth'))
    assert names == [best.name, 'epoch_3.pth']


def test_a_truncated_checkpoint_is_not_resumed_from(
    config, tmp_path, capsys, monkeypatch
):
    monkeypatch.syspath_prepend(config.parent)
    cfg = Config.fromfile(config)
    cfg.work_dir = str(tmp_path)
    cfg.default_hooks.checkpoint.max_keep_ckpts = 2
    cfg.train_cfg.max_epochs = 2
    Runner.from_cfg(cfg).train()
    last = tmp_path / 'epoch_2.pth'
    expected = weights(last)
    last.write_bytes(last.read_bytes()[:-1000])
    cfg.resume = True
    capsys.readouterr()
    Runner.from_cfg(cfg).train()
    log = ''.join(capsys.readouterr())
    (line,) = [x for x in log.splitlines() if 'cannot be read' in x]
    assert 'epoch_2.pth: cannot be read' in line
    assert 'epoch_1.pth' in line
    for name, value in weights(last).items():
        assert torch.equal(value, expected[name]), name


def test_ctrl_c_is_one_line(config, tmp_path):
    status, errors = train(config, tmp_path, interruption='ctrl-c')
    assert status == 130
    assert errors.splitlines()[-1] == 'interrupted'
    assert 'Traceback' not in errors
