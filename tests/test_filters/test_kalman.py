# Copyright (c) hanet_mm contributors. All rights reserved.
"""The Kalman smoother against plain recursions and least squares."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hanet_mm.core.data.gaps import UNKNOWN_SCORE
from hanet_mm.core.data.sequences import load_pose_sequences
from hanet_mm.core.metrics.errors import pck_hits
from hanet_mm.filters import KalmanFilter, tune_filter

linalg = pytest.importorskip('scipy.linalg')
K, D = 3, 2


def make_poses(frames, seed=0):
    """A random walk of the size of a person in pixels, and scores."""
    rng = np.random.default_rng(seed)
    poses = rng.normal(0, 5, (frames, K, D)).cumsum(0) + 200
    return poses, rng.uniform(0.02, 1, (frames, K))


def with_gaps(scores, seed=0):
    """Some scores 0, never at the ends."""
    gaps = np.random.default_rng(seed).random(scores.shape) < 0.3
    gaps[[0, -1]] = False
    return np.where(gaps, 0, scores)


def deviations(smoother, scores):
    """Standard deviation of each measurement, by the definition."""
    odds = (scores + 0.03) / (1 - scores + 0.03)
    return smoother.measurement_noise * odds**-smoother.score_power


MOTION = np.array([[1.0, 1.0], [0.0, 1.0]])


def plain_smoother(smoother, values, scores):
    """Kalman filter and Rauch-Tung-Striebel smoother of one coordinate."""
    noise = np.diag([0, smoother.process_noise**2])
    sigma = deviations(smoother, scores)
    mean, cov = np.array([values[0], 0.0]), np.eye(2) * 1e10
    means, covs, prior_means, prior_covs = [], [], [], []
    for value, score, deviation in zip(values, scores, sigma):
        if means:
            mean, cov = MOTION @ mean, MOTION @ cov @ MOTION.T + noise
        prior_means.append(mean)
        prior_covs.append(cov)
        if score > 0:
            gain = cov[:, 0] / (cov[0, 0] + deviation**2)
            mean = mean + gain * (value - mean[0])
            # Joseph's form keeps it positive.
            rest = np.eye(2) - np.outer(gain, [1, 0])
            cov = rest @ cov @ rest.T + np.outer(gain, gain) * deviation**2
        means.append(mean)
        covs.append(cov)
    out = [means[-1]]
    for t in range(len(values) - 2, -1, -1):
        gain = covs[t] @ MOTION.T @ np.linalg.inv(prior_covs[t + 1])
        out.insert(0, means[t] + gain @ (out[0] - prior_means[t + 1]))
    return np.array(out)[:, 0]


def least_squares(smoother, values, scores):
    """Most probable path of one coordinate, solved as one system."""
    frames, seen = len(values), scores > 0
    sigma = deviations(smoother, scores)[seen]
    rows = [np.eye(frames)[seen] / sigma[:, None]]
    bend = np.diff(np.eye(frames), n=2, axis=0)
    rows.append(bend / smoother.process_noise)
    right = np.concatenate([values[seen] / sigma, np.zeros(len(bend))])
    return np.linalg.lstsq(np.concatenate(rows), right, rcond=None)[0]


def each_coordinate(function, smoother, poses, scores):
    out = np.empty(poses.shape)
    for joint, axis in np.ndindex(poses.shape[1:]):
        out[:, joint, axis] = function(
            smoother, poses[:, joint, axis], scores[:, joint]
        )
    return out


def smooth(smoother, poses, scores=None):
    return smoother.refine(np.asarray(poses, np.float64), scores).keypoints


CASES = pytest.mark.parametrize(
    'smoother',
    [
        KalmanFilter(0.3, 1.0, 0),
        KalmanFilter(2.0, 5.0, 0.5),
        KalmanFilter(0.05, 0.7, 1),
    ],
)


@CASES
@pytest.mark.parametrize('oracle', [plain_smoother, least_squares])
def test_is_the_smoother_written_out(smoother, oracle):
    lengths = [2, 9, 30, 3, 30, 17]
    sequences, scores = [], []
    for seed, frames in enumerate(lengths):
        poses, certain = make_poses(frames, seed)
        sequences.append(poses)
        scores.append(with_gaps(certain, seed))
    assert any((x == 0).any() for x in scores)
    results = smoother.refine(sequences, scores)
    for poses, certain, result in zip(sequences, scores, results):
        expected = each_coordinate(oracle, smoother, poses, certain)
        np.testing.assert_allclose(
            result.keypoints, expected, rtol=0, atol=1e-3
        )
        np.testing.assert_array_equal(result.filled, certain == 0)


@settings(deadline=None, max_examples=25)
@given(
    frames=st.integers(3, 40),
    ratio=st.floats(0.02, 50),
    # With more, weights may differ by more than the 1e8 that are allowed.
    power=st.floats(0, 1.3),
    seed=st.integers(0, 999),
)
def test_is_the_banded_system_of_scipy(frames, ratio, power, seed):
    poses, scores = make_poses(frames, seed)
    smoother = KalmanFilter(3 * ratio, 3.0, power)
    bend = np.diff(np.eye(frames), n=2, axis=0)
    penalty = bend.T @ bend / (3 * ratio) ** 2

    def banded(smoother, values, scores):
        weights = deviations(smoother, scores) ** -2
        matrix = np.diag(weights) + penalty
        bands = np.zeros((3, frames))
        for shift in range(3):
            bands[shift, : frames - shift] = np.diagonal(matrix, shift)
        # Solved for the change: scipy has to hold small digits too.
        wanted = -penalty @ values
        return values + linalg.solveh_banded(bands, wanted, lower=True)

    expected = each_coordinate(banded, smoother, poses, scores)
    found = smooth(smoother, poses, scores)
    np.testing.assert_allclose(found, expected, rtol=0, atol=2e-3)


def test_without_measurement_noise_gaps_are_bridged_without_bends():
    poses, scores = make_poses(40)
    scores = with_gaps(scores)

    def bridge(smoother, values, scores):
        # All that was measured is kept, the rest bends as little as it can.
        seen, bend = scores > 0, np.diff(np.eye(40), n=2, axis=0)
        out = values.copy()
        out[~seen] = np.linalg.lstsq(
            bend[:, ~seen], -bend[:, seen] @ values[seen], rcond=None
        )[0]
        return out

    smoother = KalmanFilter(1.0, 1e-5, 0.5)
    expected = each_coordinate(bridge, smoother, poses, scores)
    found = smooth(smoother, poses, scores)
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-3)


@pytest.mark.parametrize(('process', 'noise'), [(0, 1), (1e-3, 1e9)])
def test_without_process_noise_it_is_the_weighted_straight_line(
    process, noise
):
    poses, scores = make_poses(25)
    scores = with_gaps(scores)

    def line(smoother, values, scores):
        times, seen = np.arange(len(values)), scores > 0
        sigma = deviations(smoother, scores)[seen]
        factors = np.polyfit(times[seen], values[seen], 1, w=1 / sigma)
        return np.polyval(factors, times)

    smoother = KalmanFilter(process, noise, 0.75)
    expected = each_coordinate(line, smoother, poses, scores)
    found = smooth(smoother, poses, scores)
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-3)


def test_only_the_ratio_of_the_noises_counts():
    poses, scores = make_poses(25)
    one = smooth(KalmanFilter(0.2, 1.0), poses, scores)
    other = smooth(KalmanFilter(20.0, 100.0), poses, scores)
    np.testing.assert_allclose(one, other, rtol=0, atol=1e-4)
    assert np.abs(one - smooth(KalmanFilter(0.4), poses, scores)).max() > 0.5


@settings(deadline=None, max_examples=20)
@given(frames=st.integers(1, 40), seed=st.integers(0, 99))
def test_does_not_know_the_arrow_of_time(frames, seed):
    poses, scores = make_poses(frames, seed)
    scores = with_gaps(scores, seed)
    smoother = KalmanFilter(0.3)
    there = smooth(smoother, poses, scores)
    back = smooth(smoother, poses[::-1], scores[::-1])[::-1]
    np.testing.assert_allclose(there, back, rtol=0, atol=1e-4)


@settings(deadline=None, max_examples=20)
@given(frames=st.integers(1, 40), a=st.floats(-3, 3), b=st.floats(-3, 3))
def test_is_linear_with_the_same_scores(frames, a, b):
    one, scores = make_poses(frames)
    two, _ = make_poses(frames, seed=1)
    scores, smoother = with_gaps(scores), KalmanFilter(0.3)
    expected = a * smooth(smoother, one, scores)
    expected = expected + b * smooth(smoother, two, scores)
    found = smooth(smoother, a * one + b * two, scores)
    np.testing.assert_allclose(found, expected, rtol=0, atol=5e-3)


def test_a_doubtful_outlier_is_passed_over():
    poses = np.full((21, 1, 2), 100.0)
    poses[10] += 80
    doubtful = np.full((21, 1), 0.9)
    doubtful[10] = 0.05
    off = {
        power: smooth(KalmanFilter(0.1, 1, power), poses, doubtful)[10, 0, 0]
        - 100
        for power in (0, 0.5, 1)
    }
    assert off[0] > 5
    assert off[0.5] < 0.05 * off[0]
    assert off[1] < 0.05 * off[0.5]


def test_scores_above_one_count_as_one_and_unknown_ones_as_usual():
    poses, scores = make_poses(20)
    smoother = KalmanFilter(0.3)
    sure = np.where(scores > 0.5, 1, scores)
    surer = np.where(scores > 0.5, 7, scores)
    np.testing.assert_array_equal(
        smooth(smoother, poses, surer), smooth(smoother, poses, sure)
    )
    mixed = smoother.refine([poses, poses], [None, scores])
    usual = smooth(smoother, poses, np.full(scores.shape, UNKNOWN_SCORE))
    np.testing.assert_array_equal(mixed[0].keypoints, usual)
    np.testing.assert_array_equal(
        mixed[1].keypoints, smooth(smoother, poses, scores)
    )
    assert (mixed[1].keypoints != usual).any()


def test_nan_and_score_zero_are_no_measurement():
    poses, scores = make_poses(30)
    seen = with_gaps(scores) > 0
    as_nan = np.where(seen[..., None], poses, np.nan)
    junk = np.where(seen[..., None], poses, 1e5)
    smoother = KalmanFilter(0.3)
    np.testing.assert_array_equal(
        smooth(smoother, as_nan, scores),
        smooth(smoother, junk, np.where(seen, scores, 0)),
    )


def test_beyond_the_measurements_keypoints_stay():
    poses, scores = make_poses(30)
    scores[:6, 0] = scores[22:, 0] = 0
    smoother = KalmanFilter(0.3)
    found = smooth(smoother, poses, scores)
    inside = smooth(smoother, poses[6:22, :1], scores[6:22, :1])
    np.testing.assert_allclose(found[6:22, :1], inside, rtol=0, atol=1e-4)
    np.testing.assert_array_equal(found[:6, 0], np.tile(found[6, 0], (6, 1)))
    np.testing.assert_array_equal(found[22:, 0], np.tile(found[21, 0], (8, 1)))
    assert (found[:6, 1] != found[6, 1]).all()


def test_what_is_hardly_measured_goes_by_what_it_is_filled_with():
    poses, scores = make_poses(20)
    scores[:, 0] = 0
    scores[:, 1] = 0
    scores[7, 1] = 0.8
    found = smooth(KalmanFilter(0.3), poses, scores)
    # Once: it stands still. Never: at the mean of the others, see gaps.py.
    np.testing.assert_allclose(
        found[:, 1], np.tile(poses[7, 1], (20, 1)), rtol=1e-6
    )
    filling = (poses[:, 2] + poses[7, 1]) / 2
    expected = smooth(KalmanFilter(0.3), filling[:, None])
    np.testing.assert_allclose(found[:, :1], expected, rtol=0, atol=1e-3)


def test_a_thousand_frames_far_from_the_origin_keep_their_digits():
    times = np.arange(1000)[:, None, None]
    poses = 5000 + 0.5 * times * np.ones((1, K, D))
    scores = np.random.default_rng(0).random((1000, K))
    for ratio in (0, 1e-4, 1, 1e6):
        found = smooth(KalmanFilter(ratio, 1, 1), poses, scores)
        np.testing.assert_allclose(found, poses, rtol=0, atol=1e-3)


def test_scores_help_on_unseen_real_motion(shared_dir):
    folder = shared_dir / 'data'
    paths = [folder / f'jhmdb_sim_{x}.npz' for x in ('train', 'test')]
    if not all(path.is_file() for path in paths):
        pytest.skip('needs jhmdb_sim_{train,test}.npz')
    train, test = map(load_pose_sequences, paths)
    train = train.select(slice(None, None, 4))
    # PCK@0.05 and px, as measured with another implementation.
    for power, pck, error in ((0.5, 77.4, 6.68), (0, 71.0, 8.12)):
        grid = dict(
            process_noise=[0.03, 0.05, 0.07, 0.1, 0.14],
            measurement_noise=[1],
            score_power=[power],
        )
        smoother, _ = tune_filter('kalman', train, grid)
        found = smoother.smooth(test.keypoints_est, test.seq_len, test.scores)
        errors = np.linalg.norm(found - test.keypoints_gt, axis=-1)
        hits, counts = pck_hits(found, test.keypoints_gt, test.bboxes, 0.05)
        assert errors.mean() == pytest.approx(error, abs=0.06)
        assert 100 * hits.sum() / counts.sum() == pytest.approx(pck, abs=0.4)
