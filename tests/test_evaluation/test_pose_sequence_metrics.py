# Copyright (c) hanet_mm contributors. All rights reserved.
"""Metrics over whole sequences, on poses whose errors are chosen by hand."""

import numpy as np
import pytest
import torch
from mmengine.logging import MMLogger
from mmengine.structures import InstanceData
from mmpose.datasets.datasets.utils import parse_pose_metainfo
from mmpose.registry import METRICS
from mmpose.structures import PoseDataSample

from hanet_mm.evaluation import AccelError, PoseSequencePCK, SequenceMPJPE

pytestmark = pytest.mark.mm

JHMDB = [
    'neck',
    'belly',
    'head',
    'right_shoulder',
    'left_shoulder',
    'right_hip',
    'left_hip',
    'right_elbow',
    'left_elbow',
    'right_knee',
    'left_knee',
    'right_wrist',
    'left_wrist',
    'right_ankle',
    'left_ankle',
]


@pytest.fixture(scope='module')
def jhmdb_meta():
    """The data set's own description, as MMPose hands it to metrics."""
    return parse_pose_metainfo(
        dict(from_file='configs/_base_/datasets/jhmdb.py')
    )


def make_sample(
    errors, seq_name='clip', visible=None, refined=None, input_errors=None
):
    """A sequence whose keypoints are off by ``errors`` (T, K) along x.

    The boxes are 50 x 100, so that thr 0.1 is 10 px.
    """
    errors = np.asarray(errors, np.float32)
    gt = np.random.default_rng(0).normal(0, 30, errors.shape + (2,))
    gt = gt.astype(np.float32)

    def shifted(by):
        return gt + np.stack([by, np.zeros_like(by)], axis=-1)

    truth = dict(
        keypoints=gt,
        keypoints_visible=np.ones(errors.shape, np.float32),
        bboxes=np.tile(np.float32([5, 5, 55, 105]), (len(gt), 1)),
    )
    if visible is not None:
        truth['keypoints_visible'] = np.asarray(visible, np.float32)
    pred = dict(keypoints=shifted(errors))
    if refined is not None:
        pred['refined_mask'] = np.asarray(refined, bool)
    sample = dict(seq_name=seq_name, gt_instances=truth, pred_instances=pred)
    if input_errors is not None:
        by = np.asarray(input_errors, np.float32)
        sample['est_instances'] = dict(keypoints=shifted(by))
    return sample


def evaluate(metric, samples, meta=None):
    metric.dataset_meta = meta
    metric.process(None, samples)
    return metric.evaluate(len(samples))


# PCK


def test_pck_pools_frames_or_averages_sequences():
    """By hand: keypoint 0 hits 1/1 and 1/3, keypoint 1 hits 0/1 and 3/3."""
    samples = [
        make_sample([[9, 11]], 'short'),
        make_sample([[9, 9], [11, 9], [11, 9]], 'long'),
    ]
    pooled = evaluate(PoseSequencePCK(thr=(0.1,)), samples)
    # Keypoint 0: 2 of 4. Keypoint 1: 3 of 4.
    assert pooled == {'refined/PCK@0.1': pytest.approx(100 * 5 / 8)}
    mean = evaluate(PoseSequencePCK(thr=(0.1,), average='sequence'), samples)
    # Mean of 1/1, 1/3, 0/1, 3/3.
    assert mean == {'refined/PCK@0.1': pytest.approx(100 * 7 / 12)}


def test_pck_of_boxes_cut_to_whole_pixels():
    """A box of 99.2 px is one of 100 px then: 9.95 px are within 10 %."""
    sample = make_sample([[9.95, 10.05]])
    sample['gt_instances']['bboxes'] = np.array([[0.9, 0, 100.1, 50]])
    for cut, expected in ((False, 0), (True, 50)):
        metric = PoseSequencePCK(thr=(0.1,), truncate_boxes=cut)
        assert evaluate(metric, [sample]) == {'refined/PCK@0.1': expected}


def test_pck_reports_every_threshold():
    sample = make_sample([[4, 6, 12, 25]])
    result = evaluate(PoseSequencePCK(), [sample])
    assert result == {
        'refined/PCK@0.2': 75.0,
        'refined/PCK@0.1': 50.0,
        'refined/PCK@0.05': 25.0,
    }


