# Copyright (c) hanet_mm contributors. All rights reserved.
"""AIST++'s own annotation, with or without estimates -> flat layout."""

import json
import logging
import pickle
import runpy
import sys

import numpy as np
import pytest
from aist_official import convert_official_aist
from scipy.linalg import expm

from hanet_mm.core.data.sequences import load_pose_sequences

COCO = (
    'nose left_eye right_eye left_ear right_ear left_shoulder right_shoulder '
    'left_elbow right_elbow left_wrist right_wrist left_hip right_hip '
    'left_knee right_knee left_ankle right_ankle'
).split()
LSP = (
    'right_ankle right_knee right_hip left_hip left_knee left_ankle '
    'right_wrist right_elbow right_shoulder left_shoulder left_elbow '
    'left_wrist'
).split()
# Somebody who stands, facing +z, knees a bit bent; centimetres.
BODY = np.array(
    [
        *((0, 160, 10), (3, 163, 8), (-3, 163, 8), (8, 160, 0), (-8, 160, 0)),
        *((20, 140, 0), (-20, 140, 0), (25, 110, 0), (-25, 110, 0)),
        *((27, 90, 10), (-27, 90, 10), (10, 90, 0), (-10, 90, 0)),
        *((12, 50, 10), (-12, 50, 10), (12, 10, 0), (-12, 10, 0)),
    ],
    dtype=float,
)
DANCES = {'gBR_sBM_cAll_d04_mBR0_ch01': 4, 'gWA_sFM_cAll_d27_mWA2_ch21': 3}
IGNORED = 'gBR_sBM_cAll_d05_mBR1_ch02'


def matrix(vector):
    """Rotation matrix of an axis-angle vector, as a matrix exponential."""
    x, y, z = vector
    return expm(np.array([[0, -z, y], [z, 0, -x], [-y, x, 0]]))


@pytest.fixture
def annotations(tmp_path):
    """A folder of the official layout, and its content by dance."""
    rng = np.random.default_rng(3)
    root, contents = tmp_path / 'annotations', {}
    for name in ('splits', 'keypoints3d', 'motions', 'cameras'):
        (root / name).mkdir(parents=True)
    for name, frames in {**DANCES, IGNORED: 2}.items():
        smooth = BODY + rng.normal(0, 100, (frames, 1, 3))
        raw = smooth + rng.normal(0, 1, smooth.shape)
        raw[0, COCO.index('left_wrist')] = np.nan
        contents[name] = {
            'keypoints3d': {'keypoints3d': raw, 'keypoints3d_optim': smooth},
            'motions': {
                'smpl_poses': rng.normal(0, 0.5, (frames, 72)),
                'smpl_trans': rng.normal(0, 100, (frames, 3)),
                'smpl_scaling': rng.uniform(80, 100, 1),
            },
        }
        for folder, content in contents[name].items():
            with open(root / folder / f'{name}.pkl', 'wb') as file:
                pickle.dump(content, file)
    # One list with sequences, one with videos of them.
    lines = [*contents]
    (root / 'splits' / 'pose_test.txt').write_text('\n'.join(lines) + '\n')
    videos = [n.replace('cAll', v) for n in lines for v in ('c01', 'c02')]
    (root / 'splits' / 'videos.txt').write_text('\n'.join(videos))
    (root / 'ignore_list.txt').write_text(f'{IGNORED}\n')
    cameras = [
        {
            'name': f'c{i:02d}',
            'rotation': rng.normal(size=3).tolist(),
            'translation': rng.normal(0, 300, 3).tolist(),
        }
        for i in range(1, 10)
    ]
    (root / 'cameras' / 'setting1.json').write_text(json.dumps(cameras))
    (root / 'cameras' / 'mapping.txt').write_text(
        '\n'.join(f'{name} setting1' for name in contents)
    )
    return root, contents, cameras


@pytest.fixture
def out(tmp_path):
    """Where to convert to: a folder of its own."""
    return tmp_path / 'converted' / 'out.npz'


def flat(contents, folder, key):
    return np.concatenate([contents[name][folder][key] for name in DANCES])


