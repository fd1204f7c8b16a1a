# Copyright (c) hanet_mm contributors. All rights reserved.
"""Who is lost, jumps or is hidden, and is recovered."""

import numpy as np
import pytest
from walking_people import NOBODY, across

from hanet_mm.apis.tracking import PoseTracker

MIDDLE = np.array([300.0, 210.0])


NO_POINTS = np.full((1, 17, 2), np.nan)


def beside(height=180.0, way=0.6):
    """Box and pose of someone that many body sizes beside x = 300."""
    x = 300 + way * 180
    pose = across(x, x, 300, (0, 9), height=height, stride=0.0).pose(0)
    box = np.array([[x - 30, 300 - height, x + 30, 300]])
    return box, pose[None]


@pytest.mark.parametrize(
    ('height', 'score', 'expected'),
    [
        (180 * 1.25, 0.9, 0),
        (180 * 1.35, 0.9, 1),  # a body does not grow in a frame
        (180 / 1.25, 0.9, 0),
        (180 / 1.35, 0.9, 1),
        (180, 0.2, -1),  # weak detections continue what was predicted only
    ],
)
def test_who_jumps_is_recovered_at_the_same_size_and_a_good_score(
    height, score, expected
):
    """0.6 body sizes to the side, where neither box nor pose overlaps."""
    tracker = PoseTracker()
    box, pose = beside(way=0)
    for frame in range(5):
        tracker.update(frame, box, None, pose)
    box, pose = beside(height)
    tracked = tracker.update(5, box, [score], pose)
    assert tracked.track_ids.tolist() == [expected]


@pytest.mark.parametrize(
    ('seen', 'missed', 'way', 'expected'),
    [
        (5, 0, 0.9, 0),
        (5, 0, 1.1, 1),
        (5, 1, 0.45, 0),  # after a miss the person has to be nearer
        (5, 1, 0.6, 1),
        (9, 0, 1.9, 1),
        (10, 0, 1.9, 0),  # a jump, of someone who is known well
        (10, 0, 2.1, 1),
        (10, 1, 1.9, 1),
    ],
)
def test_how_far_someone_is_recovered(seen, missed, way, expected):
    """Someone who stands is suddenly that many body sizes to the side."""
    tracker = PoseTracker()
    box, pose = beside(way=0)
    for frame in range(seen):
        tracker.update(frame, box, None, pose)
    for frame in range(seen, seen + missed):
        tracker.update(frame, None, None, NOBODY)
    box, pose = beside(way=way)
    tracked = tracker.update(seen + missed, box, None, pose)
    assert tracked.track_ids.tolist() == [expected]


def test_whose_box_was_shrinking_does_not_vanish_while_hidden():
    """The box loses 10 px a frame, then all is hidden for 15 frames.

    The person, whole again, overlaps the last box (150 of 180 px high) but
    not one that went on shrinking.
    """
    tracker = PoseTracker()
    for frame in range(10):
        size = np.array([60, 180]) * (1 - max(0, frame - 6) / 18)
        box = np.concatenate([MIDDLE - size / 2, MIDDLE + size / 2])[None]
        tracked = tracker.update(frame, box, None, NO_POINTS)
        assert tracked.track_ids.tolist() == [0]
    for frame in range(10, 25):
        tracker.update(frame, None, None, NOBODY)
    box = np.array([[270.0, 120, 330, 300]])
    tracked = tracker.update(25, box, None, NO_POINTS)
    assert tracked.track_ids.tolist() == [0]


def test_the_pose_decides_where_boxes_do_not():
    """The boxes of both are the same; where their keypoints are is not."""
    lying, standing = np.zeros((2, 17, 2))
    standing[:, 1] = np.linspace(0, 100, 17)
    lying[:, 0] = np.linspace(0, 100, 17)
    poses = np.stack([standing, lying])
    boxes = np.array([[0, 0, 100, 100.0]] * 2)
    tracker = PoseTracker(oks_weight=0.5)
    assert tracker.update(0, boxes, [0.9, 0.8], poses).track_ids.tolist() == [
        0,
        1,
    ]
    swapped = tracker.update(1, boxes, [0.9, 0.8], poses[::-1])
    assert swapped.track_ids.tolist() == [1, 0]
    # By boxes alone they are one person twice.
    tracker = PoseTracker(oks_weight=0)
    tracked = tracker.update(0, boxes, [0.9, 0.8], poses)
    assert tracked.track_ids.tolist() == [0, -1]
