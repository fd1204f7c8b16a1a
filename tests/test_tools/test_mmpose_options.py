# Copyright (c) hanet_mm contributors. All rights reserved.
"""The options of MMPose's own scripts work with our configs, or say why not.

The scripts of the installed MMPose run in this process, which saves its
imports.
"""

import json
import os
import pickle
import runpy
import sys
from itertools import count
from pathlib import Path

import cv2
import matplotlib as mpl
import mmpose
import numpy as np
import pytest
import torch
from mmengine.config import Config

from hanet_mm.apis.checkpoints import read_checkpoint

pytestmark = [pytest.mark.mm, pytest.mark.slow]

ROOT = Path(__file__).parents[2]
SCRIPTS = Path(mmpose.__file__).parent / '.mim' / 'tools'
CONFIG = """
_base_ = [{base!r}]
small = dict(num_sequences=5, seq_len_range=(22, 24))
loader = dict(batch_size=2, num_workers=0, persistent_workers=False,
    dataset=small)
train_dataloader = dict(batch_size=16, num_workers=0,
    persistent_workers=False, dataset=small)
val_dataloader = loader
test_dataloader = loader
model = dict(backbone=dict(embed_dims=16, num_levels=2),
    head=dict(embed_dims=16, num_layers=1))
default_hooks = dict(logger=dict(interval=1))
train_cfg = dict(max_epochs=1)
visualizer = dict(vis_backends=[dict(type='LocalVisBackend')])
"""
BASE = 'configs/hanet/synthetic/hanet-small_simulated-21frm_1xb64-4e_synthetic'
runs = count()


@pytest.fixture(scope='module')
def config(tmp_path_factory):
    path = tmp_path_factory.mktemp('config') / 'tiny.py'
    path.write_text(CONFIG.format(base=str(ROOT / f'{BASE}.py')))
    return path


@pytest.fixture
def call(monkeypatch):
    """Run a script with arguments."""

    def run(script, *arguments):
        monkeypatch.setenv('LOCAL_RANK', '0')
        monkeypatch.setattr(sys, 'argv', [str(script), *map(str, arguments)])
        runpy.run_path(str(script), run_name='__main__')

    return run


def named():
    """Runs of a process need names and visualizers of their own."""
    name = f'options{next(runs)}'
    options = (f'experiment_name={name}', f'visualizer.name={name}')
    return ('--cfg-options', *options)


@pytest.fixture(scope='module')
def trained(config, tmp_path_factory):
    """Work directory of a run of one epoch with pictures of validation."""
    work_dir = tmp_path_factory.mktemp('trained')
    patch = pytest.MonkeyPatch()
    with patch.context() as monkeypatch:
        monkeypatch.setenv('LOCAL_RANK', '0')
        arguments = ['train.py', config, '--work-dir', work_dir, *named()]
        # A run without pictures would not see a fault of this option.
        arguments[4:4] = ['--show-dir', 'pictures', '--interval', '2']
        monkeypatch.setattr(sys, 'argv', [*map(str, arguments)])
        runpy.run_path(str(SCRIPTS / 'train.py'), run_name='__main__')
    return work_dir


def logged(work_dir):
    """What the runs of a work directory logged."""
    (path,) = work_dir.glob('2*/vis_data/scalars.json')
    return [json.loads(line) for line in path.read_text().splitlines()]


def pictures(work_dir, folder):
    return sorted(x.name for x in work_dir.glob(f'2*/{folder}/*.png'))


def test_train_shows_validation(trained):
    # The first sequence of the first and the third batch of five sequences.
    assert pictures(trained, 'pictures') == [
        'synthetic-1-000000_0_iter_1.png',
        'synthetic-1-000004_4_iter_1.png',
    ]


