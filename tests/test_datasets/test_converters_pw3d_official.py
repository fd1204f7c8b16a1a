# Copyright (c) hanet_mm contributors. All rights reserved.
"""3DPW's own annotation, with or without estimates -> flat layout."""

import logging
import pickle
import runpy
import sys

import numpy as np
import pytest
from published_files import PUBLISHED_DATASETS
from pw3d_official import convert_official_pw3d
from scipy.linalg import expm

from hanet_mm.core.data.sequences import load_pose_sequences

# The 14 joints among SMPL's 24, by number.
PICKS = [8, 5, 2, 1, 4, 7, 21, 19, 17, 16, 18, 20, 12, 15]
# SMPL's joints of somebody who stands and faces +z, knees a bit bent; m.
BODY = np.array(
    [
        *((0, 0.9, 0), (0.1, 0.85, 0), (-0.1, 0.85, 0), (0, 1, 0)),
        *((0.1, 0.5, 0.1), (-0.1, 0.5, 0.1), (0, 1.15, 0)),
        *((0.1, 0.1, 0), (-0.1, 0.1, 0), (0, 1.2, 0)),
        *((0.1, 0, 0.1), (-0.1, 0, 0.1), (0, 1.4, 0)),
        *((0.08, 1.35, 0), (-0.08, 1.35, 0), (0, 1.5, 0)),
        *((0.2, 1.4, 0), (-0.2, 1.4, 0), (0.4, 1.4, 0), (-0.4, 1.4, 0)),
        *((0.6, 1.4, 0), (-0.6, 1.4, 0), (0.7, 1.4, 0), (-0.7, 1.4, 0)),
    ]
)
PELVIS = np.array([0.01, -0.2, 0.03])  # of the model at rest


def matrix(vector):
    """Rotation matrix of an axis-angle vector, as a matrix exponential."""
    x, y, z = vector
    return expm(np.array([[0, -z, y], [z, 0, -x], [-y, x, 0]]))


def video(name, persons, frames, seed=0):
    """The content of a pickle; the last person's first frame is invalid."""
    rng = np.random.default_rng(seed)
    cameras = np.tile(np.eye(4), (frames, 1, 1))
    for camera in cameras:
        camera[:3, :3] = matrix(rng.normal(size=3))
        camera[:3, 3] = rng.normal(0, 3, 3)
    content = {
        'sequence': name,
        'genders': ['m', 'f'][:persons],
        'cam_poses': cameras,
        'poses': [rng.normal(0, 0.5, (frames, 72)) for _ in range(persons)],
        'trans': [rng.normal(size=(frames, 3)) for _ in range(persons)],
        'betas': [rng.normal(size=300) for _ in range(persons)],
        'campose_valid': [np.ones(frames, bool) for _ in range(persons)],
        'jointPositions': [],
    }
    for trans in content['trans']:
        # The body is moved so that the pelvis is where SMPL puts it.
        joints = BODY + (trans + PELVIS - BODY[0])[:, None]
        content['jointPositions'].append(joints.reshape(frames, 72))
    content['campose_valid'][-1][0] = False
    return content


def write(root, subset, *contents):
    folder = root / 'sequenceFiles' / subset
    folder.mkdir(parents=True, exist_ok=True)
    for content in contents:
        with open(folder / f'{content["sequence"]}.pkl', 'wb') as file:
            pickle.dump(content, file, protocol=2)
    return root / 'sequenceFiles'


@pytest.fixture
def out(tmp_path):
    """Where to convert to: a folder of its own."""
    return tmp_path / 'converted' / 'out.npz'


@pytest.fixture
def contents():
    """Two videos, one with two persons."""
    return video('downtown_bus_00', 2, 4, 1), video('flat_guitar_01', 1, 3, 2)


