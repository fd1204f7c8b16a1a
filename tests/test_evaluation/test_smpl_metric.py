# Copyright (c) hanet_mm contributors. All rights reserved.
"""Metrics of SMPL rotations: bodies and angles."""

import logging
import math

import numpy as np
import pytest
import torch
from mmengine.structures import InstanceData
from mmpose.registry import METRICS
from mmpose.structures import PoseDataSample
from oracles.plain_smpl import LSP14, plain_smpl, random_smpl
from scipy.spatial.transform import Rotation

from hanet_mm.core.poses.rotations import axis_angle_to_rot6d
from hanet_mm.evaluation import smpl_metric
from hanet_mm.evaluation.mean_errors import SequenceMPJAE
from hanet_mm.evaluation.smpl_metric import SMPLMetric

pytestmark = pytest.mark.mm

SKELETON = dict(type='SkeletonBodyModel')


@pytest.fixture
def smpl(tmp_path):
    pytest.importorskip('smplx', reason='needs the extra "smpl"')
    np.savez(tmp_path / 'SMPL.npz', **random_smpl())
    return dict(type='SMPLBodyModel', model_path=str(tmp_path / 'SMPL.npz'))


def rot6d(vectors):
    return axis_angle_to_rot6d(torch.as_tensor(vectors)).float().numpy()


def make_sample(frames=6, seed=0, noise=0.2, name='clip'):
    """A sequence; the rotation vectors of prediction, estimate and truth.

    Further entries: shape of the estimate, shape and size of the truth.
    """
    rng = np.random.default_rng(seed)
    truth = rng.normal(0, 0.4, (frames, 24, 3))
    pred = truth + rng.normal(0, noise, truth.shape)
    estimate = truth + rng.normal(0, 2 * noise, truth.shape)
    vectors = dict(pred=pred, input=estimate, gt=truth)
    betas = rng.normal(size=(2, frames, 10)).astype(np.float32)
    scale = rng.uniform(0.8, 1.2, frames).astype(np.float32)
    sample = dict(
        seq_name=name,
        pred_instances=dict(keypoints=rot6d(pred)),
        est_instances=dict(keypoints=rot6d(estimate), betas=betas[0]),
        gt_instances=dict(
            keypoints=rot6d(truth),
            keypoints_visible=np.ones((frames, 24), np.float32),
            betas=betas[1],
            scale=scale,
        ),
    )
    return sample, vectors


def evaluate(metric, *samples):
    metric.process(None, samples)
    return metric.evaluate(len(samples))


def plain_bodies(sample, vectors, source):
    """Joints and vertices in mm of prediction and truth, frame by frame."""
    arrays, bodies = random_smpl(), []
    for who in (source, 'gt'):
        instances = 'gt_instances' if who == 'gt' else 'est_instances'
        betas = sample[instances].get('betas', np.zeros((99, 10)))
        scale = np.ones(99)
        if who == 'gt':
            scale = sample['gt_instances'].get('scale', scale)
        bodies.append(
            [
                plain_smpl(
                    arrays, Rotation.from_rotvec(turn).as_matrix(), *rest
                )
                for turn, *rest in zip(vectors[who], betas, scale)
            ]
        )
    joints = np.array([[b[0][LSP14] for b in body] for body in bodies])
    vertices = np.array([[b[1] for b in body] for body in bodies])
    joints = joints - joints[:, :, 2:4].mean(2, keepdims=True)
    return 1000 * joints, 1000 * vertices


def plain_errors(sample, vectors, source='pred', frames=None):
    """The four errors in mm, one frame after the other."""
    joints, vertices = plain_bodies(sample, vectors, source)
    total = len(joints[0])
    frames = range(total) if frames is None else frames
    aligned = []
    for frame in frames:
        ours, truth = (x[frame] - x[frame].mean(0) for x in joints)
        turned = Rotation.align_vectors(truth, ours)[0].apply(ours)
        turned *= (turned * truth).sum() / (turned**2).sum()
        aligned.append(np.linalg.norm(turned - truth, axis=-1).mean())
    distances = np.linalg.norm(joints[0] - joints[1], axis=-1).mean(-1)
    surface = np.linalg.norm(vertices[0] - vertices[1], axis=-1).mean(-1)
    accel = []
    for frame in range(1, total - 1):
        if {frame - 1, frame, frame + 1} <= set(frames):
            a, b = (
                body[frame - 1] - 2 * body[frame] + body[frame + 1]
                for body in joints
            )
            accel.append(np.linalg.norm(a - b, axis=-1).mean())
    return {
        'MPJPE': np.mean(distances[list(frames)]),
        'PA-MPJPE': np.mean(aligned),
        'MPVPE': np.mean(surface[list(frames)]),
        'Accel': np.mean(accel),
    }


def named(errors, prefix):
    return {
        f'{prefix}/{name}': pytest.approx(value, rel=1e-4)
        for name, value in errors.items()
    }


