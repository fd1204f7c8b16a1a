# Copyright (c) hanet_mm contributors. All rights reserved.
"""Generated sequences and the data set made of them."""

import dataclasses

import numpy as np
import pytest
from mmpose.registry import DATASETS

from hanet_mm.datasets.simulated_pose_sequence_dataset import (
    SyntheticPoseSequenceDataset,
)
from hanet_mm.datasets.simulation import (
    EstimatorNoise,
    generate_synthetic_sequences,
)

pytestmark = pytest.mark.mm

ARRAYS = (
    'keypoints_est',
    'scores',
    'keypoints_gt',
    'visible',
    'bboxes',
    'seq_len',
    'image_size',
    'fps',
)


@pytest.fixture(scope='module')
def sequences():
    return generate_synthetic_sequences(300, (20, 50), seed=7)


def relative_errors(sequences):
    boxes = sequences.bboxes
    size = np.max(boxes[:, 2:] - boxes[:, :2], axis=1)
    error = sequences.keypoints_est - sequences.keypoints_gt
    return np.linalg.norm(error, axis=-1) / size[:, None]


def acceleration(sequences, keypoints):
    """Mean length of second differences within sequences."""
    parts = np.split(keypoints, sequences.starts[1:])
    bend = np.concatenate([np.diff(part, 2, axis=0) for part in parts])
    return np.nanmean(np.linalg.norm(bend, axis=-1))


def test_layout(sequences):
    frames = sequences.seq_len.sum()
    assert sequences.keypoints_gt.shape == (frames, 15, 2)
    assert sequences.keypoints_est.dtype == np.float32
    assert len(sequences.seq_len) == len(set(sequences.seq_name)) == 300
    assert sequences.seq_len.min() == 20
    assert sequences.seq_len.max() == 50
    assert (sequences.visible == 1).all()
    assert (sequences.image_size == (640, 480)).all()
    assert (sequences.fps == 25).all()
    assert len(sequences.meta['keypoint_names']) == 15
    missing = np.isnan(sequences.keypoints_est).any(-1)
    np.testing.assert_array_equal(missing, sequences.scores == 0)


def test_boxes_are_the_joints_bounds_plus_ten_per_cent(sequences):
    low = sequences.keypoints_gt.min(axis=1)
    high = sequences.keypoints_gt.max(axis=1)
    margin = 0.05 * (high - low)
    expected = np.concatenate([low - margin, high + margin], axis=1)
    np.testing.assert_allclose(sequences.bboxes, expected, atol=1e-3)


def test_sequences_are_cut_where_they_say(sequences):
    """Motion is smooth within sequences and not across them."""
    step = np.diff(sequences.keypoints_gt, axis=0)
    step = np.linalg.norm(step, axis=-1).mean(axis=1)
    across = sequences.starts[1:] - 1
    within = np.delete(step, across)
    assert np.median(step[across]) > 20 * np.median(within)


def test_people_move_in_every_frame(sequences):
    """Also against each other: a moving camera alone would not do."""
    step = np.diff(sequences.keypoints_gt, axis=0)
    step = np.delete(step, sequences.starts[1:] - 1, axis=0)
    own = step - step.mean(axis=1, keepdims=True)
    assert np.linalg.norm(own, axis=-1).max(axis=1).min() > 0.05


def test_input_resembles_that_of_the_paper(sequences):
    """Table 1 of the paper: 56.9 / 81.3 / 94.4 for SimpleBaseline."""
    error = relative_errors(sequences)
    for threshold, paper in ((0.05, 56.9), (0.1, 81.3), (0.2, 94.4)):
        # NaN counts as a miss.
        assert 100 * (error <= threshold).mean() == pytest.approx(paper, abs=4)


def test_input_is_much_shakier_than_the_truth(sequences):
    truth = acceleration(sequences, sequences.keypoints_gt)
    found = acceleration(sequences, sequences.keypoints_est)
    assert found > 5 * truth


def test_same_seed_same_data(sequences):
    again = generate_synthetic_sequences(300, (20, 50), seed=7)
    for name in ARRAYS:
        np.testing.assert_array_equal(
            getattr(again, name), getattr(sequences, name)
        )


def test_fewer_sequences_are_the_first_ones(sequences):
    few = generate_synthetic_sequences(70, (20, 50), seed=7)
    frames = few.seq_len.sum()
    np.testing.assert_array_equal(few.seq_len, sequences.seq_len[:70])
    np.testing.assert_array_equal(
        few.keypoints_gt, sequences.keypoints_gt[:frames]
    )
    np.testing.assert_array_equal(
        few.keypoints_est, sequences.keypoints_est[:frames]
    )