def test_auto_scale_lr_and_no_validate(config, tmp_path, call):
    """The rate of a batch of 16 is a quarter of that of the config's 64."""
    options = ('--auto-scale-lr', '--no-validate', *named())
    # The warm-up would hide the rate.
    options += ('param_scheduler=[]',)
    call(SCRIPTS / 'train.py', config, '--work-dir', tmp_path, *options)
    (log,) = logged(tmp_path)
    assert log['lr'] == pytest.approx(1e-3 / 4)
    assert not list(tmp_path.glob('best_*'))
    assert (tmp_path / 'epoch_1.pth').is_file()


def test_resume_goes_on(config, trained, tmp_path, call):
    options = ('--resume', trained / 'epoch_1.pth', *named())
    options += ('train_cfg.max_epochs=2',)
    call(SCRIPTS / 'train.py', config, '--work-dir', tmp_path, *options)
    names = [x.name for x in tmp_path.glob('epoch_*.pth')]
    assert names == ['epoch_2.pth']


@pytest.mark.skipif(torch.cuda.is_available(), reason='a CPU refuses --amp')
def test_amp_is_refused_on_a_cpu(config, tmp_path, call):
    with pytest.raises(AssertionError, match='only available training on gpu'):
        call(
            *(SCRIPTS / 'train.py', config, '--work-dir', tmp_path, '--amp'),
            *named(),
        )


def test_test_writes_all_that_is_asked_for(config, trained, tmp_path, call):
    figures, dump = tmp_path / 'figures.json', tmp_path / 'dump.pkl'
    call(
        *(SCRIPTS / 'test.py', config, trained / 'epoch_1.pth'),
        *('--work-dir', tmp_path, '--out', figures, '--dump', dump),
        *('--show-dir', 'pictures', '--interval', '3', '--badcase'),
        *named(),
    )
    found = json.loads(figures.read_text())
    assert found['input/MPJPE'] > 0
    with dump.open('rb') as file:  # written by this test
        samples = pickle.load(file)
    assert len(samples) == 5
    errors = {}
    for sample in samples:
        name = f'{sample["seq_name"]}_{sample["seq_id"]}'
        truth = sample['gt_instances']
        known = truth['keypoints_visible'] > 0
        known &= sample['pred_instances']['refined_mask'][:, None]
        errors[name] = [
            np.linalg.norm(
                sample[f'{kind}_instances']['keypoints'] - truth['keypoints'],
                axis=-1,
            )[known].mean()
            for kind in ('pred', 'est')
        ]
    assert pictures(tmp_path, 'pictures') == [
        f'synthetic-2-00000{i}_{i}.png' for i in (0, 3)
    ]
    (path,) = tmp_path.glob('2*/badcase/results.json')
    cases = json.loads(path.read_text())
    # After one step the network makes all of them worse.
    assert {x['sequence'] for x in cases} == {
        name for name, (after, before) in errors.items() if after > before
    }
    assert len(cases) == len(pictures(tmp_path, 'badcase')) > 0
    values = [x['MPJPE'] for x in cases]
    assert values == sorted(values, reverse=True)
    for case in cases:
        expected = errors[case['sequence']]
        assert case['MPJPE'] == pytest.approx(expected[0], rel=1e-5)
        assert case['input MPJPE'] == pytest.approx(expected[1], rel=1e-5)


def test_show_needs_a_screen(config, trained, tmp_path, call, monkeypatch):
    for name in ('DISPLAY', 'WAYLAND_DISPLAY'):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(sys, 'platform', 'linux')
    with pytest.raises(ValueError, match=r'^--show: .*(screen|windows)'):
        call(
            *(SCRIPTS / 'test.py', config, trained / 'epoch_1.pth'),
            *('--work-dir', tmp_path, '--show', *named()),
        )
    assert not list(tmp_path.glob('2*/*.json'))