class TestSMPLMetric:
    @pytest.mark.parametrize(
        ('source', 'prefix'), [('pred', 'refined'), ('input', 'input')]
    )
    def test_is_the_plain_protocol(self, smpl, source, prefix):
        """Shape of the estimate on one side, shape and size on the other."""
        sample, vectors = make_sample()
        result = evaluate(SMPLMetric(smpl, source=source), sample)
        errors = plain_errors(sample, vectors, source)
        assert result == named(errors, prefix)

    def test_mean_shape_where_there_is_none(self, smpl):
        sample, vectors = make_sample()
        del sample['est_instances'], sample['gt_instances']['betas']
        sample['est_instances'] = {}
        del sample['gt_instances']['scale']
        result = evaluate(SMPLMetric(smpl), sample)
        assert result == named(plain_errors(sample, vectors), 'refined')

    def test_a_frame_counts_where_all_rotations_do(self, smpl):
        sample, vectors = make_sample(9)
        truth = sample['gt_instances']
        truth['keypoints_visible'][2, 5] = 0
        truth['keypoints'][2] = np.nan
        truth['betas'][2] = np.nan
        covered = np.ones(9, bool)
        covered[8] = False
        sample['pred_instances']['refined_mask'] = covered
        result = evaluate(SMPLMetric(smpl), sample)
        frames = [0, 1, 3, 4, 5, 6, 7]
        expected = plain_errors(sample, vectors, frames=frames)
        assert result == named(expected, 'refined')

    def test_sequences_are_pooled_by_frames(self, smpl):
        """Whatever the batches and processes: sums and counts are added."""
        samples = [make_sample(k, k, 0.1 * k, str(k))[0] for k in (3, 5, 8)]
        together = evaluate(SMPLMetric(smpl), *samples)
        apart = [SMPLMetric(smpl) for _ in range(2)]
        apart[0].process(None, samples[:1])
        apart[1].process(None, samples[1:2])
        apart[1].process(None, samples[2:])
        merged = apart[0].results + apart[1].results
        assert len(merged) == len(samples)
        pooled = apart[0].compute_metrics(merged)
        assert together == {f'refined/{k}': v for k, v in pooled.items()}
        alone = [evaluate(SMPLMetric(smpl), x) for x in samples]
        mean = np.average(
            [x['refined/MPJPE'] for x in alone], weights=[3, 5, 8]
        )
        assert together['refined/MPJPE'] == pytest.approx(mean)
        mean = np.average(
            [x['refined/Accel'] for x in alone], weights=[1, 3, 6]
        )
        assert together['refined/Accel'] == pytest.approx(mean)

    def test_chunks_change_nothing(self, smpl, monkeypatch):
        sample, _ = make_sample(7)
        sample['gt_instances']['keypoints_visible'][3] = 0
        whole = evaluate(SMPLMetric(smpl), sample)
        monkeypatch.setattr(smpl_metric, '_CHUNK_FRAMES', 2)
        assert evaluate(SMPLMetric(smpl), sample) == pytest.approx(whole)

    def test_the_truth_is_perfect(self, smpl):
        sample, _ = make_sample()
        truth = sample['gt_instances']
        sample['pred_instances']['keypoints'] = truth['keypoints']
        sample['est_instances']['betas'] = truth['betas']
        truth['scale'] = np.ones(6)
        result = evaluate(SMPLMetric(smpl), sample)
        assert max(result.values()) < 1e-3

    def test_closed_form_of_a_turned_elbow(self):
        """A forearm of 250 mm turned by 90 degrees in one of five frames."""
        vectors = np.zeros((5, 24, 3))
        truth = rot6d(vectors)
        vectors[2, 18, 1] = math.pi / 2
        sample = dict(
            seq_name='elbow',
            gt_instances=dict(keypoints=truth),
            pred_instances=dict(keypoints=rot6d(vectors)),
        )
        result = evaluate(SMPLMetric(SKELETON, prefix='bones'), sample)
        off = 250 * math.sqrt(2)
        # No vertices, so no MPVPE. Accel: 1, 2 and 1 times the error.
        assert set(result) == {'bones/MPJPE', 'bones/PA-MPJPE', 'bones/Accel'}
        assert result['bones/MPJPE'] == pytest.approx(off / (5 * 14), 1e-5)
        assert result['bones/Accel'] == pytest.approx(4 * off / (3 * 14), 1e-5)

    def test_turning_prediction_and_truth_alike(self):
        """Joint errors do not depend on where the body faces."""
        sample, vectors = make_sample()
        expected = evaluate(SMPLMetric(SKELETON), sample)
        turn = Rotation.from_rotvec([0.3, 2.0, -1.0])
        for who, name in (('pred', 'pred_instances'), ('gt', 'gt_instances')):
            root = turn * Rotation.from_rotvec(vectors[who][:, 0])
            vectors[who][:, 0] = root.as_rotvec()
            sample[name]['keypoints'] = rot6d(vectors[who])
        result = evaluate(SMPLMetric(SKELETON), sample)
        assert result == pytest.approx(expected, rel=1e-4)

    def test_real_data_samples_of_tensors(self):
        sample, _ = make_sample()
        expected = evaluate(SMPLMetric(SKELETON), sample)
        packed = PoseDataSample(metainfo=dict(seq_name='clip'))
        for name in ('pred_instances', 'est_instances', 'gt_instances'):
            fields = {k: torch.as_tensor(v) for k, v in sample[name].items()}
            packed.set_field(InstanceData(**fields), name)
        assert evaluate(SMPLMetric(SKELETON), packed.to_dict()) == expected

    def test_nothing_to_count_is_nan(self, smpl, caplog):
        sample, _ = make_sample()
        sample['gt_instances']['keypoints_visible'][:] = 0
        with caplog.at_level(logging.WARNING):
            result = evaluate(SMPLMetric(smpl), sample)
        assert len(result) == 4
        assert all(np.isnan(value) for value in result.values())

    @pytest.mark.parametrize(
        ('instances', 'key', 'value', 'message'),
        [
            ('pred_instances', 'keypoints', (6, 24, 3), r'6D form .*\(6, 24'),
            ('gt_instances', 'keypoints', (6, 17, 3), r'24 joints .*17, 3\)'),
            ('est_instances', 'betas', (5, 10), r'est.*\(6, 10\), got \(5,'),
            ('gt_instances', 'betas', (6, 16), r'gt_.*\(6, 10\), got \(6, 16'),
            ('gt_instances', 'scale', (6, 1), r'scale .*\(6,\), got \(6, 1\)'),
        ],
    )
    def test_other_shapes(self, instances, key, value, message):
        sample, _ = make_sample(name='walk')
        sample[instances][key] = np.ones(value, np.float32)
        if key == 'keypoints' and value[1] == 17:
            del sample['gt_instances']['keypoints_visible']
        with pytest.raises(ValueError, match=rf'\(pred\).* walk: .*{message}'):
            evaluate(SMPLMetric(SKELETON), sample)

    def test_what_counts_has_to_be_finite(self):
        sample, _ = make_sample()
        sample['pred_instances']['keypoints'][4, 3, 0] = np.nan
        message = 'prediction must be finite .* at frame 4, joint 3'
        with pytest.raises(ValueError, match=message):
            evaluate(SMPLMetric(SKELETON), sample)
        sample, _ = make_sample()
        sample['est_instances']['betas'][1] = np.inf
        with pytest.raises(
            ValueError, match=r'est_instances\.betas must be f'
        ):
            evaluate(SMPLMetric(SKELETON), sample)

    def test_a_size_in_centimetres(self):
        sample, _ = make_sample()
        sample['gt_instances']['scale'][:] = 93.5
        with pytest.raises(ValueError, match=r'near 1 .* got 93\.5; .* centi'):
            evaluate(SMPLMetric(SKELETON), sample)


