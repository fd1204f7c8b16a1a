# Copyright (c) hanet_mm contributors. All rights reserved.
"""Short sequences in one call, worked on together, as one by one."""

import numpy as np
import pytest
from moving_body import swap
from test_trusted_refiner import make_refiner, walk

from hanet_mm.core.data import blocks

LENGTHS = [1, 2, 5, 24, 24, 24, 24, 40, 40, 7, 24, 5]
RATES = [30.0] * 10 + [25.0, 25.0]


def make_sequences():
    """Noise, outliers, swaps and gaps, each time other ones."""
    given = []
    for seed, frames in enumerate(LENGTHS):
        rng = np.random.default_rng(seed)
        poses = walk(frames, 1.0, seed)
        first = int(rng.integers(0, frames))
        poses, _ = swap(poses, 'body', first, 1 + frames // 5)
        poses[rng.integers(0, frames), 4] += 200
        scores = rng.uniform(0.2, 1, poses.shape[:2])
        scores[rng.uniform(size=scores.shape) < 0.1] = 0
        # Joints that were never found, and frames without any.
        scores[:, 3] = 0
        scores[frames // 2 : frames // 2 + seed % 3, 1:] = 0
        given.append((poses.astype(np.float32), scores.astype(np.float32)))
    return given


@pytest.mark.parametrize('options', [{}, dict(gate='motion')])
@pytest.mark.parametrize('max_gap', [None, 2])
def test_many_are_refined_as_one_by_one(monkeypatch, options, max_gap):
    refiner = make_refiner(fps=30, **options)
    given = make_sequences()
    groups = list(blocks.alike_groups(LENGTHS, RATES))
    assert [3, 4, 5, 6] in groups
    together = refiner.refine(
        *map(list, zip(*given)), fps=RATES, max_gap=max_gap
    )
    # Together again, but no more than two of 24 frames.
    monkeypatch.setattr(blocks, '_TOGETHER', 50)
    pairs = refiner.refine(*map(list, zip(*given)), fps=RATES, max_gap=max_gap)
    assert any(x.swapped.any() for x in together)
    for index, (poses, scores) in enumerate(given):
        alone = refiner.refine(
            poses, scores, fps=RATES[index], max_gap=max_gap
        )
        for found in (together[index], pairs[index]):
            assert found.keypoints.flags.c_contiguous
            for name in ('keypoints', 'expected_error'):
                wanted = getattr(alone, name)
                size = np.nanmax(np.abs(wanted))
                np.testing.assert_allclose(
                    getattr(found, name), wanted, rtol=0, atol=1e-6 * size
                )
            for name in ('filled', 'swapped', 'reason'):
                np.testing.assert_array_equal(
                    getattr(found, name), getattr(alone, name)
                )


def test_pauses_make_pieces_that_are_refined_together():
    """A pause as long as a window splits a sequence."""
    refiner = make_refiner(fps=30)
    poses, scores = make_sequences()[7]
    times = np.arange(40) / 30
    times[20:] += 1
    whole = refiner.refine(poses, scores, timestamps=times)
    clipped = [slice(0, 20), slice(20, 40)]
    refined = [whole.keypoints[x] for x in clipped]
    together = refiner.refine(
        [poses] * 2, [scores] * 2, timestamps=[times] * 2
    )
    for result in together:
        np.testing.assert_allclose(
            result.keypoints, np.concatenate(refined), rtol=1e-6
        )


def test_groups_hold_every_sequence_once(monkeypatch):
    rng = np.random.default_rng(0)
    lengths = rng.integers(1, 9, 500).tolist()
    kinds = rng.integers(0, 3, 500).tolist()
    monkeypatch.setattr(blocks, '_TOGETHER', 40)
    groups = list(blocks.alike_groups(lengths, kinds))
    assert sorted(i for group in groups for i in group) == list(range(500))
    for group in groups:
        assert len({(lengths[i], kinds[i]) for i in group}) == 1
        assert len(group) * lengths[group[0]] <= 40
    assert len(groups) < 100
