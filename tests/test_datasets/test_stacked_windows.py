# Copyright (c) hanet_mm contributors. All rights reserved.
"""Batches that stay in one piece from the chunk to the loss."""

import copy
import pickle
from multiprocessing.reduction import ForkingPickler

import numpy as np
import pytest
import torch
from mmengine.dataset import Compose, ConcatDataset, pseudo_collate
from mmengine.registry import FUNCTIONS, init_default_scope
from mmengine.runner import Runner
from mmpose.registry import DATASETS, MODELS
from torch.utils.data import DataLoader

from hanet_mm.datasets.transforms import PackPoseSequenceInputs
from hanet_mm.models.window_samples import stack_instances

pytestmark = pytest.mark.mm

ENCODE = dict(
    type='GenerateTarget',
    encoder=dict(
        type='PoseSequenceCodec', normalization='box', supervise_missing=True
    ),
)
LABELS = [
    'keypoint_labels', 'keypoint_weights', 'keypoint_scores',
    'keypoint_path', 'keypoint_noise', 'keypoint_allowance',
]  # fmt: skip


@pytest.fixture(autouse=True)
def _scope():
    init_default_scope('mmpose')


PACK = dict(type='PackPoseSequenceInputs')


@pytest.fixture(scope='module')
def source():
    init_default_scope('mmpose')
    return DATASETS.build(
        dict(
            type='SimulatedPoseSequenceDataset',
            num_windows=24,
            chunk_size=8,
            window_size=15,
            chunk_pipeline=[dict(type='MeasureEvidence'), ENCODE],
            pipeline=[PACK],
        )
    )


def changed(source, **attributes):
    """The same people in a data set with other attributes."""
    dataset = copy.copy(source)
    dataset._chunk, dataset._kept_stacks = (-1, {}), {}
    for name, value in attributes.items():
        is_pipeline = isinstance(value, list)
        setattr(dataset, name, Compose(value) if is_pipeline else value)
    return dataset


def batches(dataset, collate, workers=0):
    loader = dict(
        batch_size=8,
        num_workers=workers,
        sampler=dict(type='DefaultSampler', shuffle=False),
        dataset=dataset,
        collate_fn=dict(type=collate),
    )
    return list(Runner.build_dataloader(loader, seed=0))


@pytest.mark.parametrize('workers', [0, 1])
@pytest.mark.parametrize('augments', [[], [dict(type='RandomTimeReversal')]])
def test_the_model_gets_the_same(source, workers, augments):
    process = MODELS.build(
        dict(type='PoseSequenceDataPreprocessor', batch_augments=augments)
    )
    one = batches(source, 'pseudo_collate')
    many = batches(source, 'collate_windows', workers)
    assert len(one) == len(many) == 3
    for apart, stacked in zip(one, many):
        assert stacked['data_samples'] == [
            sample.seq_id for sample in apart['data_samples']
        ]
        found = []
        for batch in (apart, stacked):
            torch.manual_seed(0)
            found.append(process(batch, training=True))
        inputs = [x['inputs'] for x in found]
        assert inputs[0].shape == (8, 15, 17, 2)
        torch.testing.assert_close(inputs[1], inputs[0], rtol=0, atol=0)
        for key in LABELS:
            labels = [
                stack_instances(x['data_samples'], key, inputs[0])
                for x in found
            ]
            torch.testing.assert_close(labels[1], labels[0], rtol=0, atol=0)


@pytest.mark.parametrize(
    'again',
    [
        copy.deepcopy,
        lambda x: pickle.loads(pickle.dumps(x)),
        # As it goes from process to process.
        lambda x: pickle.loads(ForkingPickler.dumps(x)),
    ],
)
def test_a_batch_that_was_sent_is_the_same_and_its_own(source, again):
    batch = batches(source, 'collate_windows')[1]
    sent = again(batch)
    assert type(sent) is type(batch)
    assert sent['data_samples'] == batch['data_samples'] == [*range(8, 16)]
    assert [*sent['labels']] == [*batch['labels']]
    for one, two in zip(
        (batch['inputs'], *batch['labels'].values()),
        (sent['inputs'], *sent['labels'].values()),
    ):
        assert two.dtype == one.dtype
        torch.testing.assert_close(two, one, rtol=0, atol=0)
        two += 1
        assert (one != two).all()


