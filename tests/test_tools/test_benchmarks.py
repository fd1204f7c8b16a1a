# Copyright (c) hanet_mm contributors. All rights reserved.
"""tools/benchmark/run_all.py --quick: every table is there and whole."""

import importlib
import json
import os
import sys
from pathlib import Path

import numpy as np
import pytest
import torch

pytest.importorskip('scipy')

TOOLS = Path(__file__).parents[2] / 'tools/benchmark'
posix = pytest.mark.skipif(os.name != 'posix', reason='memory of processes')
# Title and number of rows of the tables of each benchmark.
TABLES = {
    'startup': {'Imports and starts': 5},
    'peers': {'Offline': 6, 'Streams, people in a frame: 1': 8},
    'streaming': {'Streams in detail': 3},
    'growth': {
        'Growth with T': 1,
        'Growth with people': 1,
        'Growth with sequences': 1,
    },
    'model': {'Published computation': 8},
    'dataloader': {'Loading and training': 1},
}
NEED_OPENMMLAB = ('model', 'dataloader')


@pytest.fixture
def tool(monkeypatch):
    """Import a module of tools/benchmark."""
    monkeypatch.syspath_prepend(TOOLS)
    before = set(sys.modules)
    yield importlib.import_module
    for name in set(sys.modules) - before:
        if str(TOOLS) in str(getattr(sys.modules[name], '__file__', '')):
            del sys.modules[name]


def check(tool, names, tmp_path, capsys):
    """Run benchmarks and compare Markdown and JSON with what is expected."""
    path = tmp_path / 'bench.json'
    arguments = ['--quick', '--json', str(path), '--only', *names]
    tool('run_all').main(arguments)
    found = json.loads(path.read_text())
    assert set(found) == {'machine', 'tables'}
    expected = {k: n for name in names for k, n in TABLES[name].items()}
    assert {t['title']: len(t['rows']) for t in found['tables']} == expected
    text = capsys.readouterr().out
    for table in found['tables']:
        assert f'### {table["title"]}\n' in text
        assert '| ' + ' | '.join(table['columns']) + ' |\n' in text
        for row in table['rows']:
            assert len(row) == len(table['columns'])
            figures = [x for x in row if isinstance(x, (int, float))]
            assert figures
            assert np.isfinite(figures).all()
            assert min(figures) >= 0


@posix
def test_quick_benchmarks_of_the_core(tool, tmp_path, capsys):
    check(tool, ['startup', 'peers', 'streaming', 'growth'], tmp_path, capsys)


@pytest.mark.mm
def test_quick_benchmarks_of_training(tool, tmp_path, capsys):
    pytest.importorskip('mmpose')
    check(tool, NEED_OPENMMLAB, tmp_path, capsys)


def test_every_benchmark_is_one_of_all(tool):
    found = {x.stem.partition('_')[2] for x in TOOLS.glob('benchmark_*.py')}
    assert set(tool('run_all').NAMES) == found == set(TABLES)


def test_steps_are_taken_in_turns(tool):
    calls = []
    steps = {name: lambda name=name: calls.append(name) for name in 'ab'}
    times = tool('timing').time_in_turns(steps, rounds=2, warm=1)
    assert calls == list('ababab')
    assert list(times) == ['a', 'b']
    assert min(times.values()) > 0


@posix
def test_costs_of_processes_are_their_own(tool):
    run = tool('timing').run_child
    held = np.ones(40_000_000)  # 320 MB here are not the child's
    small = run(['-c', 'print(1); print(2)'])
    assert small.printed == '2'
    assert small.peak < 0.2 * held.nbytes / 1e6
    large = run(['-c', 'x = bytearray(b"1" * 150_000_000)'])
    assert large.peak > small.peak + 140
    with pytest.raises(RuntimeError, match='failed'):
        run(['-c', 'raise SystemExit(3)'])


@torch.no_grad()
def test_peers_slide_over_all_frames(tool):
    peers = tool('peers')
    walk = np.random.default_rng(0).normal(size=(40, 3, 2)).astype('float32')
    for peer in peers.make_peers(11, 6).values():
        result = peer.refine(walk)
        assert result.shape == walk.shape
        # The first frame is covered by the first window alone.
        np.testing.assert_allclose(
            result[0], peer.push(walk[:11])[0], atol=1e-5
        )
    keep = peers.WindowedPeer(torch.nn.Identity(), 11, batch=7)
    np.testing.assert_allclose(keep.refine(walk), walk, atol=1e-6)
    for smooth in peers.make_filters().values():
        assert smooth(walk).shape == walk.shape