def in_camera(content, person):
    """All 24 joints in camera coordinates, a frame after the other."""
    joints = content['jointPositions'][person].reshape(-1, 24, 3)
    return np.array(
        [
            [camera[:3, :3] @ joint + camera[:3, 3] for joint in frame]
            for camera, frame in zip(content['cam_poses'], joints)
        ]
    )


def test_joints(tmp_path, out, contents):
    root = write(tmp_path, 'test', *contents)
    notes = convert_official_pw3d(root, 'test', out, True)
    seqs = load_pose_sequences(out, require=('keypoints_gt', 'fps'))
    bus, guitar = contents
    assert seqs.seq_name.tolist() == [
        *('downtown_bus_00', 'downtown_bus_00', 'flat_guitar_01')
    ]
    assert seqs.seq_len.tolist() == [4, 4, 3]
    expected = np.concatenate(
        [in_camera(bus, 0), in_camera(bus, 1), in_camera(guitar, 0)]
    )[:, PICKS]
    # The first frame of the last person of a video has no camera.
    unknown = [4, 8]
    assert np.flatnonzero(~(seqs.visible > 0).any(1)).tolist() == unknown
    known = np.delete(np.arange(11), unknown)
    np.testing.assert_allclose(
        seqs.keypoints_gt[known], expected[known], atol=1e-5
    )
    np.testing.assert_array_equal(seqs.keypoints_est, seqs.keypoints_gt)
    assert seqs.meta['estimator'].startswith('none: the truth')
    assert seqs.meta['units'] == 'm'
    assert seqs.meta['keypoint_names'][-1] == 'head_top'
    assert seqs.meta['genders'] == {
        'downtown_bus_00_0': 'm',
        'downtown_bus_00_1': 'f',
        'flat_guitar_01_0': 'm',
    }
    assert notes[0].endswith('differs from the published 37 / 35515')
    assert not any('WARNING' in note for note in notes)
    assert '2 of 11 frames without truth' in notes


def test_published_counts_are_recognised(tmp_path, out, contents, monkeypatch):
    known = PUBLISHED_DATASETS['pw3d']
    monkeypatch.setitem(
        PUBLISHED_DATASETS, 'pw3d', known._replace(counts={'test': (3, 9)})
    )
    root = write(tmp_path, 'test', *contents)
    notes = convert_official_pw3d(root, 'test', out, True)
    assert notes[0].endswith('with truth; as the published 3 / 9')


def test_smpl_lands_where_the_camera_sees_it(tmp_path, out, contents):
    root = write(tmp_path, 'train', *contents)
    convert_official_pw3d(root, 'train', out, True, smpl=True)
    seqs = load_pose_sequences(out)
    assert seqs.meta['units'] == 'axis-angle'
    bus = contents[0]
    point = np.array([0.3, 0.7, -0.2])  # of the body at rest
    for frame in range(4):
        pose = bus['poses'][0][frame].reshape(24, 3)
        camera = bus['cam_poses'][frame]
        world = matrix(pose[0]) @ (point - PELVIS) + PELVIS
        world += bus['trans'][0][frame]
        expected = camera[:3, :3] @ world + camera[:3, 3]
        found = matrix(seqs.keypoints_gt[frame, 0]) @ (point - PELVIS)
        found += PELVIS + seqs.extras['transl_gt'][frame]
        np.testing.assert_allclose(found, expected, atol=1e-5)
        np.testing.assert_allclose(
            seqs.keypoints_gt[frame, 1:], pose[1:], atol=1e-6
        )
    for frame, (content, person) in {
        0: (bus, 0),
        5: (bus, 1),
        9: (contents[1], 0),
    }.items():
        np.testing.assert_allclose(
            seqs.extras['betas_gt'][frame],
            content['betas'][person][:10],
            rtol=1e-6,
        )
    np.testing.assert_array_equal(
        seqs.extras['betas_est'], seqs.extras['betas_gt']
    )
    assert np.isnan(seqs.keypoints_gt[4]).all()


