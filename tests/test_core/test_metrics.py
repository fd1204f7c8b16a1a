# Copyright (c) hanet_mm contributors. All rights reserved.
"""Errors of pose sequences against closed forms and plain loops."""

import doctest

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.spatial import procrustes
from scipy.spatial.transform import Rotation

from hanet_mm.core.metrics import errors as metrics
from hanet_mm.core.metrics.errors import (
    accel_error,
    align_similarity,
    mpjpe,
    pa_mpjpe,
    pck_hits,
    position_errors,
)

seeds = st.integers(0, 2**32 - 1)


def random_case(seed, frames=12, keypoints=5, dims=2):
    """A sequence with about a third of its keypoints not to be counted."""
    rng = np.random.default_rng(seed)
    gt = rng.normal(0, 40, (frames, keypoints, dims))
    pred = gt + rng.normal(0, 10, gt.shape)
    visible = (rng.random((frames, keypoints)) > 0.3).astype(np.float32)
    corner = rng.uniform(-50, 50, (frames, 2))
    size = rng.uniform(20, 120, (frames, 2))
    return pred, gt, visible, np.hstack([corner, corner + size])


def test_docstring_examples_hold():
    results = doctest.testmod(metrics)
    assert results.attempted >= 9
    assert results.failed == 0


# PCK


def test_pck_takes_the_longer_side_and_counts_the_boundary_as_hit():
    gt = np.zeros((1, 3, 2))
    pred = np.array([[[3.0, 4.0], [0.0, 5.5], [5.0, 0.0]]])
    boxes = [[10.0, 10.0, 30.0, 60.0]]  # 20 x 50: thr 0.1 is 5 px
    hits, counts = pck_hits(pred, gt, boxes, thr=0.1)
    assert hits.tolist() == [1, 0, 1]
    assert counts.tolist() == [1, 1, 1]


def test_pck_of_boxes_cut_to_whole_pixels():
    """By hand: 10.9 to 20.1 is 9.2 px, of whole pixels 20 - 10 = 10 px; left
    of the picture -1.9 becomes -1, as int32 has it.
    """
    gt = np.zeros((3, 2, 2))
    pred = gt.copy()
    pred[..., 0] = [[0.95, 1.0], [2.0, 2.1], [0.05, 0.1]]
    boxes = [[10.9, 0, 20.1, 9], [-1.9, 0, 19.9, 9], [3.9, 3, 4.1, 3.2]]
    hits, _ = pck_hits(pred, gt, boxes, 0.1)
    assert hits.tolist() == [1, 1]  # 0.92, 2.18 and 0.02 px
    hits, _ = pck_hits(pred, gt, boxes, 0.1, truncate_boxes=True)
    assert hits.tolist() == [3, 2]  # 1, 2 and 0.1 px


@settings(max_examples=30, deadline=None)
@given(seeds, st.sampled_from([0.05, 0.1, 0.2]))
def test_pck_equals_plain_loops(seed, thr):
    pred, gt, visible, boxes = random_case(seed)
    expected_hits, expected_counts = [0] * 5, [0] * 5
    for t in range(len(gt)):
        limit = thr * max(boxes[t, 2] - boxes[t, 0], boxes[t, 3] - boxes[t, 1])
        for k in range(5):
            if visible[t, k] > 0:
                expected_counts[k] += 1
                error = (
                    (pred[t, k, 0] - gt[t, k, 0]) ** 2
                    + (pred[t, k, 1] - gt[t, k, 1]) ** 2
                ) ** 0.5
                expected_hits[k] += bool(error <= limit)
    hits, counts = pck_hits(pred, gt, boxes, thr, visible)
    assert hits.tolist() == expected_hits
    assert counts.tolist() == expected_counts


@pytest.mark.parametrize('value', [np.nan, np.inf, -np.inf])
def test_pck_counts_a_prediction_that_is_not_finite_as_a_miss(value):
    gt = np.zeros((2, 1, 2))
    pred = gt.copy()
    pred[1, 0, 0] = value
    hits, counts = pck_hits(pred, gt, [[0.0, 0.0, 9.0, 9.0]] * 2, thr=1.0)
    assert hits.tolist() == [1]
    assert counts.tolist() == [2]


def test_pck_ignores_what_lies_in_frames_that_do_not_count():
    gt = np.zeros((2, 2, 2))
    gt[1] = np.nan
    boxes = [[0.0, 0.0, 9.0, 9.0], [np.nan] * 4]
    visible = [[1, 0], [0, 0]]
    hits, counts = pck_hits(np.zeros_like(gt), gt, boxes, 0.1, visible)
    assert hits.tolist() == [1, 0]
    assert counts.tolist() == [1, 0]