def test_batches_of_a_worker_stay_as_they_are(source):
    # All are there before the first is looked at, and the worker is gone.
    sent = batches(source, 'collate_windows', 1)
    for here, there in zip(batches(source, 'collate_windows'), sent):
        torch.testing.assert_close(there['inputs'], here['inputs'])
        there['inputs'].zero_()


@pytest.mark.parametrize('attributes', [
    dict(chunk_size=6),
    dict(test_mode=True),
    dict(chunk_pipeline=[], pipeline=[ENCODE, PACK]),
    dict(pipeline=[dict(PACK, meta_keys=['fps'])]),
])  # fmt: skip
def test_other_batches_are_collated_as_ever(source, attributes):
    dataset = changed(source, **attributes)
    first = batches(dataset, 'collate_windows')[0]
    assert 'labels' not in first
    same = batches(dataset, 'pseudo_collate')[0]
    for one, two in zip(first['inputs'], same['inputs']):
        np.testing.assert_array_equal(one, two)


def test_stacked_windows_are_not_taken_for_sequences_to_test_on(source):
    process = MODELS.build(dict(type='PoseSequenceDataPreprocessor'))
    batch = batches(source, 'collate_windows')[0]
    with pytest.raises(ValueError, match='test_mode=True, found False'):
        process(batch, training=False)


def test_joined_data_sets_and_other_loaders_see_items(source):
    dataset = ConcatDataset([source, changed(source, seed=1)])
    items = [dataset[i] for i in (3, 27)]
    assert len(pseudo_collate(items)['inputs']) == 2
    batch = source.__getitems__([2, 3, 5])
    assert len(batch) == 3
    assert [x['data_samples'].seq_id for x in batch] == [2, 3, 5]
    assert [x['data_samples'].seq_id for x in batch[1:]] == [3, 5]


TURNED = {'keypoint_inputs', *LABELS}


class EitherWay:
    """Turns time round at random."""

    def __init__(self):
        self.rng = np.random.default_rng(0)
        self.turns = []

    def __call__(self, results):
        step = self.rng.choice([-1, 1])
        self.turns.append(step)
        return {
            key: x[::step].copy() if key in TURNED else x
            for key, x in results.items()
        }


@pytest.mark.parametrize('collate', ['pseudo_collate', 'collate_windows'])
def test_what_is_drawn_for_a_window_is_drawn_once(source, collate):
    step = EitherWay()
    dataset = changed(source, num_windows=8, pipeline=[step, PACK])
    # Not by the runner, which copies the data set and all that is drawn.
    loader = DataLoader(dataset, 8, collate_fn=FUNCTIONS.get(collate))
    batch = next(iter(loader))
    turns = np.array(step.turns)
    assert turns.shape == (8,)
    assert np.ptp(turns) == 2
    plain = changed(source, num_windows=8)
    same = batches(plain, 'pseudo_collate')[0]
    for row, turn in enumerate(turns):
        inputs = same['inputs'][row][::turn]
        np.testing.assert_array_equal(batch['inputs'][row], inputs)
        found, expected = (
            x['data_samples'][row].gt_instance_labels['keypoint_labels']
            for x in (batch, same)
        )
        np.testing.assert_array_equal(found, expected[::turn])


def test_other_ways_to_pack_are_not_passed_over(source):
    class OwnPack(PackPoseSequenceInputs):
        pass

    assert source.stack_windows([0, 1]) is not None
    assert changed(source, pipeline=[OwnPack()]).stack_windows([0]) is None


def test_a_subclass_that_changes_windows_is_not_passed_over(source):
    class Slower(type(source)):
        def get_data_info(self, idx):
            return dict(super().get_data_info(idx), fps=1.0)

    dataset = changed(source)
    assert dataset.stack_windows([0, 1]) is not None
    dataset.__class__ = Slower
    assert dataset.stack_windows([0, 1]) is None


def test_chunks_are_kept_once_in_whatever_order(source):
    dataset = changed(source, keep=True)
    rng = np.random.default_rng(0)
    for _ in range(5):
        dataset.stack_windows(rng.permutation(8))
    assert [*dataset._kept_stacks] == [0]


def test_kept_windows_are_not_written_to(source):
    dataset = changed(source, keep=True)
    before = dataset.stack_windows([0, 1])
    copied = {key: value.copy() for key, value in before.items()}
    for value in before.values():
        value[...] = -7
    dataset.stack_windows([16])
    after = dataset.stack_windows([0, 1])
    assert after.keys() == {'inputs', *LABELS}
    for key, value in after.items():
        np.testing.assert_array_equal(value, copied[key])
