# Copyright (c) hanet_mm contributors. All rights reserved.
"""Published object-array files with 3D joints -> flat layout."""

import logging
import runpy
import sys

import numpy as np
import pytest
from published_3d import convert_published_3d
from published_files import PUBLISHED_DATASETS

from hanet_mm.core.data.sequences import load_pose_sequences

# The 17 joints as the publication lists them, and the 14 of AIST++.
ORDER_17 = (
    'hip lhip lknee lankle rhip rknee rankle spine neck head headtop '
    'lshoulder lelbow lwrist rshoulder relbow rwrist'
).split()
ORDER_14 = (
    'rankle rknee rhip lhip lknee lankle rwrist relbow rshoulder lshoulder '
    'lelbow lwrist neck headtop'
).split()
# Somebody who faces +z, left is +x, with slightly bent knees; metres.
BODY = {
    'hip': (0, 0.9, 0),
    'lhip': (0.1, 0.9, 0),
    'lknee': (0.12, 0.5, 0.1),
    'lankle': (0.12, 0.1, 0),
    'rhip': (-0.1, 0.9, 0),
    'rknee': (-0.12, 0.5, 0.1),
    'rankle': (-0.12, 0.1, 0),
    'spine': (0, 1.15, 0),
    'neck': (0, 1.4, 0),
    'head': (0, 1.5, 0.05),
    'headtop': (0, 1.7, 0),
    'lshoulder': (0.2, 1.4, 0),
    'lelbow': (0.25, 1.1, 0),
    'lwrist': (0.27, 0.9, 0.1),
    'rshoulder': (-0.2, 1.4, 0),
    'relbow': (-0.25, 1.1, 0),
    'rwrist': (-0.27, 0.9, 0.1),
}
# What MMPose's Human3.6M and the 14 joints are in the published order.
TO_H36M = (
    'hip rhip rknee rankle lhip lknee lankle spine neck head headtop '
    'lshoulder lelbow lwrist rshoulder relbow rwrist'
).split()
TO_14 = [6, 5, 4, 1, 2, 3, 16, 15, 14, 11, 12, 13, 8, 10]

SEQUENCES = {
    'h36m': {'S9/Walking 1/camera2': 5, 'S11/Eating/camera1': 3},
    'pw3d': {'downtown_bus_00': 4, 'office_phoneCall_00': 2},
    'aist': {'gBR_sBM_c01_d04_mBR0_ch01': 3, 'gWA_sFM_c09_d27_mWA2_ch21': 6},
}
JOINTS = {'h36m': ORDER_17, 'pw3d': ORDER_17, 'aist': ORDER_14}


def person(frames, names, seed):
    """The body, somewhere, turned about the vertical, with some noise."""
    rng = np.random.default_rng(seed)
    body = np.array([BODY[name] for name in names], dtype=np.float64)
    angle = rng.uniform(0, 2 * np.pi, frames)
    turn = np.zeros((frames, 3, 3))
    turn[:, 0, 0] = turn[:, 2, 2] = np.cos(angle)
    turn[:, 0, 2], turn[:, 2, 0] = np.sin(angle), -np.sin(angle)
    turn[:, 1, 1] = 1
    place = rng.normal(0, 3, (frames, 1, 3))
    noise = rng.normal(0, 0.005, (frames, len(names), 3))
    return np.einsum('tij,kj->tki', turn, body) + place + noise


def objects(entries):
    """An object array with one entry a sequence, as published."""
    array = np.empty(len(entries), dtype=object)
    for index, entry in enumerate(entries):
        array[index] = entry
    return array


def published(dataset, sequences=None, names=None, flat=True):
    """Arrays of a published pair, a list of entries for each key."""
    gt, det = ({'imgname': [], 'joints_3d': []} for _ in range(2))
    sequences = sequences or SEQUENCES[dataset]
    for seed, (name, frames) in enumerate(dict(sequences).items()):
        images = [f'{name}/image_{i:05d}.jpg' for i in range(frames)]
        for side, arrays in enumerate((gt, det)):
            joints = person(frames, names or JOINTS[dataset], 10 * side + seed)
            arrays['imgname'].append(list(images))
            arrays['joints_3d'].append(
                joints.reshape(frames, -1) if flat else joints
            )
    return gt, det


