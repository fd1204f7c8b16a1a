# Copyright (c) hanet_mm contributors. All rights reserved.
"""Classical filters against theory, scipy and the paper's algorithm."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hanet_mm.filters import (
    ButterworthFilter,
    GaussianFilter,
    OneEuroFilter,
    SavitzkyGolayFilter,
)

signal = pytest.importorskip('scipy.signal')
ndimage = pytest.importorskip('scipy.ndimage')
K, D = 3, 2


def make_poses(frames, seed=0):
    """A random walk of the size of a person in metres."""
    rng = np.random.default_rng(seed)
    return rng.normal(0, 0.1, (frames, K, D)).cumsum(0).astype(np.float32)


def smooth(smoother, poses):
    return smoother.refine(np.asarray(poses, np.float64)).keypoints


def per_joint(function, poses):
    """The function of one joint's coordinate over time, for all of them."""
    out = np.empty(poses.shape)
    for joint, axis in np.ndindex(poses.shape[1:]):
        out[:, joint, axis] = function(poses[:, joint, axis].astype(float))
    return out


@pytest.mark.parametrize(('window', 'degree'), [(3, 0), (5, 2), (11, 3)])
@pytest.mark.parametrize('frames', [11, 12, 40])
def test_savgol_is_that_of_scipy(window, degree, frames):
    poses = make_poses(frames)
    expected = per_joint(
        lambda x: signal.savgol_filter(x, window, degree), poses
    )
    found = smooth(SavitzkyGolayFilter(window, degree), poses)
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-6)


@pytest.mark.parametrize(
    ('frames', 'largest'), [(8, 7), (7, 7), (6, 5), (5, 5), (4, 3), (3, 3)]
)
def test_savgol_of_a_short_sequence_takes_the_largest_odd_window(
    frames, largest
):
    poses = make_poses(frames)
    # A line through all frames but one at most, fitted by numpy.
    half = largest // 2
    expected = np.empty(poses.shape)
    for frame in range(frames):
        start = min(max(frame - half, 0), frames - largest)
        times = np.arange(start, start + largest)
        for joint, axis in np.ndindex(K, D):
            line = np.polyfit(times, poses[times, joint, axis], 1)
            expected[frame, joint, axis] = np.polyval(line, frame)
    found = smooth(SavitzkyGolayFilter(9, 1), poses)
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-6)


@pytest.mark.parametrize('frames', [1, 2, 3, 4])
def test_savgol_through_all_points_returns_them(frames):
    poses = make_poses(frames)
    for degree in (2, 3, 6):
        found = smooth(SavitzkyGolayFilter(9, degree), poses)
        np.testing.assert_array_equal(found, poses)


@settings(deadline=None, max_examples=30)
@given(
    half=st.integers(1, 8),
    degree=st.integers(0, 3),
    frames=st.integers(17, 40),
    seed=st.integers(0, 99),
)
def test_savgol_keeps_polynomials_of_its_degree(half, degree, frames, seed):
    degree = min(degree, 2 * half)
    rng = np.random.default_rng(seed)
    times = np.linspace(-1, 1, frames)[:, None, None]
    factors = rng.normal(size=(degree + 1, K, D))
    poses = sum(factor * times**i for i, factor in enumerate(factors))
    found = smooth(SavitzkyGolayFilter(2 * half + 1, degree), poses)
    np.testing.assert_allclose(found, poses, rtol=0, atol=1e-5)


@pytest.mark.parametrize('order', [1, 2, 3, 4])
@pytest.mark.parametrize('cutoff', [0.03, 0.2, 0.45])
def test_butterworth_is_that_of_scipy(order, cutoff):
    poses = make_poses(50)
    # scipy takes the cutoff as a part of half the sampling rate, too.
    sections = signal.butter(order, 2 * cutoff, output='sos')
    expected = per_joint(lambda x: signal.sosfiltfilt(sections, x), poses)
    found = smooth(ButterworthFilter(order, cutoff), poses)
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-5)


@pytest.mark.parametrize('frames', [2, 5, 9])
def test_butterworth_of_a_short_sequence_pads_by_all_it_has(frames):
    poses = make_poses(frames)
    sections = signal.butter(2, 0.2, output='sos')
    expected = per_joint(
        lambda x: signal.sosfiltfilt(sections, x, padlen=frames - 1), poses
    )
    found = smooth(ButterworthFilter(2, 0.1), poses)
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-5)


@pytest.mark.parametrize('sigma', [0.5, 2, 6])
@pytest.mark.parametrize('frames', [1, 5, 40])
def test_gaussian_is_that_of_scipy(sigma, frames):
    poses = make_poses(frames)
    expected = per_joint(lambda x: ndimage.gaussian_filter1d(x, sigma), poses)
    found = smooth(GaussianFilter(sigma), poses)
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-6)


def gain_of_a_wave(smoother, frequency):
    """Factor on a cosine in the middle of a long sequence, and its sine."""
    times = np.arange(2001) - 1000
    wave = np.cos(2 * np.pi * frequency * times)[:, None, None]
    found = smooth(smoother, wave)[500:1501, 0, 0]
    middle = 2 * np.pi * frequency * times[500:1501]
    basis = np.stack([np.cos(middle), np.sin(middle)], axis=1)
    return np.linalg.lstsq(basis, found, rcond=None)[0]


