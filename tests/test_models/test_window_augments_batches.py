# Copyright (c) hanet_mm contributors. All rights reserved.
"""Augmentations in the data preprocessor: labels, samples, training."""

import numpy as np
import pytest
import torch
from mmengine.structures import InstanceData
from mmpose.structures import PoseDataSample
from window_batches import augment, build, make_batch

import hanet_mm  # noqa: F401
from hanet_mm.models.window_samples import stack_instances

pytestmark = pytest.mark.mm


def make_sample(batch, index):
    sample = PoseDataSample()
    sample.gt_instance_labels = InstanceData(
        keypoint_labels=batch.target[index].numpy(),
        keypoint_weights=batch.weights[index].numpy(),
        keypoint_scores=batch.scores[index].numpy(),
    )
    return sample


def run_preprocessor(batch, training, augments):
    preprocessor = build(
        'PoseSequenceDataPreprocessor', batch_augments=augments
    )
    samples = [make_sample(batch, i) for i in range(len(batch.poses))]
    data = dict(inputs=list(batch.poses.numpy()), data_samples=samples)
    return preprocessor(data, training=training)


def test_labels_of_the_loss_are_augmented_like_the_inputs():
    batch = make_batch()
    augments = [
        dict(type='RandomTimeReversal', prob=1.0),
        dict(type='RefitBox'),
    ]
    data = run_preprocessor(batch, True, augments)
    # Truth that nobody knows is put where the estimate is.
    unknown = (batch.weights == 0)[..., None]
    known = batch._replace(
        target=torch.where(unknown, batch.poses, batch.target)
    )
    expected = augment('RandomTimeReversal', known, prob=1.0)
    expected = augment('RefitBox', expected)
    torch.testing.assert_close(data['inputs'], expected.poses)
    for key, values in (
        ('keypoint_labels', expected.target),
        ('keypoint_weights', expected.weights),
        ('keypoint_scores', expected.scores),
    ):
        labels = stack_instances(data['data_samples'], key, data['inputs'])
        torch.testing.assert_close(labels, values)


def test_augmentation_leaves_the_samples_as_they_are():
    batch = make_batch()
    sample = make_sample(batch, 0)
    before = sample.gt_instance_labels.keypoint_labels.copy()
    data = dict(inputs=[batch.poses[0].numpy()], data_samples=[sample])
    build(
        'PoseSequenceDataPreprocessor',
        batch_augments=[dict(type='RandomTimeReversal', prob=1.0)],
    )(data, training=True)
    np.testing.assert_array_equal(
        sample.gt_instance_labels.keypoint_labels, before
    )


@pytest.mark.parametrize('training', [False, True])
def test_preprocessor_augments_training_alone(training):
    batch = make_batch()
    augments = [dict(type='RandomTimeReversal', prob=1.0)]
    augments = None if training else augments
    data = run_preprocessor(batch, training, augments)
    for index, poses in enumerate(batch.poses):
        torch.testing.assert_close(data['inputs'][index], poses)
        np.testing.assert_array_equal(
            data['data_samples'][index].gt_instance_labels.keypoint_labels,
            batch.target[index],
        )


def test_truth_that_is_nan_does_not_get_into_the_inputs():
    batch = make_batch()
    batch.target[0, 1, 0] = float('nan')
    batch.weights[0, 1, 0] = 0
    augments = [
        dict(type='ExchangeErrors', window_prob=0.5, joint_prob=0.5),
        dict(type='RandomSpeed', prob=1.0, speed_range=(0.5, 2.0)),
    ]
    torch.manual_seed(0)
    data = run_preprocessor(batch, True, augments)
    assert data['inputs'].isfinite().all()
