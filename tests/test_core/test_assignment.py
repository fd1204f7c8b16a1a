# Copyright (c) hanet_mm contributors. All rights reserved.
"""The best assignment, against all that there are and against scipy."""

from itertools import permutations

import numpy as np
import pytest

from hanet_mm.core.poses.assignment import assign_pairs


def best_of_all(values):
    """The largest sum that one-to-one pairs have, by trying all of them."""
    if len(values) > len(values[0]):
        values = values.T
    rows = range(len(values))
    columns = range(values.shape[1])
    return max(
        sum(values[i, j] for i, j in zip(rows, chosen))
        for chosen in permutations(columns, len(rows))
    )


def draw_table(rng, shape, ties):
    values = rng.uniform(size=shape)
    values[rng.uniform(size=shape) < 0.3] = 0
    return np.round(values * 4) / 4 if ties else values


def total(values, pairs):
    rows, columns = zip(*pairs) if pairs else ((), ())
    assert len({*rows}) == len({*columns}) == len(pairs)
    assert list(rows) == sorted(rows)
    return sum(values[i, j] for i, j in pairs)


@pytest.mark.parametrize('ties', [False, True])
@pytest.mark.parametrize('shape', [(1, 1), (4, 4), (3, 5), (5, 2)])
def test_no_other_assignment_has_a_larger_sum(shape, ties):
    rng = np.random.default_rng(0)
    for _ in range(30):
        values = draw_table(rng, shape, ties)
        pairs = assign_pairs(values)
        assert total(values, pairs) == pytest.approx(best_of_all(values))
        assert all(values[i, j] > 0 for i, j in pairs)


@pytest.mark.parametrize('shape', [(40, 40), (25, 60), (60, 25)])
def test_large_tables_are_assigned_as_by_scipy(shape):
    optimize = pytest.importorskip('scipy.optimize')
    rng = np.random.default_rng(1)
    for ties in (False, True):
        values = draw_table(rng, shape, ties)
        found = optimize.linear_sum_assignment(values, maximize=True)
        expected = values[found].sum()
        assert total(values, assign_pairs(values)) == pytest.approx(expected)


def test_pairs_below_the_threshold_are_left_out():
    # Together .8 + .1 beat .5 + .2 only if .1 counted.
    values = np.array([[0.8, 0.5], [0.2, 0.1]])
    assert assign_pairs(values, 0.3) == [(0, 0)]
    assert assign_pairs(np.zeros((0, 3))) == assign_pairs(np.zeros((2, 0)))
    assert assign_pairs(np.zeros((2, 2))) == []
