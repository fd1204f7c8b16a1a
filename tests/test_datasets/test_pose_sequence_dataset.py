# Copyright (c) hanet_mm contributors. All rights reserved.
"""Windows for training, sequences for testing."""

import multiprocessing
import pickle
from multiprocessing.reduction import ForkingPickler

import numpy as np
import pytest
import torch
from mmengine.dataset import BaseDataset, pseudo_collate
from mmengine.registry import init_default_scope
from mmpose.registry import DATASETS

import hanet_mm  # noqa: F401
from hanet_mm.core.data.folders import unpack_npz
from hanet_mm.core.data.sequences import PoseSequences, save_pose_sequences

pytestmark = pytest.mark.mm

LENGTHS = [20, 1, 11, 7]
KEYPOINTS = ('keypoints_est', 'keypoints_gt')
PIPELINE = [
    dict(type='GenerateTarget', encoder=dict(type='PoseSequenceCodec')),
    dict(type='PackPoseSequenceInputs'),
]


@pytest.fixture(autouse=True)
def _scope():
    init_default_scope('mmpose')


def make_sequences(**changes):
    total = sum(LENGTHS)
    rng = np.random.default_rng(0)
    frames = np.arange(total, dtype=np.float32)
    fields = dict(
        # The x coordinate of keypoint 0 is the flat frame.
        keypoints_est=rng.normal(100, 30, (total, 15, 2)),
        scores=rng.uniform(0.1, 1, (total, 15)),
        keypoints_gt=rng.normal(100, 30, (total, 15, 2)),
        visible=np.ones((total, 15)),
        bboxes=np.tile([0, 0, 200, 100], (total, 1)),
        seq_len=np.array(LENGTHS),
        seq_name=np.array(['one', 'two', 'three', 'four']),
        image_size=np.tile([320, 240], (4, 1)),
        fps=np.full(4, 25.0),
    )
    fields['keypoints_est'][:, 0, 0] = frames
    fields.update(changes)
    return PoseSequences(**fields)


@pytest.fixture
def ann_file(tmp_path):
    path = tmp_path / 'poses.npz'
    save_pose_sequences(path, make_sequences())
    return str(path)


def build(ann_file, **kwargs):
    return DATASETS.build(
        dict(type='JhmdbSequenceDataset', ann_file=ann_file, **kwargs)
    )


def test_every_start_of_every_sequence_is_an_item(ann_file):
    dataset = build(ann_file, window_size=11)
    seen = [(item['seq_name'], item['frame_ids'].tolist()) for item in dataset]
    expected = [('one', list(range(i, i + 11))) for i in range(10)]
    expected += [('two', [0] * 11), ('three', list(range(11)))]
    expected += [('four', [0, 1, 2, 3, 4, 5, 6, 6, 6, 6, 6])]
    assert seen == expected


def test_items_hold_the_frames_they_name(ann_file):
    starts = np.cumsum(LENGTHS) - LENGTHS
    for item in build(ann_file, window_size=11):
        frames = starts[item['seq_id']] + item['frame_ids']
        np.testing.assert_array_equal(item['keypoints'][:, 0, 0], frames)


def test_padded_frames_have_no_weight(ann_file):
    dataset = build(ann_file, window_size=11)
    item = dataset[len(dataset) - 1]
    weights = item['keypoints_visible']
    assert weights[:7].all()
    assert not weights[7:].any()
    # ... and the data set itself was not written to.
    assert dataset[len(dataset) - 1]['keypoints_visible'][:7].all()
    assert build(ann_file, test_mode=True)[3]['keypoints_visible'].all()


def test_test_items_are_whole_sequences(ann_file):
    dataset = build(ann_file, window_size=11, test_mode=True)
    assert [len(item['keypoints']) for item in dataset] == LENGTHS
    item = dataset[0]
    assert item['bboxes'].shape == (20, 4)
    assert item['image_size'].tolist() == [320, 240]
    assert item['fps'] == 25
    assert dataset.metainfo['dataset_name'] == 'jhmdb'


