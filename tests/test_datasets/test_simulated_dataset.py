# Copyright (c) hanet_mm contributors. All rights reserved.
"""The data set of windows that are made up while one trains."""

import json

import numpy as np
import pytest
from mmengine.dataset import DefaultSampler, pseudo_collate
from mmengine.registry import init_default_scope
from mmengine.structures import InstanceData
from mmpose.registry import DATASETS, METRICS
from torch.utils.data import DataLoader

import hanet_mm  # noqa: F401
from hanet_mm.core.poses.skeleton_data import SKELETONS
from hanet_mm.datasets.simulation import kinds_of_part
from hanet_mm.datasets.simulation.generator import _present_frames

pytestmark = pytest.mark.mm

TRAIN = [
    dict(
        type='GenerateTarget',
        encoder=dict(type='PoseSequenceCodec', normalization='box'),
    ),
    dict(type='PackPoseSequenceInputs'),
]
TEST = [dict(type='PackPoseSequenceInputs')]
ARRAYS = (
    'keypoints', 'keypoint_scores', 'keypoints_valid', 'keypoints_gt',
    'keypoints_visible')  # fmt: skip


@pytest.fixture(autouse=True)
def _scope():
    init_default_scope('mmpose')


def build(**kwargs):
    kwargs = dict(num_windows=40, chunk_size=8, window_size=15, **kwargs)
    return DATASETS.build(dict(type='SimulatedPoseSequenceDataset', **kwargs))


@pytest.fixture(scope='module')
def pictures():
    init_default_scope('mmpose')
    return build(short_share=0.3)


@pytest.fixture
def ann_file(tmp_path):
    """Six recordings in which nobody moves; x says which one it is."""
    joints = np.random.default_rng(0).normal(0, 0.3, (17, 3))
    poses = np.float32(joints + np.arange(6)[:, None, None] * [10, 0, 0])
    np.savez(
        tmp_path / 'a.npz',
        coco17=poses.repeat(30, axis=0),
        coco17_names=np.array(SKELETONS['coco17'].keypoint_names),
        clean=np.arange(180) % 30 < 28,
        seq_len=np.full(6, 30),
        seq_name=np.array([f'walking_{i}' for i in range(1, 7)]),
        meta=np.array(json.dumps(dict(units='m', up='y'))),
    )
    return str(tmp_path / 'a.npz')


def test_windows_do_not_depend_on_the_order(pictures):
    backwards = [pictures.get_data_info(i) for i in range(39, -1, -1)][::-1]
    again = build(short_share=0.3)
    for i, one in enumerate(backwards):
        other = again.get_data_info(i)
        assert one['seq_name'] == other['seq_name']
        for key in (*ARRAYS, 'bboxes', 'image_size'):
            np.testing.assert_array_equal(one[key], other[key])
    names = {item['seq_name'] for item in backwards}
    assert len(names) == 40
    starts = {item['keypoints_gt'][0].tobytes() for item in backwards}
    assert len(starts) == 40


def test_another_seed_is_another_world(pictures):
    other = build(short_share=0.3, seed=1)
    for i in (0, 9):
        one, two = pictures.get_data_info(i), other.get_data_info(i)
        assert (one['keypoints_gt'] != two['keypoints_gt']).all()


def test_items_have_what_the_pipeline_needs(pictures):
    short = 0
    for i in range(40):
        item = pictures.get_data_info(i)
        for key in ARRAYS:
            assert item[key].shape[:2] == (15, 17)
            assert np.isfinite(item[key]).all()
        assert item['keypoints'].shape == (15, 17, 2)
        valid = item['keypoint_scores'] > 0
        np.testing.assert_array_equal(item['keypoints_valid'], valid)
        truth = item['keypoints_gt']
        low, high = truth.min(axis=1), truth.max(axis=1)
        middle, half = (low + high) / 2, 1.1 * (high - low) / 2
        np.testing.assert_allclose(
            item['bboxes'],
            np.concatenate([middle - half, middle + half], axis=1),
            rtol=1e-4,
            atol=1e-2,
        )
        assert item['keypoint_names'] == SKELETONS['coco17'].keypoint_names
        assert 15 <= item['fps'] <= 60
        # Padding repeats the nearest pose and has no weight.
        gone = item['keypoints_visible'].max(axis=1) == 0
        assert not valid[gone].any()
        if gone.any():
            short += 1
            end = 0 if gone[0] else -1
            step = 1 if gone[0] else -1
            inner = np.argmax(~gone[::step])
            assert gone[::step][:inner].all()
            np.testing.assert_array_equal(
                item['keypoints'][::step][:inner],
                item['keypoints'][end][None].repeat(inner, axis=0),
            )
    assert short > 3


