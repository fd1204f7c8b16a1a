# Copyright (c) hanet_mm contributors. All rights reserved.
"""What goes wrong is one line, and stops nothing else."""

import io
import json
import zipfile

import numpy as np
import pytest

from hanet_mm.apis.cli import main
from hanet_mm.apis.errors import count_errors, describe_error
from hanet_mm.apis.formats import open_poses
from hanet_mm.core.data.sequences import (
    PoseSequences,
    load_pose_sequences,
    save_pose_sequences,
)


def make_poses():
    rng = np.random.default_rng(0)
    return (300 + 60 * rng.normal(size=(12, 17, 2))).astype(np.float32)


def write_flat(path, **meta):
    sequences = PoseSequences(
        make_poses(), np.ones((12, 17)), np.array([12]), np.array(['a'])
    )
    sequences.meta.update(meta)
    save_pose_sequences(path, sequences)


def test_unforeseen_errors_are_one_line_and_debug_tells_where(
    tmp_path, monkeypatch, capsys
):
    def fail(*_):
        raise np.linalg.LinAlgError('no\nconvergence' + 1000 * 'x')

    monkeypatch.setattr('hanet_mm.apis.refine.open_poses', fail)
    source = tmp_path / 'a.npz'
    write_flat(source)
    command = ['refine', str(source), '-o', str(tmp_path / 'b.npz')]
    assert main(command) == 1
    error = capsys.readouterr().err
    assert error.count('\n') == 1
    assert f'{source}: not expected, LinAlgError: no convergence' in error
    assert len(error) < 330
    assert main([*command, '--debug']) == 1
    assert 'Traceback' in capsys.readouterr().err


@pytest.mark.parametrize(
    'source', ['http://host/a.json', 's3://b/c', 'rtsp:/a']
)
def test_an_address_is_no_pose_file(tmp_path, source, capsys):
    assert main(['refine', source, '-o', str(tmp_path / 'b.json')]) == 1
    error = capsys.readouterr().err
    assert error.startswith(
        f'hanet-mm: error: {source}: expected a pose file or folder, found an '
        'address'
    )
    assert error.count('\n') == 1


def test_a_file_may_look_like_an_address(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / 'http:').mkdir()
    write_flat(tmp_path / 'http:' / 'a.npz')
    command = ['refine', 'http://a.npz', '-o', 'b.npz', '--filter', 'median']
    assert main(command) == 0
    assert (tmp_path / 'b.npz').is_file()


def test_video_libraries_say_nothing_themselves(tmp_path, run_python):
    pytest.importorskip('cv2')
    # The beginning of an MP4 file, without an index.
    box = b'ftypisom\0\0\2\0isomiso2avc1mp41\0\0\0\x08free'
    (tmp_path / 'a.mp4').write_bytes(b'\0\0\0\x20' + box + bytes(3000))
    script = (
        'import os\n'
        'os.dup2(1, 2)\n'
        'from hanet_mm.apis.cli import main\n'
        "assert main(['video', 'a.mp4', '-o', 'b.json']) == 1\n"
    )
    output = run_python('-c', script, cwd=tmp_path)
    assert output.startswith('hanet-mm: error: a.mp4: not a video')
    assert output.count('\n') == 1


