# Copyright (c) hanet_mm contributors. All rights reserved.
"""The script of real recordings on made ones; and, where recordings are, their
figures against an independent script that was written beside them.
"""

import importlib.util
import sys
from dataclasses import replace

import numpy as np
import pytest
from benchmark_data import make_refiner, make_sequences

from hanet_mm.apis.benchmark.breakdown import (
    filled_errors,
    gap_lengths,
    join_filled,
)
from hanet_mm.apis.benchmark.evaluation import measure_output, read_truth
from hanet_mm.apis.benchmark.methods import Method, filled_input
from hanet_mm.core.data.sequences import (
    load_pose_sequences,
    save_pose_sequences,
)
from hanet_mm.core.poses.skeleton_data import find_skeleton
from hanet_mm.core.refine.swap_chains import swap_chains

COCO = find_skeleton('coco17').keypoint_names
FLIP = swap_chains(COCO).flip_indices

# Figures of the script, ours, and the digits that it prints.
FIGURES = (
    ('mean', 'box_error', 2),
    ('p95', 'box_error_95', 2),
    ('k05', 'pck_0.05', 1),
    ('k1', 'pck_0.1', 1),
    ('k2', 'pck_0.2', 1),
    ('worse', 'worse', 1),
    ('better', 'better', 1),
)


def with_gaps():
    """Two sequences: gaps of one, three and two frames, and two at ends."""
    data = make_sequences((12, 9), noise=0)
    scores = np.ones(data.scores.shape)
    scores[4, 1] = scores[6:9, 2] = 0
    scores[:2, 3] = scores[11:14, 4] = 0
    scores[15:17] = 0
    return replace(data, scores=scores)


def test_lengths_of_gaps():
    lengths, at_end = gap_lengths(with_gaps())
    expected = np.zeros((21, 5), int)
    expected[4, 1], expected[6:9, 2], expected[:2, 3] = 1, 3, 2
    # A gap does not go on in the next sequence.
    expected[11, 4], expected[12:14, 4] = 1, 2
    expected[15:17] = 2
    np.testing.assert_array_equal(lengths, expected)
    ends = np.zeros((21, 5), bool)
    ends[:2, 3] = ends[11:14, 4] = True
    np.testing.assert_array_equal(at_end, ends)


def test_errors_of_filled_keypoints():
    data = with_gaps()
    # Straight motion: a line through a gap is 5 px off as all else is, a
    # pose that stays at the end of its last frame by what it moves.
    steps = np.arange(21)[:, None, None] * [4.0, 3.0]
    truth = np.broadcast_to(100 + steps, data.keypoints_gt.shape)
    boxes = np.tile([0.0, 0, 100, 200], (21, 1))
    data = replace(
        data, keypoints_gt=truth, keypoints_est=truth + [3, 4], bboxes=boxes
    )
    found = filled_errors([Method('input')], data)
    assert found.errors.shape == (1, 19)
    for first, last, count in ((1, 1, 1), (2, 3, 13), (4, None, 0)):
        chosen = found.of_length(first, last)
        assert chosen.sum() == count
        mean = [pytest.approx(2.5)] if count else [None]
        assert found.mean(chosen) == mean
    apart = 200 / 100 * found.errors[0][found.at_end]
    # One and two frames after the last seen one, and before the first.
    late = np.hypot(3 - 4, 4 - 3)
    early = [np.hypot(3 + 4 * n, 4 + 3 * n) for n in (2, 1)]
    expected = [*early, late, *early]
    np.testing.assert_allclose(apart, expected, rtol=1e-5)
    joints = dict(zip(*np.unique(found.joints, return_counts=True)))
    assert joints == dict(nose=2, wrist=1 + 3 + 4, knee=2 + 3 + 4)
    both = join_filled([found, found])
    assert both.errors.shape == (1, 38)
    # What nobody knows does not count.
    hidden = replace(data, visible=np.zeros(data.scores.shape))
    assert filled_errors([Method('input')], hidden).errors.shape == (1, 0)


@pytest.fixture
def tool(repo_root, monkeypatch):
    """The script as a module."""
    folder = repo_root / 'tools/benchmark'
    monkeypatch.syspath_prepend(str(folder))
    spec = importlib.util.spec_from_file_location(
        'real_recordings', folder / 'real_recordings.py'
    )
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def make_files(folder):
    """What two estimators said, and a refiner that keeps to the evidence."""
    for name, seed in (('one', 1), ('two', 2)):
        data = make_sequences((30, 20), seed=seed, names=COCO)
        data.scores[5:8, 9] = 0
        data.keypoints_est[8:12] = data.keypoints_est[8:12][:, FLIP]
        save_pose_sequences(folder / f'jhmdb_{name}_test.npz', data)
    refiner = make_refiner(COCO, fps=30.0, trust=True)
    refiner.save(folder / 'mine.safetensors')
    return [str(folder / f'jhmdb_{x}_test.npz') for x in ('one', 'two')]


