# Copyright (c) hanet_mm contributors. All rights reserved.
"""The one set of figures, against closed forms."""

import numpy as np
import pytest

from hanet_mm.core.metrics.measures import (
    measure,
    range_kept,
    true_poses,
)

LENGTHS = (40, 25)
BOX = [0.0, 0, 100, 50]


def make_truth(dims=2):
    """Poses of 4 joints that swing with other phases."""
    rng = np.random.default_rng(0)
    phase = rng.uniform(0, 6, (4, dims))
    return [
        50 + 20 * np.sin(np.arange(n)[:, None, None] / 5 + phase)
        for n in LENGTHS
    ]


def boxes():
    return [np.tile(BOX, (n, 1)) for n in LENGTHS]


def test_errors_in_percent_of_the_larger_side_of_the_box():
    gt = make_truth()
    # 3 px in 60 frames, 30 px in the last five of the second person.
    poses = [x + [1.8, 2.4] for x in gt]
    poses[1][20:] = gt[1][20:] + [18, 24]
    found = measure(poses, true_poses(gt, boxes=boxes()))
    share = 5 / 65
    mean = 3 * (1 - share) + 30 * share
    assert found['mean_error'] == pytest.approx(mean)
    assert found['box_error'] == pytest.approx(mean)
    assert found['box_error_95'] == pytest.approx(30)
    assert found['pck_0.05'] == pytest.approx(100 * (1 - share))
    assert found['pck_0.2'] == pytest.approx(100 * (1 - share))
    half = [2 * x for x in boxes()]
    found = measure(poses, true_poses(gt, boxes=half))
    assert found['box_error'] == pytest.approx(mean / 2)
    assert found['pck_0.2'] == 100
    # Against themselves there is nothing worse or better.
    assert 'worse' not in found


@pytest.mark.parametrize('size', [1, 2])
def test_frames_made_worse_and_better_by_two_percent_of_the_box(size):
    gt = make_truth()
    truth = true_poses(gt, boxes=[size * x for x in boxes()])
    given = [x + [5.0, 0] for x in gt]
    poses = [x.copy() for x in given]
    # Mean over the joints: 2.1 px worse in 4 frames, 1.9 px worse in 6.
    poses[0][:4, 0, 0] += 4 * 2.1
    poses[0][4:10, 0, 0] += 4 * 1.9
    # 2.1 px better in 13 frames, 4.9 better in 2.
    poses[1][:13, :, 0] -= 2.1
    poses[1][13:15, :, 0] -= 4.9
    found = measure(poses, truth, given)
    worse, better = {1: (4, 15), 2: (0, 2)}[size]
    assert found['worse'] == pytest.approx(100 * worse / 65)
    assert found['better'] == pytest.approx(100 * better / 65)


def test_frames_are_judged_by_the_joints_that_are_known():
    gt = make_truth()
    visible = [np.ones(x.shape[:2]) for x in gt]
    given, poses = [x + [9.0, 0] for x in gt], [x.copy() for x in gt]
    # One joint is worse by 3 px, the others are better where they are seen.
    for seen, points in zip(visible, poses):
        points[:, 0] += [12, 0]
        seen[:20, 1:] = 0
    truth = true_poses(gt, visible, boxes())
    found = measure(poses, truth, given)
    assert found['worse'] == pytest.approx(100 * 40 / 65)
    assert found['better'] == pytest.approx(100 * 25 / 65)
    # Without the input of the first joint nothing can be said of those.
    for points in given:
        points[:20, 0] = np.nan
    found = measure(poses, truth, given)
    assert found['worse'] == 0
    assert found['better'] == 100


@pytest.mark.parametrize('dims', [2, 3])
def test_motion_kept_is_the_factor_of_the_amplitude(dims):
    gt = make_truth(dims)
    small = [0.6 * x + 7 for x in gt]
    found = measure(small, true_poses(gt))
    assert found['motion_kept'] == pytest.approx(60)
    assert range_kept(gt, small) == pytest.approx(100 / 0.6)
    # A joint that swings four times as far counts four times.
    for points in gt:
        points[:, 1:] = points[:1, 1:]
        points[:, 1] = 4 * points[:, 0]
    half = [x * [[1.0], [0.5], [1], [1]] for x in gt]
    assert range_kept(half, gt) == pytest.approx(100 * 3 / 5)


def test_motion_kept_ignores_single_frames_and_what_is_not_there():
    gt = [np.linspace(0, 100, 101)[:, None, None] * np.ones((1, 1, 2))]
    poses = [gt[0].copy()]
    # From the 5th to the 95th of 100.
    poses[0][[0, 100]] = [[[-900.0, 0]], [[900, 0]]]
    assert range_kept(poses, gt) == pytest.approx(100)
    poses[0][:51] = np.nan
    assert range_kept(poses, gt) == pytest.approx(100, abs=2)
    assert np.isnan(range_kept(poses, [np.zeros((101, 1, 2))]))


def test_bodies_are_aligned_in_three_dimensions_only():
    gt = make_truth(3)
    turn = np.array([[0.0, 1, 0], [-1, 0, 0], [0, 0, 1]])
    found = measure([2 * x @ turn + 5 for x in gt], true_poses(gt))
    assert found['pa_mpjpe'] == pytest.approx(0, abs=1e-6)
    assert found['mean_error'] > 10
    assert not any(x.startswith(('pck', 'box')) for x in found)
    assert 'pa_mpjpe' not in measure(make_truth(), true_poses(make_truth()))


def test_missing_poses_are_misses_and_have_no_error():
    gt = make_truth()
    poses = [x + [3.0, 0] for x in gt]
    poses[0][:13, 2] = np.nan
    found = measure(poses, true_poses(gt, boxes=boxes()))
    assert found['mean_error'] == pytest.approx(3)
    assert found['pck_0.05'] == pytest.approx(100 * (1 - 13 / 260))
    assert found['accel_error'] == pytest.approx(0, abs=1e-9)
    among = [np.zeros(x.shape[:2], bool) for x in gt]
    among[1][3, 1] = True
    found = measure(poses, true_poses(gt), among=among)
    assert found['mean_error'] == pytest.approx(3)
    assert found['accel_error'] is None


def test_boxes_are_those_around_the_true_joints_where_none_are_given():
    gt = make_truth()
    around = [np.concatenate([x.min(1), x.max(1)], 1) for x in gt]
    poses = [x + [3.0, 1] for x in gt]
    assert measure(poses, true_poses(gt)) == measure(
        poses, true_poses(gt, boxes=around)
    )


def test_nothing_to_measure_is_none():
    gt = [np.full((12, 4, 2), np.nan)]
    found = measure([np.zeros((12, 4, 2))], true_poses(gt), [gt[0]])
    assert set(found.values()) == {None}


def test_lag_is_that_behind_the_truth():
    gt = make_truth()
    late = [np.concatenate([x[:1], x[:1], x[:-2]]) for x in gt]
    found = measure(late, true_poses(gt))
    assert found['lag'] == pytest.approx(2, abs=0.2)
    assert measure([x[:1] + 0 * x for x in gt], true_poses(gt))['lag'] is None