@pytest.mark.parametrize('split', ['pose_test', 'videos'])
def test_joints_in_the_studio(annotations, out, split):
    root, contents, _ = annotations
    notes = convert_official_aist(root, split, out, True)
    seqs = load_pose_sequences(out, require=('keypoints_gt',))
    assert seqs.seq_name.tolist() == [*DANCES]
    assert seqs.seq_len.tolist() == [*DANCES.values()]
    coco = flat(contents, 'keypoints3d', 'keypoints3d_optim') / 100
    columns = [COCO.index(name) for name in LSP]
    np.testing.assert_allclose(
        seqs.keypoints_gt[:, :12], coco[:, columns], atol=1e-5
    )
    np.testing.assert_allclose(
        seqs.keypoints_gt[:, 12], (coco[:, 5] + coco[:, 6]) / 2, atol=1e-5
    )
    assert np.isnan(seqs.keypoints_gt[:, 13]).all()  # head_top
    assert (seqs.visible == [1] * 13 + [0]).all()
    assert seqs.meta['estimator'].startswith('none: the truth')
    assert 'head_top: unknown' in seqs.meta['truth']
    assert seqs.meta['origin'] == 'studio'
    assert seqs.fps.tolist() == [60, 60]
    assert f'{split}: 3 sequences, 1 ignored' in notes
    assert not any('WARNING' in note for note in notes)


def test_unsmoothed_keypoints_may_be_unknown(annotations, out):
    root, contents, _ = annotations
    convert_official_aist(
        root, 'pose_test', out, True, keypoints='keypoints3d'
    )
    seqs = load_pose_sequences(out)
    wrist = seqs.visible[:, 11]
    assert np.flatnonzero(wrist == 0).tolist() == [0, 4]
    coco = flat(contents, 'keypoints3d', 'keypoints3d') / 100
    np.testing.assert_allclose(seqs.keypoints_gt[:, 0], coco[:, 16], 1e-5)


def test_joints_in_front_of_cameras(annotations, out):
    root, contents, cameras = annotations
    convert_official_aist(root, 'pose_test', out, True, views=('c02', 'c09'))
    seqs = load_pose_sequences(out)
    first, second = DANCES
    assert seqs.seq_name.tolist() == [
        name.replace('cAll', view)
        for name in (first, second)
        for view in ('c02', 'c09')
    ]
    coco = contents[second]['keypoints3d']['keypoints3d_optim']
    camera = cameras[8]
    for frame in range(3):
        expected = [
            matrix(camera['rotation']) @ coco[frame, COCO.index(name)]
            + camera['translation']
            for name in LSP
        ]
        np.testing.assert_allclose(
            seqs.keypoints_gt[4 + 4 + 3 + frame, :12],
            np.array(expected) / 100,
            atol=1e-5,
        )
    assert seqs.meta['origin'] == 'camera'


def test_smpl(annotations, out):
    root, contents, cameras = annotations
    convert_official_aist(root, 'pose_test', out, True, smpl=True)
    seqs = load_pose_sequences(out)
    np.testing.assert_allclose(
        seqs.keypoints_gt.reshape(-1, 72),
        flat(contents, 'motions', 'smpl_poses'),
        rtol=1e-6,
    )
    np.testing.assert_allclose(
        seqs.extras['transl_gt'],
        flat(contents, 'motions', 'smpl_trans') / 100,
        rtol=1e-5,
    )
    scales = [contents[n]['motions']['smpl_scaling'][0] for n in DANCES]
    np.testing.assert_allclose(
        seqs.extras['scale_gt'],
        np.repeat(scales, [*DANCES.values()]) / 100,
        rtol=1e-5,
    )
    assert seqs.meta['units'] == 'axis-angle'
    convert_official_aist(
        root, 'pose_test', out, True, smpl=True, views=('c03',)
    )
    turned = load_pose_sequences(out)
    np.testing.assert_allclose(
        matrix(turned.keypoints_gt[2, 0]),
        matrix(cameras[2]['rotation']) @ matrix(seqs.keypoints_gt[2, 0]),
        atol=1e-6,
    )
    np.testing.assert_array_equal(
        turned.keypoints_gt[:, 1:], seqs.keypoints_gt[:, 1:]
    )
    assert 'transl_gt' not in turned.extras