def test_table_of_clean_motion(tool):
    rows = [
        dict(period=period, noise=noise, kept=kept, moved=moved)
        for period, noise, kept, moved in (
            (15, 0.0, 0.8, 0.1),
            (15, 0.0, 0.9, 0.3),
            (15, 0.0, 1.0, 0.2),
            (30, 0.0, None, 0.2),
            (30, 0.0, 0.98, 0.2),
            (15, 1.0, 0.7, 0.5),
        )
    ]
    lines = tool.clean_table(dict(mine=rows)).splitlines()
    assert lines[2:] == [
        '| 0 | mine | 0.80 / 0.90 | 0.98 / 0.98 | 0.20 | 0.30 |',
        '| 1 | mine | 0.70 / 0.70 | - / - | 0.50 | 0.50 |',
    ]


@pytest.mark.slow
def test_script_writes_all_tables(tool, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    files = make_files(tmp_path)
    page = tmp_path / 'page.md'
    text = 'Before\n<!-- table: {} -->\nold\n<!-- end -->\nAfter\n'
    page.write_text(text.format('short') + text.format('other'))
    args = ['mine.safetensors', '--data', *files, '-o', 'out']
    args += ['--pages', 'page.md', '--few', '1', '--curves', 'swaps']
    for name, seed in (('sim_test', 3), ('sim_train', 4)):
        save_pose_sequences(f'{name}.npz', make_sequences(seed=seed))
    args += ['--simulated', 'sim_test.npz', 'sim_train.npz']
    monkeypatch.setattr(sys, 'argv', ['real_recordings.py', *args])
    tool.main()
    out = capsys.readouterr().out
    assert out.strip() == (tmp_path / 'out/tables.md').read_text().strip()
    headings = [x[3:] for x in out.splitlines() if x.startswith('## ')]
    assert headings == [
        *('average', 'files', 'short', 'gap-lengths', 'gap-joints'),
        *('ablation', 'simulated', 'curves'),
    ]
    assert '| mean error px | 10 % swapped | 40 % |' in out
    assert (tmp_path / 'out/errors.png').read_bytes()[:4] == b'\x89PNG'
    # One of two sequences of each file.
    assert '| taken away | number of keypoints |' in out
    filled = page.read_text()
    assert '(frames made worse %) | one | two | average |' in filled
    assert filled.count('old') == 1
    assert filled.count('Before') == filled.count('After') == 2


def test_parts_switched_off_alone(tool, tmp_path):
    path = make_files(tmp_path)[0]
    data = load_pose_sequences(path)
    mine = str(tmp_path / 'mine.safetensors')
    found = {
        name: (method, sequences, method.run(sequences))
        for name, method, sequences in tool.variants([mine, mine], data)
    }
    assert [*found] == [
        *('all', 'without un-swap', 'without the limit', 'without both'),
        *('scores ignored', 'rate not given (30 assumed)'),
        f'in its place {mine}',
    ]
    poses = {name: x[2] for name, x in found.items()}
    # At its own rate, and with scores that the network does not read.
    for same in ('scores ignored', 'rate not given (30 assumed)'):
        np.testing.assert_allclose(poses[same], poses['all'], atol=1e-3)
    np.testing.assert_array_equal(poses[f'in its place {mine}'], poses['all'])
    path_off = np.abs(poses['without un-swap'] - poses['all']).max()
    assert path_off > 5
    # The limit holds an untrained network near the path.
    away = [
        np.linalg.norm(poses[x] - data.keypoints_gt, axis=-1).mean()
        for x in ('all', 'without the limit', 'without both')
    ]
    assert away[0] < min(away[1:])
    # The refiner itself is as it was.
    assert found['all'][0].tool.chains is not None


@pytest.fixture(scope='module')
def script(shared_dir):
    path = shared_dir / 'tools/score_real.py'
    if not path.is_file():
        pytest.skip(f'needs the script beside the recordings: {path}')
    spec = importlib.util.spec_from_file_location('score_real', path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize('estimator', ['mediapipe_static', 'movenet_track'])
@pytest.mark.parametrize('method', ['raw', 'medbut6', 'unswap6'])
def test_figures_are_those_of_the_script(
    script, shared_dir, estimator, method
):
    path = shared_dir / f'data/real/jhmdb_{estimator}_train.npz'
    if not path.is_file():
        pytest.skip(f'needs the recordings: {path}')
    sequences = load_pose_sequences(path).select(np.arange(0, 156, 6))
    clips = script.load(path)[::6]
    poses = script.apply(method, clips, None)
    expected = script.measure(clips, poses)
    given = filled_input(sequences)
    np.testing.assert_allclose(
        given, np.concatenate([x.filled for x in clips]), atol=1e-3
    )
    found = measure_output(np.concatenate(poses), read_truth(sequences), given)
    for theirs, ours, digits in FIGURES:
        assert abs(found[ours] - expected[theirs]) <= 0.5 * 10**-digits, ours