@pytest.mark.parametrize(
    ('column', 'joints'),
    [
        ('Head', ['head']),
        ('Sho', ['right_shoulder', 'left_shoulder']),
        ('Elb', ['right_elbow', 'left_elbow']),
        ('Wri', ['right_wrist', 'left_wrist']),
        ('Hip', ['right_hip', 'left_hip']),
        ('Knee', ['right_knee', 'left_knee']),
        ('Ank', ['right_ankle', 'left_ankle']),
    ],
)
def test_a_column_is_the_joints_of_its_name(jhmdb_meta, column, joints):
    errors = np.zeros((1, 15))
    errors[0, [JHMDB.index(joint) for joint in joints]] = 50
    result = evaluate(
        PoseSequencePCK(thr=(0.1,)), [make_sample(errors)], jhmdb_meta
    )
    columns = {
        key.split('/')[-1]: value
        for key, value in result.items()
        if key.count('/') == 2
    }
    assert len(columns) == 7
    assert [name for name in columns if columns[name] == 0] == [column]
    assert all(columns[name] == 100 for name in columns if name != column)
    assert result['refined/PCK@0.1'] == pytest.approx(
        100 * (15 - len(joints)) / 15
    )


def test_neck_and_belly_count_in_the_mean_only(jhmdb_meta):
    errors = np.zeros((1, 15))
    errors[0, :2] = 50
    result = evaluate(
        PoseSequencePCK(thr=(0.1,)), [make_sample(errors)], jhmdb_meta
    )
    assert result.pop('refined/PCK@0.1') == pytest.approx(100 * 13 / 15)
    assert set(result.values()) == {100.0}


def test_a_column_is_the_mean_of_left_and_right(jhmdb_meta):
    """The right wrist is seen once, the left three times: 1/1 and 1/3."""
    errors, visible = np.zeros((3, 15)), np.ones((3, 15))
    right, left = JHMDB.index('right_wrist'), JHMDB.index('left_wrist')
    visible[1:, right] = 0
    errors[1:, left] = 50
    result = evaluate(
        PoseSequencePCK(thr=(0.1,)),
        [make_sample(errors, visible=visible)],
        jhmdb_meta,
    )
    assert result['refined/PCK@0.1/Wri'] == pytest.approx(100 * 4 / 6)


@pytest.mark.parametrize('average', ['frames', 'sequence'])
def test_a_keypoint_never_visible_is_in_no_mean(average):
    samples = [
        make_sample([[0, 50, 50]], 'a', visible=[[1, 1, 0]]),
        make_sample([[0, 0, 50]], 'b', visible=[[1, 0, 0]]),
    ]
    result = evaluate(PoseSequencePCK(thr=(0.1,), average=average), samples)
    assert result == {'refined/PCK@0.1': pytest.approx(50.0)}


def test_pck_writes_a_table_to_the_log(jhmdb_meta, caplog):
    logger = MMLogger.get_current_instance()
    logger.addHandler(caplog.handler)
    try:
        evaluate(
            PoseSequencePCK(thr=(0.1,)),
            [make_sample(np.zeros((2, 15)))],
            jhmdb_meta,
        )
    finally:
        logger.removeHandler(caplog.handler)
    lines = caplog.text.splitlines()
    header = next(line for line in lines if line.startswith('thr'))
    row = next(line for line in lines if line.startswith('0.1'))
    assert header.split()[1:] == [
        *('Head', 'Sho', 'Elb', 'Wri', 'Hip', 'Knee', 'Ank', 'Mean')
    ]
    assert row.split()[1:] == ['100.0'] * 8


# Mean error and acceleration


def test_mpjpe_pools_frames_of_all_sequences():
    samples = [make_sample([[3.0]]), make_sample([[1.0], [1.0], [1.0]])]
    assert evaluate(SequenceMPJPE(), samples) == {
        'refined/MPJPE': pytest.approx(6 / 4, rel=1e-5)
    }


def test_aligned_mpjpe_ignores_a_common_shift():
    sample = make_sample(np.full((2, 6), 40.0))
    result = evaluate(SequenceMPJPE(alignment='similarity'), [sample])
    assert result == {'refined/PA-MPJPE': pytest.approx(0, abs=1e-4)}


def test_accel_is_that_of_each_sequence_alone():
    """An error that jumps between two clips is no acceleration."""
    flat = [make_sample([[0.0]] * 3), make_sample([[90.0]] * 3)]
    assert evaluate(AccelError(), flat) == {
        'refined/Accel': pytest.approx(0, abs=1e-4)
    }
    bump = [make_sample([[0.0], [6.0], [0.0]])]
    assert evaluate(AccelError(), flat + bump) == {
        'refined/Accel': pytest.approx(12 / 3, rel=1e-5)
    }


@pytest.mark.parametrize('metric', [SequenceMPJPE, AccelError])
def test_unit_scale_makes_millimetres_of_metres(metric):
    sample = make_sample([[0.0], [0.5], [0.0]])
    (metres,) = evaluate(metric(), [sample]).values()
    (millimetres,) = evaluate(metric(unit_scale=1000.0), [sample]).values()
    assert metres > 0.1
    assert millimetres == pytest.approx(1000 * metres)


# What all of them share

