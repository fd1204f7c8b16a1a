# Copyright (c) hanet_mm contributors. All rights reserved.
"""3DPW in the files of SPIN and MMHuman3D -> flat layout.

The files are built from 3DPW's own annotation as SPIN's and MMHuman3D's
scripts describe it; neither was at hand.
"""

import logging
import pickle
import runpy
import sys

import numpy as np
import pytest
from pw3d_npz import convert_pw3d_npz
from pw3d_official import convert_official_pw3d
from scipy.spatial.transform import Rotation
from test_converters_pw3d_official import matrix, video

from hanet_mm.core.data.sequences import load_pose_sequences

VIDEOS = {'downtown_bus_00': 2, 'office_phoneCall_00': 1}
FRAMES = 6
# Upright in front of a camera whose y axis points down.
UPRIGHT = np.array([np.pi, 0, 0])


@pytest.fixture
def official(tmp_path):
    """Content of the official pickles, which are written, too."""
    contents = []
    for seed, (name, persons) in enumerate(VIDEOS.items()):
        content = video(name, persons, FRAMES, seed)
        upright = Rotation.from_rotvec(UPRIGHT)
        for frame, camera in enumerate(content['cam_poses']):
            turn = Rotation.from_matrix(camera[:3, :3]).inv() * upright
            for poses in content['poses']:
                poses[frame, :3] = turn.as_rotvec()
        valid = content['campose_valid'] = [
            np.ones(FRAMES, bool) for _ in range(persons)
        ]
        valid[0][2] = False  # in the middle
        valid[-1][0] = False  # at the beginning
        contents.append(content)
        path = tmp_path / 'sequenceFiles' / 'test' / f'{name}.pkl'
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(pickle.dumps(content))
    return contents


@pytest.fixture
def rows(official):
    """SPIN's arrays: persons one after the other, frames that are valid."""
    found = dict(imgname=[], pose=[], shape=[], gender=[])
    for content in official:
        for person, poses in enumerate(content['poses']):
            for frame in range(FRAMES):
                if not content['campose_valid'][person][frame]:
                    continue
                pose = poses[frame].copy()
                turn = content['cam_poses'][frame][:3, :3]
                pose[:3] = Rotation.from_matrix(
                    turn @ matrix(pose[:3])
                ).as_rotvec()
                name = content['sequence']
                found['imgname'].append(
                    f'imageFiles/{name}/image_{frame:05d}.jpg'
                )
                found['pose'].append(pose)
                found['shape'].append(content['betas'][person][:10])
                found['gender'].append(content['genders'][person])
    return {key: np.array(value) for key, value in found.items()}


def write_spin(path, rows, **more):
    count = len(rows['pose'])
    center = dict(center=np.zeros((count, 2)), scale=np.ones(count))
    np.savez(path, **rows, **center, **more)
    return path


def write_human_data(path, rows):
    smpl = dict(
        global_orient=rows['pose'][:, :3],
        body_pose=rows['pose'][:, 3:].reshape(-1, 23, 3),
        betas=rows['shape'],
    )
    np.savez_compressed(
        path,
        image_path=rows['imgname'],
        bbox_xywh=np.zeros((len(rows['pose']), 5)),
        smpl=smpl,
        meta=dict(gender=rows['gender']),
        config='3dpw',
    )
    return path


def as_matrices(rotations):
    shape = rotations.shape[:-1]
    turns = Rotation.from_rotvec(rotations.reshape(-1, 3))
    return turns.as_matrix().reshape(*shape, 3, 3)


@pytest.mark.parametrize('layout', ['spin', 'shuffled', 'human_data'])
def test_truth_is_that_of_the_official_annotation(
    tmp_path, official, rows, layout
):
    if layout == 'shuffled':  # such as by image
        order = np.random.default_rng(0).permutation(len(rows['pose']))
        rows = {key: value[order] for key, value in rows.items()}
    write = write_human_data if layout == 'human_data' else write_spin
    source = write(tmp_path / '3dpw_test.npz', rows)
    convert_pw3d_npz(source, tmp_path / 'a.npz', layout == 'human_data')
    convert_official_pw3d(
        tmp_path / 'sequenceFiles',
        'test',
        tmp_path / 'b.npz',
        trust_pickle=True,
        smpl=True,
    )
    found, expected = (
        load_pose_sequences(tmp_path / f'{x}.npz') for x in 'ab'
    )
    genders = expected.meta['genders']
    assert sorted(found.meta['genders'].values()) == sorted(genders.values())
    parts = {}
    for seqs in (found, expected):
        for start, length in zip(seqs.starts, seqs.seq_len):
            own = slice(start, start + length)
            key = seqs.extras['betas_gt'][own].mean(0).round(3).tobytes()
            known = np.flatnonzero(seqs.visible[own].all(1))
            # Frames outside of the first and last valid one have no row.
            inside = slice(start + known[0], start + known[-1] + 1)
            parts.setdefault(key, []).append(
                (seqs.keypoints_gt[inside], seqs.visible[inside])
            )
    assert len(parts) == 3
    for (truth, visible), (wanted, seen) in parts.values():
        np.testing.assert_array_equal(visible, seen)
        known = seen.all(1)
        np.testing.assert_allclose(
            as_matrices(truth[known]), as_matrices(wanted[known]), atol=1e-5
        )
    assert found.meta['units'] == 'axis-angle'
    assert (found.fps == 30).all()


