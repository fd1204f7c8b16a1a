# Copyright (c) hanet_mm contributors. All rights reserved.
"""Training and testing through MMPose's own tools."""

import json
import sys
from pathlib import Path

import mmpose
import pytest
import torch
from mmengine.config import Config
from mmengine.hooks import Hook
from mmengine.runner import Runner

from hanet_mm.engine.safe_globals import safe_checkpoints

pytestmark = [pytest.mark.mm, pytest.mark.slow]

ROOT = Path(__file__).parents[2]
TOOLS = Path(mmpose.__file__).parent / '.mim' / 'tools'
DEMO = 'configs/hanet/synthetic/hanet-small_simulated-21frm_1xb64-4e_synthetic'

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
train_cfg = dict(max_epochs=2)
default_hooks = dict(checkpoint=dict(max_keep_ckpts=3))
"""


@pytest.fixture(scope='module')
def config(tmp_path_factory):
    path = tmp_path_factory.mktemp('config') / 'tiny.py'
    path.write_text(TINY.format(base=str(ROOT / f'{DEMO}.py')))
    return path


def launch(processes):
    """Arguments of Python that start a tool in so many processes."""
    if processes == 1:
        return []
    return [
        '-m',
        'torch.distributed.run',
        '--standalone',
        f'--nproc-per-node={processes}',
    ]


def results_of(work_dir):
    """Figures of the test run whose log lies in the folder."""
    (path,) = work_dir.glob('*/*.json')
    return json.loads(path.read_text())


def make_runner(config, work_dir, **options):
    cfg = Config.fromfile(config)
    cfg.work_dir = str(work_dir)
    cfg.merge_from_dict(options)
    return Runner.from_cfg(cfg)


class Interruption(Hook):
    """Ctrl-C in the middle of the second epoch."""

    def before_train_iter(self, runner, batch_idx, data_batch=None):
        if runner.epoch == 1 and batch_idx == 1:
            raise KeyboardInterrupt


@pytest.fixture(scope='module')
def trained(config, tmp_path_factory):
    """Work directory of an uninterrupted run."""
    work_dir = tmp_path_factory.mktemp('whole')
    make_runner(config, work_dir).train()
    return work_dir


def test_interrupted_and_resumed_equals_uninterrupted(
    config, trained, tmp_path
):
    runner = make_runner(config, tmp_path)
    runner.register_hook(Interruption())
    with pytest.raises(KeyboardInterrupt):
        runner.train()
    assert not (tmp_path / 'epoch_2.pth').exists()
    make_runner(config, tmp_path, resume=True).train()
    with safe_checkpoints():
        whole, resumed = (
            torch.load(folder / 'epoch_2.pth', weights_only=True)
            for folder in (trained, tmp_path)
        )
    assert whole['meta']['iter'] == resumed['meta']['iter']
    for name, value in whole['state_dict'].items():
        assert torch.equal(value, resumed['state_dict'][name]), name
    for one, two in zip(
        whole['optimizer']['state'].values(),
        resumed['optimizer']['state'].values(),
    ):
        assert torch.equal(one['max_exp_avg_sq'], two['max_exp_avg_sq'])


def test_dropout_differs_from_epoch_to_epoch(config, tmp_path):
    seen = []

    class Look(Hook):
        priority = 'VERY_LOW'

        def before_train_epoch(self, runner):
            seen.append(torch.get_rng_state())

    runner = make_runner(config, tmp_path)
    runner.register_hook(Look())
    runner.train()
    assert not torch.equal(*seen)


def test_one_and_two_processes_give_the_same_figures(
    config, trained, tmp_path, run_python
):
    checkpoint = trained / 'epoch_2.pth'
    figures = []
    # Several times: a file that two processes write is broken now and then.
    for processes in (1, 2, 2, 2):
        work_dir = tmp_path / str(len(figures))
        launcher = ['--launcher', 'pytorch'] if processes > 1 else []
        if processes > 1:
            launcher += ['--show-dir', 'drawn', '--interval', 2, '--badcase']
        run_python(
            *launch(processes),
            TOOLS / 'test.py',
            config,
            checkpoint,
            '--work-dir',
            work_dir,
            *launcher,
            cwd=tmp_path,
        )
        figures.append(results_of(work_dir))
    one, two, *again = figures
    names = [name for name in one if name.startswith(('refined', 'input'))]
    assert 'refined/PCK@0.05' in names
    assert 'input/Accel' in names
    for name in names:
        # Up to rounding: sequences meet others in other batches.
        assert one[name] == pytest.approx(two[name], rel=1e-5), name
        assert all(x[name] == two[name] for x in again), name
    # Each process draws its own sequences (0 2 4 6, 1 3 5 0) and one lists
    # all of them.
    drawn = {x.stem[-1] for x in tmp_path.glob('2/2*/drawn/*.png')}
    assert drawn == {'0', '4', '1', '5'}
    (path,) = tmp_path.glob('2/2*/badcase/results.json')
    cases = [x['sequence'] for x in json.loads(path.read_text())]
    pictures = {x.stem.split('_MPJPE')[0] for x in path.parent.glob('*.png')}
    assert sorted(cases) == sorted(pictures)


# Counts threads of gloo after a run, and after all that ends the process.
GLOO_THREADS = """
import atexit, os, pathlib, sys
from mmengine.config import Config
from mmengine.runner import Runner