ALL = [
    (dict(type='PoseSequencePCK', thr=(0.1,)), 'PCK@0.1'),
    (dict(type='SequenceMPJPE'), 'MPJPE'),
    (dict(type='SequenceMPJPE', alignment='similarity'), 'PA-MPJPE'),
    (dict(type='AccelError'), 'Accel'),
]


@pytest.mark.parametrize(('cfg', 'key'), ALL)
class TestAllMetrics:
    rng = np.random.default_rng(3)
    errors = rng.uniform(0, 20, (8, 5))
    input_errors = rng.uniform(0, 30, (8, 5))

    def run(self, cfg, samples):
        return evaluate(METRICS.build(cfg), samples)

    def test_source_input_is_the_estimate(self, cfg, key):
        sample = make_sample(self.errors, input_errors=self.input_errors)
        other = make_sample(self.input_errors)
        result = self.run(dict(cfg, source='input'), [sample])
        expected = self.run(cfg, [other])['refined/' + key]
        assert result == {'input/' + key: pytest.approx(expected)}

    def test_prefix_can_be_chosen(self, cfg, key):
        sample = make_sample(self.errors)
        result = self.run(dict(cfg, prefix='jhmdb'), [sample])
        assert list(result) == ['jhmdb/' + key]

    @pytest.mark.parametrize('source', ['pred', 'input'])
    def test_frames_not_refined_count_for_neither_source(
        self, cfg, key, source
    ):
        cfg = dict(cfg, source=source, prefix='p')
        inputs = self.input_errors
        whole = make_sample(
            self.errors, refined=[1] * 6 + [0] * 2, input_errors=inputs
        )
        cut = make_sample(self.errors[:6], input_errors=inputs[:6])
        # The truth of both is drawn alike: compare sums through the errors.
        for part in ('gt_instances', 'pred_instances', 'est_instances'):
            cut[part]['keypoints'] = whole[part]['keypoints'][:6]
        assert self.run(cfg, [whole]) == pytest.approx(self.run(cfg, [cut]))

    def test_keypoints_not_visible_do_not_count(self, cfg, key):
        visible = np.ones((8, 5))
        visible[:, 4] = 0
        full = make_sample(self.errors, visible=visible)
        cut = make_sample(self.errors)
        for part in ('gt_instances', 'pred_instances'):
            cut[part]['keypoints'] = full[part]['keypoints'][:, :4]
        cut['gt_instances']['keypoints_visible'] = visible[:, :4]
        assert self.run(cfg, [full]) == pytest.approx(self.run(cfg, [cut]))

    def test_data_samples_of_tensors(self, cfg, key):
        """As the evaluator hands them over, from a PoseDataSample."""
        plain = make_sample(self.errors, refined=[1] * 7 + [0])
        sample = PoseDataSample(metainfo=dict(seq_name='clip'))
        for part in ('gt_instances', 'pred_instances'):
            fields = {k: torch.as_tensor(v) for k, v in plain[part].items()}
            setattr(sample, part, InstanceData(**fields))
        assert self.run(cfg, [sample.to_dict()]) == self.run(cfg, [plain])

    def test_batches_do_not_matter(self, cfg, key):
        samples = [make_sample(self.errors[: n + 3]) for n in range(5)]
        metric = METRICS.build(cfg)
        for start in (0, 2, 4):
            metric.process(None, samples[start : start + 2])
        assert metric.evaluate(5) == self.run(cfg, samples)

    def test_nothing_to_count_is_nan_with_a_warning(self, cfg, key, caplog):
        logger = MMLogger.get_current_instance()
        logger.addHandler(caplog.handler)
        try:
            hidden = make_sample(self.errors, visible=np.zeros((8, 5)))
            result = self.run(cfg, [hidden])
        finally:
            logger.removeHandler(caplog.handler)
        assert np.isnan(result['refined/' + key])
        assert 'nothing to count' in caplog.text

    def test_evaluating_twice_starts_anew(self, cfg, key):
        metric = METRICS.build(cfg)
        first = evaluate(metric, [make_sample(self.errors)])
        evaluate(metric, [make_sample(self.input_errors)])
        assert evaluate(metric, [make_sample(self.errors)]) == first

    def test_bad_samples_are_named(self, cfg, key):
        name = rf'{cfg["type"]}\(pred\), sequence kick_7: '
        metric = METRICS.build(cfg)
        sample = make_sample(self.errors, 'kick_7', visible=np.ones((8, 4)))
        with pytest.raises(
            ValueError,
            match=name + r'keypoints_visible .*\(8, 5\), got \(8, 4\)',
        ):
            metric.process(None, [sample])
        sample = make_sample(self.errors, 'kick_7', refined=[1, 1])
        with pytest.raises(
            ValueError, match=name + r'refined_mask .*\(8,\), got \(2,\)'
        ):
            metric.process(None, [sample])
        sample = make_sample(self.errors, 'kick_7')
        sample['pred_instances']['keypoints'] = np.zeros((7, 5, 2))
        with pytest.raises(
            ValueError, match=name + r'pred .*\(8, 5, 2\), got \(7, 5, 2\)'
        ):
            metric.process(None, [sample])
        del sample['gt_instances']
        with pytest.raises(
            ValueError, match=name + r'.* no gt_instances\.keypoints'
        ):
            metric.process(None, [sample])
        assert metric.results == []

    def test_a_source_that_does_not_exist_is_refused(self, cfg, key):
        with pytest.raises(ValueError, match=r"'input', 'pred'.* got 'gt'"):
            METRICS.build(dict(cfg, source='gt'))