def test_estimates_of_the_same_rows(tmp_path, rows):
    """As SPIN's eval.py writes them; NaN is missing."""
    source = write_spin(tmp_path / '3dpw_test.npz', rows)
    pose = rows['pose'] + 0.1
    pose[1, 6:9] = np.nan  # joint 2
    betas = np.arange(10.0 * len(pose)).reshape(-1, 10)
    np.savez(
        tmp_path / 'spin.npz',
        pose=pose,
        betas=betas,
        camera=np.ones((len(pose), 3)),
        pred_joints=np.zeros((len(pose), 17, 3)),
    )
    notes = convert_pw3d_npz(
        source, tmp_path / 'out.npz', estimates=tmp_path / 'spin.npz'
    )
    seqs = load_pose_sequences(tmp_path / 'out.npz')
    assert seqs.seq_name.tolist() == [
        *2 * ['downtown_bus_00'],
        'office_phoneCall_00',
    ]
    # Person 0: frames 0 1 3 4 5; the gap has a row.
    known = seqs.visible.all(1)
    assert known[:6].tolist() == [True, True, False, True, True, True]
    np.testing.assert_allclose(
        seqs.keypoints_est[known].reshape(-1, 72), pose, rtol=1e-5
    )
    assert not seqs.valid[2].any()
    assert seqs.scores[1].tolist() == 2 * [1] + [0] + 21 * [1]
    np.testing.assert_allclose(
        seqs.extras['betas_est'][:4], betas[[0, 1, 1, 2]]
    )
    assert seqs.extras['camera_est'].shape == (len(known), 3)
    assert seqs.meta['estimator'] == 'spin'
    assert any('truth: the spine points to y = -1.00' in x for x in notes)
    assert 'read 3 persons, 14 rows' in notes


def test_rotation_matrices(tmp_path, rows):
    source = write_spin(tmp_path / '3dpw_test.npz', rows)
    matrices = as_matrices(rows['pose'].reshape(-1, 24, 3))
    np.savez(tmp_path / 'x.npz', pose=matrices, betas=rows['shape'])
    convert_pw3d_npz(
        source, tmp_path / 'out.npz', estimates=tmp_path / 'x.npz'
    )
    seqs = load_pose_sequences(tmp_path / 'out.npz')
    known = seqs.visible.all(1)
    np.testing.assert_allclose(
        as_matrices(seqs.keypoints_est[known]),
        matrices,
        atol=1e-5,
    )


def test_rotations_of_the_world_are_told(tmp_path, rows):
    rows['pose'][:, :3] = 0  # y up
    source = write_spin(tmp_path / 'a.npz', rows)
    notes = convert_pw3d_npz(source, tmp_path / 'out.npz')
    assert any(x.startswith('WARNING: truth: the spine') for x in notes)


def test_nothing_is_unpickled_without_trust(tmp_path, rows):
    source = write_human_data(tmp_path / 'a.npz', rows)
    with pytest.raises(ValueError, match='--trust-pickle'):
        convert_pw3d_npz(source, tmp_path / 'out.npz')


@pytest.mark.parametrize(
    ('change', 'expected'),
    [
        (
            dict(pose=np.zeros((13, 72))),
            r'pose: expected numbers \(14, 24, 3\), .* found .* \(13, 72\)',
        ),
        (
            dict(pose=np.full((14, 72), 90.0)),
            'they seem to be in degrees',
        ),
        (
            dict(shape=np.arange(140).reshape(14, 10)),
            "found 10 in 'downtown_bus_00': persons cannot be told apart",
        ),
        (
            dict(imgname=np.array(14 * ['imageFiles/a/image_00000.jpg'])),
            'image_00000.jpg of person .* occurs twice',
        ),
        (
            dict(imgname=np.array(14 * ['1.jpg'])),
            r"row 0: expected an image imageFiles/.*, found '1\.jpg'",
        ),
    ],
)
def test_what_is_wrong_is_named(tmp_path, rows, change, expected):
    if 'imgname' in change:
        rows['shape'] = rows['shape'][:1].repeat(14, 0)
    source = write_spin(tmp_path / 'a.npz', {**rows, **change})
    with pytest.raises(ValueError, match=expected) as error:
        convert_pw3d_npz(source, tmp_path / 'out.npz')
    assert 'a.npz' in str(error.value)
    assert not (tmp_path / 'out.npz').exists()


@pytest.mark.parametrize(
    ('pose', 'expected'),
    [
        (lambda x: x[1:], 'expected numbers'),
        (lambda x: np.zeros((14, 24, 3, 3)), 'rotation matrices, found a det'),
        (lambda x: np.full((14, 24, 3, 3), np.nan), 'found only NaN'),
    ],
)
def test_wrong_estimates_are_named(tmp_path, rows, pose, expected):
    source = write_spin(tmp_path / 'a.npz', rows)
    pose = pose(rows['pose'])
    np.savez(tmp_path / 'x.npz', pose=pose, betas=rows['shape'])
    with pytest.raises(ValueError, match=rf'x\.npz: pose: .*{expected}'):
        convert_pw3d_npz(
            source, tmp_path / 'out.npz', estimates=tmp_path / 'x.npz'
        )


def test_command(tmp_path, rows, monkeypatch, repo_root, caplog):
    source = write_spin(tmp_path / 'a.npz', rows)
    script = str(repo_root / 'tools/dataset_converters/pw3d_npz.py')
    out = str(tmp_path / 'out')
    monkeypatch.setattr(sys, 'argv', [script, str(source), out])
    caplog.set_level(logging.INFO)
    runpy.run_path(script, run_name='__main__')
    assert '3 sequences' in caplog.text
    assert len(load_pose_sequences(out)) == 3
