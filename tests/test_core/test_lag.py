# Copyright (c) hanet_mm contributors. All rights reserved.
"""The lag of one motion behind another."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hanet_mm.core.metrics.lag import lag_behind


def make_motion(times, seed=0):
    """Smooth motion of 4 points at any times, (T, 4, 2)."""
    rng = np.random.default_rng(seed)
    times = np.asarray(times, float)[:, None, None, None]
    waves = rng.uniform(0.05, 0.5, (1, 4, 2, 6))
    phase = rng.uniform(0, 6, (1, 4, 2, 6))
    place = rng.uniform(50, 250, (1, 4, 2))
    return place + (8 * np.sin(times * waves + phase)).sum(-1)


@settings(deadline=None, max_examples=40)
@given(
    delay=st.floats(-9, 9),
    frames=st.integers(60, 200),
    seed=st.integers(0, 999),
)
def test_a_delayed_copy_is_behind_by_its_delay(delay, frames, seed):
    times = np.arange(frames)
    late = make_motion(times - delay, seed)
    found = lag_behind(make_motion(times, seed), late)
    assert found == pytest.approx(delay, abs=0.05)
    assert lag_behind(late, make_motion(times, seed)) == pytest.approx(
        -found, abs=1e-6
    )


def test_still_when_keypoints_are_missing_and_others_are_shaky():
    rng = np.random.default_rng(0)
    times = np.arange(300)
    first, late = make_motion(times), make_motion(times - 4)
    for points in (first, late):
        points += rng.normal(0, 1.5, points.shape)
        points[rng.random(points.shape[:2]) < 0.3] = np.nan
    first[100:140] = np.nan
    assert lag_behind(first, late) == pytest.approx(4, abs=0.15)


@pytest.mark.parametrize('window', [3, 5, 9])
def test_a_mean_of_past_frames_is_half_its_window_late(window):
    poses = make_motion(np.arange(300))
    parts = [poses[i : len(poses) - window + 1 + i] for i in range(window)]
    late = np.mean(parts, axis=0)
    found = lag_behind(poses[window - 1 :], late)
    assert found == pytest.approx((window - 1) / 2, abs=0.05)


def plain_lag(first, second, span, limit):
    """Pearson's correlation pooled over points, shift by shift."""
    found = {}
    for shift in range(-limit, limit + 1):
        product = one = two = 0.0
        for joint, axis in np.ndindex(first.shape[1:]):
            pairs = []
            for t in range(len(first) - span):
                if not 0 <= t + shift < len(first) - span:
                    continue
                x = first[t + span, joint, axis] - first[t, joint, axis]
                late = second[:, joint, axis][t + shift :]
                pairs.append((x, late[span] - late[0]))
            pairs = np.array([p for p in pairs if not np.isnan(p).any()])
            pairs = pairs - pairs.mean(0)
            product += (pairs[:, 0] * pairs[:, 1]).sum()
            one += (pairs[:, 0] ** 2).sum()
            two += (pairs[:, 1] ** 2).sum()
        found[shift] = product / np.sqrt(one * two)
    best = max(found, key=found.get)
    line = np.polyfit([-1, 0, 1], [found[best + i] for i in (-1, 0, 1)], 2)
    return best - line[1] / (2 * line[0])


