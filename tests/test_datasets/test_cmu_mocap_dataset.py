# Copyright (c) hanet_mm contributors. All rights reserved.
"""Captured motion before a simulated camera and estimator."""

import json

import numpy as np
import pytest
from mmengine.registry import init_default_scope

from hanet_mm.datasets.cmu_mocap import load_recordings, recording_parts
from hanet_mm.datasets.cmu_mocap_sequence_dataset import (
    CmuMocapSequenceDataset,
)
from hanet_mm.datasets.simulation import NOISE_PRESETS
from hanet_mm.datasets.simulation.cameras import sample_view

pytestmark = pytest.mark.mm

NAMES = (
    'root', 'right_hip', 'right_knee', 'right_foot', 'left_hip',
    'left_knee', 'left_foot', 'spine', 'thorax', 'neck_base', 'head',
    'left_shoulder', 'left_elbow', 'left_wrist', 'right_shoulder',
    'right_elbow', 'right_wrist')  # fmt: skip
# Metres, y up; the left hand forward.
STANDING = np.array([
    [0, 1, 0], [-.1, 1, 0], [-.1, .5, 0], [-.1, .1, 0], [.1, 1, 0],
    [.1, .5, 0], [.1, .1, 0], [0, 1.2, 0], [0, 1.4, 0], [0, 1.5, 0],
    [0, 1.65, 0], [.2, 1.4, 0], [.2, 1.4, .3], [.2, 1.4, .55],
    [-.2, 1.4, 0], [-.2, 1.1, 0], [-.2, .85, 0]])  # fmt: skip
LENGTHS = [12, 30, 8, 15, 25, 40]
SEQUENCES = [f'walking_{i}' for i in range(1, 7)]
LAST = ('keypoints', 'keypoints_gt', 'keypoint_scores', 'keypoints_visible')


@pytest.fixture(autouse=True)
def _scope():
    init_default_scope('mmpose')


def contents(**changes):
    rng = np.random.default_rng(0)
    total = sum(LENGTHS)
    path = np.cumsum(rng.normal(0, 0.03, (total, 1, 3)), axis=0) * [1, 0, 1]
    clean = np.ones(total, bool)
    clean[[3, 50]] = False
    values = dict(
        h36m17=(STANDING + path).astype(np.float32),
        h36m17_names=np.array(NAMES),
        clean=clean,
        seq_len=np.array(LENGTHS, np.int32),
        seq_name=np.array(SEQUENCES),
        fps=np.full(6, 30, np.float32),
        meta=np.array(json.dumps(dict(units='m', up='y'))),
    )
    values.update(changes)
    return {k: v for k, v in values.items() if v is not None}


@pytest.fixture
def ann_file(tmp_path):
    np.savez(tmp_path / 'mocap.npz', **contents())
    return str(tmp_path / 'mocap.npz')


def build(ann_file, **kwargs):
    return CmuMocapSequenceDataset(ann_file, test_mode=True, **kwargs)


def whole(dataset):
    """All arrays of all sequences, one after the other."""
    items = list(dataset)
    return {k: np.concatenate([item[k] for item in items]) for k in LAST}


def test_truth_is_the_motion_moved_and_turned(ann_file):
    dataset = build(ann_file)
    world = np.split(contents()['h36m17'], np.cumsum(LENGTHS)[:-1])
    assert [x['seq_name'] for x in dataset] == SEQUENCES
    for item, expected in zip(dataset, world):
        truth = item['keypoints_gt'].reshape(-1, 3).astype(np.float64)
        old = expected.reshape(-1, 3).astype(np.float64)
        # The best fitting rotation without reflection leaves nothing over.
        new, old = truth - truth.mean(0), old - old.mean(0)
        left, _, right = np.linalg.svd(old.T @ new)
        turn = right.T @ left.T
        assert np.linalg.det(turn) == pytest.approx(1)
        np.testing.assert_allclose(old @ turn.T, new, atol=1e-5)
        # y down, up to a pitch of 15 degrees; in front of the camera.
        up = -turn[:, 1]
        assert np.cos(np.radians(15)) - 1e-6 <= up[1] <= 1 + 1e-6
        assert truth[:, 2].min() >= 1.5 - 1e-6
        assert item['keypoints_gt'].dtype == np.float32