def save(folder, gt, det):
    paths = folder / 'gt.npz', folder / 'det.npz'
    for path, arrays in zip(paths, (gt, det)):
        np.savez(path, **{k: objects(v) for k, v in arrays.items()})
    return paths


def stacked(arrays, joints):
    return np.concatenate(
        [np.reshape(a, (-1, joints, 3)) for a in arrays['joints_3d']]
    ).astype(np.float32)


@pytest.fixture
def out(tmp_path):
    """Where to convert to: a folder of its own."""
    return tmp_path / 'converted' / 'out.npz'


@pytest.mark.parametrize('flat', [True, False])
@pytest.mark.parametrize(
    ('dataset', 'columns', 'fps', 'counts'),
    [
        (
            'h36m',
            [ORDER_17.index(name) for name in TO_H36M],
            50,
            'test 236 / 543344, train 600 / 1559752',
        ),
        ('pw3d', TO_14, 30, 'test 37 / 35515, train 34 / 22735'),
        (
            'aist',
            list(range(14)),
            60,
            'test 3840 / 2882640, train 7292 / 5916474',
        ),
    ],
)
def test_converts_exactly(tmp_path, out, dataset, columns, fps, counts, flat):
    gt, det = published(dataset, flat=flat)
    notes = convert_published_3d(dataset, *save(tmp_path, gt, det), out, True)
    seqs = load_pose_sequences(out, require=('keypoints_gt', 'fps'))
    assert seqs.seq_name.tolist() == [*SEQUENCES[dataset]]
    assert seqs.seq_len.tolist() == [*SEQUENCES[dataset].values()]
    joints = len(JOINTS[dataset])
    np.testing.assert_array_equal(
        seqs.keypoints_est, stacked(det, joints)[:, columns]
    )
    np.testing.assert_array_equal(
        seqs.keypoints_gt, stacked(gt, joints)[:, columns]
    )
    assert (seqs.scores == 1).all()
    assert (seqs.visible == 1).all()
    assert seqs.fps.tolist() == [fps, fps]
    assert seqs.meta['units'] == 'm'
    assert seqs.meta['dataset'] == dataset
    assert seqs.meta['estimator'] == 'det'
    assert notes[0].endswith(f'differs from the published files: {counts}')
    assert not any('WARNING' in note for note in notes)


def test_published_counts_are_recognised(tmp_path, out, monkeypatch):
    known = PUBLISHED_DATASETS['pw3d']
    counts = {**known.counts, 'test': (2, 6)}
    monkeypatch.setitem(
        PUBLISHED_DATASETS, 'pw3d', known._replace(counts=counts)
    )
    paths = save(tmp_path, *published('pw3d'))
    notes = convert_published_3d('pw3d', *paths, out, True)
    assert notes[0] == 'read 2 sequences, 6 frames; as the published test file'


def test_14_joints_of_3dpw_are_taken_as_they_are(tmp_path, out):
    gt, det = published('pw3d', names=ORDER_14)
    convert_published_3d('pw3d', *save(tmp_path, gt, det), out, True)
    np.testing.assert_array_equal(
        load_pose_sequences(out).keypoints_est, stacked(det, 14)
    )


def test_two_persons_of_a_video_and_gaps_are_reported(tmp_path, out):
    gt, det = published('pw3d')
    for arrays in (gt, det):
        for key in arrays:
            arrays[key].append(arrays[key][0])
        # 0 1 3 9: two rows do not follow the one before
        arrays['imgname'][0] = [
            f'downtown_bus_00/image_{i:05d}.jpg' for i in (0, 1, 3, 9)
        ]
    notes = convert_published_3d('pw3d', *save(tmp_path, gt, det), out, True)
    seqs = load_pose_sequences(out)
    assert seqs.seq_name.tolist() == [
        *('downtown_bus_00', 'office_phoneCall_00', 'downtown_bus_00')
    ]
    assert 'several persons' in notes[1]
    assert notes[1].startswith('1 sequences')
    assert notes[2].startswith('2 rows of 1 sequences')
    assert 'need not be consecutive' in seqs.meta['protocol']


