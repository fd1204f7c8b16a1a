# Copyright (c) hanet_mm contributors. All rights reserved.
"""Splits that stay on disk, several files of a split, length of an epoch."""

import multiprocessing

import numpy as np
import pytest
import torch
from mmengine.dataset import pseudo_collate
from mmengine.registry import init_default_scope
from mmpose.registry import DATA_SAMPLERS, DATASETS

import hanet_mm  # noqa: F401
from hanet_mm.core.data.folders import unpack_npz
from hanet_mm.core.data.sequences import PoseSequences, save_pose_sequences

pytestmark = pytest.mark.mm

LENGTHS = [20, 1, 300, 7, 12]
TYPES = {
    'px': ('JhmdbSequenceDataset', 15, 2),
    'mm': ('Human36mSequenceDataset', 17, 3),
    'axis-angle': ('Pw3dSmplSequenceDataset', 24, 3),
}


@pytest.fixture(autouse=True)
def _scope():
    init_default_scope('mmpose')


def make_sequences(units='px', seed=0, **changes):
    """Estimates with short and long gaps, at edges, and of a whole joint."""
    _, joints, dims = TYPES[units]
    total = sum(LENGTHS)
    rng = np.random.default_rng(seed)
    scale = {'px': 80, 'mm': 500, 'axis-angle': 0.5}[units]
    estimates = rng.normal(0, scale, (total, joints, dims))
    scores = rng.uniform(0.1, 1, (total, joints))
    estimates[rng.random((total, joints)) < 0.1] = np.nan
    scores[60:260, 3] = 0  # longer than what is looked at first
    scores[:20, 4] = 0  # never found in its sequence
    scores[321:328] = 0  # nobody was found
    fields = dict(
        keypoints_est=estimates,
        scores=scores,
        keypoints_gt=rng.normal(0, scale, (total, joints, dims)),
        visible=rng.integers(0, 2, (total, joints)),
        seq_len=np.array(LENGTHS),
        seq_name=np.array(['one', 'two', 'three', 'four', 'five']),
        fps=np.full(5, 25.0),
        meta={'units': units},
        extras={'betas_est': rng.normal(size=(total, 10))},
    )
    return PoseSequences(**{**fields, **changes})


def build(name, ann_file, **kwargs):
    if isinstance(ann_file, list):
        ann_file = [str(path) for path in ann_file]
    else:
        ann_file = str(ann_file)
    return DATASETS.build(dict(type=name, ann_file=ann_file, **kwargs))


def assert_items_equal(first, second):
    assert len(first) == len(second)
    for one, two in zip(first, second):
        assert {*one} == {*two}
        for key, value in one.items():
            np.testing.assert_equal(two[key], value, err_msg=key)


@pytest.mark.parametrize('units', TYPES)
@pytest.mark.parametrize('test_mode', [False, True])
def test_a_folder_gives_the_items_of_the_file(
    tmp_path, monkeypatch, units, test_mode
):
    from hanet_mm.core.data.sequences import load_pose_sequences
    from hanet_mm.datasets.benchmark_datasets import PoseSequenceDataset

    monkeypatch.setattr(
        PoseSequenceDataset,
        'load_sequences',
        lambda self, path: load_pose_sequences(path, allow_empty=True),
    )
    save_pose_sequences(tmp_path / 'x.npz', make_sequences(units))
    unpack_npz(tmp_path / 'x.npz', tmp_path / 'x')
    assert_items_equal(
        *(
            build(TYPES[units][0], path, window_size=11, test_mode=test_mode)
            for path in (tmp_path / 'x.npz', tmp_path / 'x')
        )
    )


@pytest.mark.parametrize('start', ['fork', 'spawn'])
def test_workers_read_a_folder(tmp_path, start):
    seqs = make_sequences(scores=np.ones((340, 15)))
    save_pose_sequences(tmp_path / 'x', seqs)
    dataset = build(
        'JhmdbSequenceDataset',
        tmp_path / 'x',
        window_size=11,
        pipeline=[dict(type='PackPoseSequenceInputs')],
    )
    loader = torch.utils.data.DataLoader(
        dataset,
        batch_size=64,
        num_workers=1,
        collate_fn=pseudo_collate,
        multiprocessing_context=multiprocessing.get_context(start),
    )
    found = np.concatenate([np.stack(x['inputs']) for x in loader])
    expected = np.stack([dataset[i]['inputs'] for i in range(len(dataset))])
    np.testing.assert_array_equal(found, expected)


