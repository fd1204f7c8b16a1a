# Copyright (c) hanet_mm contributors. All rights reserved.
"""Long sequences and many of them: in blocks, with the same result."""

import numpy as np
import pytest
from test_trusted_refiner import harsh, make_refiner

from hanet_mm.core.data import blocks
from hanet_mm.core.refine import trust
from hanet_mm.core.refine.trust import smooth_evenly

FRAMES = 300
RATES = [30.0, 60.0, 24.0]


@pytest.fixture
def small_blocks(monkeypatch):
    """Blocks of 7 frames, of one joint, and of 20 smoothed frames."""

    def use():
        monkeypatch.setattr(blocks, '_FRAMES', 7)
        monkeypatch.setattr(blocks, '_KEYPOINTS', FRAMES)
        monkeypatch.setattr(trust, '_BLOCK', 20)

    return use


@pytest.mark.parametrize('rate', RATES)
def test_blocks_change_nothing(small_blocks, rate):
    poses, scores, _ = harsh(FRAMES)
    # Gaps beyond all blocks, of a joint and of the whole person.
    scores[100:160, 3] = 0
    scores[200:240] = 0
    # A jump, and placeholders for missing keypoints.
    poses[60:62] += 1e5
    poses[70:75, 2] = 0
    refiner = make_refiner(fps=30)
    whole = refiner.refine(poses, scores, fps=rate)
    small_blocks()
    assert len(list(blocks.row_blocks(FRAMES))) == 43
    assert len(list(blocks.joint_blocks(scores.shape))) == scores.shape[1]
    found = refiner.refine(poses, scores, fps=rate)
    assert whole.swapped.any()
    assert whole.filled.any()
    assert len(np.unique(whole.reason)) == 4
    size = np.nanmax(np.abs(whole.keypoints))
    for name in ('keypoints', 'expected_error'):
        np.testing.assert_allclose(
            getattr(found, name), getattr(whole, name), atol=1e-6 * size
        )
    for name in ('filled', 'swapped', 'reason'):
        np.testing.assert_array_equal(
            getattr(found, name), getattr(whole, name)
        )


@pytest.mark.parametrize('cutoff', [0.02, 0.2, 0.45])
def test_smooth_blocks_meet_without_a_seam(monkeypatch, cutoff):
    rng = np.random.default_rng(0)
    poses = rng.normal(0, 1, (5000, 2)).cumsum(0)
    weights = rng.uniform(1, 1e4, 5000) ** rng.integers(0, 2, 5000)
    monkeypatch.setattr(trust, '_BLOCK', 5000)
    whole = smooth_evenly(poses, cutoff, weights)
    monkeypatch.setattr(trust, '_BLOCK', 37)
    np.testing.assert_allclose(
        smooth_evenly(poses, cutoff, weights), whole, atol=1e-8
    )
