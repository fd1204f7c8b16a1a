# Copyright (c) hanet_mm contributors. All rights reserved.
"""Blocks of frames side by side decide as one frame after the other."""

import numpy as np
import pytest
from moving_body import CHAINS, body, swap

from hanet_mm.core.refine import swap_blocks
from hanet_mm.core.refine.swap_costs import measure_motion
from hanet_mm.core.refine.swap_decoder import SwapDecoder

FRAMES = 900


def make_sequence():
    """Swaps across the borders of blocks, gaps, and noise."""
    poses = body(FRAMES, 0.35, turn=0.8)[..., :2]
    poses += np.random.default_rng(0).normal(0, 4, poses.shape)
    for part, first, count in [
        ('body', 80, 200),
        ('legs', 300, 3),
        ('arms', 395, 12),
        ('body', 600, 1),
        ('legs', 700, 150),
    ]:
        poses, _ = swap(poses, part, first, count)
    poses[290:310] = np.nan
    poses[500:503, 13:] = np.nan
    return poses, np.isfinite(poses).all(-1)


def decide(poses, seen, count):
    decoder = SwapDecoder(CHAINS, measure_motion(poses, seen, CHAINS))
    for start in range(0, len(poses), count):
        rows = slice(start, start + count)
        decoder.push(poses[rows], seen[rows])
    return decoder.swapped()


@pytest.mark.parametrize('early', [96, 20, 3, 1])
@pytest.mark.parametrize('least', [200, 60, 7])
def test_blocks_change_no_decision(monkeypatch, early, least):
    poses, seen = make_sequence()
    wanted = decide(poses, seen, 100)
    assert wanted.any()
    alone = []
    run = swap_blocks._run_alone
    monkeypatch.setattr(
        swap_blocks, '_run_alone', lambda *x: alone.append(1) or run(*x)
    )
    monkeypatch.setattr(swap_blocks, '_EARLY', early)
    monkeypatch.setattr(swap_blocks, '_LEAST', least)
    assert np.array_equal(decide(poses, seen, FRAMES), wanted)
    # Blocks that begin early enough need not run again.
    if early in (1, 96):
        assert bool(alone) == (early == 1)


def test_costs_do_not_grow_with_time():
    poses, seen = make_sequence()
    decoder = SwapDecoder(CHAINS, measure_motion(poses, seen, CHAINS))
    for frame in range(200):
        decoder.push(poses[frame : frame + 1], seen[frame : frame + 1])
        assert decoder._best.max() < 100