def test_an_interruption_is_one_line(tmp_path, monkeypatch, capsys):
    def stop(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr('hanet_mm.apis.refine.open_poses', stop)
    source = tmp_path / 'a.npz'
    write_flat(source)
    assert main(['refine', str(source), '-o', str(tmp_path / 'b.npz')]) == 130
    assert capsys.readouterr().err == 'hanet-mm: interrupted\n'


def test_equal_errors_are_counted(tmp_path, capsys):
    folder = tmp_path / 'in'
    folder.mkdir()
    for number in range(20):
        (folder / f'{number:02}.json').write_text('{')
    write_flat(folder / 'good.npz')
    command = ['refine', str(folder), '-o', str(tmp_path / 'out')]
    assert main([*command, '--filter', 'median']) == 1
    error = capsys.readouterr().err
    assert '1 files refined' in error
    assert '20 failed: ' in error
    assert '(and 19 more alike)' in error
    assert error.count('expected JSON') == 1
    assert (tmp_path / 'out' / 'good.npz').exists()


def test_many_kinds_of_errors_are_cut():
    text = count_errors((f'{x}.npz', f'{x}.npz: fault {x}') for x in range(9))
    assert text.startswith('0.npz: fault 0 | 1.npz: fault 1')
    assert text.endswith('4.npz: fault 4 | 4 other errors')


def test_the_end_of_a_long_message_is_kept():
    text = describe_error(ValueError('begin ' + 'x' * 1000 + ' end'))
    assert text.startswith('begin')
    assert text.endswith('end')
    assert len(text) <= 300


@pytest.mark.parametrize(
    ('meta', 'message'),
    [
        (dict(keypoint_names=5), r"meta\['keypoint_names'\]: expected str"),
        (dict(keypoint_names=[[]] * 17), r"meta\['keypoint_names'\]: exp"),
        (dict(units={}), r"meta\['units'\]: expected a string"),
    ],
)
def test_meta_of_wrong_types(tmp_path, meta, message):
    write_flat(tmp_path / 'a.npz')
    arrays = dict(np.load(tmp_path / 'a.npz'), meta=json.dumps(meta))
    np.savez(tmp_path / 'a.npz', **arrays)
    with pytest.raises(ValueError, match=message):
        load_pose_sequences(tmp_path / 'a.npz')


def test_nested_meta(tmp_path):
    write_flat(tmp_path / 'a.npz')
    arrays = dict(np.load(tmp_path / 'a.npz'), meta='[' * 100_000)
    np.savez(tmp_path / 'a.npz', **arrays)
    with pytest.raises(ValueError, match=r'a\.npz: meta: expected JSON'):
        load_pose_sequences(tmp_path / 'a.npz')


def npy_bytes(shape):
    file = io.BytesIO()
    header = dict(descr='<f4', fortran_order=False, shape=shape)
    np.lib.format.write_array_header_1_0(file, header)
    return file.getvalue()


@pytest.mark.parametrize('shape', [(10**12, 17, 2), (2**63, 2**63, 17, 2)])
def test_shapes_that_the_file_does_not_hold(tmp_path, shape):
    (tmp_path / 'a.npy').write_bytes(npy_bytes(shape))
    with pytest.raises(ValueError, match=r'a\.npy: .*the header says float32'):
        open_poses(tmp_path / 'a.npy')
    with zipfile.ZipFile(tmp_path / 'a.npz', 'w') as archive:
        archive.writestr('keypoints.npy', npy_bytes(shape))
    with pytest.raises(ValueError, match=r'a\.npz: .*the header says float32'):
        open_poses(tmp_path / 'a.npz')


def test_archives_that_expand_without_end(tmp_path, monkeypatch):
    monkeypatch.setattr('hanet_mm.core.data.files.LARGEST_ARRAY', 10_000)
    np.savez_compressed(tmp_path / 'a.npz', keypoints=np.zeros((99, 17, 2)))
    with pytest.raises(ValueError, match='at most 10000 bytes, found'):
        open_poses(tmp_path / 'a.npz')


@pytest.mark.parametrize('kind', ['npz', 'npy', 'json', 'csv'])
def test_damaged_files_are_refused_in_one_line(tmp_path, kind):
    """Bytes changed, cut and doubled, in any format."""
    rng = np.random.default_rng(5)
    good = tmp_path / f'good.{kind}'
    if kind == 'npz':
        write_flat(good, keypoint_names=[f'k{i}' for i in range(17)])
    elif kind == 'npy':
        np.save(good, make_poses())
    elif kind == 'json':
        poses = make_poses().tolist()
        people = [
            dict(
                frame_id=i,
                instances=[dict(keypoints=x, keypoint_scores=[1.0] * 17)],
            )
            for i, x in enumerate(poses)
        ]
        good.write_text(json.dumps(dict(meta_info={}, instance_info=people)))
    else:
        rows = [f'{i},{a},{b}' for i, (a, b) in enumerate(make_poses()[:, 0])]
        good.write_text('\n'.join(['frame,nose_x,nose_y', *rows]))
    content = good.read_bytes()
    bad = tmp_path / f'bad.{kind}'
    for _ in range(150):
        data = bytearray(content)
        for place in rng.integers(len(data), size=rng.integers(1, 9)):
            data[place] = rng.integers(256)
        if rng.random() < 0.3:
            data = data[: rng.integers(len(data))]
        if rng.random() < 0.1:
            data = data + data
        bad.write_bytes(bytes(data))
        try:
            open_poses(bad).check()
        except ValueError as error:
            message = str(error)
        else:
            message = str(bad)
        assert str(bad) in message
        assert '\n' not in message