@pytest.mark.parametrize(
    ('subjects', 'expected'),
    [
        (('S9', 'S11'), 'subjects S9, S11 (test subjects)'),
        (('S1', 'S8'), 'subjects S1, S8 (train subjects)'),
        (('S1', 'S9'), 'WARNING: subjects S1, S9: neither'),
    ],
)
def test_subjects_of_human36m(tmp_path, out, subjects, expected):
    names = {f'{s}/Walking/camera1': 2 for s in subjects}
    paths = save(tmp_path, *published('h36m', names))
    notes = convert_published_3d('h36m', *paths, out, True)
    assert any(note.startswith(expected) for note in notes)
    protocol = load_pose_sequences(out).meta['protocol']
    assert f'subjects {", ".join(subjects)}' in protocol


def test_missing_values_are_marked(tmp_path, out):
    gt, det = published('aist', flat=False)
    gt['joints_3d'][0][1, 5, 2] = np.nan
    det['joints_3d'][1][0, 13] = np.nan
    convert_published_3d('aist', *save(tmp_path, gt, det), out, True)
    seqs = load_pose_sequences(out)
    assert np.argwhere(seqs.visible == 0).tolist() == [[1, 5]]
    assert np.argwhere(seqs.scores == 0).tolist() == [[3, 13]]


def test_millimetres_are_refused_and_converted_when_declared(tmp_path, out):
    gt, det = published('h36m')
    for arrays in (gt, det):
        arrays['joints_3d'] = [1000 * a for a in arrays['joints_3d']]
    paths = save(tmp_path, gt, det)
    with pytest.raises(ValueError, match=r"S9.*seem.*'mm'.*--units") as error:
        convert_published_3d('h36m', *paths, out, True)
    assert '\n' not in str(error.value)
    assert not out.parent.exists()
    convert_published_3d('h36m', *paths, out, True, units='mm')
    seqs = load_pose_sequences(out)
    assert seqs.meta['units'] == 'm'
    order = [ORDER_17.index(name) for name in TO_H36M]
    np.testing.assert_allclose(
        seqs.keypoints_gt, stacked(gt, 17)[:, order] / 1000, rtol=1e-6
    )


def swapped_legs(arrays):
    order = [0, 4, 5, 6, 1, 2, 3, *range(7, 17)]
    arrays['joints_3d'] = [
        a.reshape(-1, 17, 3)[:, order] for a in arrays['joints_3d']
    ]


def test_legs_in_the_other_order_are_noticed_and_read(tmp_path, out):
    gt, det = published('h36m')
    swapped_legs(gt)
    swapped_legs(det)
    paths = save(tmp_path, gt, det)
    notes = convert_published_3d('h36m', *paths, out, True)
    bad = [note for note in notes if note.startswith('WARNING')]
    assert [note.split(':')[1] for note in bad] == [' truth', ' estimates']
    assert all('legs are called by the wrong side' in note for note in bad)
    assert any('--right-leg-first' in note for note in notes)
    notes = convert_published_3d(
        'h36m', *paths, out, True, right_leg_first=True
    )
    assert not any('WARNING' in note for note in notes)
    # Right leg first is MMPose's own order.
    np.testing.assert_array_equal(
        load_pose_sequences(out).keypoints_gt, stacked(gt, 17)
    )


def test_a_mirrored_person_is_noticed(tmp_path, out):
    gt, det = published('pw3d')
    det['joints_3d'] = [a * np.tile([-1, 1, 1], 17) for a in det['joints_3d']]
    notes = convert_published_3d('pw3d', *save(tmp_path, gt, det), out, True)
    bad = [note for note in notes if note.startswith('WARNING')]
    assert len(bad) == 1
    assert bad[0].startswith('WARNING: estimates')
    assert 'an axis is mirrored' in bad[0]


def spoil(gt, det, where, key, index, change):
    arrays = gt if where == 'gt' else det
    arrays[key][index] = change(arrays[key][index])


