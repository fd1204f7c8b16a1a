# Copyright (c) hanet_mm contributors. All rights reserved.
"""Parabolas that a stream fits again only where something has changed."""

import numpy as np
import pytest

from hanet_mm.core.refine.parabolas import fit_parabolas, fit_reach
from hanet_mm.core.stream.parabola_memory import (
    ParabolaMemory,
    PeopleParabolas,
)

FPS = 30.0
REACH = fit_reach(FPS)


def make_walks(frames=80):
    """Two persons, (T, 2, 3, 2)."""
    steps = np.random.default_rng(0).normal(size=(frames, 2, 3, 2))
    return 500 + steps.cumsum(0).astype(np.float32)


def fit(memories, walks, rows, sharp):
    """Push the frames of a buffer; distances to the first one come back."""
    given = walks[rows].copy()
    people = PeopleParabolas(memories, [rows.start] * 2, given)
    origin = given[:1].astype(np.float64)
    return people.fit(given - origin, FPS, sharp[rows].copy()) + origin


@pytest.mark.parametrize('what', ['nothing', 'frame', 'size'])
def test_parabolas_are_those_of_the_buffer(what):
    walks = make_walks()
    sharp = np.full((80, 2, 1), 0.3)
    memories = [ParabolaMemory(), ParabolaMemory()]
    for last in range(1, 81):
        if last == 70 and what == 'frame':
            walks[50, 1] = walks[50, 1, ::-1]
        if last == 70 and what == 'size':
            sharp[55:, 0] = 0.1
            sharp[:34, 1] = 0.2
        rows = slice(max(last - 45, 0), last)
        found = fit(memories, walks, rows, sharp)
        now = walks[rows].astype(np.float64)
        wanted = fit_parabolas(now, FPS, sharp[rows])
        np.testing.assert_allclose(found, wanted, atol=1e-8)


def test_only_what_a_new_frame_reaches_is_fitted_again():
    walk = make_walks()[:, 0]
    sharp = np.full((80, 1), 0.3)
    memory = ParabolaMemory()
    memory.keep(
        0, FPS, walk[:60].copy(), sharp[:60].copy(), np.zeros((60, 3, 2))
    )
    now = slice(1, 61)
    rows, _ = memory.unchanged(1, FPS, walk[now], sharp[now])
    assert (rows.start, rows.stop) == (REACH, 59 - REACH)
    walk[40] += 1
    rows, _ = memory.unchanged(1, FPS, walk[now], sharp[now])
    assert (rows.start, rows.stop) == (REACH, 39 - REACH)
    sharp[12] = 0.1
    rows, _ = memory.unchanged(1, FPS, walk[now], sharp[now])
    assert (rows.start, rows.stop) == (12, 39 - REACH)
    # At another rate all is different.
    rows, _ = memory.unchanged(1, 25.0, walk[now], sharp[now])
    assert not rows.stop