def report():
    tasks = pathlib.Path('/proc/self/task').iterdir()
    names = [(x / 'comm').read_text() for x in tasks]
    with open(f'rank{os.environ["RANK"]}', 'a') as file:
        file.write(f'{sum("gloo" in x for x in names)} ')

def main():  # as in MMPose's tools: what it made goes when it returns
    cfg = Config.fromfile(sys.argv[1])
    cfg.update(launcher='pytorch', work_dir='run')
    cfg.train_cfg.max_epochs = 1
    Runner.from_cfg(cfg).train()
    report()

atexit.register(report)  # before ours: called last
main()
if 'fail' in sys.argv:
    raise ValueError('as if training had failed')
"""


@pytest.mark.skipif(sys.platform != 'linux', reason='reads /proc')
def test_the_group_of_processes_ends_before_python(
    config, tmp_path, run_python
):
    """Else an exit in thirty aborts, and with it a run that was finished."""
    script = tmp_path / 'script.py'
    script.write_text(GLOO_THREADS)
    run_python(*launch(2), script, config, cwd=tmp_path)
    for rank in range(2):
        during, after = (tmp_path / f'rank{rank}').read_text().split()
        assert int(during) > 0
        assert int(after) == 0


@pytest.mark.skipif(sys.platform != 'linux', reason='reads /proc')
def test_after_an_error_no_process_waits_for_the_group(
    config, tmp_path, run_python
):
    script = tmp_path / 'script.py'
    script.write_text(GLOO_THREADS)
    with pytest.raises(AssertionError, match='as if training had failed'):
        run_python(*launch(2), script, config, 'fail', cwd=tmp_path)
    counts = (tmp_path / 'rank0').read_text().split()
    assert int(counts[-1]) > 0


@pytest.mark.parametrize('rank', [0, 1])
def test_only_the_main_process_writes_the_figures(
    config, tmp_path, monkeypatch, rank
):
    class OtherRank(Hook):
        priority = 'HIGHEST'

        def after_test_epoch(self, runner, metrics=None):
            monkeypatch.setattr(
                'mmengine.dist.utils.get_rank', lambda group=None: rank
            )

    runner = make_runner(config, tmp_path)
    runner.register_hook(OtherRank())
    runner.test()
    assert len(list(tmp_path.glob('*/*.json'))) == (rank == 0)


@pytest.mark.parametrize(
    ('tool', 'processes'),
    [
        ([TOOLS / 'train.py'], 2),
        ([ROOT / 'tools' / 'train.py'], 1),
        (['-m', 'mim', 'train', 'mmpose'], 1),
    ],
    ids=['mmpose-two-processes', 'wrapper', 'mim'],
)
def test_ways_to_train(tool, processes, config, tmp_path, run_python):
    if 'mim' in tool:
        pytest.importorskip('mim', reason='needs openmim')
        end = ['--gpus', '0']
    else:
        end = ['--launcher', 'pytorch'] if processes > 1 else []
    run_python(
        *launch(processes),
        *tool,
        config,
        '--work-dir',
        tmp_path / 'run',
        *end,
        '--cfg-options',
        'train_cfg.max_epochs=1',
        cwd=tmp_path,
    )
    assert (tmp_path / 'run' / 'epoch_1.pth').is_file()
    # TensorBoard's file is there.
    assert list((tmp_path / 'run').rglob('events.out.tfevents.*'))
