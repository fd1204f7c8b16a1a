# Copyright (c) hanet_mm contributors. All rights reserved.
"""Measures and keypoint maps with anything in their input."""

import warnings

import numpy as np
import pytest

from hanet_mm.core.metrics.errors import (
    accel_error,
    mpjpe,
    pa_mpjpe,
    pck_hits,
)
from hanet_mm.core.poses.keypoint_map import match_skeletons
from hanet_mm.core.poses.skeleton import make_skeleton
from hanet_mm.core.poses.skeleton_data import SKELETONS


def attempt(function, *arguments):
    """What it returns; None if it refuses in one line."""
    with warnings.catch_warnings():
        warnings.simplefilter('error')
        try:
            return function(*arguments)
        except ValueError as error:
            message = str(error)
    assert '\n' not in message
    assert len(message) <= 1000
    return None


def make_pair(rng):
    shape = [int(rng.choice(x)) for x in ((0, 1, 2, 3, 10), (1, 3, 17))]
    shape.append(int(rng.choice([2, 3])))
    truth = rng.normal(size=shape) * rng.choice([0, 1, 300, 1e30])
    found = truth + rng.normal(size=shape) * rng.choice([0, 1])
    for poses in (truth, found):
        if rng.random() < 0.3:
            poses[rng.random(shape[:2]) < 0.2] = rng.choice(
                [np.nan, np.inf, -np.inf, 1e200]
            )
    visible = rng.random(shape[:2]) < rng.choice([0, 0.7, 1])
    if rng.random() < 0.2:
        found = found[:, 1:]
    return found, truth, visible


@pytest.mark.fuzz(200)
def test_measures_refuse_or_give_finite_sums(seed):
    found, truth, visible = make_pair(np.random.default_rng(seed))
    for measure in (mpjpe, pa_mpjpe, accel_error):
        result = attempt(measure, found, truth, visible)
        if result is None:
            continue
        total, count = result
        assert np.isfinite(total)
        assert 0 <= count <= visible.sum()
        assert total >= 0
    boxes = np.tile([0.0, 0, 10, 10], (len(truth), 1))
    hits = attempt(pck_hits, found, truth, boxes, 0.2, visible)
    if hits is not None:
        assert (hits[0] <= hits[1]).all()


@pytest.mark.fuzz(200)
def test_maps_refuse_or_keep_what_is_the_same(seed):
    rng = np.random.default_rng(seed)
    target = SKELETONS[str(rng.choice([*SKELETONS]))]
    others = ['x', '', 'LShoulder', '²', 99 * 'a']
    choices = [*target.keypoint_names, *others]
    names = [str(x) for x in rng.choice(choices, rng.integers(0, 20))]
    source = attempt(make_skeleton, 'source', names)
    if source is None:
        return
    found = attempt(match_skeletons, source, target)
    if found is None:
        return
    assert np.isfinite(found.weights).all()
    sums = found.weights.sum(1)
    np.testing.assert_allclose(sums[found.weights.any(1)], 1)
    for index, same in enumerate(found.direct):
        if same >= 0:
            assert source.points[same] == target.points[index]
            row = np.eye(len(names))[same]
            np.testing.assert_array_equal(found.weights[index], row)
