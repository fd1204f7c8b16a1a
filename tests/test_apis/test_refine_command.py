# Copyright (c) hanet_mm contributors. All rights reserved.
"""The command ``hanet-mm refine``: what it says, and how it fails."""

import json
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
    assert run(source, out, refiner, '-v') == 0
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


def test_everybody_reads_people_frames_and_changes(tmp_path, capsys):
    path, _ = write_example('coco', tmp_path)
    out = tmp_path / 'out.json'
    arguments = ['refine', str(path), '-o', str(out), '--filter', 'median']
    assert main(arguments) == 0
    line = capsys.readouterr().out
    assert line.startswith(f'{out}: 2 people in 12 frames refined, ')
    assert ' of 289 keypoints filled; ' in line
    assert 'by MedianFilter' in line
    assert main([*arguments, '--json']) == 0
    found = json.loads(capsys.readouterr().out)
    names = ('sequences', 'video_frames', 'keypoints')
    assert [found[x] for x in names] == [2, 12, 289]
    assert found['out'] == str(out)


@pytest.mark.parametrize('place', [0, 5])
def test_quiet_commands_say_nothing_but_errors(tmp_path, capsys, place):
    path, _ = write_example('coco', tmp_path)
    out = str(tmp_path / 'out.json')
    arguments = ['refine', str(path), '-o', out, '--filter', 'median']
    arguments.insert(place, '-q')
    assert main(arguments) == 0
    assert capsys.readouterr() == ('', '')
    assert main(['-q', 'refine', 'no.json', '-o', out]) == 1
    assert 'no such pose file' in capsys.readouterr().err


def test_a_warning_is_a_line_without_places_in_the_code(tmp_path, capsys):
    """Windows of noise are unlike people."""
    rng = np.random.default_rng(0)
    names = np.array(SKELETONS['coco17'].keypoint_names)
    source, out = tmp_path / 'in.npz', tmp_path / 'out.npz'
    poses = rng.normal(300, 90, (60, 17, 2))
    np.savez(source, keypoints=poses, keypoint_names=names, fps=30)
    assert main(['refine', str(source), '-o', str(out)]) == 0
    error = capsys.readouterr().err
    assert error.startswith('hanet-mm: warning: ')
    assert error.count('\n') == 1
    assert '.py' not in error
    assert main(['refine', str(source), '-o', str(out), '-q']) == 0
    assert capsys.readouterr().err == ''


@pytest.mark.parametrize('kind', ['flat', 'plain', 'people'])
def test_given_rate_and_size_are_written(tmp_path, kind):
    source, out = tmp_path / 'in.npz', tmp_path / 'out.npz'
    if kind == 'flat':
        save_pose_sequences(source, make_sequences())
    else:
        poses = make_sequences().keypoints_est
        poses = poses[:, None] if kind == 'people' else poses
        np.savez(source, keypoints=np.nan_to_num(poses, nan=77))
    more = ['--fps', '50', '--image-size', '640', '480']
    arguments = ['refine', str(source), '-o', str(out), '--filter', 'median']
    assert main([*arguments, *more]) == 0
    count = 3 if kind == 'flat' else 1
    with np.load(out) as found:
        assert np.ravel(found['fps']).tolist() == [50] * count
        assert np.ravel(found['image_size']).tolist() == [640, 480] * count


def test_finished_files_of_a_folder_are_refined_anew_on_request(
    tmp_path, capsys
):
    folder, out = tmp_path / 'in', tmp_path / 'out'
    folder.mkdir()
    save_pose_sequences(folder / 'a.npz', make_sequences())
    arguments = ['refine', str(folder), '-o', str(out), '--filter', 'median']
    assert main(arguments) == 0
    assert main([*arguments, '--json']) == 0
    assert main([*arguments, '--json', '--overwrite']) == 0
    first, second = capsys.readouterr().out.splitlines()[-2:]
    assert (json.loads(first)['skipped'], json.loads(first)['refined']) == (
        1,
        0,
    )
    assert (json.loads(second)['skipped'], json.loads(second)['refined']) == (
        0,
        1,
    )
    (folder / 'b.npz').write_bytes(b'no archive')
    assert main([*arguments, '--json']) == 1
    (failed,) = json.loads(capsys.readouterr().out)['failed']
    assert failed['file'].endswith('b.npz')


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
    assert '2 people in 12 frames' in capsys.readouterr().out


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
