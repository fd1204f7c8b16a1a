"""Likeness of boxes and poses."""

import numpy as np
import pytest
import torch

from hanet_mm.apis.video.tracker import (
    Persons,
    box_iou,
    keypoint_similarity,
    person_similarity,
)

SIGMAS = np.array([0.05, 0.1, 0.05, 0.1])


def persons(rng, num):
    low = rng.uniform(0, 50, (num, 2))
    boxes = np.concatenate([low, low + rng.uniform(10, 60, (num, 2))], 1)
    points = rng.uniform(0, 10, (num, 4, 2))
    return Persons(boxes, points, rng.random((num, 4)) < 0.8)


def test_iou_against_torchvision():
    ops = pytest.importorskip('torchvision.ops')
    rng = np.random.default_rng(0)
    first, second = persons(rng, 7).boxes, persons(rng, 5).boxes
    expected = ops.box_iou(torch.from_numpy(first), torch.from_numpy(second))
    np.testing.assert_allclose(box_iou(first, second), expected, atol=1e-12)


@pytest.mark.parametrize('align', [False, True])
def test_oks_against_plain_loops(align):
    rng = np.random.default_rng(1)
    first, second = persons(rng, 6), persons(rng, 9)
    expected = np.full((6, 9), np.nan)
    for i, (box, points, valid) in enumerate(zip(*first)):
        for j, (other_box, others, other_valid) in enumerate(zip(*second)):
            both = valid & other_valid
            if both.sum() < 3:
                continue
            steps = (others - points)[both]
            if align:
                steps = steps - steps.mean(0)
            area = np.mean(
                [(x[2] - x[0]) * (x[3] - x[1]) for x in (box, other_box)]
            )
            spread = 2 * area * (2 * SIGMAS[both]) ** 2
            expected[i, j] = np.exp(-(steps**2).sum(1) / spread).mean()
    assert 0 < np.isnan(expected).sum() < expected.size
    found = keypoint_similarity(first, second, SIGMAS, align)
    np.testing.assert_allclose(found, expected, atol=1e-12)


def test_without_a_pose_the_box_decides():
    rng = np.random.default_rng(2)
    first, second = persons(rng, 4), persons(rng, 4)
    first.valid[0] = False
    first.valid[1:], second.valid[:] = True, True
    found = person_similarity(first, second, SIGMAS, 0.7)
    iou = box_iou(first.boxes, second.boxes)
    oks = keypoint_similarity(first, second, SIGMAS)
    np.testing.assert_allclose(found[0], iou[0])
    np.testing.assert_allclose(found[1:], (0.7 * oks + 0.3 * iou)[1:])