@pytest.mark.parametrize(
    ('frames', 'span', 'limit'), [(16, 4, 6), (30, 5, 12), (90, 5, 30)]
)
def test_is_the_vertex_at_the_best_correlation(frames, span, limit):
    rng = np.random.default_rng(frames)
    times = np.arange(frames)
    first, second = make_motion(times), make_motion(times - 1.6)
    first += rng.normal(0, 0.5, first.shape)
    second[frames // 2, 1] = np.nan
    expected = plain_lag(first, second, span, limit)
    assert abs(expected) < limit - 1
    assert lag_behind(first, second) == pytest.approx(expected, abs=1e-8)


def test_a_still_or_uniform_part_says_nothing():
    poses = make_motion(np.arange(100))
    late = make_motion(np.arange(100) - 3)
    moving = lag_behind(poses[:, :3], late[:, :3])
    poses[:, 3], late[:, 3] = 100, 40
    assert lag_behind(poses, late) == pytest.approx(moving, abs=1e-6)
    poses[:, 3] = late[:, 3] = 7.0 * np.arange(100)[:, None]
    assert lag_behind(poses, late) == pytest.approx(moving, abs=1e-6)


def test_periodic_motion_is_behind_by_the_smallest_shift():
    times = np.arange(200)[:, None, None] * np.ones((1, 2, 2))
    poses = np.sin(2 * np.pi * times / 20)
    late = np.sin(2 * np.pi * (times - 6) / 20)
    assert lag_behind(poses, late) == pytest.approx(6, abs=0.01)
    assert lag_behind(poses, poses) == pytest.approx(0, abs=1e-6)


@pytest.mark.parametrize(
    'change',
    [
        lambda x: np.ones_like(x),
        lambda x: x[:1] + np.arange(len(x))[:, None, None] * 2.5,
        lambda x: -x,
        lambda x: np.full_like(x, np.nan),
        lambda x: np.random.default_rng(1).normal(0, 9, x.shape),
    ],
    ids=['still', 'uniform', 'against', 'missing', 'another'],
)
def test_is_unknown_where_there_is_nothing_to_tell_it(change):
    poses = np.cumsum(np.random.default_rng(0).normal(size=(80, 4, 2)), 0)
    assert np.isnan(lag_behind(poses, change(poses)))
    assert np.isnan(lag_behind(change(poses), poses))


@pytest.mark.parametrize('frames', [1, 2, 4, 9])
def test_is_unknown_of_a_few_frames(frames):
    poses = make_motion(np.arange(frames))
    late = make_motion(np.arange(frames) - 0.5)
    assert np.isnan(lag_behind(poses, late))
    poses, late = make_motion(range(10)), make_motion(np.arange(10) - 0.5)
    assert lag_behind(poses, late) == pytest.approx(0.5, abs=0.1)


def people(lengths, delay=0.0):
    return [
        make_motion(np.arange(n) - delay, i) for i, n in enumerate(lengths)
    ]


@settings(deadline=None, max_examples=20)
@given(delay=st.floats(-9, 9))
def test_sequences_are_judged_together(delay):
    lengths = (40, 33, 25, 60)
    found = lag_behind(people(lengths), people(lengths, delay))
    assert found == pytest.approx(delay, abs=0.05)


def test_what_moves_more_weighs_more():
    lengths = (60, 60)
    first, late = people(lengths), people(lengths, 4.0)
    late[1] = first[1]
    for scale, expected in ((40, 4), (1 / 40, 0)):
        pair = [[scale * x[0], x[1]] for x in (first, late)]
        assert lag_behind(*pair) == pytest.approx(expected, abs=0.05)


def test_sequences_that_are_too_short_have_no_say():
    rng = np.random.default_rng(0)
    short = [rng.normal(0, 99, (9, 4, 2)) for _ in range(30)]
    other = [rng.normal(0, 99, (9, 4, 2)) for _ in range(30)]
    first, late = people((70,)), people((70,), 2.0)
    expected = lag_behind(first, late)
    assert lag_behind([*short, *first], [*other, *late]) == expected
    assert np.isnan(lag_behind(short, other))
    assert np.isnan(lag_behind([], []))


def test_one_sequence_of_a_list_is_that_sequence():
    first, late = people((50,)), people((50,), 3.0)
    assert lag_behind(first, late) == lag_behind(first[0], late[0])


def test_periods_of_several_people_do_not_hide_a_long_delay():
    # Each swings with a period of its own, below twice the delay.
    def swing(delay):
        return [
            np.sin(
                2 * np.pi * (np.arange(90) - delay) / period + [[0], [2]]
            ).T[..., None]
            for period in (24, 27, 31, 34)
        ]

    assert lag_behind(swing(0), swing(20)) == pytest.approx(20, abs=0.3)


@pytest.mark.parametrize('delay', [31, -40])
def test_a_lag_beyond_the_range_is_unknown(delay):
    first = np.cumsum(np.random.default_rng(0).normal(size=(300, 4, 2)), 0)
    late = np.roll(first, delay, axis=0)
    assert np.isnan(lag_behind(first, late))
