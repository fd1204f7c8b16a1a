# Copyright (c) hanet_mm contributors. All rights reserved.
"""What a stream finds again of its frames only where something has changed."""

from unittest.mock import patch

import numpy as np
import pytest

from hanet_mm.core.refine import local_fit
from hanet_mm.core.refine.evidence import GivenPoses, keep_to_evidence
from hanet_mm.core.refine.local_fit import LocalFit, local_reach
from hanet_mm.core.refine.robust_path import robust_path
from hanet_mm.core.stream.fit_memory import FitMemory, PeopleFits

FPS = 30.0
NEAR, FAR = local_reach(FPS)


def make_walks(frames=200):
    """Two persons, (T, 2, 5, 2)."""
    steps = np.random.default_rng(0).normal(size=(frames, 2, 5, 2))
    body = 30 * np.arange(10).reshape(5, 2)
    return (500 + body + steps.cumsum(0)).astype(np.float32)


@pytest.mark.parametrize('what', ['nothing', 'frame', 'missing'])
def test_paths_are_those_of_the_whole_past(what):
    walks = make_walks()
    missing = np.zeros(walks.shape[:3], bool)
    memories = [FitMemory(), FitMemory()]
    for last in range(100, 201, 3):
        if last == 160 and what == 'frame':
            walks[150, 1] = walks[150, 1, ::-1]
        if last == 160 and what == 'missing':
            missing[140:150, 0, :2] = True
        rows = slice(last - 90, last)
        fits = PeopleFits(memories, [rows.start] * 2, FPS)
        given = walks[rows].copy(), missing[rows].copy()
        found = robust_path(*given, FPS, memory=fits)
        whole = robust_path(walks[:last], missing[:last], FPS)
        # The path at the beginning of a buffer is not asked for.
        for one, other in zip(found, whole):
            np.testing.assert_allclose(
                one[60:], other[rows][60:], rtol=1e-5, atol=1e-4
            )


def test_the_last_frames_alone_have_the_same_path():
    walks = make_walks()
    missing = np.zeros(walks.shape[:3], bool)
    whole = robust_path(walks, missing, FPS)
    part = robust_path(walks, missing, FPS, first=170)
    for one, other in zip(part, whole):
        np.testing.assert_allclose(one, other[170:], rtol=1e-6)


@pytest.mark.parametrize('fps', [1, 2, 5, 7, 7.5, 30])
def test_limits_of_the_last_frames_are_those_of_all(fps):
    walks = make_walks()[:, 0]
    missing = np.zeros(walks.shape[:2], bool)
    given = GivenPoses(walks, missing, missing, float(fps))
    noise = np.random.default_rng(1).normal(size=walks.shape)
    walks[:150] += 20 * noise[:150]  # of the sequence it is another
    refined = (walks + 5 * noise).astype(np.float32)
    rows = slice(190, 200)
    whole = keep_to_evidence(refined, np.ones(missing.shape), given)
    part = keep_to_evidence(
        refined[rows], np.ones(missing[rows].shape), given, rows=rows
    )
    for one, other in zip(part, whole):
        np.testing.assert_allclose(one, other[rows], rtol=1e-5)


def test_only_what_a_new_frame_reaches_is_found_again():
    walks = make_walks()
    missing = np.zeros(walks.shape[:3], bool)
    memories = [FitMemory(), FitMemory()]
    for last in (120, 121):
        rows = slice(last - 90, last)
        fits = PeopleFits(memories, [rows.start] * 2, FPS)
        with patch.object(
            local_fit, 'fit_parabolas', wraps=local_fit.fit_parabolas
        ) as fitted:
            robust_path(walks[rows], missing[rows], FPS, memory=fits)
    (call,) = fitted.call_args_list
    # The end of then was none, and there is one frame more.
    assert call.args[-1] == slice(90 - 1 - NEAR, 90)


def memory_of(walk, missing):
    """A memory of 60 frames."""
    memory = FitMemory()
    values = np.zeros((60, 5))
    fit = LocalFit(np.ones((60, 1)), np.zeros((60, 5, 2)), values, values)
    memory.keep(0, FPS, walk[:60].copy(), missing[:60].copy(), fit)
    return memory


def test_rows_that_are_known():
    walk = make_walks()[:, 0]
    missing = np.zeros(walk.shape[:2], bool)
    memory = memory_of(walk, missing)
    now = slice(1, 61)
    found = memory.unchanged(1, FPS, walk[now], missing[now])
    assert found.near == slice(0, 59 - NEAR)
    assert found.far == slice(0, 59 - FAR)
    missing[50, 2] = True
    found = memory.unchanged(1, FPS, walk[now], missing[now])
    assert found.far == slice(0, 49 - FAR)
    walk[2] += 1
    found = memory.unchanged(1, FPS, walk[now], missing[now])
    assert found is None or found.far == slice(2 + FAR, 49 - FAR)
    # At another rate all is different.
    assert memory.unchanged(1, 25.0, walk[now], missing[now]) is None


def test_at_a_low_rate_nothing_stays_as_it_was():
    # Any frame may change the quantiles of the sequence.
    memory = FitMemory()
    walk = make_walks()[:61, 0]
    missing = np.zeros(walk.shape[:2], bool)
    for fps, known in ((7.5, True), (7.0, False)):
        robust_path(
            walk[:60, None],
            missing[:60, None],
            fps,
            memory=PeopleFits([memory], [0], fps),
        )
        found = memory.unchanged(0, fps, walk, missing)
        assert (found is not None) == known
