# Copyright (c) hanet_mm contributors. All rights reserved.
"""3D, rotations, sparse annotation, extras: what tasks other than 2D need."""

import numpy as np
import pytest
from mmengine.registry import init_default_scope
from mmpose.registry import DATASETS, KEYPOINT_CODECS
from scipy.spatial.transform import Rotation

import hanet_mm  # noqa: F401
from hanet_mm.core.data.sequences import PoseSequences, save_pose_sequences
from hanet_mm.datasets import PoseSequenceDataset

pytestmark = pytest.mark.mm

LENGTHS = [9, 4, 6]
TOTAL = sum(LENGTHS)


@pytest.fixture(autouse=True)
def _scope():
    init_default_scope('mmpose')


class Joints3d(PoseSequenceDataset):
    METAINFO = dict(from_file='configs/_base_/datasets/h36m.py')
    ROOT = (0,)
    UNITS = 'm'


class Rotations(Joints3d):
    ROOT = None
    UNITS = 'rot6d'


def make_sequences(joints=15, dims=2, **changes):
    rng = np.random.default_rng(0)
    fields = dict(
        keypoints_est=rng.normal(0, 0.4, (TOTAL, joints, dims)),
        scores=np.ones((TOTAL, joints)),
        keypoints_gt=rng.normal(0, 0.4, (TOTAL, joints, dims)),
        visible=np.ones((TOTAL, joints)),
        seq_len=np.array(LENGTHS),
        seq_name=np.array(['one', 'two', 'three']),
        meta=dict(units='px'),
    )
    fields.update(changes)
    return PoseSequences(**fields)


def saved(tmp_path, **changes):
    path = tmp_path / 'poses.npz'
    save_pose_sequences(path, make_sequences(**changes))
    return str(path)


def build(ann_file, kind='JhmdbSequenceDataset', pipeline=(), **kwargs):
    pipeline = list(pipeline)
    return DATASETS.build(
        dict(type=kind, ann_file=ann_file, pipeline=pipeline, **kwargs)
    )


def encode(**codec):
    return [
        dict(
            type='GenerateTarget',
            encoder=dict(type='PoseSequenceCodec', **codec),
        ),
        dict(type='PackPoseSequenceInputs'),
    ]


def annotated_at(frames):
    """Visibility with annotation in these flat frames only."""
    visible = np.zeros((TOTAL, 15))
    visible[frames] = 1
    return visible


def test_sparse_windows_hold_an_annotated_frame(tmp_path):
    # 'one' is annotated in frame 6, 'two' never, 'three' in its frame 0.
    path = saved(tmp_path, visible=annotated_at([6, 13]))
    dataset = build(path, window_size=5, sparse=True)
    found = [(x['seq_name'], int(x['frame_ids'][0])) for x in dataset]
    assert found == [('one', 2), ('one', 3), ('one', 4), ('three', 0)]
    assert len(build(path, window_size=5)) == 5 + 1 + 2


def test_sparse_windows_weigh_annotated_frames_only(tmp_path):
    path = saved(tmp_path, visible=annotated_at([6]))
    dataset = build(
        path,
        window_size=5,
        sparse=True,
        pipeline=encode(normalization='box'),
    )
    labels = dataset[0]['data_samples'].gt_instance_labels
    expected = np.zeros((5, 15))
    expected[4] = 1  # the window starts in frame 2
    np.testing.assert_array_equal(labels.keypoint_weights, expected)
    # Frames without annotation are there as input.
    assert np.abs(dataset[0]['inputs'][:4]).min() > 0


def test_short_sparse_sequence(tmp_path):
    # Padding repeats frame 3 of 'two', but is no annotation of its own.
    path = saved(tmp_path, visible=annotated_at([12]))
    (item,) = build(path, window_size=6, sparse=True)
    assert item['seq_name'] == 'two'
    assert (item['keypoints_visible'].any(1) == [0, 0, 0, 1, 0, 0]).all()


def test_extras_follow_their_frames_and_their_owner(tmp_path):
    frames = np.arange(TOTAL)
    extras = dict(
        betas_est=np.tile(frames[:, None], (1, 10)).astype(np.float32),
        betas_gt=-np.tile(frames[:, None], (1, 10)).astype(np.float32),
        frame_number=frames + 100,
        image=np.array([f'{i}.jpg' for i in frames]),
    )
    path = saved(tmp_path, extras=extras)
    pack = [dict(type='PackPoseSequenceInputs')]
    sample = build(path, test_mode=True, pipeline=pack)[1]['data_samples']
    here = np.arange(9, 13)
    np.testing.assert_array_equal(sample.est_instances.betas[:, 3], here)
    np.testing.assert_array_equal(sample.gt_instances.betas[:, 3], -here)
    np.testing.assert_array_equal(sample.gt_instances.frame_number, here + 100)
    item = build(path, window_size=6)[4]
    # A window that is padded repeats the last frame's.
    np.testing.assert_array_equal(
        item['extras']['frame_number'], [109, 110, 111, 112, 112, 112]
    )


