# Copyright (c) hanet_mm contributors. All rights reserved.
"""Long sequences and many of them: in blocks, with the same result."""

import os
import subprocess
import sys

import numpy as np
import pytest
from test_trusted_refiner import harsh, make_refiner

from hanet_mm.core.data import blocks
from hanet_mm.core.refine import robust_path
from hanet_mm.core.refine.robust_path import smooth_evenly

FRAMES = 300
RATES = [30.0, 60.0, 24.0]


@pytest.fixture
def small_blocks(monkeypatch):
    """Blocks of 7 frames, of one joint, and of 20 smoothed frames."""

    def use():
        monkeypatch.setattr(blocks, '_FRAMES', 7)
        monkeypatch.setattr(blocks, '_KEYPOINTS', FRAMES)
        monkeypatch.setattr(robust_path, '_BLOCK', 20)

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
    monkeypatch.setattr(robust_path, '_BLOCK', 5000)
    whole = smooth_evenly(poses, cutoff, weights)
    monkeypatch.setattr(robust_path, '_BLOCK', 37)
    np.testing.assert_allclose(
        smooth_evenly(poses, cutoff, weights), whole, atol=1e-8
    )


# Prints how many bytes a frame of a longer sequence adds to the peak.
MEMORY = """
import re
from pathlib import Path
import numpy as np
from moving_body import NAMES
from test_trusted_refiner import make_refiner, walk
from hanet_mm.core.data import blocks

def memory(field):
    text = Path('/proc/self/status').read_text()
    return 1024 * int(re.search(rf'{field}:\\s+(\\d+)', text)[1])

def peak(frames):
    poses = np.tile(walk(100, 1.0), (frames // 100, 1, 1))
    poses[50:70, 3] = np.nan
    before = memory('VmRSS')
    Path('/proc/self/clear_refs').write_text('5')
    refiner.refine(poses)
    return memory('VmHWM') - before

refiner = make_refiner(fps=30, stride=4)
blocks._KEYPOINTS = 10000  # as joints of a million frames: one at a time
peak(5000)
print((peak(25000) - peak(10000)) / 15000 / len(NAMES) / 8)
"""


@pytest.mark.skipif(
    not os.access('/proc/self/clear_refs', os.W_OK), reason='Linux'
)
def test_memory_above_the_input_is_a_few_times_the_input(repo_root):
    folder = os.path.dirname(__file__)
    printed = subprocess.run(
        [sys.executable, '-W', 'ignore', '-c', MEMORY],
        env=dict(
            os.environ,
            PYTHONPATH=os.pathsep.join([str(repo_root), folder]),
            OMP_NUM_THREADS='1',
            # What is given back leaves the process.
            MALLOC_MMAP_THRESHOLD_='65536',
            MALLOC_TRIM_THRESHOLD_='65536',
        ),
        check=True,
        capture_output=True,
        text=True,
    ).stdout
    # As whole arrays it was 40 times; 11 to 13 by machine and versions.
    assert float(printed) < 20