@pytest.mark.parametrize(
    ('cfg', 'text'),
    [
        (dict(type='PoseSequencePCK', average='joint'), 'average'),
        (dict(type='PoseSequencePCK', thr=()), 'thr'),
        (dict(type='PoseSequencePCK', thr=(0.1, 0.0)), 'thr'),
        (dict(type='SequenceMPJPE', alignment='scale'), 'alignment'),
    ],
)
def test_arguments_out_of_range_are_refused(cfg, text):
    with pytest.raises(ValueError, match=f'{cfg["type"]}: {text}'):
        METRICS.build(cfg)


def test_pck_names_a_sample_without_boxes():
    sample = make_sample([[0.0]], 'kick_7')
    del sample['gt_instances']['bboxes']
    with pytest.raises(ValueError, match=r'kick_7: .*gt_instances\.bboxes'):
        PoseSequencePCK().process(None, [sample])


def test_pck_refuses_keypoints_of_another_data_set(jhmdb_meta):
    with pytest.raises(ValueError, match='15 keypoints, the poses have 4'):
        evaluate(PoseSequencePCK(), [make_sample([[0] * 4])], jhmdb_meta)


def test_a_prediction_of_nan_is_a_miss_of_pck_and_an_error_elsewhere():
    sample = make_sample([[0.0, 0.0]] * 3, 'kick_7')
    sample['pred_instances']['keypoints'][1, 0] = np.nan
    assert evaluate(PoseSequencePCK(thr=(0.1,)), [sample]) == {
        'refined/PCK@0.1': pytest.approx(100 * 5 / 6)
    }
    for metric in (SequenceMPJPE(), AccelError()):
        with pytest.raises(
            ValueError, match=r'kick_7: pred .*frame 1, keypoint 0'
        ):
            metric.process(None, [sample])


def rooted_sample():
    """Truth at rest; the prediction moves as a whole, by x = t^2.

    Joint 0 is the root, and joint 1 is off by 3 relative to it.
    """
    gt = np.zeros((5, 2, 3), np.float32)
    gt[:, 1] = [0, 0, 1]
    pred = gt + (np.arange(5)[:, None, None] ** 2) * np.float32([1, 0, 0])
    pred[:, 1, 1] += 3
    return dict(
        seq_name='walk',
        gt_instances=dict(
            keypoints=gt, keypoints_visible=np.ones((5, 2), np.float32)
        ),
        pred_instances=dict(keypoints=pred),
        est_instances=dict(keypoints=pred),
    )


def run(metric, sample, meta=None):
    metric.dataset_meta = meta
    metric.process(None, [sample])
    return metric.evaluate(1)


@pytest.mark.parametrize('given', ['argument', 'metainfo'])
def test_root_alignment(given):
    root = [0] if given == 'argument' else None
    meta = dict(root_indices=[0]) if given == 'metainfo' else {}
    metric = SequenceMPJPE('root', root=root, unit_scale=1000)
    result = run(metric, rooted_sample(), meta)
    assert result == {'refined/MPJPE': pytest.approx(1500)}
    metric = AccelError('root', root=root)
    assert run(metric, rooted_sample(), meta)['refined/Accel'] == 0


def test_no_alignment_sees_the_motion_of_the_root():
    # Second difference of t^2 is 2.
    assert run(AccelError(), rooted_sample())['refined/Accel'] == 2


def test_frames_without_root_do_not_count():
    sample = rooted_sample()
    sample['gt_instances']['keypoints_visible'][1, 0] = 0
    sample['gt_instances']['keypoints'][1, 0] = np.nan
    sample['pred_instances']['keypoints'][1] += 100
    result = run(SequenceMPJPE('root', root=[0]), sample)
    assert result == {'refined/MPJPE': pytest.approx(1.5)}


def test_root_alignment_needs_a_root():
    for metric in (SequenceMPJPE('root'), AccelError('root')):
        with pytest.raises(ValueError, match=r'walk.*root_indices'):
            run(metric, rooted_sample(), {})
    with pytest.raises(ValueError, match="got 'similarity'"):
        AccelError('similarity')