def estimates(folder, contents, smpl=False):
    """A file a track, with values that tell them apart."""
    folder.mkdir()
    arrays = {}
    for content in contents:
        for person, poses in enumerate(content['poses']):
            frames = len(poses)
            name = f'{content["sequence"]}_{person}'
            if smpl:
                arrays[name] = {
                    'pose': poses + 0.1,
                    'betas': np.arange(10.0) + person,
                }
            else:
                joints = in_camera(content, person)[:, PICKS] + 0.1
                joints[-1, 3] = np.nan
                scores = np.full((frames, 14), 0.5)
                arrays[name] = {'joints_3d': joints, 'scores': scores}
            np.savez(folder / f'{name}.npz', **arrays[name])
    return arrays


def test_estimates_of_joints(tmp_path, out, contents):
    root = write(tmp_path, 'test', *contents)
    arrays = estimates(tmp_path / 'pare', contents)
    convert_official_pw3d(root, 'test', out, True, estimates=tmp_path / 'pare')
    seqs = load_pose_sequences(out)
    assert seqs.meta['estimator'] == 'pare'
    np.testing.assert_allclose(
        seqs.keypoints_est,
        np.concatenate([value['joints_3d'] for value in arrays.values()]),
        rtol=1e-6,
    )
    assert np.argwhere(seqs.scores == 0).tolist() == [[3, 3], [7, 3], [10, 3]]
    assert (seqs.scores[:3] == 0.5).all()


def test_estimates_of_smpl(tmp_path, out, contents):
    root = write(tmp_path, 'test', *contents)
    arrays = estimates(tmp_path / 'pare', contents, smpl=True)
    convert_official_pw3d(
        root, 'test', out, True, estimates=tmp_path / 'pare', smpl=True
    )
    seqs = load_pose_sequences(out)
    np.testing.assert_allclose(
        seqs.keypoints_est.reshape(11, 72),
        np.concatenate([value['pose'] for value in arrays.values()]),
        rtol=1e-6,
    )
    assert (seqs.extras['betas_est'][4] == np.arange(10) + 1).all()
    assert 'transl_est' not in seqs.extras


@pytest.mark.parametrize(
    ('change', 'message'),
    [
        (
            lambda path, value: path.unlink(),
            r'bus_00_1\.npz: expected estimates of sequence .*found none',
        ),
        (
            lambda path, value: np.savez(path, joints_3d=value[:-1]),
            r"bus_00_1\.npz: joints_3d of sequence 'downtown_bus_00': "
            r'expected shape \(4, 14, 3\) as the truth, found \(3, 14, 3\)',
        ),
        (
            lambda path, value: np.savez(path, joints=value),
            r"bus_00_1\.npz: key 'joints_3d' is missing",
        ),
        (
            lambda path, value: np.savez(path, joints_3d=1000 * value),
            r"keypoints_est of sequence 'downtown_bus_00' \(index 1\).*'mm'",
        ),
    ],
)
def test_bad_estimates(tmp_path, out, contents, change, message):
    root = write(tmp_path, 'test', *contents)
    arrays = estimates(tmp_path / 'pare', contents)
    name = 'downtown_bus_00_1'
    change(tmp_path / 'pare' / f'{name}.npz', arrays[name]['joints_3d'])
    with pytest.raises(ValueError, match=message) as error:
        convert_official_pw3d(
            root, 'test', out, True, estimates=tmp_path / 'pare'
        )
    assert '\n' not in str(error.value)
    assert not out.parent.exists()


