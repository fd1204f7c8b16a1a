# Copyright (c) hanet_mm contributors. All rights reserved.
"""Human3.6M and MPI-INF-3DHP in MMPose's layout -> flat layout.

The files are built as MMPose's ``preprocess_*.py`` write them; neither data
set was at hand.
"""

import logging
import pickle
import runpy
import sys

import numpy as np
import pytest
from mmpose_3d import convert_mmpose_3d

from hanet_mm.apis.annotations.mocap import MOCAP_DATASETS
from hanet_mm.core.data.sequences import load_pose_sequences

# Somebody who faces +z, left is +x, with slightly bent knees; metres.
BODY = {
    'root': (0, 0.9, 0),
    'left_hip': (0.1, 0.9, 0),
    'left_knee': (0.12, 0.5, 0.1),
    'left_ankle': (0.12, 0.1, 0),
    'spine': (0, 1.15, 0),
    'neck': (0, 1.4, 0),
    'neck_base': (0, 1.5, 0.05),
    'head': (0, 1.6, 0.05),
    'head_top': (0, 1.7, 0),
    'left_shoulder': (0.2, 1.4, 0),
    'left_elbow': (0.25, 1.1, 0),
    'left_wrist': (0.27, 0.9, 0.1),
}
ALIASES = {'thorax': 'neck', 'left_foot': 'left_ankle'}
# Step of the frames' numbers, as preprocess_h36m.py with sample_rate 5.
H36M = {'S9_Walking 1.54138969': 6, 'S11_Eating.60457274': 4}


def joint(name):
    side, _, part = name.partition('_')
    if side == 'right':
        x, y, z = joint(f'left_{part}')
        return -x, y, z
    return BODY[ALIASES.get(name, name)]


def person(frames, dataset, seed=0):
    """The body in front of a camera, turned about the vertical; (T, K, 3)."""
    rng = np.random.default_rng(seed)
    body = np.array([joint(x) for x in MOCAP_DATASETS[dataset].keypoints])
    angle = rng.uniform(0, 2 * np.pi, frames)
    turn = np.zeros((frames, 3, 3))
    turn[:, 0, 0] = turn[:, 2, 2] = np.cos(angle)
    turn[:, 0, 2], turn[:, 2, 0] = np.sin(angle), -np.sin(angle)
    turn[:, 1, 1] = 1
    place = rng.normal(0, 0.5, (frames, 1, 3)) + [0, 0, 4]
    return np.einsum('tij,kj->tki', turn, body) + place


def write(path, images, poses, visible=None):
    """An annotation as MMPose has it, of float64, with an image a row."""
    count = len(images)
    if visible is None:
        visible = np.ones(poses.shape[:2])
    np.savez(
        path,
        imgname=np.array(images),
        center=np.zeros((count, 2)),
        scale=np.ones(count),
        part=np.concatenate([poses[..., :2], visible[..., None]], -1),
        S=np.concatenate([poses, visible[..., None]], -1),
    )
    return path


def h36m_images(step=5):
    names = [name.replace(' ', '_') for name in H36M]
    return [
        f'{name[:2].strip("_")}/{name}/{name}_{1 + step * i:06d}.jpg'
        for name, frames in zip(names, H36M.values())
        for i in range(frames)
    ]


def sample(names, keypoints, scores=None):
    """A sample of ``tools/test.py --dump``: a dict of plain dicts."""
    if scores is None:
        scores = np.ones(keypoints.shape[:-1], np.float32)
    return dict(
        target_img_path=names,
        category_id=1,
        pred_instances=dict(
            keypoints=keypoints.astype(np.float32), keypoint_scores=scores
        ),
    )


def dump(path, samples):
    path.write_bytes(pickle.dumps(samples))
    return path


@pytest.fixture
def truth():
    return person(sum(H36M.values()), 'h36m')


@pytest.fixture
def h36m(tmp_path, truth):
    return write(tmp_path / 'h36m_test.npz', h36m_images(), truth)


