# Copyright (c) hanet_mm contributors. All rights reserved.
"""The evaluation from files to files, and tools/evaluate_refiner.py."""

import json
import os
import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest
from benchmark_data import (
    NAMES,
    make_coco_refiner,
    make_refiner,
    make_sequences,
)

import hanet_mm.apis.benchmark as benchmark
from hanet_mm.apis.benchmark import Request, evaluate, write_report
from hanet_mm.apis.benchmark.filter_bank import BANK, REFERENCE, UNSWAP
from hanet_mm.apis.benchmark.request import read_data
from hanet_mm.apis.cli import main
from hanet_mm.core.data.sequences import (
    load_pose_sequences,
    save_pose_sequences,
)
from hanet_mm.datasets.simulation import generate_synthetic_sequences
from hanet_mm.filters import GaussianFilter, tune_filter

TITLES = [x.title for x in BANK.values()]
MAIN_TITLES = [*TITLES, *[f'{UNSWAP} + {x}' for x in TITLES], REFERENCE]


@pytest.fixture
def files(tmp_path):
    """Data, training data and a refiner."""
    save_pose_sequences(tmp_path / 'test.npz', make_sequences(seed=1))
    save_pose_sequences(tmp_path / 'train.npz', make_sequences(seed=2))
    make_refiner(fps=30.0).save(tmp_path / 'mine.safetensors')
    return tmp_path


def request_of(files, *refiners, **options):
    options.setdefault('data', files / 'test.npz')
    paths = refiners or [files / 'mine.safetensors']
    return Request([*map(str, paths)], **options)


def last(request):
    return [*evaluate(request)][-1]


def test_figures_are_those_of_each_method(files):
    report = last(
        request_of(files, tune=files / 'train.npz', curves=['swaps'])
    )
    (table,) = report['tables']
    rows = {row['method']: row for row in table['rows']}
    assert [*rows] == ['input', *MAIN_TITLES, 'mine']
    data = load_pose_sequences(files / 'test.npz')
    error = data.keypoints_est - data.keypoints_gt
    expected = np.linalg.norm(error, axis=-1).mean()
    assert rows['input']['mean_error'] == pytest.approx(expected, rel=1e-5)
    smoother, _ = tune_filter(
        'gaussian', load_pose_sequences(files / 'train.npz')
    )
    smooth = smoother.smooth(data.keypoints_est, data.seq_len)
    expected = np.linalg.norm(smooth - data.keypoints_gt, axis=-1).mean()
    assert rows['Gaussian']['mean_error'] == pytest.approx(expected, rel=1e-5)
    assert isinstance(smoother, GaussianFilter)
    # Untrained: worse than anything else, and said so.
    (verdict,) = table['verdicts']
    assert not verdict['passes']
    # Without swaps the curve starts with the main table.
    points = report['curves']['swaps']['points']
    for first in points[0]['rows']:
        expected = rows[first['method']]['mean_error']
        assert first['mean_error'] == pytest.approx(expected)
    errors = [
        {x['method']: x['mean_error'] for x in point['rows']}
        for point in points
    ]
    for one, other in zip(errors, errors[1:]):
        assert other['input'] > one['input'] + 1
    assert report['tuned_on']['frames'] == 83
    assert report['data']['sha256'] != report['tuned_on']['sha256']


def test_report_is_written_part_by_part(files, tmp_path):
    save_pose_sequences(
        files / 'test.npz', generate_synthetic_sequences(3, (16, 30), 4)
    )
    # Of 15 keypoints the refiner knows 12.
    make_coco_refiner(fps=30.0).save(files / 'coco.safetensors')
    request = request_of(files, files / 'coco.safetensors')
    seen = []
    for report in evaluate(request):
        write_report(tmp_path / 'out', report)
        written = json.loads((tmp_path / 'out/results.json').read_text())
        assert written == json.loads(json.dumps(report))
        seen.append(([*report['curves']], report['complete']))
        text = (tmp_path / 'out/tables.md').read_text()
        assert ('**Not complete' in text) != report['complete']
        picture = tmp_path / 'out/curves.png'
        assert picture.exists() == bool(report['curves'])
    curves = ['missing', 'fps', 'lookahead', 'swaps']
    assert seen == [(curves[:n], n == 4) for n in range(5)]
    assert picture.read_bytes()[:4] == b'\x89PNG'
    assert sorted(x.name for x in (tmp_path / 'out').iterdir()) == [
        *('curves.png', 'results.json', 'tables.md')
    ]
    _, some = report['tables']
    assert 'the 12 keypoints that coco refines itself' in some['title']
    assert 'NOT tuned' in text
    assert 'simulated' in text
    assert text.count('NOT good enough') == 2
    assert text.count('does NOT beat') >= 2
    for curve in report['curves'].values():
        assert curve['keypoints'] == 12
        for point in curve['points']:
            for row in point['rows']:
                assert np.isfinite(
                    [row['mean_error'], row['accel_error']]
                ).all()
    # The first point of each is the table of those keypoints.
    first = report['curves']['missing']['points'][0]['rows']
    expected = {x['method']: x['mean_error'] for x in some['rows']}
    for row in first:
        found = expected[row['method']]
        assert row['mean_error'] == pytest.approx(found)
    full = report['curves']['lookahead']['points'][-1]['rows']
    assert full[-1]['mean_error'] == pytest.approx(
        some['rows'][-1]['mean_error']
    )