@pytest.mark.parametrize('codec', [
    dict(normalization='box', supervise_missing=True),
    dict(normalization='image'),
    dict(normalization='root', root=(0, 3)),
])  # fmt: skip
def test_chunks_go_through_the_pipeline_at_once(codec):
    encode = dict(
        type='GenerateTarget', encoder=dict(codec, type='PoseSequenceCodec')
    )
    first = [dict(type='MeasureEvidence'), encode]
    at_once = build(short_share=0.4, chunk_pipeline=first, pipeline=TEST)
    each = build(short_share=0.4, pipeline=[*first, *TEST])
    for i in (3, 12, 39):
        one, many = each[i], at_once[i]
        np.testing.assert_allclose(many['inputs'], one['inputs'], rtol=1e-6)
        labels = one['data_samples'].gt_instance_labels
        found = many['data_samples'].gt_instance_labels
        assert found.keys() == labels.keys()
        assert len(found.keys()) == 6
        for key, value in labels.items():
            assert found[key].dtype == value.dtype
            np.testing.assert_allclose(found[key], value, atol=1e-6)


def test_short_windows_are_of_all_lengths():
    rng = np.random.default_rng(0)
    there = np.stack([_present_frames(rng, 8, 40, 0.5) for _ in range(2000)])
    # Without gaps.
    assert (np.diff(there.astype(int)) == 1).sum(-1).max() == 1
    lengths = there.sum(-1)
    short = lengths < 40
    assert abs(short.mean() - 0.5) < 0.03
    # Those of a chunk are of one length, uniform from 15 % to the whole:
    # mean 0.575, deviation 0.245.
    chunks = lengths.min(1)
    assert ((lengths == chunks[:, None]) | ~short).all()
    chunks = chunks[short.any(1)] / 40
    assert chunks.min() == 0.15
    assert abs(chunks.mean() - 0.575) < 4 * 0.245 / np.sqrt(2000)
    assert abs(chunks.std() - 0.245) < 0.01
    # Anywhere in the window.
    begins = there.argmax(-1)[short] / (40 - lengths[short])
    assert abs(begins.mean() - 0.5) < 0.02


def test_batches_in_order_make_each_chunk_once(monkeypatch):
    dataset = build(pipeline=TRAIN)
    dataset.full_init()
    calls = []
    make = dataset._generate

    def counted(rng, num):
        calls.append(num)
        return make(rng, num)

    monkeypatch.setattr(dataset, '_generate', counted)
    loader = DataLoader(
        dataset,
        batch_size=8,
        sampler=DefaultSampler(dataset, shuffle=False),
        collate_fn=pseudo_collate,
    )
    batches = list(loader)
    assert calls == [8] * 5
    assert len(batches) == 5
    for batch in batches:
        assert np.shape(batch['inputs']) == (8, 15, 17, 2)
        labels = batch['data_samples'][0].gt_instance_labels
        assert np.isfinite(labels.keypoint_labels).all()
        assert labels.keypoint_weights.shape == (15, 17)


def test_poses_in_3d_have_roots():
    dataset = build(skeleton='h36m17', noise='any-lifter')
    assert dataset.metainfo['dataset_name'] == 'h36m'
    assert dataset.metainfo['root_indices'] == [0]
    item = dataset.get_data_info(3)
    assert item['keypoints'].shape == (15, 17, 3)
    assert item['keypoint_names'] == SKELETONS['h36m17'].keypoint_names
    assert not {'bboxes', 'image_size'} & set(item)
    # A lifter gives places relative to the root: no error of its own.
    found = item['keypoints_valid'][:, 0]
    np.testing.assert_array_equal(
        item['keypoints'][found, 0], item['keypoints_gt'][found, 0]
    )