@pytest.mark.parametrize('frequency', [0.02, 0.08, 0.1, 0.15])
@pytest.mark.parametrize('order', [1, 2, 4])
def test_butterworth_has_its_gain_and_no_phase(order, frequency):
    # Two runs of the bilinear transform of 1 / sqrt(1 + (w / w_c)^2n).
    ratio = math.tan(math.pi * frequency) / math.tan(math.pi * 0.1)
    expected = 1 / (1 + ratio ** (2 * order))
    gain, shift = gain_of_a_wave(ButterworthFilter(order, 0.1), frequency)
    assert gain == pytest.approx(expected, abs=1e-4)
    assert shift == pytest.approx(0, abs=1e-4)


@pytest.mark.parametrize('frequency', [0.01, 0.05, 0.1])
def test_gaussian_has_its_gain_and_no_phase(frequency):
    expected = math.exp(-2 * (math.pi * 2.5 * frequency) ** 2)
    gain, shift = gain_of_a_wave(GaussianFilter(2.5), frequency)
    assert gain == pytest.approx(expected, abs=1e-3)
    assert shift == pytest.approx(0, abs=1e-6)


@pytest.mark.parametrize(
    ('smoother', 'ends'),
    [
        (SavitzkyGolayFilter(9, 1), 0),
        (GaussianFilter(2), 8),
        (ButterworthFilter(2, 0.1), 40),
    ],
)
def test_constant_speed_is_kept_away_from_the_ends(smoother, ends):
    speed = np.random.default_rng(0).normal(size=(1, K, D))
    poses = speed * np.arange(120)[:, None, None] / 100
    inside = slice(ends, 120 - ends)
    np.testing.assert_allclose(
        smooth(smoother, poses)[inside], poses[inside], rtol=0, atol=2e-5
    )


@pytest.mark.parametrize(
    ('smoother', 'ends'),
    [
        (SavitzkyGolayFilter(9, 2), 0),
        (GaussianFilter(2), 0),
        # Its two runs begin from the padding: they differ near the ends.
        (ButterworthFilter(2, 0.1), 40),
    ],
)
def test_zero_phase_filters_do_not_know_the_arrow_of_time(smoother, ends):
    poses = make_poses(120)
    there = smooth(smoother, poses)
    back = smooth(smoother, poses[::-1])[::-1]
    inside = slice(ends, 120 - ends)
    np.testing.assert_allclose(there[inside], back[inside], rtol=0, atol=2e-5)


class PlainLowPass:
    """Algorithm 2 of the One-Euro paper."""

    def __init__(self):
        self.last = None

    def __call__(self, value, alpha):
        if self.last is None:
            self.last = value
        self.last = alpha * value + (1 - alpha) * self.last
        return self.last


def plain_one_euro(values, min_cutoff, beta, d_cutoff, rate):
    """Algorithm 1 of the One-Euro paper, for one number after the other."""

    def alpha(cutoff):
        tau = 1 / (2 * math.pi * cutoff)
        return 1 / (1 + tau * rate)

    position, speed, out = PlainLowPass(), PlainLowPass(), []
    for value in values:
        first = position.last is None
        change = 0 if first else (value - position.last) * rate
        smooth_speed = speed(change, alpha(d_cutoff))
        cutoff = min_cutoff + beta * abs(smooth_speed)
        out.append(position(value, alpha(cutoff)))
    return out


@pytest.mark.parametrize(
    'arguments', [(1.0, 0.0, 1.0, 30.0), (0.4, 3.0, 2.5, 25.0)]
)
def test_one_euro_is_the_paper_s_algorithm(arguments):
    lengths = [1, 9, 30, 2, 30, 17]
    sequences = [make_poses(n, seed) for seed, n in enumerate(lengths)]
    results = OneEuroFilter(*arguments).refine(sequences)
    for poses, result in zip(sequences, results):
        expected = per_joint(
            lambda x: plain_one_euro(x.tolist(), *arguments), poses
        )
        np.testing.assert_allclose(
            result.keypoints, expected, rtol=0, atol=1e-6
        )


@settings(deadline=None, max_examples=20)
@given(frame=st.integers(1, 29))
def test_one_euro_does_not_look_ahead(frame):
    poses = make_poses(30)
    other = poses.copy()
    other[frame:] += 1
    smoother = OneEuroFilter(1, 0.5)
    before, after = smooth(smoother, poses), smooth(smoother, other)
    np.testing.assert_array_equal(before[:frame], after[:frame])
    assert (before[frame] != after[frame]).all()


def test_one_euro_lags_at_steady_speed_by_speed_over_cutoff():
    speed, cutoff, rate = 2.0, 1.5, 50.0
    poses = speed * np.arange(400)[:, None, None] / rate * np.ones((K, D))
    lag = poses - smooth(OneEuroFilter(cutoff, 0, fps=rate), poses)
    expected = speed / (2 * math.pi * cutoff)
    np.testing.assert_allclose(lag[-1], expected, rtol=1e-4)
    # The speed is measured from the last output, which lags already: it
    # comes out as v (1 + r / (2 pi f)), and f = f_min + beta times that.
    slope = 3 * speed
    half = (cutoff + slope) / 2
    cutoff = half + math.sqrt(half**2 + slope * rate / (2 * math.pi))
    lag = poses - smooth(OneEuroFilter(1.5, 3, fps=rate), poses)
    expected = speed / (2 * math.pi * cutoff)
    np.testing.assert_allclose(lag[-1], expected, rtol=1e-4)


def test_one_euro_holds_for_any_unit_if_beta_follows_it():
    poses = make_poses(30)
    expected = 1000 * smooth(OneEuroFilter(1, 2), poses)
    found = smooth(OneEuroFilter(1, 2 / 1000), 1000 * poses)
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-3)
