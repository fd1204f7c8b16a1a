"""Figures of an output: closed forms and slow plain implementations."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from robustness_data import make_sequences, split

from hanet_mm.apis.robustness.lag import pooled_lag
from hanet_mm.apis.robustness.measures import measure, read_truth
from hanet_mm.core.metrics.errors import accel_error

PERIOD = 24


def sines(lengths, delay=0.0, period=PERIOD):
    """Two joints that swing with other amplitudes and phases, (N, 2, 2)."""
    times = np.concatenate([np.arange(n) for n in lengths])[:, None, None]
    amplitudes = np.array([[3.0, 40], [10, 7]])
    phases = np.array([[0.0, 1], [2, 4]])
    return amplitudes * np.sin(2 * np.pi * (times - delay) / period + phases)


def lag_of(lengths, output, truth, counted=None):
    if counted is None:
        counted = np.ones(truth.shape[:2], bool)
    return pooled_lag(output, truth, np.array(lengths), counted)


def parabola(delay, period=PERIOD):
    """Vertex over a sampled cosine whose top is at the delay."""
    nearest = round(delay)
    angles = 2 * np.pi * (nearest + np.arange(-1, 2) - delay) / period
    left, top, right = np.cos(angles)
    return nearest + (left - right) / (left - 2 * top + right) / 2


@settings(deadline=None, max_examples=30)
@given(delay=st.floats(-4.4, 4.4))
def test_lag_of_a_delayed_sine(delay):
    # Two whole periods are judged, so that correlations are cosines.
    lengths = [2 * PERIOD + 12, PERIOD + 12]
    found = lag_of(lengths, sines(lengths, delay), sines(lengths))
    assert found == pytest.approx(parabola(delay), abs=1e-6)
    assert found == pytest.approx(delay, abs=0.01)


def test_lag_is_that_of_all_sequences_together():
    # What moves more weighs more: 40 times the square of the other.
    lengths = [2 * PERIOD + 12, 2 * PERIOD + 12]
    truth, output = sines(lengths), sines(lengths, 2.0)
    output[lengths[0] :] = sines(lengths)[lengths[0] :]
    assert lag_of(lengths, output, truth) == pytest.approx(1, abs=0.05)
    scale = np.repeat([40.0, 1.0], lengths)[:, None, None]
    found = lag_of(lengths, scale * output, scale * truth)
    assert found == pytest.approx(2, abs=0.01)


def test_lag_knows_no_place_size_or_constant_speed():
    lengths = [80, 50]
    truth, late = sines(lengths), sines(lengths, 1.5)
    times = np.concatenate([np.arange(n) for n in lengths])[:, None, None]
    other = 100 + 3 * late + 25 * times
    expected = lag_of(lengths, late, truth)
    assert lag_of(lengths, other, truth) == pytest.approx(expected, abs=1e-6)
    assert expected == pytest.approx(1.5, abs=0.1)


def test_lag_does_not_reach_across_sequences():
    # 30 sequences too short to judge beside one that is not.
    lengths = [13] * 30 + [3 * PERIOD + 12]
    truth = sines(lengths)
    late = sines(lengths, 2)
    late[: 13 * 30] = np.random.default_rng(0).normal(0, 99, (390, 2, 2))
    assert lag_of(lengths, late, truth) == pytest.approx(2, abs=1e-6)


def test_lag_of_joints_whose_truth_is_known():
    lengths = [3 * PERIOD + 12]
    truth, late = sines(lengths), sines(lengths, 3)
    counted = np.ones(truth.shape[:2], bool)
    late[:, 0] = sines(lengths, -3)[:, 0]
    truth[:, 0] *= 10
    late[:, 0] *= 10
    assert lag_of(lengths, late, truth) == pytest.approx(-3, abs=0.2)
    counted[:, 0] = False
    truth[:, 0] = np.nan
    found = lag_of(lengths, late, truth, counted)
    assert found == pytest.approx(3, abs=1e-6)


@pytest.mark.parametrize(
    ('lengths', 'delay', 'speed'),
    [([12, 13], 1, 0), ([60], 5.6, 0), ([60], -9, 0), ([60], 1, 5)],
    ids=['too short', 'too late', 'too early', 'constant speed'],
)
def test_lag_that_cannot_be_known(lengths, delay, speed):
    truth, late = sines(lengths), sines(lengths, delay)
    if speed:
        times = np.arange(60.0)[:, None, None] * np.ones((1, 2, 2))
        truth, late = speed * times, speed * (times - delay)
    assert lag_of(lengths, late, truth) is None


def test_percentile_and_mean_of_every_frame():
    sequences = make_sequences()
    truth = read_truth(sequences)
    # Errors 0, 1, 2, ... px: percentiles are known.
    count = truth.counted.size
    errors = np.random.default_rng(1).permutation(count).reshape(-1, 5)
    output = truth.keypoints + errors[..., None] * np.array([0.6, 0.8])
    found = measure(output, truth)
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
    found = measure(output, read_truth(sequences))
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
    without = measure(output, read_truth(replace(sequences, bboxes=None)))
    given = measure(output, read_truth(replace(sequences, bboxes=around)))
    assert without == given
    assert without != measure(output, read_truth(sequences))


def test_what_is_left_empty_is_filled_and_told():
    sequences = make_sequences((30,), noise=0)
    output = sequences.keypoints_est.copy()
    straight = 0.5 * (output[9, 1] + output[11, 1])
    off = np.hypot(*(straight - output[10, 1]))
    output[10, 1] = np.nan
    found = measure(output, read_truth(sequences))
    assert found['empty'] == 1
    assert found['mean_error'] == pytest.approx(off / 150, rel=1e-3)
    with pytest.raises(ValueError, match='no keypoint in any frame'):
        measure(np.full_like(output, np.nan), read_truth(sequences))


def test_poses_relative_to_a_root():
    sequences = make_sequences((30, 14), noise=0)
    shift = np.random.default_rng(0).normal(0, 50, (44, 1, 2))
    output = sequences.keypoints_est + shift
    found = measure(output, read_truth(sequences, root=[1, 2]))
    assert found['mean_error'] == pytest.approx(0, abs=1e-4)
    assert found['accel_error'] == pytest.approx(0, abs=1e-3)
    assert measure(output, read_truth(sequences))['mean_error'] > 20
    hidden = sequences.visible.copy()
    hidden[:10, 1] = 0
    truth = read_truth(replace(sequences, visible=hidden), root=[1, 2])
    # Without its root a frame cannot be compared.
    assert truth.counted.sum() == 34 * 5


def test_other_keypoints_do_not_count():
    sequences = make_sequences((30,), noise=0)
    output = sequences.keypoints_est.copy()
    output[:, 0] += 30
    chosen = np.array([False, True, True, True, True])
    truth = read_truth(sequences)
    assert measure(output, truth)['pck_0.2'] < 100
    found = measure(output, truth.of_keypoints(chosen))
    assert found['mean_error'] == pytest.approx(0, abs=1e-4)
    assert found['pck_0.05'] == 100
