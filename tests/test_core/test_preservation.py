# Copyright (c) hanet_mm contributors. All rights reserved.
"""Range of motion kept, and how far keypoints were moved."""

import numpy as np
import pytest

from hanet_mm.core.metrics.preservation import how_far_moved, range_kept


def ellipses(frames=200, period=25):
    """Three keypoints on ellipses in different directions, one still."""
    phase = 2 * np.pi * np.arange(frames)[:, None] / period
    along = np.stack([10 * np.cos(phase), 3 * np.sin(phase)], -1)
    turn = np.array([[0.6, -0.8], [0.8, 0.6]])
    return np.concatenate([along, along @ turn, 0 * along], axis=1) + 100


def test_range_is_that_of_the_main_direction():
    truth = ellipses()
    poses = 100 + (truth - 100) * [[[0.8], [1.1], [1.0]]]
    kept = range_kept(poses, truth, 25, least=1.0)
    np.testing.assert_allclose(kept[:2], [0.8, 1.1])
    assert np.isnan(kept[2])


def test_one_broken_period_does_not_count():
    truth = ellipses()
    poses = truth.copy()
    poses[60:64] += 50
    np.testing.assert_allclose(range_kept(poses, truth, 25)[:2], 1.0)


def test_keypoints_that_move_less_are_left_out():
    assert np.isnan(range_kept(ellipses(), ellipses(), 25, 21.0)).all()


def test_a_period_longer_than_the_sequence_is_refused():
    with pytest.raises(ValueError, match=r'at least 41 frames.*found 30'):
        range_kept(ellipses(30), ellipses(30), 40)


def test_moved_is_in_per_cent_of_the_body():
    given = np.zeros((100, 4, 2))
    poses = given.copy()
    poses[:, 0] = [3.0, 4.0]
    found = how_far_moved(poses, given, 50.0)
    assert found.mean == pytest.approx(10 / 4)
    assert found.p95 == pytest.approx(10)


def test_nothing_was_moved_by_no_distance():
    with pytest.raises(ValueError, match='expected keypoints, found'):
        how_far_moved(np.zeros((0, 2, 2)), np.zeros((0, 2, 2)), 1.0)