def test_estimates_follow_the_names_of_videos(annotations, out, tmp_path):
    root, _, _ = annotations
    folder = tmp_path / 'spin'
    folder.mkdir()
    rng = np.random.default_rng(0)
    joints = {
        name: rng.uniform(-0.5, 0.5, (frames, 14, 3))
        for name, frames in DANCES.items()
    }
    for name, value in joints.items():
        file = folder / f'{name.replace("cAll", "c05")}.npz'
        np.savez(file, joints_3d=value)
    convert_official_aist(
        root, 'pose_test', out, True, estimates=folder, views=('c05',)
    )
    seqs = load_pose_sequences(out)
    np.testing.assert_allclose(
        seqs.keypoints_est, np.concatenate([*joints.values()]), rtol=1e-6
    )
    assert (seqs.scores == 1).all()
    assert seqs.meta['estimator'] == 'spin'
    with pytest.raises(ValueError, match=r'cAll_.*\.npz: expected estimates'):
        convert_official_aist(root, 'pose_test', out, True, estimates=folder)


def test_units(annotations, out):
    root, _, _ = annotations
    with pytest.raises(ValueError, match=r"keypoints_est of .*seem.*'cm'"):
        convert_official_aist(root, 'pose_test', out, True, units='m')
    with pytest.raises(ValueError, match=r"smpl_scaling: .*be in 'cm'"):
        convert_official_aist(
            root, 'pose_test', out, True, units='m', smpl=True
        )
    assert not out.parent.exists()


def test_bad_files(annotations, out):
    root, contents, _ = annotations
    with pytest.raises(ValueError, match=r'ch01\.pkl.*--trust-pickle'):
        convert_official_aist(root, 'pose_test', out)
    with pytest.raises(FileNotFoundError, match=r'crossmodal_test\.txt'):
        convert_official_aist(root, 'crossmodal_test', out, True)
    first = next(iter(DANCES))
    for folder, content, message in (
        ('keypoints3d', {'keypoints3d': 0}, r"key 'keypoints3d_optim' is mis"),
        (
            'keypoints3d',
            {'keypoints3d_optim': np.zeros((4, 16, 3))},
            r'keypoints3d_optim: expected .*\(-1, 17, 3\), found ndarray '
            r'\(4, 16, 3\)',
        ),
        (
            'motions',
            {**contents[first]['motions'], 'smpl_trans': np.zeros((3, 3))},
            r'smpl_trans: expected .*\(4, 3\), found ndarray \(3, 3\)',
        ),
    ):
        path = root / folder / f'{first}.pkl'
        path.write_bytes(pickle.dumps(content))
        with pytest.raises(ValueError, match=rf'{first}\.pkl: {message}'):
            convert_official_aist(
                root, 'pose_test', out, True, smpl=folder == 'motions'
            )
    assert not out.parent.exists()


def test_a_split_of_ignored_sequences_only(annotations, out):
    root, _, _ = annotations
    (root / 'splits' / 'bad.txt').write_text(IGNORED)
    with pytest.raises(ValueError, match=r'bad\.txt.*found 1 sequences'):
        convert_official_aist(root, 'bad', out, True)
    (root / 'ignore_list.txt').unlink()
    notes = convert_official_aist(root, 'bad', out, True)
    assert any('WARNING: bad: no ignore_list.txt' in n for n in notes)


def test_command_line(repo_root, annotations, out, monkeypatch, caplog):
    caplog.set_level(logging.INFO)
    script = 'tools/dataset_converters/aist_official.py'
    argv = [script, annotations[0], 'pose_test', out, '--trust-pickle']
    argv += ['--views', 'c01', 'c04']
    monkeypatch.setattr(sys, 'argv', list(map(str, argv)))
    runpy.run_path(str(repo_root / script), run_name='__main__')
    assert len(load_pose_sequences(out)) == 4
    assert 'pose_test: 3 sequences, 1 ignored' in caplog.text