def test_curves_that_cannot_be_drawn_are_named(files):
    sequences = make_sequences(fps=None)
    del sequences.meta['keypoint_names']
    save_pose_sequences(files / 'test.npz', sequences)
    report = last(request_of(files, curves=['swaps', 'fps']))
    assert report['complete']
    assert report['curves'] == {}
    assert [x['curve'] for x in report['left_out']] == ['swaps', 'fps']


def test_filter_of_other_keypoints(files):
    sequences = make_sequences()
    sequences.meta['keypoint_names'] = ['tail', *NAMES[1:]]
    save_pose_sequences(files / 'test.npz', sequences)
    make_coco_refiner().save(files / 'coco.safetensors')
    figures = {}
    for others in ('none', 'gaussian'):
        every, some = last(
            request_of(
                files, files / 'coco.safetensors', others=others, curves=[]
            )
        )['tables']
        # Of all five keypoints and of the four: what is left is the tail.
        tails = [
            5 * x['mean_error'] - 4 * y['mean_error']
            for x, y in zip(every['rows'], some['rows'])
        ]
        figures[others] = tails[-1], some['rows'][-1]['mean_error']
        tails = [tails[0], tails[1 + list(BANK).index('gaussian')]]
    # Left as it came, or filtered; the others do not change.
    assert figures['none'][0] == pytest.approx(tails[0], rel=1e-3)
    assert figures['gaussian'][0] == pytest.approx(tails[1], rel=1e-3)
    assert figures['gaussian'][1] == pytest.approx(figures['none'][1])


def test_root_relative_errors(files):
    sequences = make_sequences(noise=0)
    moved = sequences.keypoints_est + 50
    save_pose_sequences(
        files / 'test.npz', replace(sequences, keypoints_est=moved)
    )
    (table,) = last(
        request_of(files, root=['left_knee', 'right_knee'], curves=[])
    )['tables']
    assert table['rows'][0]['mean_error'] == pytest.approx(0, abs=1e-4)


def test_three_dimensions_have_no_pck(files):
    sequences = make_sequences()
    solid = {
        key: np.pad(getattr(sequences, key), [(0, 0), (0, 0), (0, 1)]) / 100
        for key in ('keypoints_gt', 'keypoints_est')
    }
    sequences.meta['units'] = 'm'
    save_pose_sequences(
        files / 'test.npz', replace(sequences, bboxes=None, **solid)
    )
    make_refiner(dims=3).save(files / 'solid.safetensors')
    report = last(request_of(files, files / 'solid.safetensors', curves=[]))
    (table,) = report['tables']
    assert not any(key.startswith('pck') for key in table['rows'][0])
    assert 'PCK' not in table['verdicts'][0]['text']
    write_report(files / 'out', report)
    text = (files / 'out/tables.md').read_text()
    assert 'PCK' not in text
    assert 'Errors in m, Accel in m/frame^2' in text
    with pytest.raises(ValueError, match=r'expects keypoints .*\(5, 2\)'):
        last(request_of(files))


def test_a_file_without_truth_is_refused(tmp_path):
    sequences = make_sequences()
    path = tmp_path / 'poses.npz'
    for changes in (
        dict(visible=np.zeros_like(sequences.scores)),
        dict(
            visible=None,
            keypoints_gt=np.full_like(sequences.keypoints_gt, np.nan),
        ),
    ):
        save_pose_sequences(path, replace(sequences, **changes))
        with pytest.raises(ValueError, match=r'poses.npz: keypoints_gt: .* 3'):
            read_data(path)
    some = np.zeros_like(sequences.scores)
    some[7, 2] = 1
    save_pose_sequences(path, replace(sequences, visible=some))
    assert len(read_data(path)) == 3


def test_names_are_unique(files):
    (files / 'b').mkdir()
    paths = [files / f'{x}.safetensors' for x in ('mine', 'b/mine', 'input')]
    for path in paths:
        make_refiner().save(path)
    report = last(request_of(files, *paths, curves=[]))
    names = [x['name'] for x in report['refiners']]
    assert names == ['mine', 'mine (2)', 'input (2)']


def no_truth(sequences):
    return replace(sequences, keypoints_gt=None, visible=None)


def rotations(sequences):
    wide = np.zeros((*sequences.scores.shape, 6))
    return replace(
        sequences,
        keypoints_est=wide,
        keypoints_gt=wide,
        bboxes=None,
        meta=dict(units='rot6d'),
    )


