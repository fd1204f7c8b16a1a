# Copyright (c) hanet_mm contributors. All rights reserved.
"""The flat layout as a folder of arrays that stay on disk."""

import pickle
import zipfile

import numpy as np
import pytest

from hanet_mm.core.data import folders
from hanet_mm.core.data.folders import unpack_npz
from hanet_mm.core.data.mapped import FrameFile, map_npy, source_map
from hanet_mm.core.data.sequences import (
    PoseSequences,
    flat_arrays,
    load_pose_sequences,
    save_pose_sequences,
)


def make_sequences():
    rng = np.random.default_rng(0)
    truth = rng.normal(100, 30, (3000, 3, 2))
    truth[7, 1] = np.nan
    return PoseSequences(
        keypoints_est=rng.normal(100, 30, (3000, 3, 2)),
        scores=rng.uniform(0.1, 1, (3000, 3)),
        seq_len=[1000, 1500, 500],
        seq_name=['a', 'b', 'c'],
        keypoints_gt=truth,
        fps=[25, 30, 50],
        meta={'units': 'px'},
        extras={'frame_number': np.arange(3000)},
    )


@pytest.fixture
def npz(tmp_path):
    save_pose_sequences(tmp_path / 'x.npz', make_sequences())
    return tmp_path / 'x.npz'


def assert_equal(found, expected):
    found, expected = flat_arrays(found), flat_arrays(expected)
    assert {*found} == {*expected}
    for key, value in expected.items():
        np.testing.assert_array_equal(found[key], value)
        assert found[key].dtype == value.dtype


@pytest.mark.parametrize('how', ['unpacked', 'saved', 'unzipped'])
def test_folder_is_the_file_on_disk(npz, tmp_path, how):
    out = tmp_path / 'folder'
    if how == 'unpacked':
        unpack_npz(npz, out)
    elif how == 'saved':
        save_pose_sequences(out, make_sequences())
    else:
        with zipfile.ZipFile(npz) as archive:
            archive.extractall(out)
    loaded = load_pose_sequences(out)
    assert_equal(loaded, make_sequences())
    for array in (loaded.keypoints_est, loaded.keypoints_gt, loaded.scores):
        assert source_map(array) is not None
        assert not array.flags.writeable
    assert not [x for x in tmp_path.iterdir() if 'parts' in x.name]


def test_other_types_and_orders_become_float32_frame_by_frame(tmp_path):
    arrays = flat_arrays(make_sequences())
    arrays['keypoints_est'] = arrays['keypoints_est'].astype(np.float64)
    arrays['scores'] = np.asfortranarray(arrays['scores'])
    np.savez_compressed(tmp_path / 'x.npz', **arrays)
    unpack_npz(tmp_path / 'x.npz', tmp_path / 'folder')
    assert_equal(load_pose_sequences(tmp_path / 'folder'), make_sequences())


@pytest.mark.parametrize(
    ('key', 'change', 'message'),
    [
        ('scores', np.float64, r'scores\.npy: expected float32.*float64'),
        ('scores', np.asfortranarray, r'scores\.npy: expected frame by frame'),
        ('scores', lambda x: x[:-1], r'folder: scores: expected shape \(3000'),
        ('scores', lambda x: x.astype(object), r'scores\.npy.*object array'),
    ],
)
def test_what_cannot_be_mapped_is_named(tmp_path, key, change, message):
    save_pose_sequences(tmp_path / 'folder', make_sequences())
    path = tmp_path / 'folder' / f'{key}.npy'
    np.save(path, change(np.load(path)))
    with pytest.raises(ValueError, match=message):
        load_pose_sequences(tmp_path / 'folder')


def test_a_wrong_value_far_behind_is_named(tmp_path):
    save_pose_sequences(tmp_path / 'folder', make_sequences())
    path = tmp_path / 'folder/keypoints_est.npy'
    points = np.load(path)
    points[2510, 2, 0] = np.inf  # in the second block of frames that is read
    np.save(path, points)
    with pytest.raises(
        ValueError, match=r"folder: keypoints_est: .*'c' .*frame 10, .* 2"
    ):
        load_pose_sequences(tmp_path / 'folder')


def test_a_missing_key_and_a_damaged_file(tmp_path):
    save_pose_sequences(tmp_path / 'folder', make_sequences())
    path = tmp_path / 'folder/scores.npy'
    path.write_bytes(path.read_bytes()[:-1])
    with pytest.raises(ValueError, match=r'scores\.npy: cannot be mapped'):
        load_pose_sequences(tmp_path / 'folder')
    path.unlink()
    with pytest.raises(ValueError, match=r"folder: key 'scores' is missing"):
        load_pose_sequences(tmp_path / 'folder')


def test_a_stopped_run_resumes(npz, tmp_path, monkeypatch):
    out, whole, done = tmp_path / 'folder', folders._unpack, []

    def stop_at_third(archive, path, key, place):
        if len(done) == 2:
            raise KeyboardInterrupt
        done.append(key)
        whole(archive, path, key, place)

    with monkeypatch.context() as patch:
        patch.setattr(folders, '_unpack', stop_at_third)
        with pytest.raises(KeyboardInterrupt):
            unpack_npz(npz, out)
    assert not out.exists()
    again = []
    monkeypatch.setattr(
        folders,
        '_unpack',
        lambda *args: (again.append(args[2]), whole(*args)),
    )
    unpack_npz(npz, out)
    assert not {*done} & {*again}
    assert_equal(load_pose_sequences(out), make_sequences())
    with pytest.raises(FileExistsError, match='folder'):
        unpack_npz(npz, out)


def test_parts_of_another_archive_are_refused(npz, tmp_path):
    parts = tmp_path / 'folder.parts'
    parts.mkdir()
    (parts / 'source.json').write_text('{}')
    with pytest.raises(ValueError, match=r'folder\.parts: made of another'):
        unpack_npz(npz, tmp_path / 'folder')


def test_frames_are_read_from_the_file_wherever_it_is_opened(tmp_path):
    values = np.arange(24, dtype=np.float32).reshape(6, 2, 2)
    np.save(tmp_path / 'x.npy', values)
    frames = FrameFile(tmp_path / 'x.npy')
    for one in (frames, pickle.loads(pickle.dumps(frames))):
        np.testing.assert_array_equal(one[slice(2, 5)], values[2:5])
    assert map_npy(tmp_path / 'x.npy').shape == values.shape
    (tmp_path / 'x.npy').write_bytes(b'')
    with pytest.raises(ValueError, match=r'x\.npy.*changed while'):
        frames[slice(0, 6)]