@pytest.mark.parametrize(
    ('box', 'text'),
    [
        ([5.0, 5.0, 5.0, 5.0], 'size above 0.*frame 1'),
        ([0.0, 0.0, np.nan, 5.0], 'size above 0.*frame 1'),
    ],
)
def test_pck_refuses_a_box_without_size_where_a_keypoint_counts(box, text):
    gt = np.zeros((2, 1, 2))
    with pytest.raises(ValueError, match=text):
        pck_hits(gt, gt, [[0.0, 0.0, 9.0, 9.0], box], thr=0.1)


@pytest.mark.parametrize('thr', [0.0, -0.1, np.nan])
def test_pck_refuses_a_threshold_that_is_not_positive(thr):
    gt = np.zeros((1, 1, 2))
    with pytest.raises(ValueError, match='thr must be above 0'):
        pck_hits(gt, gt, [[0.0, 0.0, 9.0, 9.0]], thr)


def test_pck_refuses_boxes_of_other_frames():
    gt = np.zeros((2, 1, 2))
    with pytest.raises(ValueError, match=r'bboxes .*\(2, 4\), got \(1, 4\)'):
        pck_hits(gt, gt, [[0.0, 0.0, 9.0, 9.0]], thr=0.1)


# Position errors


def test_position_errors_are_euclidean_and_keep_nan():
    pred = np.array([[[1.0, 2.0, 2.0], [np.nan, 0.0, 0.0]]])
    errors = position_errors(pred, np.zeros_like(pred))
    np.testing.assert_array_equal(errors, [[3.0, np.nan]])


@settings(max_examples=30, deadline=None)
@given(seeds, st.sampled_from([2, 3]))
def test_mpjpe_equals_plain_loops(seed, dims):
    pred, gt, visible, _ = random_case(seed, dims=dims)
    total, count = 0.0, 0
    for t in range(gt.shape[0]):
        for k in range(gt.shape[1]):
            if visible[t, k]:
                total += sum((pred[t, k] - gt[t, k]) ** 2) ** 0.5
                count += 1
    result = mpjpe(pred, gt, visible)
    assert result == (pytest.approx(total, rel=1e-12), count)


@settings(max_examples=20, deadline=None)
@given(seeds, st.integers(1, 11))
def test_sums_of_two_parts_are_the_sums_of_the_whole(seed, cut):
    pred, gt, visible, _ = random_case(seed)
    for function in (mpjpe, pa_mpjpe):
        whole = function(pred, gt, visible)
        first = function(pred[:cut], gt[:cut], visible[:cut])
        second = function(pred[cut:], gt[cut:], visible[cut:])
        assert first[0] + second[0] == pytest.approx(whole[0], rel=1e-12)
        assert first[1] + second[1] == whole[1]


def test_float32_input_is_summed_in_float64():
    # 2^24 + 1 does not exist in float32.
    gt = np.zeros((2, 1, 1), np.float32)
    pred = np.array([[[2.0**24]], [[1.0]]], np.float32)
    assert mpjpe(pred, gt) == (2.0**24 + 1, 2)


# Procrustes


def similarity(rng, dims):
    """Random scale, proper rotation and shift."""
    if dims == 3:
        rotation = Rotation.random(random_state=rng.integers(2**31))
        rotation = rotation.as_matrix()
    else:
        a = rng.uniform(0, 2 * np.pi)
        rotation = np.array([[np.cos(a), -np.sin(a)], [np.sin(a), np.cos(a)]])
    return rng.uniform(0.2, 4), rotation, rng.normal(0, 100, dims)


@settings(max_examples=30, deadline=None)
@given(seeds, st.sampled_from([2, 3]))
def test_alignment_undoes_any_similarity(seed, dims):
    rng = np.random.default_rng(seed)
    gt = rng.normal(0, 1, (4, 6, dims))
    pred = np.empty_like(gt)
    for t in range(4):
        scale, rotation, shift = similarity(rng, dims)
        pred[t] = scale * gt[t] @ rotation.T + shift
    np.testing.assert_allclose(align_similarity(pred, gt), gt, atol=1e-9)
    assert pa_mpjpe(pred, gt) == (pytest.approx(0, abs=1e-9), 24)


