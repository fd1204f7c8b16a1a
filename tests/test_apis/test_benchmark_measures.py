# Copyright (c) hanet_mm contributors. All rights reserved.
"""Figures of an output: closed forms and slow plain implementations."""

from dataclasses import replace

import numpy as np
import pytest
from benchmark_data import make_sequences, split

from hanet_mm.apis.benchmark.evaluation import measure_output, read_truth
from hanet_mm.apis.benchmark.methods import filled_input
from hanet_mm.apis.benchmark.tables import judge
from hanet_mm.core.metrics.errors import accel_error


def measure(output, sequences, **options):
    truth = read_truth(sequences, **options)
    return measure_output(output, truth, filled_input(sequences))


@pytest.mark.parametrize('delay', [2, 6, 9])
def test_a_delay_fails_the_verdict_however_long(delay):
    sequences = make_sequences((60, 41, 80), noise=0)
    late = [
        np.concatenate([np.repeat(x[:1], delay, 0), x[:-delay]])
        for x in split(sequences.keypoints_gt, sequences)
    ]
    found = measure(np.concatenate(late), sequences)
    assert found['lag'] == pytest.approx(delay, abs=0.3)
    best = dict(mean_error=1e9, error_95=1e9, accel_error=1e9, lag=0.0)
    (verdict,) = judge(
        [
            dict(best, method='smooth', kind='filter'),
            dict(found, method='late', kind='refiner'),
        ]
    )
    assert not verdict['passes']
    assert f'has a LAG of {found["lag"]:.2f} frames' in verdict['text']


def test_percentile_and_mean_of_every_frame():
    sequences = make_sequences()
    # Errors 0, 1, 2, ... px: percentiles are known.
    count = sequences.scores.size
    errors = np.random.default_rng(1).permutation(count).reshape(-1, 5)
    output = sequences.keypoints_gt + errors[..., None] * np.array([0.6, 0.8])
    found = measure(output, sequences)
    assert found['mean_error'] == pytest.approx((count - 1) / 2, rel=1e-5)
    assert found['error_95'] == pytest.approx(0.95 * (count - 1), rel=1e-5)
    assert found['empty'] == 0


def test_errors_by_hand():
    sequences = make_sequences((30, 1, 2, 25), noise=9.0)
    visible = np.random.default_rng(2).random((58, 5)) > 0.3
    gt = np.where(visible[..., None], sequences.keypoints_gt, np.nan)
    sequences = replace(
        sequences, keypoints_gt=gt, visible=visible.astype(np.float32)
    )
    output = sequences.keypoints_est
    found = measure(output, sequences)
    accel, errors = np.zeros(2), []
    hits = {0.2: 0, 0.1: 0, 0.05: 0}
    for frame, joint in zip(*np.nonzero(visible)):
        error = np.hypot(*(output[frame, joint] - gt[frame, joint]))
        left, top, right, bottom = sequences.bboxes[frame]
        errors.append(error)
        for share in hits:
            hits[share] += error <= share * max(right - left, bottom - top)
    for parts in zip(
        *(split(x, sequences) for x in (output, np.nan_to_num(gt), visible))
    ):
        accel += accel_error(*parts)
    assert found['mean_error'] == pytest.approx(np.mean(errors), rel=1e-5)
    assert found['accel_error'] == pytest.approx(accel[0] / accel[1], rel=1e-5)
    for share, number in hits.items():
        expected = 100 * number / len(errors)
        assert found[f'pck_{share:g}'] == pytest.approx(expected)
        assert 5 < expected < 95


def test_boxes_around_the_truth_where_there_are_none():
    sequences = make_sequences((30,))
    gt = sequences.keypoints_gt
    around = np.concatenate([gt.min(1), gt.max(1)], axis=1)
    output = sequences.keypoints_est
    without = measure(output, replace(sequences, bboxes=None))
    given = measure(output, replace(sequences, bboxes=around))
    assert without == given
    assert without != measure(output, sequences)


def test_what_is_left_empty_is_filled_and_told():
    sequences = make_sequences((30,), noise=0)
    output = sequences.keypoints_est.copy()
    straight = 0.5 * (output[9, 1] + output[11, 1])
    off = np.hypot(*(straight - output[10, 1]))
    output[10, 1] = np.nan
    found = measure(output, sequences)
    assert found['empty'] == 1
    assert found['mean_error'] == pytest.approx(off / 150, rel=1e-3)
    with pytest.raises(ValueError, match='no keypoint in any frame'):
        measure(np.full_like(output, np.nan), sequences)


def test_poses_relative_to_a_root():
    sequences = make_sequences((30, 14), noise=0)
    shift = np.random.default_rng(0).normal(0, 50, (44, 1, 2))
    output = sequences.keypoints_est + shift
    found = measure(output, sequences, root=[1, 2])
    assert found['mean_error'] == pytest.approx(0, abs=1e-4)
    assert found['accel_error'] == pytest.approx(0, abs=1e-3)
    assert measure(output, sequences)['mean_error'] > 20
    hidden = sequences.visible.copy()
    hidden[:10, 1] = 0
    truth = read_truth(replace(sequences, visible=hidden), root=[1, 2])
    # Without its root a frame cannot be compared.
    assert np.isnan(truth.keypoints[0][:10]).all()
    assert np.isfinite(truth.keypoints[0][10:]).all()


def test_other_keypoints_do_not_count():
    sequences = make_sequences((30,), noise=0)
    output = sequences.keypoints_est.copy()
    output[:, 0] += 30
    chosen = np.array([False, True, True, True, True])
    truth = read_truth(sequences)
    assert measure(output, sequences)['pck_0.2'] < 100
    given = filled_input(sequences)
    found = measure_output(output, truth.of_keypoints(chosen), given)
    assert found['mean_error'] == pytest.approx(0, abs=1e-4)
    assert found['pck_0.05'] == 100
