# Copyright (c) hanet_mm contributors. All rights reserved.
"""The command ``hanet-mm refine``: what it says, and how it fails."""

import subprocess
import sys

import numpy as np
import pytest
from format_files import (
    make_coco_refiner,
    make_persons,
    write_example,
    write_openpose,
)
from refine_data import make_sequences, run

from hanet_mm.apis import refine_file
from hanet_mm.apis.cli import main
from hanet_mm.core.data.sequences import (
    load_pose_sequences,
    save_pose_sequences,
)
from hanet_mm.core.poses.skeleton_data import SKELETONS
from hanet_mm.filters import GaussianFilter


def test_summary_is_one_line_with_all_numbers(tmp_path, refiner, capsys):
    source, out = tmp_path / 'in.npz', tmp_path / 'out.npz'
    save_pose_sequences(source, make_sequences())
    assert run(source, out, refiner) == 0
    captured = capsys.readouterr()
    assert captured.err == ''
    assert captured.out.count('\n') == 1
    for part in (
        f'{out}: 20 frames of 3 sequences refined',
        '3 of 60 keypoints filled',
        'T = 5',
        'N = 2',
        'stride 2',
        "normalization 'box'",
    ):
        assert part in captured.out


def test_placeholders_and_outliers_are_counted(tmp_path, capsys):
    rng = np.random.default_rng(0)
    poses = (
        300 + 60 * rng.normal(size=(1, 17, 2)) + np.arange(8)[:, None, None]
    )
    poses = np.concatenate([poses, np.full((8, 17, 1), 0.9)], -1)
    poses[3:5, 9, :2] = -1  # with a score of 0.9
    poses[6, 2, 0] = 1e6
    source, out = tmp_path / 'in.npy', tmp_path / 'out.npy'
    np.save(source, poses)
    assert main(['refine', str(source), '-o', str(out)]) == 0
    summary = capsys.readouterr().out
    assert '3 of 136 keypoints filled' in summary
    assert (
        '2 placeholders such as (0, 0) and 1 outliers far from the person '
        'counted as missing'
    ) in summary
    refined = np.load(out)[..., :2]
    assert refined.min() > 0
    assert refined.max() < 600


def test_bad_arguments(tmp_path, assert_fails):
    source = tmp_path / 'in.npz'
    save_pose_sequences(source, make_sequences())
    assert_fails(tmp_path / 'no.npz', 'no.npz: no such pose file')
    assert_fails(
        tmp_path / 'a.xml',
        'expected a file ending in .json or .npz or .npy or .csv or .trc or',
        'found .xml',
    )
    assert_fails(
        source, 'format openpose: expected', more=('--format', 'openpose')
    )
    assert_fails(source, 'ending in .npz', out=tmp_path / 'out.json')
    assert_fails(source, 'no such refiner', refiner=tmp_path / 'no')
    assert_fails(source, 'not a refiner file', refiner=source)
    assert_fails(source, "device 'abacus'", more=('--device', 'abacus'))


def test_options_reach_the_refining(tmp_path, capsys):
    path, _ = write_example('coco', tmp_path)
    refiner, out = tmp_path / 'r.safetensors', tmp_path / 'out.json'
    make_coco_refiner(SKELETONS['jhmdb15'].keypoint_names).save(refiner)
    more = ['--skeleton', 'posetrack18', '--others', 'median:window=3']
    more += ['--max-gap', '1', '--fps', '25', '--format', 'coco']
    assert run(path, out, refiner, *more) == 0
    assert 'posetrack18 -> jhmdb15: 12 mapped' in capsys.readouterr().out
    expected = tmp_path / 'expected.json'
    options = dict(skeleton='posetrack18', others='median:window=3')
    refine_file(path, expected, refiner, max_gap=1, **options)
    assert out.read_text() == expected.read_text()


def test_a_filter_instead_of_a_refiner(tmp_path, capsys):
    path, _ = write_example('csv', tmp_path)
    out, expected = tmp_path / 'out.csv', tmp_path / 'expected.csv'
    arguments = ['refine', str(path), '-o', str(out), '--filter']
    assert main([*arguments, 'gaussian:sigma=2']) == 0
    assert 'GaussianFilter(sigma=2)' in capsys.readouterr().out
    refine_file(path, expected, GaussianFilter(2))
    assert out.read_text() == expected.read_text()
    with pytest.raises(SystemExit):  # one or the other
        main([*arguments, 'median', '--refiner', 'r.safetensors'])


def test_people_are_tracked_on_request(tmp_path, capsys):
    people = make_persons(25)
    path = write_openpose(tmp_path, people, ids=False)
    out = tmp_path / 'out'
    arguments = ['refine', str(path), '-o', str(out), '--filter', 'median']
    assert main(arguments) == 1
    assert 'link them over time' in capsys.readouterr().err
    assert main([*arguments, '--track']) == 0
    frames = sum(len(x.keypoints) for x in people.values())
    assert f'{frames} frames of 2 sequences' in capsys.readouterr().out


def test_output_that_cannot_be_written(tmp_path, assert_fails):
    source, out = tmp_path / 'in.npz', tmp_path / 'out.npz'
    save_pose_sequences(source, make_sequences())
    out.mkdir()
    assert_fails(source, 'out.npz', out=out)


def test_wrong_usage_exits_with_2(capsys):
    with pytest.raises(SystemExit) as info:
        main(['refine', 'in.npz'])
    assert info.value.code == 2
    assert 'the following arguments are required' in capsys.readouterr().err


def test_refine_runs_without_openmmlab(tmp_path, refiner):
    source, out = tmp_path / 'in.npz', tmp_path / 'out.npz'
    save_pose_sequences(source, make_sequences())
    # Modules set to None cannot be imported.
    program = (
        'import sys\n'
        'for name in ("mmengine", "mmcv", "mmdet", "mmpose"):\n'
        '    sys.modules[name] = None\n'
        'from hanet_mm.apis.cli import main\n'
        'refine, export = sys.argv[1].split("|")\n'
        'sys.exit(main(refine.split()) * 10 + main(export.split()))\n'
    )
    commands = (
        f'refine {source} -o {out} --refiner {refiner}'
        f'|export {source} -o {tmp_path / "a.safetensors"}'
    )
    process = subprocess.run(
        [sys.executable, '-c', program, commands],
        capture_output=True,
        text=True,
        check=False,
    )
    assert process.returncode == 1, process.stderr
    assert len(load_pose_sequences(out)) == 3
    assert process.stderr.startswith('hanet-mm: error: reading a checkpoint')
    assert 'mim install' in process.stderr
    assert process.stderr.count('\n') == 1