@settings(max_examples=20, deadline=None)
@given(seeds, st.sampled_from([2, 3]))
def test_pa_mpjpe_does_not_depend_on_pose_and_size_of_the_prediction(
    seed, dims
):
    rng = np.random.default_rng(seed)
    pred, gt, visible, _ = random_case(seed, keypoints=8, dims=dims)
    scale, rotation, shift = similarity(rng, dims)
    moved = scale * pred @ rotation.T + shift
    total, count = pa_mpjpe(pred, gt, visible)
    assert pa_mpjpe(moved, gt, visible) == (
        pytest.approx(total, rel=1e-8),
        count,
    )


@settings(max_examples=20, deadline=None)
@given(seeds)
def test_alignment_equals_scipy(seed):
    """SciPy fits the standardised poses and also allows reflections."""
    rng = np.random.default_rng(seed)
    gt = rng.normal(0, 1, (7, 3))
    pred = gt + rng.normal(0, 0.05, gt.shape)
    _, _, disparity = procrustes(gt, pred)
    aligned = align_similarity(pred[None], gt[None])[0]
    spread = ((gt - gt.mean(axis=0)) ** 2).sum()
    error = ((aligned - gt) ** 2).sum() / spread
    assert error == pytest.approx(disparity, rel=1e-9)


@settings(max_examples=20, deadline=None)
@given(seeds)
def test_no_nearby_rotation_or_scale_fits_better(seed):
    """Optimality without Procrustes' formula: try the neighbours."""
    rng = np.random.default_rng(seed)
    gt = rng.normal(0, 1, (1, 6, 3))
    # Mostly a reflection, where a proper rotation is not the plain SVD.
    pred = gt * [1, 1, -1] + rng.normal(0, 0.1, gt.shape)
    best = align_similarity(pred, gt)[0] - gt[0].mean(axis=0)
    target = gt[0] - gt[0].mean(axis=0)
    error = ((best - target) ** 2).sum()
    for axis in np.eye(3):
        for angle in (-0.02, 0.02):
            turn = Rotation.from_rotvec(angle * axis).as_matrix()
            assert ((best @ turn.T - target) ** 2).sum() > error - 1e-12
    for factor in (0.98, 1.02):
        assert ((factor * best - target) ** 2).sum() > error - 1e-12


@pytest.mark.parametrize('dims', [2, 3])
def test_a_mirrored_pose_is_not_perfect(dims):
    gt = np.random.default_rng(0).normal(0, 1, (1, 6, dims))
    mirrored = gt * np.array([-1.0] + [1.0] * (dims - 1))
    total, count = pa_mpjpe(mirrored, gt)
    assert total / count > 0.1


def test_alignment_looks_at_counted_keypoints_only():
    rng = np.random.default_rng(1)
    gt = rng.normal(0, 1, (1, 6, 3))
    pred = 3 * gt + 1
    pred[0, 5] = np.nan
    gt[0, 4] = np.inf
    visible = [[1, 1, 1, 1, 0, 0]]
    assert pa_mpjpe(pred, gt, visible) == (pytest.approx(0, abs=1e-12), 4)


def test_frames_with_fewer_than_three_keypoints_are_not_aligned():
    rng = np.random.default_rng(2)
    pred, gt = rng.normal(0, 1, (2, 2, 4, 3))
    visible = [[1, 1, 0, 0], [1, 1, 1, 0]]
    expected, _ = pa_mpjpe(pred[1:], gt[1:], visible[1:])
    assert pa_mpjpe(pred, gt, visible) == (pytest.approx(expected), 3)


def test_a_prediction_that_is_one_point_is_put_at_the_mean():
    gt = np.array([[[0.0, 0.0], [4.0, 0.0], [2.0, 3.0]]])
    aligned = align_similarity(np.ones_like(gt), gt)
    np.testing.assert_allclose(aligned[0], [[2.0, 1.0]] * 3)


# Acceleration


def test_accel_error_of_a_parabola_is_its_second_derivative():
    t = np.arange(7.0)[:, None, None]
    gt = np.zeros((7, 1, 2))
    pred = 0.5 * t**2 * np.array([3.0, 4.0])
    assert accel_error(pred, gt) == (pytest.approx(5 * 5.0), 5)


@settings(max_examples=20, deadline=None)
@given(seeds)
def test_accel_error_ignores_an_offset_of_constant_velocity(seed):
    rng = np.random.default_rng(seed)
    gt = rng.normal(0, 10, (9, 4, 2))
    time = np.arange(9)[:, None, None]
    drifting = gt + rng.normal(0, 5, (4, 2)) + time * rng.normal(0, 5, (4, 2))
    assert accel_error(drifting, gt)[0] == pytest.approx(0, abs=1e-10)