def test_a_person_never_found_is_kept_for_tests(tmp_path):
    class Found(PoseSequenceDataset):
        def load_sequences(self, path):
            estimates = make_sequences().keypoints_est
            estimates[9:13] = np.nan
            return make_sequences(keypoints_est=estimates)

    tests = Found(test_mode=True)
    assert [x['seq_name'] for x in tests] == ['one', 'two', 'three']
    lost = tests[1]
    assert not lost['keypoints_valid'].any()
    assert not lost['keypoint_scores'].any()
    assert np.isfinite(lost['keypoints']).all()
    assert lost['keypoints_visible'].all()
    names = [x['seq_name'] for x in Found(window_size=3)]
    assert set(names) == {'one', 'three'}


def test_millimetres_become_metres(tmp_path):
    one = make_sequences(joints=17, dims=3)
    path = saved(
        tmp_path,
        joints=17,
        dims=3,
        keypoints_est=one.keypoints_est * 1000,
        keypoints_gt=one.keypoints_gt * 1000,
        meta=dict(units='mm'),
    )
    item = Joints3d(path, test_mode=True)[0]
    np.testing.assert_allclose(
        item['keypoints'], one.keypoints_est[:9], rtol=1e-5
    )
    np.testing.assert_allclose(
        item['keypoints_gt'], one.keypoints_gt[:9], rtol=1e-5
    )
    wrong = saved(tmp_path, joints=17, dims=3, meta=dict(units='mm'))
    with pytest.raises(ValueError, match=r"poses\.npz.*seem to be in 'm'"):
        Joints3d(wrong)


def test_root_goes_to_the_metainfo(tmp_path):
    path = saved(tmp_path, joints=17, dims=3, meta=dict(units='m'))
    assert Joints3d(path).metainfo['root_indices'] == [0]


def test_root_codec_takes_each_relative_to_its_own_root(tmp_path):
    path = saved(tmp_path, joints=17, dims=3, meta=dict(units='m'))
    pipeline = encode(normalization='root', root=[1, 4])
    packed = Joints3d(path, window_size=4, pipeline=pipeline)[2]
    raw = make_sequences(joints=17, dims=3)
    labels = packed['data_samples'].gt_instance_labels.keypoint_labels
    for found, poses in (
        (packed['inputs'], raw.keypoints_est[2:6]),
        (labels, raw.keypoints_gt[2:6]),
    ):
        root = (poses[:, 1] + poses[:, 4]) / 2
        np.testing.assert_allclose(found, poses - root[:, None], atol=1e-6)


def test_frames_with_an_unknown_root_teach_nothing():
    codec = KEYPOINT_CODECS.build(
        dict(type='PoseSequenceCodec', normalization='root', root=[0])
    )
    raw = make_sequences(joints=17, dims=3)
    truth, visible = raw.keypoints_gt[:4].copy(), raw.visible[:4].copy()
    truth[1, 0] = np.nan
    visible[1, 0] = visible[2, 0] = 0
    weights = codec.encode(
        raw.keypoints_est[:4], visible, truth, raw.valid[:4]
    )['keypoint_weights']
    np.testing.assert_array_equal(weights.any(1), [True, False, False, True])
    assert weights[0].all()


def test_rotations_become_6d_and_gaps_are_filled_by_rotations(tmp_path):
    vectors = np.random.default_rng(1).normal(0, 1, (TOTAL, 17, 3))
    estimates = vectors.copy()
    estimates[2, 5] = np.nan
    path = saved(
        tmp_path,
        joints=17,
        dims=3,
        keypoints_est=estimates,
        keypoints_gt=vectors,
        meta=dict(units='axis-angle'),
    )
    item = Rotations(path, test_mode=True)[0]
    matrices = Rotation.from_rotvec(vectors[:9].reshape(-1, 3)).as_matrix()
    expected = matrices[..., :2].reshape(9, 17, 6)
    np.testing.assert_allclose(item['keypoints_gt'], expected, atol=1e-6)
    known = item['keypoints_valid']
    assert (~known).sum() == 1
    np.testing.assert_allclose(
        item['keypoints'][known], expected[known], atol=1e-6
    )
    columns = item['keypoints'][2, 5].reshape(3, 2)
    np.testing.assert_allclose(columns.T @ columns, np.eye(2), atol=1e-6)