@pytest.mark.parametrize('skeleton', ['coco17', 'h36m17'])
def test_metrics_take_whole_windows(skeleton):
    dataset = build(skeleton=skeleton, pipeline=TEST, test_mode=True)
    metrics = ['AccelError', 'SequenceMPJPE']
    metrics += ['PoseSequencePCK'] if skeleton == 'coco17' else []
    samples, errors = [], []
    for i in range(16):
        sample = dataset[i]['data_samples']
        estimate, truth = sample.est_instances, sample.gt_instances
        sample.pred_instances = InstanceData(
            keypoints=estimate.keypoints,
            refined_mask=np.ones(15, dtype=bool),
        )
        samples.append(sample.to_dict())
        far = np.linalg.norm(estimate.keypoints - truth.keypoints, axis=-1)
        errors.append(far[truth.keypoints_visible > 0])
    for name in metrics:
        alignment = {}
        if name == 'SequenceMPJPE' and skeleton == 'coco17':
            alignment = dict(alignment='none')
        metric = METRICS.build(dict(type=name, **alignment))
        metric.dataset_meta = dataset.metainfo
        metric.process({}, samples)
        results = metric.evaluate(len(samples))
        assert all(np.isfinite(x) for x in results.values())
        if alignment:
            mean = np.concatenate(errors).mean()
            found = next(iter(results.values()))
            assert found == pytest.approx(mean, rel=1e-4)


def test_captured_motion_of_a_part(ann_file):
    every = build(
        ann_file=ann_file, part='train', procedural_share=0.0, short_share=0.0
    )
    weights = [every.get_data_info(i)['keypoints_visible'] for i in range(40)]
    weights = np.stack(weights).max(axis=-1)
    # Motion that is not clean is there, now and then.
    assert 0.7 < weights.mean() < 1
    every.full_init()
    starts = every._generate.bank.joints[::30, 0, 0]
    np.testing.assert_allclose(np.diff(starts), [20, 10, 20], rtol=1e-5)


def test_shares_of_the_sources(ann_file):
    banks = {
        share: build(ann_file=ann_file, procedural_share=share)
        for share in (0.0, 0.25, 1.0)
    }
    for share, dataset in banks.items():
        dataset.full_init()
        bank = dataset._generate.bank
        assert bank.chance[6:].sum() == pytest.approx(share)
        assert bank.chance.sum() == pytest.approx(1)


def test_windows_of_recordings(shared_dir):
    path = shared_dir / 'data' / 'cmu_mocap_train.npz'
    parts = [
        build(ann_file=str(path), part=part, pipeline=TRAIN, seed=seed)
        for seed, part in enumerate(('train', 'val'))
    ]
    for dataset in parts:
        batch = [dataset[i] for i in range(8)]
        assert all(np.isfinite(item['inputs']).all() for item in batch)
    # Besides 192 people who act, and six for each kind of exercise.
    recordings = [
        len(dataset._generate.bank.start)
        - (192 + 6 * len(kinds_of_part(dataset.part)))
        for dataset in parts
    ]
    assert recordings[0] > 3 * recordings[1] > 0


def test_frame_rates_are_within_the_range():
    dataset = build(fps_range=(29.0, 31.0), part='val')
    rates = [dataset[i]['fps'] for i in range(16)]
    assert 29 <= min(rates) < max(rates) <= 31


@pytest.mark.parametrize(
    ('kwargs', 'message'),
    [
        (dict(skeleton='jhmdb15'), "skeleton: .*found 'jhmdb15'"),
        (dict(num_windows=0), 'num_windows: expected >= 1, found 0'),
        (dict(window_size=0), 'window_size: expected >= 1'),
        (dict(chunk_size=-1), 'chunk_size: expected >= 1, found -1'),
        (dict(fps_range=(30, 15)), r'fps_range: .*found \(30, 15\)'),
        (dict(short_share=1.5), r'short_share: expected in \[0, 1\]'),
        (dict(procedural_share=-0.1), 'procedural_share: .*found -0.1'),
        (dict(part='dev'), "part has to be one of .*'dev'"),
        (dict(noise='some'), "noise has to be one of .*'some'"),
    ],
)
def test_bad_arguments(kwargs, message):
    config = dict(type='SimulatedPoseSequenceDataset', **kwargs)
    with pytest.raises(ValueError, match=message):
        DATASETS.build(config)


def test_a_file_with_other_keypoints_is_refused(tmp_path, ann_file):
    with np.load(ann_file) as file:
        contents = dict(file)
    contents['coco17_names'] = contents['coco17_names'][::-1]
    np.savez(tmp_path / 'b.npz', **contents)
    dataset = build(ann_file=str(tmp_path / 'b.npz'), lazy_init=True)
    with pytest.raises(ValueError, match=r'b\.npz: coco17_names: expected'):
        dataset.full_init()
