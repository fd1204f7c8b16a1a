# Copyright (c) hanet_mm contributors. All rights reserved.
"""Published object-array files with SMPL parameters -> flat layout."""

import logging
import runpy
import sys

import numpy as np
import published_files
import pytest
from published_smpl import convert_published_smpl

from hanet_mm.core.data.sequences import load_pose_sequences

SEQUENCES = {'downtown_bus_00': 4, 'office_phoneCall_00': 3}
SMPL_24 = (
    'pelvis left_hip right_hip spine1 left_knee right_knee spine2 left_ankle '
    'right_ankle spine3 left_foot right_foot neck left_collar right_collar '
    'head left_shoulder right_shoulder left_elbow right_elbow left_wrist '
    'right_wrist left_hand right_hand'
).split()


def objects(entries):
    """An object array with one entry a sequence, as published."""
    array = np.empty(len(entries), dtype=object)
    for index, entry in enumerate(entries):
        array[index] = entry
    return array


def published(dataset, shaped=False, lengths=None):
    """Arrays of a published pair, a list of entries for each key."""
    rng = np.random.default_rng(1)
    gt, det = {}, {}
    for name, frames in (lengths or SEQUENCES).items():
        images = [f'{name}/image_{i:05d}.jpg' for i in range(frames)]
        pose = (frames, 24, 3) if shaped else (frames, 72)
        new = {
            'imgname': images,
            'pose': rng.normal(0, 0.5, pose),
            'joints_3d': rng.normal(size=(frames, 51)),
        }
        if dataset == 'pw3d':
            new['shape'] = rng.normal(size=(frames, 10))
        else:
            new['trans'] = rng.normal(size=(frames, 3))
            new['scaling'] = rng.uniform(0.8, 1.1, (1,))
        for key, value in new.items():
            gt.setdefault(key, []).append(value)
        new = {
            'imgname': list(images),
            'pose': rng.normal(0, 0.5, pose),
            'shape': rng.normal(size=(frames, 10)),
            'camera': rng.normal(size=(frames, 3)),
        }
        for key, value in new.items():
            det.setdefault(key, []).append(value)
    return gt, det


def save(folder, gt, det):
    paths = folder / 'gt.npz', folder / 'det.npz'
    for path, arrays in zip(paths, (gt, det)):
        np.savez(path, **{k: objects(v) for k, v in arrays.items()})
    return paths


def flat(arrays, *shape):
    """All frames of a key, one sequence after the other."""
    return np.concatenate([np.reshape(a, (-1, *shape)) for a in arrays])


@pytest.fixture
def out(tmp_path):
    """Where to convert to: a folder of its own."""
    return tmp_path / 'converted' / 'out.npz'


@pytest.mark.parametrize('shaped', [True, False])
def test_3dpw(tmp_path, out, shaped):
    gt, det = published('pw3d', shaped)
    convert_published_smpl('pw3d', *save(tmp_path, gt, det), out, True)
    seqs = load_pose_sequences(out, require=('keypoints_gt',))
    assert seqs.seq_name.tolist() == [*SEQUENCES]
    assert seqs.meta['units'] == 'axis-angle'
    assert seqs.meta['keypoint_names'] == SMPL_24
    expected = {
        'betas_gt': flat(gt['shape'], 10),
        'betas_est': flat(det['shape'], 10),
        'camera_est': flat(det['camera'], 3),
    }
    assert {*seqs.extras} == {*expected}
    for name, value in expected.items():
        np.testing.assert_allclose(seqs.extras[name], value, rtol=1e-6)
        assert seqs.extras[name].dtype == np.float32
    np.testing.assert_allclose(
        seqs.keypoints_gt, flat(gt['pose'], 24, 3), rtol=1e-6
    )
    np.testing.assert_allclose(
        seqs.keypoints_est, flat(det['pose'], 24, 3), rtol=1e-6
    )


@pytest.mark.parametrize('per_frame', [True, False])
def test_aist(tmp_path, out, per_frame):
    gt, det = published('aist')
    scale = [
        np.full(frames, value[0])
        for frames, value in zip(SEQUENCES.values(), gt['scaling'])
    ]
    if per_frame:
        scale = [value + 0.01 * np.arange(len(value)) for value in scale]
        gt['scaling'] = [value[:, None] for value in scale]
    convert_published_smpl('aist', *save(tmp_path, gt, det), out, True)
    seqs = load_pose_sequences(out)
    assert {*seqs.extras} == {
        *('transl_gt', 'scale_gt', 'betas_est', 'camera_est')
    }
    np.testing.assert_allclose(
        seqs.extras['scale_gt'], np.concatenate(scale), rtol=1e-6
    )
    np.testing.assert_allclose(
        seqs.extras['transl_gt'], flat(gt['trans'], 3), rtol=1e-6
    )
    assert 'without shape' in seqs.meta['truth']
    assert seqs.fps.tolist() == [60, 60]


def test_a_scalar_without_a_dimension_is_a_scale(tmp_path, out):
    gt, det = published('aist')
    gt['scaling'] = [0.9, np.float64(1.1)]
    convert_published_smpl('aist', *save(tmp_path, gt, det), out, True)
    np.testing.assert_allclose(
        load_pose_sequences(out).extras['scale_gt'],
        np.repeat([0.9, 1.1], [*SEQUENCES.values()]),
        rtol=1e-6,
    )