@settings(max_examples=30, deadline=None)
@given(seeds, st.sampled_from([2, 3]))
def test_accel_error_equals_plain_loops(seed, dims):
    pred, gt, visible, _ = random_case(seed, dims=dims)
    total, count = 0.0, 0
    for k in range(gt.shape[1]):
        for t in range(1, len(gt) - 1):
            if visible[t - 1, k] and visible[t, k] and visible[t + 1, k]:
                a = pred[t - 1, k] - 2 * pred[t, k] + pred[t + 1, k]
                b = gt[t - 1, k] - 2 * gt[t, k] + gt[t + 1, k]
                total += np.sqrt(sum((a - b) ** 2))
                count += 1
    result = accel_error(pred, gt, visible)
    assert result == (pytest.approx(total, rel=1e-9), count)


def test_one_missing_frame_takes_three_accelerations():
    gt = np.zeros((8, 1, 2))
    visible = np.ones((8, 1))
    visible[4] = 0
    assert accel_error(gt, gt, visible) == (0.0, 3)


@pytest.mark.parametrize('frames', [0, 1, 2])
def test_a_sequence_without_three_frames_has_no_acceleration(frames):
    gt = np.zeros((frames, 3, 2))
    assert accel_error(gt, gt) == (0.0, 0)


# Bad input


@pytest.mark.parametrize('function', [mpjpe, pa_mpjpe, accel_error])
class TestBadInput:
    def test_a_prediction_that_is_not_finite_is_named(self, function):
        gt = np.zeros((4, 3, 2))
        pred = gt.copy()
        pred[2, 1] = np.nan
        with pytest.raises(ValueError, match=r'pred .*frame 2, keypoint 1'):
            function(pred, gt)

    def test_a_truth_that_is_not_finite_is_named(self, function):
        gt = np.zeros((4, 3, 2))
        gt[3, 2, 0] = np.inf
        with pytest.raises(ValueError, match=r'gt .*frame 3, keypoint 2'):
            function(np.zeros_like(gt), gt)

    def test_neither_matters_where_nothing_counts(self, function):
        gt = np.zeros((4, 3, 2))
        pred = gt.copy()
        gt[:, 0] = np.nan
        pred[:, 0] = np.inf
        visible = np.array([[0, 1, 1]] * 4)
        # Two counted keypoints: nothing that Procrustes could measure.
        total, count = function(pred, gt, visible)
        assert total == 0
        assert count == {mpjpe: 8, accel_error: 4, pa_mpjpe: 0}[function]

    @pytest.mark.parametrize(
        ('pred', 'gt', 'visible', 'text'),
        [
            ((4, 3, 2), (4, 3), (4, 3), r'\(T, K, D\), got \(4, 3\)'),
            ((4, 3, 3), (4, 3, 2), (4, 3), r'\(4, 3, 2\), got \(4, 3, 3\)'),
            ((4, 3, 2), (4, 3, 2), (4,), r'visible .*\(4, 3\), got \(4,\)'),
        ],
    )
    def test_shapes_are_named(self, function, pred, gt, visible, text):
        with pytest.raises(ValueError, match=text):
            function(np.zeros(pred), np.zeros(gt), np.zeros(visible))


def test_reference_input_of_the_simulated_jhmdb(shared_dir):
    """The figures that come with the data, rounded as given there."""
    with np.load(shared_dir / 'data' / 'jhmdb_sim_test.npz') as data:
        est, gt = data['keypoints_est'], data['keypoints_gt']
        boxes, lengths = data['bboxes'], data['seq_len']
    for thr, expected in ((0.2, 94.6), (0.1, 81.9), (0.05, 57.2)):
        hits, counts = pck_hits(est, gt, boxes, thr)
        assert 100 * np.mean(hits / counts) == pytest.approx(
            expected, abs=0.05
        )
    total, count = mpjpe(est, gt)
    assert total / count == pytest.approx(11.83, abs=0.005)
    ends = np.cumsum(lengths)[:-1]
    parts = zip(np.split(est, ends), np.split(gt, ends))
    sums = np.sum([accel_error(*part) for part in parts], axis=0)
    assert sums[0] / sums[1] == pytest.approx(19.6, abs=0.05)


@pytest.mark.parametrize('value', [np.nan, np.inf, 1e200])
def test_what_has_no_finite_square_is_refused(value):
    gt = np.random.default_rng(0).normal(size=(3, 4, 2))
    pred = gt.copy()
    pred[1, 2, 0] = value
    for one, other in ((pred, gt), (gt, pred)):
        with pytest.raises(ValueError, match=r'finite where .* frame 1, key'):
            pa_mpjpe(one, other)