def test_other_seed_other_people(sequences):
    other = generate_synthetic_sequences(300, (20, 50), seed=8)
    first, second = (
        {tuple(x) for x in s.keypoints_gt[s.starts].reshape(300, -1)}
        for s in (sequences, other)
    )
    assert len(first) == len(second) == 300
    assert not first & second


def test_noise_does_not_change_the_motion(sequences):
    clean = generate_synthetic_sequences(
        300, (20, 50), seed=7, noise=EstimatorNoise(jitter=0.1)
    )
    np.testing.assert_array_equal(clean.keypoints_gt, sequences.keypoints_gt)
    assert np.nanmean(relative_errors(clean)) > 1.5 * np.nanmean(
        relative_errors(sequences)
    )


def test_one_frame_sequences():
    sequences = generate_synthetic_sequences(5, (1, 1))
    assert sequences.keypoints_gt.shape == (5, 15, 2)


def test_actions_image_size_and_fps_are_arguments():
    slow, fast = (
        generate_synthetic_sequences(
            100, (30, 30), image_size=(320, 240), fps=fps, actions=['walk']
        )
        for fps in (25.0, 50.0)
    )
    assert (slow.keypoints_gt >= 0).all()
    assert (slow.keypoints_gt <= (320, 240)).all()
    assert (fast.fps == 50).all()
    # Half the time between frames: a quarter of the acceleration.
    ratio = acceleration(slow, slow.keypoints_gt) / acceleration(
        fast, fast.keypoints_gt
    )
    assert 2.5 < ratio < 5


@pytest.mark.parametrize(
    ('kwargs', 'message'),
    [
        (dict(num_sequences=0), 'num_sequences: expected >= 1, found 0'),
        (dict(seq_len_range=(9, 8)), r'seq_len_range: .*found \(9, 8\)'),
        (dict(seq_len_range=(0, 8)), r'seq_len_range: .*found \(0, 8\)'),
        (dict(image_size=(0, 8)), r'image_size: .*found \(0, 8\)'),
        (dict(fps=0.0), 'fps: expected > 0, found 0'),
        (dict(actions=['fly']), r"actions: .*found \('fly',\)"),
    ],
)
def test_bad_arguments(kwargs, message):
    with pytest.raises(ValueError, match=message):
        generate_synthetic_sequences(**{'num_sequences': 1, **kwargs})


def build(**kwargs):
    name = SyntheticPoseSequenceDataset.__name__
    return DATASETS.build(
        dict(type=name, num_sequences=6, seq_len_range=(15, 30), **kwargs)
    )


def test_dataset_training_items_are_windows():
    dataset = build(seed=3, window_size=11)
    sequences = generate_synthetic_sequences(6, (15, 30), seed=3)
    assert len(dataset) == (sequences.seq_len - 10).sum()
    item = dataset[0]
    np.testing.assert_array_equal(
        item['keypoints_gt'], sequences.keypoints_gt[:11]
    )
    assert item['keypoints'].shape == (11, 15, 2)
    assert np.isfinite(item['keypoints']).all()
    assert dataset.metainfo['dataset_name'] == 'jhmdb'


def test_dataset_test_items_are_sequences():
    dataset = build(seed=3, test_mode=True)
    sequences = generate_synthetic_sequences(6, (15, 30), seed=3)
    assert len(dataset) == 6
    for item, length in zip(dataset, sequences.seq_len):
        assert item['keypoints'].shape == (length, 15, 2)
        assert item['bboxes'].shape == (length, 4)


def test_dataset_parts_by_seed_share_nothing():
    train, val = (
        {
            item['keypoints_gt'].tobytes()
            for item in build(seed=s, test_mode=True)
        }
        for s in (0, 1)
    )
    assert len(train) == len(val) == 6
    assert not train & val


def test_dataset_noise_is_configurable():
    names = [item.name for item in dataclasses.fields(EstimatorNoise)]
    none = {name: 0.0 for name in names if name.endswith('_share')}
    item = build(noise=dict(jitter=0.0, **none), test_mode=True)[0]
    np.testing.assert_array_equal(item['keypoints'], item['keypoints_gt'])
    with pytest.raises(ValueError, match='jitter_correlation'):
        build(noise=dict(jitter_correlation=1.0))
