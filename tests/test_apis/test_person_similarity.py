# Copyright (c) hanet_mm contributors. All rights reserved.
"""How a tracker compares people: pose where there is one, box always."""

import numpy as np

from hanet_mm.apis.tracking import PoseTracker
from hanet_mm.apis.video.tracker import People
from hanet_mm.core.poses.boxes import box_iou, keypoint_similarity

SIGMAS = np.array([0.05, 0.1, 0.05, 0.1])


def people(rng, num):
    low = rng.uniform(0, 50, (num, 2))
    boxes = np.concatenate([low, low + rng.uniform(10, 60, (num, 2))], 1)
    points = rng.uniform(0, 10, (num, 4, 2))
    return People(boxes, points, np.ones((num, 4), bool))


def test_without_a_pose_the_box_decides():
    rng = np.random.default_rng(2)
    first, second = people(rng, 4), people(rng, 4)
    first.valid[0] = False
    found = PoseTracker(SIGMAS, oks_weight=0.7)._similarity(first, second)
    iou = box_iou(first.boxes, second.boxes)
    np.testing.assert_allclose(found[0], iou[0])
    areas = [
        (x.boxes[:, 2:] - x.boxes[:, :2]).prod(1) for x in (first, second)
    ]
    oks = keypoint_similarity(
        first.keypoints,
        second.keypoints,
        np.ones((4, 4, 4), bool),
        (areas[0][:, None] + areas[1]) / 2,
        SIGMAS,
    )
    np.testing.assert_allclose(found[1:], (0.7 * oks + 0.3 * iou)[1:])
