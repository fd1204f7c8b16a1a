# Copyright (c) hanet_mm contributors. All rights reserved.
"""Keypoints that a refiner does not know move with those that it knows."""

import numpy as np
import pytest

from hanet_mm.core.poses.keypoint_map import match_skeletons
from hanet_mm.core.poses.skeleton_data import SKELETONS
from hanet_mm.core.refine.followers import Followers

TARGET = SKELETONS['coco17']


def make(name):
    source = SKELETONS[name]
    names = list(source.keypoint_names)
    rng = np.random.default_rng(0)
    given = rng.uniform(0, 500, (6, len(names), 2))
    return Followers(match_skeletons(source, TARGET)), names, given


def refine(followers, given, **shifts):
    """The target's keypoints of the given ones, some of them shifted."""
    refined, _ = followers.mapping.forward(given)
    for name, shift in shifts.items():
        refined[:, TARGET.keypoint_names.index(name)] += shift
    return refined


@pytest.mark.parametrize(
    ('skeleton', 'leader', 'others'),
    [
        ('mediapipe33', 'left_ankle', ['left_heel', 'left_foot_index']),
        ('mediapipe33', 'right_wrist', ['right_pinky', 'right_thumb']),
        ('halpe26', 'right_ankle', ['right_heel', 'right_big_toe']),
        ('openpose25', 'left_ankle', ['left_heel', 'left_small_toe']),
    ],
)
def test_they_follow_their_limb(skeleton, leader, others):
    followers, names, given = make(skeleton)
    step = np.array([2.0, -1.0])
    moved = followers.move(given, refine(followers, given, **{leader: step}))
    shift = moved.keypoints - given
    chosen = [names.index(x) for x in [leader, *others]]
    np.testing.assert_allclose(shift[:, chosen] - step, 0, atol=1e-9)
    side = leader.split('_')[0]
    far = [i for i, x in enumerate(names) if not x.startswith(side)]
    np.testing.assert_allclose(shift[:, far], 0, atol=1e-9)
    assert moved.swapped is None


def foot(given, names, ankle, heel):
    given[:, names.index('left_ankle')] = ankle
    given[:, names.index('left_heel')] = heel
    return given


@pytest.mark.parametrize(
    ('heel', 'follows'), [((110.0, 200.0), True), ((10.0, 100.0), False)]
)
def test_after_an_outlier_only_what_was_one_too(heel, follows):
    # The ankle belongs to (0, 100) but was seen at (100, 200).
    followers, names, given = make('mediapipe33')
    given = foot(given, names, (100.0, 200.0), heel)
    refined = refine(followers, given, left_ankle=(-100.0, -100.0))
    found = followers.move(given, refined).keypoints
    np.testing.assert_allclose(
        found[:, names.index('left_heel')] - (10.0, 100.0), 0, atol=1e-9
    )
    assert follows == (np.array(heel) != (10.0, 100.0)).any()


def test_nothing_follows_what_was_not_seen():
    followers, names, given = make('mediapipe33')
    given[2, names.index('left_ankle')] = np.nan
    scores = np.ones(given.shape[:2])
    scores[3, names.index('left_ankle')] = 0
    refined = np.nan_to_num(refine(followers, given, left_ankle=5.0), nan=7.0)
    heel = names.index('left_heel')
    found = followers.move(given, refined, scores).keypoints[:, heel]
    followed = (found != given[:, heel]).any(1)
    np.testing.assert_array_equal(followed, [1, 1, 0, 0, 1, 1])


def test_they_change_sides_with_their_limb():
    followers, names, given = make('mediapipe33')
    legs = ['hip', 'knee', 'ankle']
    swapped = np.zeros((6, len(TARGET)), bool)
    for side in ('left', 'right'):
        for part in legs[1:]:
            swapped[2, TARGET.keypoint_names.index(f'{side}_{part}')] = True
    sides = {x: x for x in names}
    for x in names:
        side, _, rest = x.partition('_')
        if side in ('left', 'right'):
            other = {'left': 'right', 'right': 'left'}[side]
            sides[x] = f'{other}_{rest}'
    right = given.copy()
    for part in ('knee', 'ankle', 'heel', 'foot_index'):
        for side in ('left', 'right'):
            name = f'{side}_{part}'
            right[2, names.index(name)] = given[2, names.index(sides[name])]
    moved = followers.move(given, refine(followers, right), swapped=swapped)
    np.testing.assert_allclose(moved.keypoints, right)
    changed = {names[i] for i in np.flatnonzero(moved.swapped[2])}
    assert changed == {
        f'{side}_{part}'
        for side in ('left', 'right')
        for part in ('knee', 'ankle', 'heel', 'foot_index')
    }
    assert not moved.swapped[[0, 1, 3, 4, 5]].any()


def test_the_report_tells_them_from_the_others():
    report = make('mediapipe33')[0].report()
    along = report.split('moved along: ')[1].split(';')[0].split(', ')
    assert {'left_heel', 'right_index'} <= set(along)
    left = report.split('left as they were: ')[1].split(', ')
    assert {'mouth_left', 'left_eye_inner'} <= set(left)