def test_show_opens_windows(config, trained, tmp_path, call, monkeypatch):
    shown, waits = [], []
    module = 'hanet_mm.visualization'
    monkeypatch.setattr(f'{module}.window.check_screen', lambda *_: None)
    monkeypatch.setattr(
        f'{module}.pose_sequence_visualizer.check_screen', lambda *_: None
    )
    monkeypatch.setattr(cv2, 'namedWindow', lambda **_: None)
    monkeypatch.setattr(cv2, 'setWindowTitle', lambda *x: shown.append(x[1]))
    monkeypatch.setattr(cv2, 'imshow', lambda *_: None)
    monkeypatch.setattr(cv2, 'waitKey', waits.append)
    call(
        *(SCRIPTS / 'test.py', config, trained / 'epoch_1.pth'),
        *('--work-dir', tmp_path, '--show', '--wait-time', '0.5'),
        *('--interval', '2', *named()),
    )
    assert shown == [f'synthetic-2-00000{i}_{i}' for i in (0, 2, 4)]
    assert waits == [500] * 3


@pytest.mark.parametrize('phase', ['train', 'test'])
def test_browse_dataset_draws(config, tmp_path, call, phase):
    script = ROOT / 'tools' / 'misc' / 'browse_dataset.py'
    call(
        *(script, config, '--phase', phase, '--output-dir', tmp_path),
        *('--not-show', '--max-item-per-dataset', '2'),
    )
    first, second = sorted(x.name for x in tmp_path.iterdir())
    seed, number = (0, '000000_0_frame1') if phase == 'train' else (2, '1_1')
    assert first == f'synthetic-{seed}-000000_0_frame0.png'
    assert second.startswith(f'synthetic-{seed}-')
    assert number in second


def test_browse_dataset_of_images_is_refused(config, call):
    script = ROOT / 'tools' / 'misc' / 'browse_dataset.py'
    with pytest.raises(SystemExit, match='--mode original: expected items'):
        call(script, config, '--mode', 'original')


def test_get_flops_counts_products(config, call, capsys):
    call(ROOT / 'tools' / 'analysis_tools' / 'get_flops.py', config)
    lines = dict(
        line.split(': ') for line in capsys.readouterr().out.splitlines()
    )
    # MMEngine's own count of this network, 281 312, without the 9120 of its
    # norms, with attention: two products of (queries, keys, width) each, of 5
    # tokens in two levels, of 21 frames, and of 21 frames with 5 tokens.
    attention = 2 * (5 * 5 * (16 + 32) + 21 * 21 * 16 + 21 * 5 * 16)
    expected = (281312 - 9120 + attention) / 1e6
    assert lines['Flops'] == f'{expected:.3f} M multiply-adds'
    cfg = Config.fromfile(config)
    assert str((1, 21, cfg.keypoints.num_keypoints, 2)) in str(lines)


def test_get_flops_of_mmpose_says_what_to_use(config, call):
    script = SCRIPTS / 'analysis_tools' / 'get_flops.py'
    with pytest.raises(
        ValueError, match=r'\(B, 21, 15, 2\), found \(1, 3, 256, 192\).*use'
    ):
        call(script, config)


def test_published_model_has_the_weights(trained, tmp_path, run_python):
    out = tmp_path / 'published.pth'
    script = ROOT / 'tools' / 'misc' / 'publish_model.py'
    run_python(script, trained / 'epoch_1.pth', out, cwd=tmp_path)
    (path,) = tmp_path.glob('published-*.pth')
    found = read_checkpoint(path)
    assert {*found} == {'meta', 'state_dict'}
    expected = read_checkpoint(trained / 'epoch_1.pth')['state_dict']
    assert {*found['state_dict']} == {*expected}
    for name, value in expected.items():
        assert torch.equal(value, found['state_dict'][name]), name


def test_logs_are_analyzed(trained, tmp_path, call):
    pytest.importorskip('seaborn')
    mpl.use('agg')
    (log,) = trained.glob('2*/vis_data/2*.json')
    script = SCRIPTS / 'analysis_tools' / 'analyze_logs.py'
    out = tmp_path / 'curve.png'
    call(script, 'plot_curve', log, '--keys', 'loss', '--out', out)
    assert os.path.getsize(out) > 0


def test_print_config_prints_it(config, call, capsys):
    script = SCRIPTS / 'analysis_tools' / 'print_config.py'
    call(script, config, '--options', 'model.window_size=31')
    assert 'window_size=31' in capsys.readouterr().out