def test_a_person_never_seen_by_the_camera(tmp_path, out, contents):
    """Kept as a row of unknowns, unless nothing could stand for it."""
    bus = contents[0]
    bus['campose_valid'][1][:] = False
    root = write(tmp_path, 'test', *contents)
    notes = convert_official_pw3d(root, 'test', out, True)
    assert any('downtown_bus_00_1' in n and 'WARNING' in n for n in notes)
    assert load_pose_sequences(out).seq_len.tolist() == [4, 3]
    estimates(tmp_path / 'pare', contents)
    convert_official_pw3d(root, 'test', out, True, estimates=tmp_path / 'pare')
    seqs = load_pose_sequences(out)
    assert seqs.seq_len.tolist() == [4, 4, 3]
    assert (seqs.visible[4:8] == 0).all()
    assert (seqs.scores[4:7] > 0).all()


@pytest.mark.parametrize(
    ('key', 'value', 'message'),
    [
        ('cam_poses', None, r"bus_00\.pkl: key 'cam_poses' is missing"),
        (
            'cam_poses',
            np.tile(np.eye(4), (3, 1, 1)),
            r'bus_00\.pkl: poses of person 0: expected numbers of shape '
            r'\(3, 24, 3\), found ndarray \(4, 72\)',
        ),
        ('trans', [np.zeros((4, 3))], r'bus_00\.pkl: trans: expected 2 pers'),
        ('betas', [np.zeros(10), np.zeros(9)], r'betas of person 1.*found 9'),
    ],
)
def test_bad_annotation(tmp_path, out, contents, key, value, message):
    contents[0][key] = value
    if value is None:
        del contents[0][key]
    root = write(tmp_path, 'test', *contents)
    with pytest.raises(ValueError, match=message) as error:
        convert_official_pw3d(root, 'test', out, True)
    assert '\n' not in str(error.value)


def test_trust_and_folders(tmp_path, out, contents):
    root = write(tmp_path, 'test', *contents)
    with pytest.raises(ValueError, match=r'bus_00\.pkl.*--trust-pickle'):
        convert_official_pw3d(root, 'test', out)
    with pytest.raises(ValueError, match=r'train: expected <sequence>\.pkl'):
        convert_official_pw3d(root, 'train', out, True)


def test_arrays_that_python_2_wrote(tmp_path, out):
    """Python 2 pickles an array's bytes as a string: latin1 reads them."""
    content = video('downtown_bus_00', 1, 3)
    root = write(tmp_path, 'test', content)
    path = root / 'test' / 'downtown_bus_00.pkl'
    # Protocol 2 of Python 3 goes through _codecs.encode(.., 'latin1'); the
    # plain string of Python 2 is opcode 'T' with the bytes themselves.
    array = np.arange(6.0) + 0.1
    raw = array.tobytes()
    python2 = (
        b'\x80\x02cnumpy.core.multiarray\n_reconstruct\ncnumpy\nndarray\n'
        b'K\x00\x85U\x01b\x87R(K\x01K\x06\x85cnumpy\ndtype\nU\x02f8K\x00K\x01'
        b'\x87R(K\x03U\x01<NNNJ\xff\xff\xff\xffJ\xff\xff\xff\xffK\x00tb\x89T'
        + len(raw).to_bytes(4, 'little')
        + raw
        + b'tb.'
    )
    np.testing.assert_array_equal(
        pickle.loads(python2, encoding='latin1'), array
    )
    path.write_bytes(python2)
    # Read, and only then found not to be an annotation.
    with pytest.raises(ValueError, match=r'a dictionary, found ndarray'):
        convert_official_pw3d(root, 'test', out, True)


def test_command_line(repo_root, tmp_path, out, contents, monkeypatch, caplog):
    caplog.set_level(logging.INFO)
    root = write(tmp_path, 'validation', *contents)
    script = 'tools/dataset_converters/pw3d_official.py'
    argv = [script, root, 'validation', out, '--trust-pickle', '--smpl']
    monkeypatch.setattr(sys, 'argv', list(map(str, argv)))
    runpy.run_path(str(repo_root / script), run_name='__main__')
    assert load_pose_sequences(out).keypoints_est.shape == (11, 24, 3)
    assert 'read 3 persons, 9 frames with truth' in caplog.text