def test_centimetres_are_refused_and_converted_when_declared(tmp_path, out):
    gt, det = published('aist')
    for key in ('trans', 'scaling'):
        gt[key] = [100 * value for value in gt[key]]
    paths = save(tmp_path, gt, det)
    with pytest.raises(ValueError, match=r"gt\.npz: scaling: .*in 'cm'"):
        convert_published_smpl('aist', *paths, out, True)
    assert not out.parent.exists()
    convert_published_smpl('aist', *paths, out, True, units='cm')
    seqs = load_pose_sequences(out)
    np.testing.assert_allclose(
        seqs.extras['transl_gt'], flat(gt['trans'], 3) / 100, rtol=1e-5
    )
    first = SEQUENCES['downtown_bus_00']
    np.testing.assert_allclose(
        seqs.extras['scale_gt'][:first], gt['scaling'][0][0] / 100, rtol=1e-5
    )


def test_degrees_are_refused(tmp_path, out):
    gt, det = published('pw3d')
    det['pose'] = [np.rad2deg(value) for value in det['pose']]
    with pytest.raises(ValueError, match=r'det\.npz: pose: .*in degrees'):
        convert_published_smpl('pw3d', *save(tmp_path, gt, det), out, True)


@pytest.mark.parametrize(
    ('dataset', 'where', 'key', 'change', 'message'),
    [
        (
            'pw3d',
            'det',
            'pose',
            lambda v: np.zeros((3, 216)),
            r'det\.npz: pose of .*office.*expected 72 numbers .*found 216',
        ),
        (
            'pw3d',
            'gt',
            'shape',
            lambda v: v[:2],
            r'gt\.npz: shape of .*office.*expected 3 frames.*\(2, 10\)',
        ),
        (
            'aist',
            'gt',
            'scaling',
            lambda v: np.ones(2),
            r'gt\.npz: scaling of .*office.*expected 1 number or 3, found 2',
        ),
    ],
)
def test_bad_entries(tmp_path, out, dataset, where, key, change, message):
    gt, det = published(dataset)
    arrays = gt if where == 'gt' else det
    arrays[key][1] = change(arrays[key][1])
    with pytest.raises(ValueError, match=message) as error:
        convert_published_smpl(dataset, *save(tmp_path, gt, det), out, True)
    assert '\n' not in str(error.value)
    assert not out.parent.exists()


@pytest.mark.parametrize(
    ('dataset', 'where', 'key'),
    [
        ('pw3d', 'gt', 'shape'),
        ('pw3d', 'det', 'shape'),
        ('aist', 'gt', 'scaling'),
    ],
)
def test_missing_keys(tmp_path, out, dataset, where, key):
    gt, det = published(dataset)
    del (gt if where == 'gt' else det)[key]
    match = rf"{where}\.npz: key '{key}' is missing"
    with pytest.raises(ValueError, match=match):
        convert_published_smpl(dataset, *save(tmp_path, gt, det), out, True)


def test_a_camera_is_taken_where_there_is_one(tmp_path, out):
    gt, det = published('pw3d')
    del det['camera']
    convert_published_smpl('pw3d', *save(tmp_path, gt, det), out, True)
    assert 'camera_est' not in load_pose_sequences(out).extras


def test_sequences_of_one_length_make_full_arrays(tmp_path, out):
    gt, det = published('pw3d', lengths={'a': 4, 'b': 4})
    paths = tmp_path / 'gt.npz', tmp_path / 'det.npz'
    for path, arrays in zip(paths, (gt, det)):
        np.savez(
            path,
            imgname=np.array(arrays['imgname'], object),
            pose=np.array(arrays['pose']),
            shape=np.array(arrays['shape'], object),
        )
    with np.load(paths[0], allow_pickle=True) as archive:
        assert archive['pose'].shape == (2, 4, 72)  # not one entry each
        assert archive['shape'].shape == (2, 4, 10)
    convert_published_smpl('pw3d', *paths, out, True)
    seqs = load_pose_sequences(out)
    np.testing.assert_allclose(
        seqs.keypoints_gt, flat(gt['pose'], 24, 3), rtol=1e-6
    )
    np.testing.assert_allclose(
        seqs.extras['betas_gt'], flat(gt['shape'], 10), rtol=1e-6
    )


def test_the_file_is_not_held_while_it_is_flattened(
    tmp_path, out, monkeypatch
):
    """Keys are read one by one, and their entries are let go one by one."""
    paths = save(tmp_path, *published('pw3d'))
    loaded = []
    load = published_files.load_object_npz

    def keep(path, need, **kwargs):
        arrays = load(path, need, **kwargs)
        loaded.append(arrays)
        return arrays

    monkeypatch.setattr(published_files, 'load_object_npz', keep)
    convert_published_smpl('pw3d', *paths, out, True)
    assert all(len(arrays) == 1 for arrays in loaded)
    assert sorted(key for arrays in loaded for key in arrays) == [
        *('camera', 'imgname', 'imgname', 'pose', 'pose', 'shape', 'shape')
    ]
    for arrays in loaded:
        for value in arrays.values():
            assert all(entry is None for entry in value)


@pytest.mark.parametrize('dataset', ['pw3d', 'aist'])
def test_command_line(repo_root, tmp_path, out, monkeypatch, caplog, dataset):
    caplog.set_level(logging.INFO)
    script = 'tools/dataset_converters/published_3d.py'
    argv = [script, dataset, *save(tmp_path, *published(dataset)), out]
    argv += ['--trust-pickle', '--smpl']
    monkeypatch.setattr(sys, 'argv', list(map(str, argv)))
    runpy.run_path(str(repo_root / script), run_name='__main__')
    assert load_pose_sequences(out).keypoints_est.shape == (7, 24, 3)
    assert 'beside the rotations: betas_est' in caplog.text