def test_a_lifter_of_single_frames(tmp_path, h36m, truth):
    """As VideoPose3D: a target a sample, in any order, 0.03 m beside."""
    images = h36m_images()
    found = truth + [0.03, 0, 0]
    found[:, 0] -= [0.03, 0, 0]  # not the root
    order = np.random.default_rng(1).permutation(len(images))
    path = dump(
        tmp_path / 'tcn.pkl',
        [sample([images[i]], found[i : i + 1]) for i in order],
    )
    out = tmp_path / 'out.npz'
    notes = convert_mmpose_3d('h36m', h36m, out, path, trust_pickle=True)
    seqs = load_pose_sequences(out, ('keypoints_gt',))
    assert seqs.seq_name.tolist() == [x.replace(' ', '_') for x in H36M]
    assert seqs.seq_len.tolist() == [*H36M.values()]
    # Videos of 50 1/s, every fifth frame of them.
    assert seqs.fps.tolist() == [10, 10]
    np.testing.assert_allclose(seqs.keypoints_gt, truth, atol=1e-6)
    np.testing.assert_allclose(seqs.keypoints_est, found, atol=1e-6)
    assert (seqs.scores == 1).all()
    assert (seqs.visible == 1).all()
    first = [1 + 5 * i for i in range(6)]
    assert seqs.extras['frame_number'][:6].tolist() == first
    assert seqs.meta['estimator'] == 'tcn'
    assert 'subjects S9, S11 (test subjects)' in notes
    # 16 of 17 joints are 30 mm off.
    expected = f'MPJPE of the estimates about the root: {16 / 17 * 30:.1f} mm'
    assert expected in notes
    assert sum('knees bend forward' in x for x in notes) == 2


def test_a_lifter_of_windows(tmp_path, h36m, truth):
    """As MotionBERT: many targets a sample; what no window has is missing."""
    images = h36m_images()
    windows = [slice(0, 3), slice(3, 6), slice(6, 9)]
    samples = [sample(np.array(images[w]), truth[None, w]) for w in windows]
    out = tmp_path / 'out'  # a folder
    convert_mmpose_3d(
        'h36m', h36m, out, dump(tmp_path / 'x.pkl', samples), True
    )
    seqs = load_pose_sequences(out)
    assert seqs.seq_len.tolist() == [6, 4]
    found = seqs.valid.all(1)
    assert found.tolist() == 9 * [True] + [False]
    np.testing.assert_allclose(seqs.keypoints_est[:9], truth[:9], atol=1e-6)
    np.testing.assert_allclose(seqs.keypoints_gt, truth, atol=1e-6)


def test_sequences_that_were_not_estimated_are_left_out(tmp_path, h36m, truth):
    images = h36m_images()
    # One frame twice, as of overlapping windows: the first counts.
    samples = [sample(images[6:9], truth[6:9])]
    samples.append(sample(images[8:9], truth[8:9] + 1))
    out = tmp_path / 'out.npz'
    notes = convert_mmpose_3d(
        'h36m', h36m, out, dump(tmp_path / 'x.pkl', samples), True
    )
    seqs = load_pose_sequences(out)
    assert seqs.seq_name.tolist() == ['S11_Eating.60457274']
    np.testing.assert_allclose(seqs.keypoints_est[:3], truth[6:9], atol=1e-6)
    assert '1 frames estimated more than once: the first is taken' in notes
    (left,) = (x for x in notes if 'left out' in x)
    assert left.endswith('no estimate: S9_Walking_1.54138969')


def test_rows_of_a_plain_file(tmp_path, h36m, truth):
    """No pickle; without names a row for each of the annotation."""
    scores = np.full(truth.shape[:2], 0.5)
    found = truth.copy()
    found[2, 3] = np.nan
    np.savez(tmp_path / 'est.npz', joints_3d=found, scores=scores)
    out = tmp_path / 'out.npz'
    convert_mmpose_3d('h36m', h36m, out, tmp_path / 'est.npz')
    seqs = load_pose_sequences(out)
    np.testing.assert_allclose(seqs.keypoints_est, found, atol=1e-6)
    assert seqs.scores[2, 3] == 0
    assert (np.delete(seqs.scores.ravel(), 2 * 17 + 3) == 0.5).all()