class TestSequenceMPJAE:
    def test_mean_angle_of_what_counts(self):
        sample, vectors = make_sample()
        visible = np.random.default_rng(1).random((6, 24)) > 0.3
        sample['gt_instances']['keypoints_visible'] = visible * 1.0
        sample['gt_instances']['keypoints'][~visible] = np.nan
        for source, prefix in (('pred', 'refined'), ('input', 'input')):
            result = evaluate(SequenceMPJAE(source=source), sample)
            a, b = (
                Rotation.from_rotvec(vectors[x][visible])
                for x in (source, 'gt')
            )
            expected = np.degrees((a * b.inv()).magnitude().mean())
            assert result == {
                f'{prefix}/MPJAE': pytest.approx(expected, rel=1e-5)
            }

    def test_closed_form_pooled_over_sequences(self):
        """30 degrees at one of 2 x 24 joints, then 90 at one of 24."""
        samples = []
        for frames, degrees in ((2, 30), (1, 90)):
            truth = np.tile([0.3, -0.2, 0.1], (frames, 24, 1))
            pred = Rotation.from_rotvec(truth[0, 0])
            pred = pred * Rotation.from_euler('x', degrees, degrees=True)
            turned = truth.copy()
            turned[0, 4] = pred.as_rotvec()
            samples.append(
                dict(
                    gt_instances=dict(keypoints=rot6d(truth)),
                    pred_instances=dict(keypoints=rot6d(turned)),
                )
            )
        result = evaluate(SequenceMPJAE(), *samples)
        assert result['refined/MPJAE'] == pytest.approx(120 / 72, abs=1e-4)

    def test_no_size_of_the_columns_matters(self):
        sample, _ = make_sample()
        expected = evaluate(SequenceMPJAE(), sample)
        sample['pred_instances']['keypoints'] *= 3
        assert evaluate(SequenceMPJAE(), sample) == pytest.approx(expected)

    def test_other_shapes(self):
        sample, _ = make_sample(name='walk')
        sample['pred_instances']['keypoints'] = np.ones((6, 24, 3))
        with pytest.raises(ValueError, match=r'walk: .*6D form \(T, K, 6\)'):
            evaluate(SequenceMPJAE(), sample)


def test_both_are_registered():
    for cfg in (
        dict(type='SMPLMetric', body_model=SKELETON),
        dict(type='SequenceMPJAE'),
    ):
        assert METRICS.build(cfg).prefix == 'refined'
