# Copyright (c) hanet_mm contributors. All rights reserved.
"""What every classical filter takes, returns and leaves alone."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from hanet_mm.core.data.gaps import UNKNOWN_SCORE
from hanet_mm.filters import (
    FILTERS,
    ButterworthFilter,
    GaussianFilter,
    KalmanFilter,
    MedianButterworthFilter,
    MedianFilter,
    OneEuroFilter,
    SavitzkyGolayFilter,
)

K, D = 3, 2
KALMAN = KalmanFilter(0.4, 1.5, 0.5)
LINEAR = [
    SavitzkyGolayFilter(7, 2),
    ButterworthFilter(3, 0.1),
    GaussianFilter(1.5),
    KALMAN,
]
# To those a filled keypoint is one like all others.
FILLING = [*LINEAR[:3], OneEuroFilter(1.5, 0.02, fps=25), MedianFilter(7)]
CHAIN = MedianButterworthFilter(5, 0.1)
ALL = [*FILLING, KALMAN, CHAIN]


def each(filters):
    return pytest.mark.parametrize(
        'smoother', filters, ids=lambda x: type(x).__name__
    )


def make_poses(frames, seed=0, keypoints=K):
    """A random walk in pixels."""
    rng = np.random.default_rng(seed)
    steps = rng.normal(0, 4, (frames, keypoints, D))
    start = rng.uniform(50, 250, (1, keypoints, D))
    return (start + steps.cumsum(0)).astype(np.float32)


def smooth(smoother, poses):
    return smoother.refine(poses).keypoints


def test_every_filter_is_known_by_name():
    assert [type(x) for x in ALL] == list(FILTERS.values())


@each(ALL)
@settings(deadline=None, max_examples=25)
@given(frames=st.integers(1, 40))
def test_any_length_keeps_shape_and_is_finite(smoother, frames):
    result = smoother.refine(make_poses(frames))
    assert result.keypoints.shape == (frames, K, D)
    assert np.isfinite(result.keypoints).all()
    assert result.filled.shape == (frames, K)
    assert not result.filled.any()


@each(ALL)
def test_a_single_frame_comes_back_as_it_is(smoother):
    poses = make_poses(1)
    np.testing.assert_allclose(smooth(smoother, poses), poses, rtol=1e-6)


@each(ALL)
def test_noise_about_a_steady_pose_becomes_less(smoother):
    noise = np.random.default_rng(0).normal(0, 5, (400, K, D))
    found = smooth(smoother, noise.astype(np.float32) + 100) - 100
    assert found.std() < 0.8 * noise.std()


@each(ALL)
@pytest.mark.parametrize('dtype', ['float16', 'float32', 'float64'])
def test_kind_and_type_of_the_input_come_back(smoother, dtype):
    poses = make_poses(9).astype(dtype)
    expected = smooth(smoother, poses.astype(np.float32)).astype(dtype)
    as_numpy = smoother.refine(poses)
    as_torch = smoother.refine(torch.from_numpy(poses))
    assert as_numpy.keypoints.dtype == np.dtype(dtype)
    assert as_numpy.filled.dtype == bool
    assert as_torch.keypoints.dtype == getattr(torch, dtype)
    assert as_torch.filled.dtype == torch.bool
    np.testing.assert_array_equal(as_numpy.keypoints, expected)
    np.testing.assert_array_equal(as_torch.keypoints.numpy(), expected)


@each([*FILLING, CHAIN])
def test_missing_keypoints_are_interpolated_and_marked(smoother):
    poses = make_poses(12)
    missing = np.zeros((12, K), bool)
    missing[4:7, 0] = missing[:3, 1] = missing[-2:, 1] = True
    filled, frames = poses.copy(), np.arange(12)
    for joint, axis in np.ndindex(K, D):
        seen = ~missing[:, joint]
        filled[:, joint, axis] = np.interp(
            frames, frames[seen], poses[seen, joint, axis]
        )
    expected = smooth(smoother, filled)
    as_nan = np.where(missing[..., None], np.nan, poses)
    junk = np.where(missing[..., None], 1e6, poses)
    scores = np.where(missing, 0, 0.7)
    for found in (smoother.refine(as_nan), smoother.refine(junk, scores)):
        np.testing.assert_array_equal(found.filled, missing)
        np.testing.assert_allclose(found.keypoints, expected, atol=1e-3)


@each(ALL)
def test_input_is_not_changed(smoother):
    poses = make_poses(9)
    poses[3, 1] = np.nan
    before = poses.copy()
    smoother.refine(poses)
    np.testing.assert_array_equal(poses, before)


@each(ALL)
@settings(deadline=None, max_examples=15)
@given(lengths=st.lists(st.integers(1, 30), min_size=1, max_size=6))
def test_several_sequences_equal_one_by_one(smoother, lengths):
    sequences = [make_poses(n, seed) for seed, n in enumerate(lengths)]
    together = smoother.refine(sequences)
    assert len(together) == len(sequences)
    for poses, result in zip(sequences, together):
        np.testing.assert_array_equal(
            result.keypoints, smooth(smoother, poses)
        )


@each(ALL)
def test_no_sequences_give_no_results(smoother):
    assert smoother.refine([]) == []


@each(ALL)
def test_stands_where_a_refiner_stands(smoother):
    poses = make_poses(9)
    scores = np.full((9, K), UNKNOWN_SCORE)
    found = smoother.refine(poses, scores, image_size=(320, 240))
    np.testing.assert_array_equal(found.keypoints, smooth(smoother, poses))


@each(ALL)
@settings(deadline=None, max_examples=20)
@given(
    frames=st.integers(1, 40),
    shift=st.lists(st.floats(-500, 500), min_size=D, max_size=D),
)
def test_follows_translation(smoother, frames, shift):
    poses = make_poses(frames).astype(np.float64)
    moved = smooth(smoother, poses + shift)
    np.testing.assert_allclose(
        moved, smooth(smoother, poses) + shift, rtol=0, atol=2e-3
    )


@each(LINEAR)
@settings(deadline=None, max_examples=20)
@given(frames=st.integers(1, 40), a=st.floats(-3, 3), b=st.floats(-3, 3))
def test_is_linear(smoother, frames, a, b):
    one, two = make_poses(frames), make_poses(frames, seed=1)
    expected = a * smooth(smoother, one) + b * smooth(smoother, two)
    found = smooth(smoother, a * one + b * two)
    np.testing.assert_allclose(found, expected, rtol=0, atol=5e-3)


@each(ALL)
@settings(deadline=None, max_examples=15)
@given(frames=st.integers(1, 60))
def test_steady_poses_are_kept(smoother, frames):
    poses = np.repeat(make_poses(1), frames, axis=0)
    np.testing.assert_allclose(smooth(smoother, poses), poses, rtol=2e-6)


@each(ALL)
def test_joints_and_coordinates_have_nothing_to_do_with_each_other(smoother):
    poses = make_poses(20)
    other = poses.copy()
    other[5:9, 1, 0] += 40
    changed = smooth(smoother, other) != smooth(smoother, poses)
    assert changed[..., 1, 0].any()
    changed[..., 1, 0] = False
    assert not changed.any()


def six_numbers(vectors):
    """Two first columns, row by row, from matrices of scipy."""
    scipy_rotation = pytest.importorskip('scipy.spatial.transform').Rotation
    flat = scipy_rotation.from_rotvec(vectors.reshape(-1, 3)).as_matrix()
    return flat[:, :, :2].reshape(*vectors.shape[:-1], 6).astype(np.float32)


@each([type(x) for x in ALL])
def test_rotations_are_put_back_onto_rotations(smoother):
    arguments = dict(zip(FILTERS.values(), ALL))[smoother].settings
    rng = np.random.default_rng(0)
    poses = six_numbers(rng.normal(0, 0.8, (30, 24, 3)))
    found = smooth(smoother(rotations=True, **arguments), poses)
    plain = smooth(smoother(**arguments), poses)
    # Gram-Schmidt of the smoothed columns, written out.
    first, second = plain[..., ::2], plain[..., 1::2]
    first = first / np.linalg.norm(first, axis=-1, keepdims=True)
    along = (first * second).sum(-1, keepdims=True)
    second = second - along * first
    second = second / np.linalg.norm(second, axis=-1, keepdims=True)
    np.testing.assert_allclose(found[..., ::2], first, atol=1e-5)
    np.testing.assert_allclose(found[..., 1::2], second, atol=1e-5)
    assert np.abs(found - plain).max() > 0.05


def test_rotations_have_six_numbers():
    with pytest.raises(ValueError, match=r'D = 6 .* found 2'):
        GaussianFilter(1, rotations=True).refine(make_poses(5))


def with_value(index, value):
    poses = make_poses(6)
    poses[index] = value
    return poses


@pytest.mark.parametrize(
    ('poses', 'scores', 'message'),
    [
        (make_poses(6)[0], None, r'shape \(T, K, D\), found \(3, 2\)'),
        (make_poses(6)[:, :0], None, r'\(T, K, D\), found \(6, 0, 2\)'),
        (make_poses(0), None, 'expected at least 1 frame, found 0'),
        (with_value((4, 1, 0), np.inf), None, 'infinite .* in frame 4'),
        (with_value((), np.nan), None, 'no keypoint in any of its 6 frames'),
        (make_poses(6), np.ones((5, K)), r'expected scores .*\(5, 3\)'),
        (
            [make_poses(6), make_poses(6, keypoints=4)],
            None,
            r'sequence 1: .*\(T, 3, 2\), found \(6, 4, 2\)',
        ),
        (
            [make_poses(6), with_value((2, 0), np.inf)],
            None,
            'sequence 1: infinite coordinate in frame 2',
        ),
        ([make_poses(6)] * 3, [None], '3 sequences .* but 1 of scores'),
    ],
)
def test_bad_poses_are_one_line_errors(poses, scores, message):
    with pytest.raises(ValueError, match=message) as info:
        LINEAR[0].refine(poses, scores)
    assert '\n' not in str(info.value)


@pytest.mark.parametrize(
    ('kind', 'arguments', 'message'),
    [
        (SavitzkyGolayFilter, (4, 1), 'window has to be odd, got 4'),
        (SavitzkyGolayFilter, (-3, 0), 'window has to be odd, got -3'),
        (SavitzkyGolayFilter, (5, 5), 'from 0 to window - 1 = 4, got 5'),
        (SavitzkyGolayFilter, (5, -1), 'polyorder .* got -1'),
        (ButterworthFilter, (0, 0.1), 'order has to be at least 1, got 0'),
        (ButterworthFilter, (2, 0.5), 'below 0.5 cycles .* got 0.5'),
        (ButterworthFilter, (2, 0), 'cutoff has to be above 0 .* got 0'),
        (GaussianFilter, (0,), 'sigma has to be above 0, got 0'),
        (MedianFilter, (4,), 'window has to be odd, got 4'),
        (MedianFilter, (-1,), 'window has to be odd, got -1'),
        (KalmanFilter, (-1,), 'process_noise .* at least 0, got -1'),
        (KalmanFilter, (1, 0), 'measurement_noise .* above 0, got 0'),
        (KalmanFilter, (1, 1, -1), 'score_power .* 0 to 10, got -1'),
        (OneEuroFilter, (0, 1), 'min_cutoff has to be above 0, got 0'),
        (OneEuroFilter, (1, -1), 'beta has to be at least 0, got -1'),
        (OneEuroFilter, (1, 1, 0), 'd_cutoff has to be above 0, got 0'),
        (OneEuroFilter, (1, 1, 1, 0), 'fps has to be above 0, got 0'),
    ],
)
def test_bad_settings_are_refused(kind, arguments, message):
    with pytest.raises(ValueError, match=message):
        kind(*arguments)


def test_very_wide_gaussian_weights_are_the_mean():
    """Of the sequence, which goes on as its mirror image; at any width."""
    poses = make_poses(7)
    result = GaussianFilter(1e9).refine(poses).keypoints
    np.testing.assert_allclose(
        result, np.broadcast_to(poses.mean(0), poses.shape), atol=1e-2
    )


def test_repr_shows_the_settings():
    assert repr(LINEAR[1]) == 'ButterworthFilter(order=3, cutoff=0.1)'
    text = repr(GaussianFilter(2, rotations=True))
    assert text == 'GaussianFilter(sigma=2, rotations=True)'
