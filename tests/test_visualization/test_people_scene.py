# Copyright (c) hanet_mm contributors. All rights reserved.
"""What is drawn of the people of a video."""

import numpy as np

from hanet_mm.apis.video.frames import Frame
from hanet_mm.visualization.people_scene import PeopleScene, track_color
from hanet_mm.visualization.side_by_side import GAP, HEADER

NAMES = ['nose', 'left_wrist', 'right_wrist', 'left_ankle', 'right_ankle']
LINKS = [(0, 1), (0, 2), (0, 3), (0, 4)]
SHAPE = np.array([(0, 0), (-9, 8), (9, 8), (-6, 24), (6, 24)], np.float32)


def frame_of(scene, place, size, shift=0.0, score=0.9, track_id=0):
    """A frame with one person on black; the refined pose is shifted in x."""
    points = (SHAPE + place)[None]
    frame = Frame(0, np.zeros((*size[::-1], 3), np.uint8))
    frame.image = scene.background(frame.image)
    frame.bboxes = np.zeros((1, 4))
    frame.keypoints, frame.refined = points, points + [shift, 0]
    frame.keypoint_scores = np.full((1, 5), score)
    frame.filled = np.zeros((1, 5), bool)
    frame.track_ids, frame.segments = np.array([track_id]), np.zeros(1, int)
    return frame


def panels(drawn, width):
    """Left and right panel."""
    assert drawn.shape[1] == 2 * width + GAP
    rows = drawn[HEADER:].astype(int)
    return rows[:, :width], rows[:, width + GAP :]


def test_each_side_is_drawn_where_its_poses_are():
    size = (96, 64)
    scene = PeopleScene(size, LINKS, NAMES)
    drawn = scene.draw(frame_of(scene, (40, 20), size, shift=20))
    limbs = [
        np.flatnonzero((np.abs(x - track_color(0)).max(-1) < 60).any(0))
        for x in panels(drawn, 96)
    ]
    assert limbs[0].min() >= 20
    assert limbs[0].max() <= 55
    assert limbs[1].min() >= 40
    assert limbs[1].max() <= 75


def test_pictures_of_other_sizes_are_fitted_into_the_panels():
    scene = PeopleScene((4000, 2000), LINKS, NAMES, refined=False)
    header = scene.size[1] - 960
    assert scene.size[0] == 1920
    # Texts grow with the picture.
    assert 1.5 * HEADER < header < 2.5 * HEADER
    frame = Frame(0, np.full((300, 300, 3), 200, np.uint8))
    frame.image = scene.background(frame.image)
    frame.refined = frame.keypoints
    frame.filled = np.zeros((0, 0), bool)
    frame.track_ids = frame.segments = np.zeros(0, int)
    drawn = scene.draw(frame)
    assert drawn.shape == (960 + header, 1920, 3)
    bright = np.flatnonzero((drawn[500] > 100).all(-1))
    # In the middle, up to the edge of a pixel of the picture (3.2 px).
    assert abs(bright.min() - 480) <= 2
    assert abs(bright.max() - 1439) <= 2


def test_low_scores_are_not_drawn_and_filled_ones_are():
    size = (96, 64)
    scene = PeopleScene(size, LINKS, NAMES)
    frame = frame_of(scene, (40, 20), size, score=0.1)
    assert not any((x > 0).any() for x in panels(scene.draw(frame), 96))
    frame.filled[:] = True
    left, right = panels(scene.draw(frame), 96)
    assert not (left > 0).any()
    assert (right > 0).any()


def test_trajectories_show_where_wrists_and_ankles_were():
    size = (200, 64)
    drawn = {}
    for trajectories in (False, True):
        scene = PeopleScene(size, LINKS, NAMES, trajectories=trajectories)
        for t in range(15):
            frame = frame_of(scene, (20 + 6 * t, 20), size)
            canvas = scene.draw(frame)
        drawn[trajectories] = canvas[HEADER + 26 :]
    ways = (drawn[True] > 0).any(-1).sum() - (drawn[False] > 0).any(-1).sum()
    assert ways > 200  # two wrists, two ankles, 84 px each, on two sides


def test_a_trajectory_ends_with_its_person():
    size = (200, 64)
    scene = PeopleScene(size, LINKS, NAMES, trajectories=True)
    scene.draw(frame_of(scene, (20, 20), size))
    scene.draw(frame_of(scene, (100, 20), size, track_id=1))
    last = scene.draw(frame_of(scene, (100, 20), size, track_id=0))
    alone = PeopleScene(size, LINKS, NAMES, trajectories=True)
    expected = alone.draw(frame_of(alone, (100, 20), size))
    np.testing.assert_array_equal(last, expected)


def test_colours_of_tracks_differ():
    colors = np.array([track_color(i) for i in range(8)])
    apart = np.abs(colors[:, None] - colors[None]).max(-1)
    assert (apart[~np.eye(8, dtype=bool)] > 30).all()
