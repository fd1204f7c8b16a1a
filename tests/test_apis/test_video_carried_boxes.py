# Copyright (c) hanet_mm contributors. All rights reserved.
"""Boxes of frames in which the detector does not run."""

import numpy as np
from blob_world import BlobDetector, draw, make_pipeline, run, truth

from hanet_mm.apis.video.frames import Frame
from hanet_mm.apis.video.pipeline import BoxCarrier
from hanet_mm.apis.video.sources import open_source


def poses_at(*places, score=0.8):
    points = np.stack([truth(place) for place in places])
    count = len(places)
    return Frame(
        0,
        None,
        bboxes=np.zeros((count, 4), np.float32),
        bbox_scores=np.linspace(0.5, 0.9, count).astype(np.float32),
        keypoints=points,
        keypoint_scores=np.full(points.shape[:2], score, np.float32),
    )


def next_frame(carrier):
    """A frame in which the detector does not run."""
    frame = Frame(1, None)
    carrier.place_boxes(frame)
    return frame


def updated(carrier, frame):
    carrier.update(frame)
    return frame


def test_boxes_are_a_quarter_larger_than_the_poses():
    carrier = BoxCarrier()
    carrier.start(poses_at((100, 50), (200, 60)))
    boxes = next_frame(carrier)
    # The pose is 18 wide and 24 high, its left top corner at (-9, 0).
    for (x, y), box in zip(((100, 50), (200, 60)), boxes.bboxes):
        dx, dy = 18 / 8, 24 / 8
        expected = [x - 9 - dx, y - dy, x + 9 + dx, y + 24 + dy]
        np.testing.assert_allclose(box, expected)
    np.testing.assert_allclose(boxes.bbox_scores, [0.5, 0.9])


def test_keypoints_without_score_do_not_count():
    poses = poses_at((100, 50))
    poses.keypoints[0, 3] = (-500, 900)
    poses.keypoint_scores[0, 3] = 0
    carrier = BoxCarrier()
    carrier.start(poses)
    assert (np.abs(next_frame(carrier).bboxes) < 150).all()
    poses.keypoint_scores[:] = 0
    carrier.start(poses)
    assert len(next_frame(carrier)) == 0


def test_who_is_lost_is_not_looked_for_any_more():
    carrier = BoxCarrier()
    carrier.start(poses_at((100, 50), (200, 60), score=0.6))
    later = poses_at((101, 50), (200, 60), score=0.6)
    later.keypoint_scores[1] = 0.29  # half of 0.6 is the least
    assert len(updated(carrier, later)) == 1
    boxes = next_frame(carrier)
    assert len(boxes) == 1
    assert boxes.bboxes[0, 0] < 101 < boxes.bboxes[0, 2]
    # Slowly is lost, too: what counts is the score at the detection.
    for score in (0.5, 0.4, 0.31):
        assert len(updated(carrier, poses_at((102, 50), score=score))) == 1
    assert len(updated(carrier, poses_at((102, 50), score=0.29))) == 0
    assert len(next_frame(carrier)) == 0


def test_one_person_found_twice_is_one():
    carrier = BoxCarrier()
    carrier.start(poses_at((100, 50), (120, 50), (104, 50)))
    later = poses_at((110, 50), (111, 50), (118, 50))
    later.keypoint_scores[1] += 0.1
    found = updated(carrier, later)
    # 1 px of a size of 30 is too near, 7 px are not.
    np.testing.assert_allclose(found.keypoints[:, 0, 0], [111, 118])


def test_two_equal_poses_leave_one():
    carrier = BoxCarrier()
    carrier.start(poses_at((100, 50), (150, 50)))
    found = updated(carrier, poses_at((120, 50), (120, 50)))
    assert len(found) == 1


def test_nobody_stays_nobody():
    carrier = BoxCarrier()
    assert len(next_frame(carrier)) == 0
    empty = poses_at((1, 1))
    empty.keep(np.zeros(1, bool))
    carrier.start(empty)
    assert len(next_frame(carrier)) == 0
    assert len(updated(carrier, empty)) == 0


def test_who_comes_waits_for_the_detector_and_who_leaves_is_let_go():
    frames = []
    for t in range(20):
        people = {0: (30, 20)}
        if t < 7:
            people[1] = (60, 20)
        if t >= 8:
            people[2] = (80, 20)
        frames.append(draw(people))
    detector = BlobDetector()
    pipeline = make_pipeline(None, detector, det_interval=5)
    found = [
        [x['track_id'] for x in result['instances']]
        for result in run(pipeline, open_source(frames))
    ]
    expected = [[0, 1]] * 7 + [[0]] * 3 + [[0, 2]] * 10
    assert found == expected
    assert detector.frames == 4
