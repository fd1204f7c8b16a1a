# Copyright (c) hanet_mm contributors. All rights reserved.
"""Which pose is which, against other implementations."""

from itertools import permutations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from mmpose.evaluation.functional.nms import oks_iou
from posetrack_scenes import BODY
from posetrack_tracks import OKS_THRESHOLD, compare_poses, match_poses

from hanet_mm.datasets.metainfo import posetrack15

pytestmark = pytest.mark.mm


def people(rng, count, spread=60):
    """Poses of random place and size, close enough to be confused."""
    size = rng.uniform(0.5, 1.5, (count, 1, 1))
    place = rng.uniform(200, 200 + spread, (count, 1, 2))
    points = (BODY * size + place + rng.normal(0, 4, (count, 15, 2))).astype(
        np.float32
    )
    boxes = np.concatenate([points.min(1), points.max(1)], axis=1)
    return list(zip(points, boxes))


@pytest.mark.parametrize('seed', range(5))
def test_oks_is_that_of_mmpose(seed):
    rng = np.random.default_rng(seed)
    first, second = people(rng, 3), people(rng, 4)
    unknown = rng.random((3, 15)) < 0.3
    for (points, _), row in zip(first, unknown):
        points[row] = np.nan
    found = compare_poses(first, second)
    sigmas = np.array(posetrack15['sigmas'])
    for i, (true, box) in enumerate(first):
        known = ~unknown[i]
        area = (box[2:] - box[:2]).prod()
        triples = [
            np.c_[points[known], np.ones(known.sum())].reshape(-1)
            for points in (true, *(points for points, _ in second))
        ]
        expected = oks_iou(
            triples[0],
            np.stack(triples[1:]),
            area,
            np.full(4, area),
            sigmas=sigmas[known],
        )
        np.testing.assert_allclose(found[i], expected, rtol=1e-4)


def known_only(*indices):
    """The body with these keypoints, others unknown, in its box."""
    points = np.full_like(BODY, np.nan)
    points[list(indices)] = BODY[list(indices)]
    return points, np.array([-50, -100, 50, 100.0])


def test_oks_of_unknown_keypoints():
    def oks(first, second):
        return compare_poses([first], [second]).item()

    one, five = known_only(*range(15)), known_only(*range(5))
    assert oks(one, one) == 1
    assert oks(one, five) == pytest.approx(5 / 15)  # not found counts 0
    assert oks(five, one) == 1  # not annotated does not count
    assert oks(known_only(), one) == 0
    assert oks(one, known_only()) == 0


def test_boxes_decide_where_fewer_than_three_keypoints_are_annotated():
    one, three, two = (known_only(*range(n)) for n in (15, 3, 2))
    assert [m.by_box for m in match_poses([three], [one])] == [False]
    assert [m.by_box for m in match_poses([two], [one])] == [True]
    apart = one[0], one[1] + 100
    assert match_poses([two], [apart]) == []


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
    values = compare_poses(first, second)
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
    still = np.array([-50, -100, 50, 100.0])
    true = [(BODY, still), (BODY[::-1], still)]
    (match,) = match_poses(true, [(BODY, still)])
    assert (match.first, match.by_box) == (0, False)
    # the second is not like anything, but its box is where the other is
    far = BODY * 0 + 999
    found = [(far, still), (BODY, still)]
    matches = match_poses(true, found)
    assert [(m.first, m.second, m.by_box) for m in matches] == [
        (0, 1, False),
        (1, 0, True),
    ]
    # boxes that overlap by less than half do not
    assert match_poses(true, [(far, still + [50, 0, 50, 0])]) == []
