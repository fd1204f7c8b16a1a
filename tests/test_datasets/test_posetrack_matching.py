"""Which pose is which, against other implementations."""

from itertools import permutations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from mmpose.evaluation.functional.nms import oks_iou
from posetrack_scenes import BODY
from torchvision.ops import box_iou

from hanet_mm.datasets.converters.posetrack_matching import (
    OKS_THRESHOLD,
    Poses,
    iou,
    match_poses,
    oks,
)
from hanet_mm.datasets.metainfo.posetrack15 import posetrack15


def people(rng, count, spread=60):
    """Poses of random place and size, close enough to be confused."""
    size = rng.uniform(0.5, 1.5, (count, 1, 1))
    place = rng.uniform(200, 200 + spread, (count, 1, 2))
    points = (BODY * size + place + rng.normal(0, 4, (count, 15, 2))).astype(
        np.float32
    )
    boxes = np.concatenate([points.min(1), points.max(1)], axis=1)
    return Poses(points, boxes)


@pytest.mark.parametrize('seed', range(5))
def test_oks_is_that_of_mmpose(seed):
    rng = np.random.default_rng(seed)
    first, second = people(rng, 3), people(rng, 4)
    unknown = rng.random((3, 15)) < 0.3
    first.keypoints[unknown] = np.nan
    found = oks(first, second)
    sigmas = np.array(posetrack15['sigmas'])
    for i in range(3):
        known = ~unknown[i]
        area = (first.bboxes[i, 2:] - first.bboxes[i, :2]).prod()
        triples = [
            np.c_[points[known], np.ones(known.sum())].reshape(-1)
            for points in (first.keypoints[i], *second.keypoints)
        ]
        expected = oks_iou(
            triples[0],
            np.stack(triples[1:]),
            area,
            np.full(4, area),
            sigmas=sigmas[known],
        )
        np.testing.assert_allclose(found[i], expected, rtol=1e-4)


def test_oks_of_unknown_keypoints():
    one = Poses(BODY[None], np.array([[-50, -100, 50, 100.0]]))
    half = Poses(one.keypoints.copy(), one.bboxes)
    half.keypoints[0, 5:] = np.nan
    nothing = Poses(np.full_like(one.keypoints, np.nan), one.bboxes)
    assert oks(one, one) == 1
    assert oks(one, half) == pytest.approx(5 / 15)  # not found counts 0
    assert oks(half, one) == 1  # not annotated does not count
    assert oks(nothing, one) == 0
    assert oks(one, nothing) == 0


def test_iou_is_that_of_torchvision():
    rng = np.random.default_rng(0)
    first, second = people(rng, 5).bboxes, people(rng, 6).bboxes
    expected = box_iou(torch.from_numpy(first), torch.from_numpy(second))
    np.testing.assert_allclose(iou(first, second), expected, rtol=1e-4)
    unknown = np.full((1, 4), np.nan, np.float32)
    assert (iou(unknown, second) == 0).all()


@given(
    seed=st.integers(0, 10**6),
    rows=st.integers(0, 4),
    columns=st.integers(0, 4),
)
@settings(max_examples=60, deadline=None)
def test_matches_have_the_largest_sum_of_oks(seed, rows, columns):
    rng = np.random.default_rng(seed)
    first, second = people(rng, rows), people(rng, columns)
    matches = match_poses(first, second)
    assert len({m.first for m in matches}) == len(matches)
    assert len({m.second for m in matches}) == len(matches)
    if not rows or not columns:
        assert not matches
        return
    values = oks(first, second)
    by_pose = [m for m in matches if not m.by_box]
    assert all(values[m.first, m.second] >= OKS_THRESHOLD for m in by_pose)
    values = np.where(values >= OKS_THRESHOLD, values, 0)
    if rows > columns:
        values = values.T
    best = max(
        sum(values[i, j] for i, j in enumerate(order))
        for order in permutations(range(values.shape[1]), values.shape[0])
    )
    assert sum(m.oks for m in by_pose) == pytest.approx(best, rel=1e-5)


def test_boxes_decide_only_between_poses_that_are_left():
    still = np.array([[-50, -100, 50, 100.0]] * 2)
    true = Poses(np.stack([BODY, BODY[::-1]]), still)
    found = Poses(np.stack([BODY]), still[:1])
    (match,) = match_poses(true, found)
    assert (match.first, match.by_box) == (0, False)
    # the second is not like anything, but its box is where the other is
    found = Poses(np.stack([BODY * 0 + 999, BODY]), still)
    assert [
        (m.first, m.second, m.by_box) for m in match_poses(true, found)
    ] == [
        (0, 1, False),
        (1, 0, True),
    ]
    # boxes that overlap by less than half do not
    apart = Poses(found.keypoints[:1], still[:1] + [50, 0, 50, 0])
    assert match_poses(true, apart) == []