def test_views_look_from_above_and_from_all_sides():
    rng = np.random.default_rng(0)
    motion = STANDING + np.linspace(0, 8, 50)[:, None, None] * [0, 0, 1]
    yaws, pitches = [], []
    for _ in range(300):
        rotation, shift = sample_view(rng, motion)
        seen = motion @ rotation.T + shift
        middle = (seen.max((0, 1)) + seen.min((0, 1))) / 2
        np.testing.assert_allclose(middle[:2], 0, atol=1e-9)
        assert middle[2] >= 3
        assert seen[..., 2].min() >= 1.5 - 1e-9
        # Where the camera stands in the world: above the middle it sees.
        eye, ahead = -rotation.T @ shift, rotation[2]
        assert eye[1] > 0.85
        yaws.append(np.arctan2(ahead[0], ahead[2]))
        pitches.append(np.degrees(np.arcsin(-ahead[1])))
    assert abs(np.exp(1j * np.array(yaws)).mean()) < 0.2
    assert 0 <= min(pitches) < 1
    assert 14 < max(pitches) <= 15


def test_unclean_frames_have_weight_zero_and_estimates(ann_file):
    arrays = whole(build(ann_file))
    clean = contents()['clean']
    expected = np.repeat(clean[:, None], 17, axis=1)
    np.testing.assert_array_equal(arrays['keypoints_visible'], expected)
    assert np.isfinite(arrays['keypoints']).all()
    assert (arrays['keypoint_scores'] > 0).all()


def test_parts_hold_whole_recordings_of_every_kind():
    names = [f'walking_{i}' for i in range(2, 15)]
    names += [f'csm/jumping_{i}' for i in range(1, 6)] + ['01_01', '01_02']
    parts = recording_parts(names)
    assert (
        parts[:13].tolist()
        == (
            'train val train train test train train val train train test '
            'train train'
        ).split()
    )
    assert parts[13:18].tolist() == 'train val train train test'.split()
    # The number of the subject is the kind.
    assert parts[18:].tolist() == ['train', 'val']


def test_parts_are_disjoint_and_complete(ann_file):
    found = {
        part: [x['seq_name'] for x in build(ann_file, part=part)]
        for part in ('train', 'val', 'test')
    }
    assert found['val'] == ['walking_2']
    assert found['test'] == ['walking_5']
    assert found['train'] == [f'walking_{i}' for i in (1, 3, 4, 6)]


def test_same_seed_same_data_in_every_part(ann_file):
    one, two = build(ann_file), build(ann_file, part='val')
    for key in LAST:
        np.testing.assert_array_equal(one[1][key], two[0][key])
    other = build(ann_file, seed=1)
    assert (other[1]['keypoints'] != one[1]['keypoints']).any()
    assert (other[1]['keypoints_gt'] != one[1]['keypoints_gt']).any()
    # The noise does not change the camera.
    quiet = build(ann_file, noise=dict(NOISE_PRESETS['lifter'], drift=0.001))
    for key in ('keypoints_gt', 'keypoints_visible'):
        np.testing.assert_array_equal(one[1][key], quiet[1][key])


def test_errors_lie_along_the_depth_of_the_camera(ann_file):
    noise = dict(
        NOISE_PRESETS['lifter'],
        occlusion_share=0.0,
        depth_factor=4.0,
        drift_frames=1.0,
    )
    arrays = whole(build(ann_file, noise=noise))
    error = (arrays['keypoints'] - arrays['keypoints_gt'])[:, 1:]
    deviation = error.std(axis=(0, 1))
    assert deviation[2] / deviation[0] == pytest.approx(4, rel=0.2)
    assert deviation[2] / deviation[1] == pytest.approx(4, rel=0.2)


def test_metainfo_and_training_windows(ann_file):
    dataset = CmuMocapSequenceDataset(ann_file, part='train', window_size=11)
    assert dataset.metainfo['dataset_name'] == 'h36m'
    assert dataset.metainfo['root_indices'] == [0]
    # 12, 8, 15 and 40 frames.
    assert len(dataset) == 2 + 1 + 5 + 30
    assert dataset[2]['keypoints_visible'][8:].max() == 0


