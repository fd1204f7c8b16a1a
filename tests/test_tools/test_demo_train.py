# Copyright (c) hanet_mm contributors. All rights reserved.
"""The demo of training, in small."""

import json
from pathlib import Path

import cv2
import pytest

pytestmark = [pytest.mark.mm, pytest.mark.slow]

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope='module')
def demo(tmp_path_factory, run_python):
    folder = tmp_path_factory.mktemp('demo')
    options = [
        f'{loader}_dataloader.{key}'
        for loader in ('train', 'val', 'test')
        for key in (
            'dataset.num_sequences=6',
            'dataset.seq_len_range=(24,30)',
            'num_workers=0',
            'persistent_workers=False',
        )
    ]
    text = run_python(
        ROOT / 'tools/demo_train.py',
        '--cfg-options',
        *options,
        'train_cfg.max_epochs=1',
        'model.backbone.num_levels=1',
        'model.head.num_layers=1',
        cwd=folder,
    )
    return folder / 'demo_out', text


def test_table_names_data_and_settings(demo):
    out, text = demo
    table = (out / 'results.md').read_text()
    assert table.strip() in text
    assert 'simulated estimator: 6 held-out sequences' in table
    assert 'Window T = 21, sampling interval N = 5 (5 of 21 frames' in table
    assert 'stride 1' in table
    figures = json.loads((out / 'results.json').read_text())
    for name in ('input', 'refined'):
        cells = [
            f'{figures[f"{name}/{key}"]:.1f}'
            for key in ('PCK@0.2', 'PCK@0.1', 'PCK@0.05', 'MPJPE', 'Accel')
        ]
        assert f'| {name} | ' + ' | '.join(cells) in table


def test_pictures_are_there(demo):
    out, _ = demo
    assert cv2.imread(str(out / 'trajectories.png')) is not None
    video = cv2.VideoCapture(str(out / 'comparison.mp4'))
    assert 24 <= video.get(cv2.CAP_PROP_FRAME_COUNT) <= 30


def test_benchmark_of_the_model_prints_the_ratio(tmp_path, run_python):
    text = run_python(
        ROOT / 'tools/benchmark/benchmark_model.py',
        '--compare',
        'a',
        'a-plain',
        '--rounds',
        '1',
        cwd=tmp_path,
    )
    assert 'a is faster than a-plain: forward' in text
    assert '| a | 17.98 M |' in text
