# Copyright (c) hanet_mm contributors. All rights reserved.
"""The camera against projections worked out by hand."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hanet_mm.datasets.simulation import JOINT_NAMES, generate_motion
from hanet_mm.datasets.simulation.cameras import (
    Camera,
    look_at,
    sample_cameras,
)

SIZE = (640, 480)


def camera_at(position, target, focal=500.0, roll=0.0):
    position = np.array([position], dtype=float)
    target = np.array([[target]], dtype=float)
    rotation = look_at(position[:, None], target, np.full((1, 1), roll))
    return Camera(
        position, rotation, np.array([focal]), np.array([320.0, 240.0])
    )


def project(camera, *points):
    return camera.project(np.array(points, dtype=float)[None, None])[0, 0]


def test_projection_by_hand():
    camera = camera_at((-5, 0, 1), (0, 0, 1))
    found = project(
        camera, (0, 0, 1), (0, 1, 1), (0, 0, 2), (5, 1, 2), (-4, -1, 0)
    )
    # u = 320 + f * right / depth, v = 240 + f * down / depth; right is -y.
    expected = [(320, 240), (220, 240), (320, 140), (270, 190), (820, 740)]
    np.testing.assert_allclose(found, expected, atol=1e-9)


def test_a_camera_turned_clockwise_turns_the_picture_the_other_way():
    camera = camera_at((-5, 0, 1), (0, 0, 1), roll=np.pi / 2)
    # What was up (v = 140) is now on the left.
    np.testing.assert_allclose(
        project(camera, (0, 0, 2)), [(220, 240)], atol=1e-9
    )


coordinate = st.floats(-9, 9)


@given(
    st.tuples(coordinate, coordinate, st.floats(0, 3)),
    st.tuples(coordinate, coordinate, st.floats(0, 3)),
    st.floats(-0.5, 0.5),
)
def test_look_at_is_a_rotation_that_centres_the_target(eye, target, roll):
    if np.hypot(eye[0] - target[0], eye[1] - target[1]) < 0.1:
        return
    camera = camera_at(eye, target, roll=roll)
    rotation = camera.rotation[0, 0]
    np.testing.assert_allclose(rotation @ rotation.T, np.eye(3), atol=1e-9)
    assert np.linalg.det(rotation) == pytest.approx(1)
    np.testing.assert_allclose(
        project(camera, target), [(320, 240)], atol=1e-6
    )


def test_people_are_in_the_frame_and_not_mirrored():
    rng = np.random.default_rng(0)
    joints = generate_motion(rng, 200, 40).joints
    camera = sample_cameras(rng, joints, SIZE, 25.0)
    pixels = camera.project(joints)
    assert (pixels >= 0).all()
    assert (pixels <= SIZE).all()
    # Upright, and large enough to be of use.
    names = {name: i for i, name in enumerate(JOINT_NAMES)}
    head = pixels[..., names['head'], 1]
    assert (head < pixels[..., names['pelvis'], 1]).mean() > 0.99
    height = np.ptp(pixels[..., 1], axis=2)
    assert 200 < np.median(height) < 480
    # Who faces the camera has the left shoulder on the right.
    right, left = (
        joints[:, :, names[f'{side}_shoulder']] for side in ('right', 'left')
    )
    ahead = np.cross(left - right, [0.0, 0.0, 1.0])
    facing = np.sum(ahead * (camera.position[:, None] - left), axis=-1)
    frontal = facing > 0.5 * np.linalg.norm(ahead, axis=-1) * np.linalg.norm(
        camera.position[:, None] - left, axis=-1
    )
    left_u = pixels[..., names['left_shoulder'], 0]
    right_u = pixels[..., names['right_shoulder'], 0]
    assert frontal.mean() > 0.1
    assert (left_u > right_u)[frontal].mean() > 0.99


def test_cameras_move_little_and_differ():
    rng = np.random.default_rng(0)
    joints = generate_motion(rng, 100, 50, actions=['idle']).joints
    camera = sample_cameras(rng, joints, SIZE, 25.0)
    view = camera.rotation[:, :, 2]
    turn = np.arccos(np.clip(np.sum(view[:, 1:] * view[:, :-1], -1), -1, 1))
    assert 0 < turn.mean() < 0.005
    assert turn.max() < 0.03
    azimuth = np.arctan2(view[:, 0, 1], view[:, 0, 0])
    # Every quarter of the circle has its share of the cameras.
    quarters = np.histogram(azimuth, 4, (-np.pi, np.pi))[0]
    assert quarters.min() >= 12
