# Copyright (c) hanet_mm contributors. All rights reserved.
"""tools/reproduce_tables.py on data directories made for the tests."""

import importlib.util
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from mmengine.logging import MMLogger

from hanet_mm.apis.benchmark import paper
from hanet_mm.core.data.sequences import save_pose_sequences
from hanet_mm.datasets.simulation import generate_synthetic_sequences

pytestmark = pytest.mark.mm

ROOT = Path(__file__).parents[2]
COLUMNS = {
    'Head': 'PCK@0.2/Head',
    'Sho.': 'PCK@0.2/Sho',
    'Elb.': 'PCK@0.2/Elb',
    'Wri.': 'PCK@0.2/Wri',
    'Hip': 'PCK@0.2/Hip',
    'Knee': 'PCK@0.2/Knee',
    'Ank.': 'PCK@0.2/Ank',
    'Avg.': 'PCK@0.2',
    '@0.1': 'PCK@0.1',
    '@0.05': 'PCK@0.05',
    'Accel': 'Accel',
}


@pytest.fixture(scope='module')
def tool():
    """The script as a module."""
    spec = importlib.util.spec_from_file_location(
        'reproduce_tables', ROOT / 'tools/reproduce_tables.py'
    )
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def data(tmp_path):
    """Sub-JHMDB in small, and two files that are none."""
    for split, seed in (('train', 0), ('test', 1)):
        path = tmp_path / f'data/jhmdb/jhmdb_simplebaseline_{split}.npz'
        sequences = generate_synthetic_sequences(4, (20, 28), seed)
        save_pose_sequences(path, sequences)
    for name in ('pw3d', 'aist'):
        (tmp_path / 'data' / name).mkdir()
    (tmp_path / 'data/pw3d/pw3d_pare_test.npz').write_bytes(b'nonsense')
    return tmp_path / 'data'


@pytest.fixture
def call(capsys, tool):
    """Run the command in this process; gives code, stdout and stderr."""

    def run(*args):
        code = tool.main([*map(str, args)])
        out = capsys.readouterr()
        return code, out.out, out.err

    yield run
    # Its stream ends with the test.
    MMLogger._instance_dict.pop('reproduce_tables', None)


def read_table(text):
    """Rows of the first table by their headings."""
    lines = [line for line in text.splitlines() if line.startswith('|')]
    cells = [
        [cell.strip() for cell in line.strip('|').split(' | ')]
        for line in lines
    ]
    return [dict(zip(cells[0], row)) for row in cells[2:]]


def test_tool_prints_what_it_writes(data, tmp_path):
    result = subprocess.run(
        [
            *(sys.executable, '-W', 'ignore'),
            str(ROOT / 'tools/reproduce_tables.py'),
            *('--data-root', 'data', '--json', 'out/tables.json'),
        ],
        cwd=tmp_path,
        env=dict(os.environ, OMP_NUM_THREADS='1', PYTHONPATH=str(ROOT)),
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
    )
    # One data set is broken, the other one is measured.
    assert result.returncode == 1, result.stderr
    report = json.loads((tmp_path / 'out/tables.json').read_text())
    assert [*(tmp_path / 'out').iterdir()] == [tmp_path / 'out/tables.json']
    assert report['complete']
    jhmdb, pw3d = report['data_sets']
    assert 'pw3d_pare_test.npz' in pw3d['error']
    assert f'pw3d: {pw3d["error"]}' in result.stderr

    # Tables on stdout, everything else on stderr.
    assert result.stdout.startswith('## Table 1')
    assert 'PCK in percent, 4 sequences' not in result.stdout
    assert '| 3DPW' not in result.stdout
    assert 'posetrack18: not measured' in result.stderr
    assert 'PoseTrack' not in result.stdout
    assert [x['name'] for x in report['missing']].count('posetrack18') == 1

    rows = [*jhmdb['rows'], *jhmdb['paper']]
    printed = read_table(result.stdout)
    assert len(printed) == len(rows) == 2 * 6 + 5
    for cells, row in zip(printed, rows):
        assert cells['Method'] == row['method']
        assert cells['Protocol'] == row['protocol']
        for heading, key in COLUMNS.items():
            value = row['metrics'].get(key)
            text = '-' if value is None else f'{value:.1f}'
            assert cells[heading] == text
        for heading, key in (('N', 'interval'), ('T', 'window')):
            assert cells[heading] == str(row[key] or '-')
    assert printed[0]['read'] == '100.0 %'
    assert printed[-1]['read'] == '63.6 %'
    assert [x['Protocol'] for x in printed].count('reported by the paper') == 5


def test_interrupted_run_keeps_what_was_finished(
    data, tmp_path, call, monkeypatch
):
    measure = paper.measure_data_set

    def interrupt(source, *args):
        if source.name == 'pw3d':
            raise KeyboardInterrupt
        return measure(source, *args)

    monkeypatch.setattr(paper, 'measure_data_set', interrupt)
    (data / 'jhmdb/jhmdb_simplebaseline_train.npz').unlink()
    out = tmp_path / 'tables.json'
    code, text, log = call('--data-root', data, '--json', out)
    assert code == 130
    assert 'interrupted' in log
    report = json.loads(out.read_text())
    assert not report['complete']
    assert [x['name'] for x in report['data_sets']] == ['jhmdb']
    assert len(read_table(text)) == 2 + 5


def test_wrong_arguments_are_a_one_line_error(data, call):
    for args, part in (
        (['--datasets', 'coco'], "found 'coco'"),
        (['--refiner', 'jhmdb=none.safetensors'], 'none.safetensors: no such'),
        (['--checkpoint', 'none.py', 'a.pth'], 'none.py: no such config'),
    ):
        code, text, log = call('--data-root', data, *args)
        assert (code, text) == (1, '')
        (line,) = [x for x in log.splitlines() if x.startswith('error: ')]
        assert part in line


def test_data_set_that_was_asked_for_is_not_there(data, call):
    code, text, log = call('--data-root', data, '--datasets', 'aist')
    assert (code, text) == (1, '')
    assert 'aist_spin_test.npz is not there' in log
    assert 'pw3d' not in log


def test_smpl_model_needs_trust_for_pickle(tool, call, monkeypatch):
    seen = []

    def keep(request):
        seen.append(request)
        return iter(())

    monkeypatch.setattr(tool, 'reproduce', keep)
    call('--smpl-model', 'a.pkl')
    call('--smpl-model', 'a.pkl', '--trust-pickle', '--device', 'cuda')
    call()
    models = [request.smpl_model for request in seen]
    assert models == [
        dict(type='SMPLBodyModel', model_path='a.pkl', trust_pickle=False),
        dict(type='SMPLBodyModel', model_path='a.pkl', trust_pickle=True),
        None,
    ]
    assert [request.device for request in seen] == ['cpu', 'cuda', 'cpu']