@pytest.mark.parametrize(
    ('args', 'change', 'words'),
    [
        (['--curves', 'mising'], None, 'curves: expected missing, fps'),
        (['--others', 'median'], None, 'others: expected savgol'),
        (['--tune', 'test.npz'], None, 'test.npz: filters are tuned on'),
        (['--root', 'pelvis'], None, 'root: expected names of its keypoints'),
        ([], no_truth, "'keypoints_gt' is missing"),
        ([], rotations, "expected coordinates, found 'rot6d'"),
    ],
)
def test_wrong_requests_are_a_one_line_error(
    files, capsys, monkeypatch, args, change, words
):
    monkeypatch.chdir(files)
    if change:
        save_pose_sequences('test.npz', change(make_sequences()))
    given = ['mine.safetensors', '--data', 'test.npz', '-o', 'out']
    code = main(['evaluate', *given, *args])
    out, err = capsys.readouterr()
    assert (code, out) == (1, '')
    assert words in err
    assert [x for x in err.splitlines() if 'error: ' in x] == [err.strip()]
    assert not (files / 'out').exists()


def test_interrupted_run_keeps_what_was_finished(files, capsys, monkeypatch):
    def interrupt(requests):
        for number, report in enumerate(evaluate(*requests)):
            if number:
                raise KeyboardInterrupt
            yield report

    monkeypatch.setattr(benchmark, 'evaluate_files', interrupt)
    args = [files / 'mine.safetensors', '--data', files / 'test.npz']
    args = ['evaluate', *map(str, args), '--curves', 'swaps']
    with pytest.raises(SystemExit) as stop:
        main([*args, '-o', str(files / 'o')])
    assert stop.value.code == 130
    assert 'interrupted' in capsys.readouterr().err
    report = json.loads((files / 'o/results.json').read_text())
    assert not report['complete']
    assert len(report['tables']) == 1


def test_json_is_the_report_and_the_time_of_curves_is_told(
    files, capsys, monkeypatch
):
    monkeypatch.chdir(files)
    args = ['evaluate', 'mine.safetensors', '--data', 'test.npz', '-o', 'out']
    args += ['--json', '--curves', 'swaps']
    assert main(args) == 0
    printed, told = capsys.readouterr()
    report = json.loads(printed)
    assert report == json.loads((files / 'out/results.json').read_text())
    assert 'curves: 5 points follow, about 0:' in told
    assert main([*args, '-q']) == 0
    assert capsys.readouterr().err == ''


def test_several_files_and_their_average(files, capsys, monkeypatch):
    monkeypatch.chdir(files)
    for name, seed in (('slow', 3), ('train2', 4)):
        data = make_sequences((20, 15), noise=9.0, seed=seed)
        save_pose_sequences(f'{name}.npz', data)
    args = ['mine.safetensors', '--data', 'test.npz', 'slow.npz', '--curves']
    args += ['--tune', 'train.npz', 'train2.npz', '-o', 'out']
    assert main(['evaluate', *args]) == 0
    out = capsys.readouterr().out
    assert out.rstrip('\n') == (files / 'out/tables.md').read_text().rstrip()
    report = json.loads((files / 'out/results.json').read_text())
    assert report['complete']
    parts = []
    for name, tune in (('test', 'train'), ('slow', 'train2')):
        part = json.loads((files / f'out/{name}/results.json').read_text())
        assert part == report['files'][name]
        assert (part['data']['file'], part['tuned_on']['file']) == (
            f'{name}.npz',
            f'{tune}.npz',
        )
        parts.append(part['tables'][0]['rows'])
    for row, one, other in zip(report['tables'][0]['rows'], *parts):
        assert row['method'] == one['method'] == other['method']
        for key in ('mean_error', 'box_error', 'pck_0.05', 'worse'):
            assert row[key] == pytest.approx((one[key] + other[key]) / 2)
    errors = [rows[-1]['box_error'] for rows in [*parts, [row]]]
    shares = [rows[-1]['worse'] for rows in [*parts, [row]]]
    cells = [f'{x:.2f} ({y:.1f})' for x, y in zip(errors, shares)]
    assert f'| mine | {" | ".join(cells)} |' in out


def test_as_many_training_files_as_data(files, capsys, monkeypatch):
    monkeypatch.chdir(files)
    args = ['mine.safetensors', '--data', *['test.npz'] * 3, '-o', 'out']
    args += ['--tune', 'train.npz', 'train.npz']
    assert main(['evaluate', *args]) == 1
    words = '--tune: expected 1 file, or 3 as of --data, found 2'
    assert words in capsys.readouterr().err


def test_tool(files, repo_root):
    result = subprocess.run(
        [
            *(sys.executable, '-W', 'ignore'),
            str(repo_root / 'tools/evaluate_refiner.py'),
            *('mine.safetensors', '--data', 'test.npz', '-o', 'out'),
            *('--device', 'cpu', '--curves'),
        ],
        cwd=files,
        env=dict(os.environ, OMP_NUM_THREADS='1', PYTHONPATH=str(repo_root)),
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
    )
    assert result.returncode == 0, result.stderr
    assert result.stdout == (files / 'out/tables.md').read_text()
    assert 'main table' in result.stderr
    report = json.loads((files / 'out/results.json').read_text())
    assert report['command'].startswith('evaluate_refiner.py mine.safetensors')
    assert {'hanet_mm', 'torch', 'numpy', 'python'} == set(report['versions'])
    assert not (files / 'out/curves.png').exists()
