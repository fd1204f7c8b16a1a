# Copyright (c) hanet_mm contributors. All rights reserved.
"""Limbs of the procedural people against independent rotations."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.spatial.transform import Rotation

from hanet_mm.datasets.simulation.body import (
    SEGMENT_FRACTIONS,
    place_limbs,
    rotation,
    sample_body_shapes,
    swing_limbs,
)

angle = st.floats(-3.0, 3.0)


@given(angle, angle, angle)
def test_rotation_is_yaw_after_roll_after_pitch(yaw, roll, pitch):
    expected = Rotation.from_euler('ZXY', [yaw, roll, pitch]).as_matrix()
    found = rotation(np.array(yaw), np.array(roll), np.array(pitch))
    np.testing.assert_allclose(found, expected, atol=1e-12)


def test_proportions_follow_the_table_of_drillis_and_contini():
    shape = sample_body_shapes(np.random.default_rng(0), 4000)
    assert shape.stature.min() >= 1.4
    assert shape.stature.max() <= 2.05
    # Winter's Fig. 4.1, fractions of stature.
    for name, fraction in dict(
        upper_arm=0.186, forearm=0.146, thigh=0.245, shank=0.246
    ).items():
        ratio = shape.lengths[name] / shape.stature
        assert ratio.mean() == pytest.approx(fraction, rel=0.01)
        assert 0.02 < ratio.std() / ratio.mean() < 0.06
    assert set(shape.lengths) == set(SEGMENT_FRACTIONS)


@settings(max_examples=50)
@given(
    st.tuples(st.floats(-0.8, 2.9), st.floats(-0.3, 1.4)),
    st.floats(-0.4, 1.2),
    st.floats(0.05, 2.5),
    st.tuples(angle, angle, angle),
)
def test_arms_are_a_chain_of_rotations(upper, inward, elbow, trunk_angles):
    shape = sample_body_shapes(np.random.default_rng(1), 1)
    trunk = Rotation.from_euler('ZXY', trunk_angles)
    shoulders = np.array([[0.0, 0.2, 1.4], [0.0, -0.2, 1.4]])
    angles = np.array([*upper, inward, elbow])
    elbows, wrists = swing_limbs(
        shoulders[None, None],
        trunk.as_matrix()[None, None],
        np.tile(angles[:, None, None, None], (1, 1, 1, 2)),
        shape['upper_arm'],
        shape['forearm'],
    )
    for side, sign in ((0, 1.0), (1, -1.0)):
        # Flexion lifts the arm forward, abduction outwards, inward rotation
        # turns the forearm to the middle, the elbow bends it forward.
        arm = trunk * Rotation.from_euler(
            'YXZ', [-angles[0], sign * angles[1], -sign * angles[2]]
        )
        forearm = arm * Rotation.from_euler('Y', -angles[3])
        down = np.array([0.0, 0.0, -1.0])
        at_elbow = shoulders[side] + arm.apply(down) * shape['upper_arm'][0]
        at_wrist = at_elbow + forearm.apply(down) * shape['forearm'][0]
        np.testing.assert_allclose(elbows[0, 0, side], at_elbow, atol=1e-9)
        np.testing.assert_allclose(wrists[0, 0, side], at_wrist, atol=1e-9)


def test_a_bent_elbow_brings_the_hand_forward_and_inward():
    shape = sample_body_shapes(np.random.default_rng(1), 1)
    angles = np.zeros((4, 1, 1, 2))
    angles[2:] = [[[[0.5]]], [[[1.2]]]]
    place = (np.zeros((1, 1, 2, 3)), np.eye(3)[None, None], angles)
    lengths = (shape['upper_arm'], shape['forearm'])
    elbows, wrists = swing_limbs(*place, *lengths)
    forearm = (wrists - elbows)[0, 0]
    assert (forearm[:, 0] > 0).all()
    # x forward, y to the left: the left hand moves right, the right left.
    assert forearm[0, 1] < 0 < forearm[1, 1]
    # A knee bends the other way.
    knees, ankles = swing_limbs(*place, *lengths, -1.0)
    np.testing.assert_allclose(
        (ankles - knees)[0, 0], forearm * [-1, -1, 1], atol=1e-12
    )


@settings(max_examples=100)
@given(st.tuples(*[st.floats(-0.6, 0.6)] * 2), st.floats(-1.2, -0.05), angle)
def test_legs_keep_their_lengths_and_bend_forward(place, height, heading):
    shape = sample_body_shapes(np.random.default_rng(2), 1)
    wanted = np.array([*place, height])
    ahead = np.array([np.cos(heading), np.sin(heading), 0.0])
    knees, ankles = place_limbs(
        np.zeros((1, 1, 2, 3)),
        np.tile(wanted, (1, 1, 2, 1)),
        np.tile(ahead, (1, 1, 2, 1)),
        shape['thigh'],
        shape['shank'],
    )
    knee, ankle = knees[0, 0, 0], ankles[0, 0, 0]
    thigh, shank = shape['thigh'][0, 0], shape['shank'][0, 0]
    assert np.linalg.norm(knee) == pytest.approx(thigh)
    assert np.linalg.norm(ankle - knee) == pytest.approx(shank)
    assert knee @ ahead >= (ankle @ ahead) * thigh / (thigh + shank) - 0.02
    distance = np.linalg.norm(wanted)
    if 0.36 * (thigh + shank) < distance < 0.999 * (thigh + shank):
        np.testing.assert_allclose(ankle, wanted, atol=1e-9)