def test_parts_are_disjoint_and_complete(ann_file):
    names = {
        part: [
            item['seq_name']
            for item in build(
                ann_file, part=part, val_fraction=0.5, test_mode=True
            )
        ]
        for part in ('train', 'val', None)
    }
    assert len(names['val']) == 2
    assert sorted(names['train'] + names['val']) == sorted(names[None])


def test_people_of_a_video_stay_in_one_part(tmp_path):
    path = tmp_path / 'people.npz'
    names = np.array(['b', 'a', 'b', 'c'])
    save_pose_sequences(path, make_sequences(seq_name=names))
    # Of the videos b, a, c in the order of the file every second is held.
    parts = {
        part: [
            x['seq_id']
            for x in build(
                str(path), part=part, val_fraction=0.5, test_mode=True
            )
        ]
        for part in ('train', 'val')
    }
    assert parts == {'train': [0, 2, 3], 'val': [1]}


def test_missing_keypoints_are_filled_marked_and_not_supervised(tmp_path):
    sequences = make_sequences()
    estimates, scores = sequences.keypoints_est, sequences.scores
    estimates[5, 2] = np.nan  # not a number
    scores[6, 2] = 0  # not found
    path = tmp_path / 'gaps.npz'
    save_pose_sequences(path, sequences)
    item = build(str(path), test_mode=True)[0]
    first, last = estimates[4, 2], estimates[7, 2]
    np.testing.assert_allclose(
        item['keypoints'][5:7, 2],
        [first + (last - first) / 3, first + (last - first) * 2 / 3],
        rtol=1e-5,
    )
    assert not item['keypoints_valid'][5:7, 2].any()
    assert (item['keypoint_scores'][5:7, 2] == 0).all()
    packed = build(str(path), window_size=20, pipeline=PIPELINE)[0]
    labels = packed['data_samples'].gt_instance_labels
    assert (labels.keypoint_weights[5:7, 2] == 0).all()
    assert labels.keypoint_weights.sum() == 20 * 15 - 2
    assert np.isfinite(packed['inputs']).all()


def test_unknown_truth_has_no_weight(tmp_path):
    truth = make_sequences().keypoints_gt
    truth[3, 4] = np.nan
    path = tmp_path / 'sparse.npz'
    save_pose_sequences(path, make_sequences(keypoints_gt=truth, visible=None))
    item = build(str(path), test_mode=True)[0]
    assert item['keypoints_visible'][3, 4] == 0
    assert item['keypoints_visible'].sum() == 20 * 15 - 1


def test_subset_is_one_of_sequences(ann_file):
    dataset = build(ann_file, window_size=11, indices=2)
    assert {item['seq_name'] for item in dataset} == {'one', 'two'}
    assert len(build(ann_file, window_size=11).get_subset([2])) == 1


def test_subsets_do_not_depend_on_earlier_ones(ann_file):
    """MMEngine remembers the addresses of all objects that it copied."""
    (memo,) = BaseDataset._copy_without_annotation.__defaults__
    dataset = build(ann_file, window_size=11)
    memo[id(dataset._sources)] = 'one that had this address'
    try:
        (item,) = dataset.get_subset([2])
    finally:
        memo.clear()
    assert item['keypoints'].shape == (11, 15, 2)


def test_negative_and_too_large_indices(ann_file):
    dataset = build(ann_file, window_size=11)
    assert dataset[-1]['seq_name'] == 'four'
    with pytest.raises(IndexError):
        dataset.get_data_info(len(dataset))


@pytest.mark.parametrize('start', ['fork', 'spawn'])
def test_workers_share_the_frames(ann_file, start):
    dataset = build(ann_file, window_size=11, pipeline=PIPELINE)
    loader = torch.utils.data.DataLoader(
        dataset,
        batch_size=4,
        num_workers=1,
        collate_fn=pseudo_collate,
        multiprocessing_context=multiprocessing.get_context(start),
    )
    batches = list(loader)
    assert sum(len(b['inputs']) for b in batches) == len(dataset)
    if start == 'spawn':
        # What a spawned worker gets is a handle, not a copy.
        size = len(ForkingPickler.dumps(dataset))
        frames = sum(LENGTHS) * 15 * (2 + 2 + 1 + 1) * 4
        assert len(pickle.dumps(dataset)) > frames
        assert size < frames