def test_frames_are_ordered_and_gaps_are_rows(tmp_path, truth):
    """Time goes on evenly, whatever the order and the gaps of the file."""
    numbers = [21, 1, 6, 16]  # 11 is missing
    images = [f'S1/a/S1_Walking.55011271_{i:06d}.jpg' for i in numbers]
    path = write(tmp_path / 'a.npz', images, truth[:4])
    notes = convert_mmpose_3d('h36m', path, tmp_path / 'out.npz')
    seqs = load_pose_sequences(tmp_path / 'out.npz')
    assert seqs.seq_len.tolist() == [5]
    assert seqs.fps.tolist() == [10]
    order = [1, 2, 3, 0]
    known = [0, 1, 3, 4]
    np.testing.assert_allclose(
        seqs.keypoints_gt[known], truth[order], atol=1e-6
    )
    assert not seqs.visible[2].any()
    assert np.isnan(seqs.keypoints_est[2]).all()
    # Without estimates the truth stands for them.
    np.testing.assert_array_equal(seqs.keypoints_est, seqs.keypoints_gt)
    assert seqs.meta['estimator'].startswith('none')
    assert '1 of 5 frames without truth' in notes


def test_mpi_inf_3dhp(tmp_path):
    """Rates by video; what lies outside the picture has weight 0."""
    names = ['S1_Seq1_Cam0', 'S1_Seq2_Cam4', 'TS2']
    poses = person(9, 'mpi_inf_3dhp')
    images = [f'{name}_{i + 1:06d}.jpg' for name in names for i in range(3)]
    visible = np.ones(poses.shape[:2])
    visible[4, 5] = 0
    path = write(tmp_path / 'mpi_inf_3dhp_train.npz', images, poses, visible)
    np.savez(tmp_path / 'est.npz', joints_3d=poses, imgname=images)
    out = tmp_path / 'out.npz'
    notes = convert_mmpose_3d('mpi_inf_3dhp', path, out, tmp_path / 'est.npz')
    seqs = load_pose_sequences(out)
    assert seqs.seq_name.tolist() == names
    assert seqs.fps.tolist() == [25, 50, 25]
    np.testing.assert_array_equal(seqs.visible, visible)
    np.testing.assert_allclose(seqs.keypoints_gt, poses, atol=1e-6)
    assert 'truth: knees bend forward' in ' '.join(notes)


def test_estimates_between_annotated_frames(tmp_path):
    """As of the test videos, of which only the valid frames are annotated."""
    poses = person(5, 'mpi_inf_3dhp')
    images = [f'TS1_{i + 1:06d}.jpg' for i in range(5)]
    path = write(tmp_path / 'valid.npz', images[::2], poses[::2])
    np.savez(tmp_path / 'est.npz', joints_3d=poses, imgname=images)
    out = tmp_path / 'out.npz'
    convert_mmpose_3d('mpi_inf_3dhp', path, out, tmp_path / 'est.npz')
    seqs = load_pose_sequences(out)
    assert seqs.fps.tolist() == [25]
    np.testing.assert_allclose(seqs.keypoints_est, poses, atol=1e-6)
    assert seqs.visible.any(1).tolist() == [True, False, True, False, True]


@pytest.mark.parametrize(
    ('change', 'expected'),
    [
        (
            dict(imgname=['one.jpg']),
            r"imgname\[0\]: expected an image of h36m, .* found 'one\.jpg'",
        ),
        (
            dict(S=np.zeros((10, 17, 3))),
            r'S: expected numbers \(10, 17, 4\) .* \(10, 17, 3\)',
        ),
        (dict(S=None), r"key 'S' is missing"),
        (
            dict(imgname=[*h36m_images()[:9], h36m_images()[8]]),
            r"imgname: image 11 of sequence 'S11_Eating\.60457274' occurs tw",
        ),
        (
            dict(S=300 * np.random.default_rng(0).normal(size=(10, 17, 4))),
            r"seem to be in 'mm'",
        ),
    ],
)
def test_a_wrong_annotation_is_named(tmp_path, h36m, change, expected):
    arrays = dict(np.load(h36m))
    arrays.update(change)
    arrays = {k: v for k, v in arrays.items() if v is not None}
    np.savez(h36m, **arrays)
    with pytest.raises(ValueError, match=expected) as error:
        convert_mmpose_3d('h36m', h36m, tmp_path / 'out.npz')
    assert 'h36m_test.npz' in str(error.value)
    assert [x.name for x in tmp_path.iterdir()] == ['h36m_test.npz']


