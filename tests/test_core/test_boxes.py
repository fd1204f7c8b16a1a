# Copyright (c) hanet_mm contributors. All rights reserved.
"""Overlap of boxes and similarity of poses."""

import numpy as np
import pytest
import torch

from hanet_mm.core.poses.boxes import box_iou, keypoint_similarity

SIGMAS = np.array([0.05, 0.1, 0.05, 0.1])


def random_boxes(rng, num):
    low = rng.uniform(0, 50, (num, 2))
    return np.concatenate([low, low + rng.uniform(10, 60, (num, 2))], 1)


def test_iou_against_torchvision():
    ops = pytest.importorskip('torchvision.ops')
    rng = np.random.default_rng(0)
    first, second = random_boxes(rng, 7), random_boxes(rng, 5)
    expected = ops.box_iou(torch.from_numpy(first), torch.from_numpy(second))
    np.testing.assert_allclose(box_iou(first, second), expected, atol=1e-12)


@pytest.mark.parametrize('align', [False, True])
def test_oks_against_plain_loops(align):
    rng = np.random.default_rng(1)
    first, second = (
        rng.uniform(0, 10, (6, 4, 2)),
        rng.uniform(0, 10, (9, 4, 2)),
    )
    both = rng.random((6, 9, 4)) < 0.8
    areas = rng.uniform(100, 3000, (6, 9))
    expected = np.full((6, 9), np.nan)
    for i, j in np.ndindex(6, 9):
        chosen = both[i, j]
        if chosen.sum() < 3:
            continue
        steps = (second[j] - first[i])[chosen]
        if align:
            steps = steps - steps.mean(0)
        spread = 2 * areas[i, j] * (2 * SIGMAS[chosen]) ** 2
        expected[i, j] = np.exp(-(steps**2).sum(1) / spread).mean()
    assert 0 < np.isnan(expected).sum() < expected.size
    found = keypoint_similarity(first, second, both, areas, SIGMAS, align)
    np.testing.assert_allclose(found, expected, atol=1e-12)