@pytest.mark.parametrize(
    ('where', 'key', 'change', 'message'),
    [
        (
            'det',
            'imgname',
            lambda v: v[:-1],
            r'det\.npz: imgname of .*office.*: expected 2 frames.*found 1',
        ),
        (
            'det',
            'joints_3d',
            lambda v: v[:-1],
            r'det\.npz: joints_3d of .*office.*expected 2 frames.*\(1, 51\)',
        ),
        (
            'gt',
            'joints_3d',
            lambda v: v[:, :48],
            r'gt\.npz: joints_3d of .*office.*: expected 51 or 42 numbers a '
            r'frame \(17 or 14 joints of a known order\), found 48',
        ),
        (
            'gt',
            'joints_3d',
            lambda v: 'nothing',
            r'gt\.npz: joints_3d of .*office.*expected numbers, found str',
        ),
        (
            'det',
            'imgname',
            lambda v: ['office_phoneCall_01/image_00000.jpg', v[1]],
            r'det\.npz: imgname of .*frame 0: expected .*_00/.*found .*_01/',
        ),
        (
            'gt',
            'imgname',
            lambda v: ['image_00000.jpg'] * 2,
            r"gt\.npz: imgname of sequence 1: expected images 'sequence/ima",
        ),
    ],
)
def test_bad_entries(tmp_path, out, where, key, change, message):
    gt, det = published('pw3d')
    spoil(gt, det, where, key, 1, change)
    with pytest.raises(ValueError, match=message) as error:
        convert_published_3d('pw3d', *save(tmp_path, gt, det), out, True)
    assert '\n' not in str(error.value)
    assert not out.parent.exists()


def test_joint_order_may_not_change_between_sequences(tmp_path, out):
    gt, det = published('pw3d')
    gt['joints_3d'][1] = gt['joints_3d'][1][:, :42]
    with pytest.raises(ValueError, match=r'office.*known order.*found 42'):
        convert_published_3d('pw3d', *save(tmp_path, gt, det), out, True)


def test_bad_files(tmp_path, out):
    gt, det = published('aist')
    paths = save(tmp_path, gt, det)
    with pytest.raises(ValueError, match=r'gt\.npz.*--trust-pickle'):
        convert_published_3d('aist', *paths, out)
    del det['joints_3d']
    with pytest.raises(ValueError, match=r"det\.npz: key 'joints_3d' is miss"):
        convert_published_3d('aist', *save(tmp_path, gt, det), out, True)
    gt, det = published('aist')
    det = {key: value[:1] for key, value in det.items()}
    with pytest.raises(ValueError, match=r'det\.npz: imgname: .* 2 sequences'):
        convert_published_3d('aist', *save(tmp_path, gt, det), out, True)


def test_an_interrupted_run_leaves_what_was_there(tmp_path, out, monkeypatch):
    paths = save(tmp_path, *published('aist'))
    convert_published_3d('aist', *paths, out, True)
    before = out.read_bytes()
    written = []

    def write_array(file, array):
        file.write(b'half')
        written.append(True)
        raise KeyboardInterrupt

    monkeypatch.setattr(np.lib.format, 'write_array', write_array)
    with pytest.raises(KeyboardInterrupt):
        convert_published_3d('aist', *paths, out, True, fps=1.0)
    assert written
    assert out.read_bytes() == before
    assert [p.name for p in out.parent.iterdir()] == ['out.npz']


SCRIPT = 'tools/dataset_converters/published_3d.py'


@pytest.mark.parametrize('dataset', ['h36m', 'pw3d', 'aist'])
def test_command_line(repo_root, tmp_path, out, monkeypatch, caplog, dataset):
    caplog.set_level(logging.INFO)
    gt, det = published(dataset)
    argv = [SCRIPT, dataset, *save(tmp_path, gt, det), out]
    argv += ['--trust-pickle', '--estimator', 'mine', '--fps', '25']
    monkeypatch.setattr(sys, 'argv', list(map(str, argv)))
    runpy.run_path(str(repo_root / SCRIPT), run_name='__main__')
    seqs = load_pose_sequences(out)
    assert seqs.meta['estimator'] == 'mine'
    assert seqs.fps.tolist() == [25, 25]
    assert 'differs from the published files' in caplog.text
    monkeypatch.setattr(sys, 'argv', [*sys.argv, '--units', 'cm'])
    with pytest.raises(SystemExit, match=r"^error: .*'cm'.*seem.*'m'"):
        runpy.run_path(str(repo_root / SCRIPT), run_name='__main__')