def test_coco_keypoints_have_their_own_metainfo(tmp_path):
    names = (
        'nose', 'left_eye', 'right_eye', 'left_ear', 'right_ear',
        'left_shoulder', 'right_shoulder', 'left_elbow', 'right_elbow',
        'left_wrist', 'right_wrist', 'left_hip', 'right_hip', 'left_knee',
        'right_knee', 'left_ankle', 'right_ankle')  # fmt: skip
    values = contents(coco17_names=np.array(names))
    np.savez(tmp_path / 'a.npz', coco17=values.pop('h36m17'), **values)
    dataset = build(str(tmp_path / 'a.npz'), skeleton='coco17')
    assert dataset.metainfo['dataset_name'] == 'coco'
    assert dataset.metainfo['root_indices'] == [11, 12]


@pytest.mark.parametrize(
    ('changes', 'message'),
    [
        (dict(h36m17=None), "key 'h36m17' is missing"),
        (dict(clean=None), "key 'clean' is missing"),
        (
            dict(h36m17=np.zeros((130, 17, 2), np.float32)),
            r'h36m17: expected real numbers \(N, K, 3\), .*17, 2\)',
        ),
        (
            dict(seq_len=np.array([12, 30, 8, 15, 25, 39])),
            'seq_len: expected a sum of 130 .*found 129',
        ),
        (dict(seq_len=np.ones(6)), 'seq_len: expected whole numbers'),
        (
            dict(clean=np.ones(7, bool)),
            r'clean: expected shape \(130,\), found \(7,\)',
        ),
        (
            dict(h36m17_names=np.array(NAMES[:-1])),
            r'h36m17_names: expected shape \(17,\)',
        ),
        (
            dict(h36m17_names=np.array(NAMES[::-1])),
            "names the keypoints .*expected .*'root', 'right_hip'",
        ),
        (
            dict(meta=np.array('{"units": "mm"}')),
            "meta.'units'.: expected 'm', found 'mm'",
        ),
        (dict(meta=np.array('{"up": "z"}')), "expected 'y', found 'z'"),
        (
            dict(h36m17=contents()['h36m17'] * 1000),
            "seem to be in 'mm'",
        ),
        (
            dict(seq_name=np.array(SEQUENCES, dtype=object)),
            "key 'seq_name' is an object array",
        ),
    ],
)
def test_bad_files(tmp_path, changes, message):
    np.savez(tmp_path / 'bad.npz', **contents(**changes))
    with pytest.raises(ValueError, match=message) as caught:
        build(str(tmp_path / 'bad.npz'))
    assert 'bad.npz' in str(caught.value)
    assert '\n' not in str(caught.value)


def test_unknown_numbers_are_named_with_their_place(tmp_path):
    values = contents()
    values['h36m17'][14, 3, 1] = np.nan
    np.savez(tmp_path / 'bad.npz', **values)
    with pytest.raises(ValueError, match=r'frame 2 of sequence 1 .walking_2'):
        load_recordings(tmp_path / 'bad.npz', 'h36m17')


def test_bad_arguments(ann_file, tmp_path):
    with pytest.raises(ValueError, match=r"part has to be .*got 'dev'"):
        build(ann_file, part='dev')
    with pytest.raises(ValueError, match=r"skeleton has to be .*'smpl'"):
        build(ann_file, skeleton='smpl')
    small = contents(
        h36m17=contents()['h36m17'][:12],
        clean=np.ones(12, bool),
        seq_len=np.array([12]),
        seq_name=np.array(['walking_1']),
        fps=None,
    )
    np.savez(tmp_path / 'small.npz', **small)
    with pytest.raises(ValueError, match="no recording for the part 'test'"):
        build(str(tmp_path / 'small.npz'), part='test')


def test_real_recordings_have_the_errors_of_a_lifter(shared_dir):
    path = shared_dir / 'data' / 'cmu_mocap_train.npz'
    dataset = build(str(path), part='val')
    errors, bends = [], []
    for item in dataset:
        error = item['keypoints'] - item['keypoints_gt']
        error = (error - error[:, :1])[item['keypoints_visible'][:, 0] > 0]
        errors.append(np.linalg.norm(error, axis=-1))
        bends.append(np.linalg.norm(np.diff(error, 2, axis=0), axis=-1))
    # FCN on Human3.6M, paper Table 2.
    assert 1000 * np.concatenate(errors).mean() == pytest.approx(54.6, rel=0.1)
    assert 1000 * np.concatenate(bends).mean() == pytest.approx(19.2, rel=0.1)
    kinds = {x['seq_name'].rsplit('_', 1)[0] for x in dataset}
    assert len(kinds) == 9
