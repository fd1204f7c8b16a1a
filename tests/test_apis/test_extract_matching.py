# Copyright (c) hanet_mm contributors. All rights reserved.
"""Who of the annotated persons is who of those found."""

import numpy as np

from hanet_mm.apis.extract_video import Annotation, match_persons
from hanet_mm.apis.video.frames import Frame

SHAPE = np.array([[0, 0], [40, 0], [0, 80], [40, 80], [20, 40]], float)


def boxes_of(keypoints):
    return np.concatenate([keypoints.min(1), keypoints.max(1)], axis=1)


def annotation(keypoints):
    """One frame for each person, all of one picture."""
    known = np.ones(keypoints.shape[:2], bool)
    present = np.ones(len(keypoints), bool)
    return Annotation(keypoints, known, boxes_of(keypoints), present)


def poses(keypoints, boxes=None):
    return Frame(
        0,
        None,
        bboxes=boxes_of(keypoints) if boxes is None else boxes,
        bbox_scores=np.ones(len(keypoints)),
        keypoints=keypoints,
        keypoint_scores=np.ones(keypoints.shape[:2]),
    )


def test_nobody_is_taken_twice():
    # The first two people stand nearly at one place, so that the box of the
    # only pose overlaps both; it is the first one's by its keypoints.
    truth = np.stack([SHAPE, SHAPE + [9, 0], SHAPE + 500])
    found = poses(SHAPE[None] + 1)
    pairs = match_persons(annotation(truth), np.arange(3), found)
    assert pairs == [(0, 0)]


def test_boxes_decide_where_keypoints_cannot():
    # The second pose is turned upside down: no keypoint is near its own.
    truth = np.stack([SHAPE, SHAPE + [200, 0]])
    found = poses(np.stack([SHAPE[::-1] + [200, 0], SHAPE + 1]))
    pairs = match_persons(annotation(truth), np.arange(2), found)
    assert sorted(pairs) == [(0, 1), (1, 0)]