@pytest.mark.parametrize(
    ('samples', 'expected'),
    [
        ([], 'expected a list of samples, found an empty list'),
        ([{'img_path': 'x'}], 'sample 0: expected target_img_path'),
        (
            [sample(h36m_images()[:1], np.zeros((1, 16, 3)))],
            r'sample 0: .* keypoints \(n, 17, 3\)',
        ),
        (
            [sample(['S5_Walking.1_000001.jpg'], np.zeros((1, 17, 3)))],
            r'found 1 others: S5_Walking\.1',
        ),
    ],
)
def test_a_wrong_dump_is_named(tmp_path, h36m, samples, expected):
    path = dump(tmp_path / 'x.pkl', samples)
    with pytest.raises(ValueError, match=expected) as error:
        convert_mmpose_3d('h36m', h36m, tmp_path / 'out.npz', path, True)
    assert 'x.pkl' in str(error.value)
    assert '\n' not in str(error.value)


class _Bomb:
    def __reduce__(self):
        return exec, ('raise SystemExit("unpickled")',)


def test_nothing_is_unpickled_without_trust(tmp_path, h36m):
    path = dump(tmp_path / 'x.pkl', [_Bomb()])
    with pytest.raises(ValueError, match='--trust-pickle'):
        convert_mmpose_3d('h36m', h36m, tmp_path / 'out.npz', path)
    np.savez(tmp_path / 'objects.npz', joints_3d=np.array([_Bomb()]))
    with pytest.raises(ValueError, match='object array'):
        convert_mmpose_3d(
            'h36m', h36m, tmp_path / 'out.npz', tmp_path / 'objects.npz', True
        )


def test_poses_of_others_are_told(tmp_path, h36m, truth):
    far = truth + np.random.default_rng(0).normal(0, 0.3, truth.shape)
    np.savez(tmp_path / 'est.npz', joints_3d=far)
    notes = convert_mmpose_3d(
        'h36m', h36m, tmp_path / 'out.npz', tmp_path / 'est.npz'
    )
    assert any(
        x.startswith('WARNING: MPJPE') and 'of these images' in x
        for x in notes
    )


def test_command(tmp_path, h36m, monkeypatch, repo_root, caplog):
    script = repo_root / 'tools/dataset_converters/mmpose_3d.py'
    out = tmp_path / 'out.npz'
    monkeypatch.setattr(
        sys, 'argv', [str(script), 'h36m', str(h36m), str(out), '--fps', '25']
    )
    caplog.set_level(logging.INFO)
    runpy.run_path(str(script), run_name='__main__')
    assert '2 sequences, 10 frames' in caplog.text
    assert load_pose_sequences(out).fps.tolist() == [5, 5]


@pytest.mark.mm
def test_sequences_are_those_of_mmpose(tmp_path, h36m):
    """MMPose's own reader takes the file and groups its rows as we do."""
    from mmpose.datasets.datasets.body3d.h36m_dataset import Human36mDataset

    theirs = Human36mDataset(ann_file=str(h36m), seq_len=4, test_mode=True)
    convert_mmpose_3d('h36m', h36m, tmp_path / 'out.npz')
    seqs = load_pose_sequences(tmp_path / 'out.npz')
    windows = {tuple(x) for x in theirs.sequence_indices}
    expected = {
        tuple(range(start + i, start + i + 4))
        for start, frames in zip(seqs.starts, seqs.seq_len)
        for i in range(frames - 3)
    }
    assert windows == expected
    target = theirs[0]['lifting_target'][0]
    last = theirs[0]['img_ids'][-1]
    np.testing.assert_allclose(target, seqs.keypoints_gt[last], atol=1e-6)
    names = theirs.metainfo['keypoint_id2name']
    assert [names[i] for i in range(17)] == seqs.meta['keypoint_names']