def test_other_keypoints_than_those_of_the_data_set(tmp_path):
    path = tmp_path / 'coco.npz'
    total = sum(LENGTHS)
    save_pose_sequences(
        path,
        make_sequences(
            keypoints_est=np.ones((total, 17, 2)),
            scores=np.ones((total, 17)),
            keypoints_gt=np.ones((total, 17, 2)),
            visible=None,
        ),
    )
    with pytest.raises(ValueError, match=r'coco.npz: expected 15.*found 17'):
        build(str(path))
    path = tmp_path / 'names.npz'
    names = [f'point_{i}' for i in range(15)]
    save_pose_sequences(path, make_sequences(meta={'keypoint_names': names}))
    with pytest.raises(ValueError, match=r'names.npz.*point_0.*neck'):
        build(str(path))


def test_file_without_truth(tmp_path):
    path = tmp_path / 'raw.npz'
    save_pose_sequences(path, make_sequences(keypoints_gt=None, visible=None))
    with pytest.raises(ValueError, match=r'raw.npz.*keypoints_gt'):
        build(str(path))


def test_unknown_part(ann_file):
    with pytest.raises(ValueError, match="'test'"):
        build(ann_file, part='test')


def test_kept_items_are_prepared_once_and_stay_as_they_were(ann_file):
    made = []

    def note(results):
        made.append(results['sample_idx'])
        return results

    data = build(ann_file, window_size=5, pipeline=[note], keep=True)
    first = data[3]
    expected = first['keypoints'].copy()
    first['keypoints'] += 1
    np.testing.assert_array_equal(data[3]['keypoints'], expected)
    assert made == [3]
    # Of a part of the sequences other items have these numbers.
    part = data.get_subset([2])
    np.testing.assert_array_equal(part[3]['keypoints'][:, 0, 0], range(24, 29))


@pytest.mark.parametrize(
    ('options', 'message'),
    [
        (dict(window_size=3), r'poses.npz: keypoints_gt: .* in 4 sequences'),
        (dict(window_size=3, part='train'), "part 'train': keypoints_gt: exp"),
        (dict(test_mode=True, part='val'), "part 'val': keypoints_gt: exp"),
    ],
)
@pytest.mark.parametrize('how', ['nan', 'invisible', 'folder'])
def test_nothing_annotated_is_refused(tmp_path, options, message, how):
    total = sum(LENGTHS)
    changes = dict(visible=np.zeros((total, 15)))
    if how == 'nan':
        changes = dict(
            visible=None, keypoints_gt=np.full((total, 15, 2), np.nan)
        )
    path = tmp_path / 'poses.npz'
    save_pose_sequences(path, make_sequences(**changes))
    if how == 'folder':
        path = unpack_npz(path, tmp_path / 'folder')
        message = message.replace('poses.npz', 'folder')
    with pytest.raises(ValueError, match=message):
        build(str(path), **options)


@pytest.mark.parametrize('mapped', [False, True])
def test_one_annotated_keypoint_is_enough(tmp_path, mapped):
    visible = np.zeros((sum(LENGTHS), 15))
    visible[21, 3] = 1  # of the third sequence
    path = tmp_path / 'poses.npz'
    save_pose_sequences(path, make_sequences(visible=visible))
    if mapped:
        path = unpack_npz(path, tmp_path / 'folder')
    assert len(build(str(path), window_size=3, part='train'))
    with pytest.raises(ValueError, match="part 'val': keypoints_gt"):
        build(str(path), test_mode=True, part='val')


def test_a_test_without_truth_is_predicted(tmp_path):
    path = tmp_path / 'poses.npz'
    save_pose_sequences(
        path, make_sequences(visible=np.zeros((sum(LENGTHS), 15)))
    )
    assert len(build(str(path), test_mode=True)) == len(LENGTHS)


def test_joints_in_3d_are_refused_by_a_2d_data_set(tmp_path):
    path = tmp_path / 'poses.npz'
    shape = (sum(LENGTHS), 15, 3)
    save_pose_sequences(
        path,
        make_sequences(**dict.fromkeys(KEYPOINTS, np.ones(shape))),
    )
    with pytest.raises(ValueError, match=r'2 coordinates .*, found 3$'):
        build(str(path), window_size=3)