def test_several_files_are_one_after_the_other(tmp_path):
    paths = [tmp_path / 'a.npz', tmp_path / 'b', tmp_path / 'c.npz']
    scores = np.ones((340, 15))
    for seed, path in enumerate(paths):
        save_pose_sequences(path, make_sequences(seed=seed, scores=scores))
    options = dict(window_size=11, sparse=True)
    name = 'JhmdbSequenceDataset'
    together = build(name, paths, **options)
    apart = [x for path in paths for x in build(name, path, **options)]
    ignored = ('seq_id', 'sample_idx')
    assert_items_equal(
        *(
            [{k: v for k, v in x.items() if k not in ignored} for x in items]
            for items in (together, apart)
        )
    )
    tests = build(name, paths, test_mode=True)
    assert [x['seq_id'] for x in tests] == list(range(15))
    # The same clips by several estimators are in the same part.
    val = build(name, paths, test_mode=True, part='val', val_fraction=0.2)
    assert [x['seq_name'] for x in val] == ['five'] * 3


def test_relative_files_are_in_the_root(tmp_path):
    save_pose_sequences(
        tmp_path / 'a.npz', make_sequences(scores=np.ones((340, 15)))
    )
    dataset = DATASETS.build(
        dict(
            type='JhmdbSequenceDataset',
            data_root=str(tmp_path),
            ann_file=['a.npz', 'a.npz'],
            test_mode=True,
        )
    )
    assert len(dataset) == 10


def test_files_with_other_fields_are_named(tmp_path):
    ones = np.ones((340, 15))
    save_pose_sequences(tmp_path / 'a.npz', make_sequences(scores=ones))
    save_pose_sequences(
        tmp_path / 'b.npz', make_sequences(scores=ones, fps=None)
    )
    with pytest.raises(ValueError, match=r'b\.npz: fps: expected in all'):
        build('JhmdbSequenceDataset', [tmp_path / 'a.npz', tmp_path / 'b.npz'])
    with pytest.raises(ValueError, match='expected at least 1 file'):
        build('JhmdbSequenceDataset', [])


def test_few_clips_have_a_part_to_select_by(tmp_path):
    path = tmp_path / 'few.npz'
    save_pose_sequences(path, make_sequences(scores=np.ones((340, 15))))
    names = [
        [x['seq_name'] for x in build(TYPES['px'][0], path, **options)]
        for options in (
            dict(part='train', test_mode=True),
            dict(part='val', test_mode=True),
        )
    ]
    assert names == [['one', 'two', 'three', 'four'], ['five']]


def sampler(size, **kwargs):
    return DATA_SAMPLERS.build(
        dict(type='PoseWindowSampler', dataset=range(size), **kwargs)
    )


def test_an_epoch_has_the_length_that_is_asked_for():
    drawn = sampler(1000, num_windows=100, seed=0)
    epochs = []
    for epoch in range(2):
        drawn.set_epoch(epoch)
        epochs.append(list(drawn))
        assert list(drawn) == epochs[-1]
    for windows in epochs:
        assert len(windows) == len(drawn) == len({*windows}) == 100
    assert len({*epochs[0]} & {*epochs[1]}) < 50
    # More than there are: each is drawn twice, some a third time.
    counts = np.bincount(list(sampler(10, num_windows=25, seed=0)))
    assert sorted(counts) == [2] * 5 + [3] * 5


def test_processes_share_the_windows_of_an_epoch():
    whole = list(sampler(1000, num_windows=100, seed=3))
    parts = []
    for rank in range(4):
        part = sampler(1000, num_windows=100, seed=3)
        part.rank, part.world_size = rank, 4
        parts.append(list(part))
    assert sorted(np.concatenate(parts)) == sorted(whole)


def test_no_windows_are_refused():
    with pytest.raises(ValueError, match='num_windows >= 1'):
        sampler(1000, num_windows=0)
