# Copyright (c) hanet_mm contributors. All rights reserved.
"""Are left and right of 3D joints what they are called."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sides import check_sides

NAMES = (
    *('neck', 'left_hip', 'left_knee', 'left_ankle', 'left_shoulder'),
    *('right_hip', 'right_knee', 'right_ankle', 'right_shoulder'),
)
# Upright, y up, facing +z, so that left is +x; knees 0.1 m before the line.
BODY = np.array(
    [
        *((0, 1.4, 0), (0.1, 0.9, 0), (0.1, 0.5, 0.1), (0.1, 0.1, 0)),
        (0.2, 1.4, 0),
        *((-0.1, 0.9, 0), (-0.1, 0.5, 0.1), (-0.1, 0.1, 0), (-0.2, 1.4, 0)),
    ]
)
# The knee's distance from the line, in lengths of thigh and shin.
BEND = 100 * 0.1 / (2 * np.hypot(0.4, 0.1))


@settings(max_examples=30, deadline=None)
@given(
    angles=st.tuples(*[st.floats(-3, 3)] * 3),
    scale=st.floats(0.01, 1000),
    place=st.floats(-10, 10),
)
def test_whatever_place_turn_and_size(angles, scale, place):
    from scipy.spatial.transform import Rotation

    turn = Rotation.from_rotvec(angles).as_matrix()
    points = scale * (BODY @ turn.T + place)
    note = check_sides(points[None], NAMES, 'truth')[0]
    assert note == (
        f'truth: knees bend forward on average ({BEND:+.1f} % of the leg)'
    )
    swapped = points[[0, 5, 6, 7, 8, 1, 2, 3, 4]]
    note = check_sides(swapped[None], NAMES, 'truth')[0]
    assert note.startswith('WARNING: truth: knees bend backward')
    assert f'({-BEND:+.1f} % of the leg)' in note
    assert note.endswith('exchanged, or an axis is mirrored')


def test_only_legs_or_only_arms():
    legs = BODY[[0, 5, 6, 7, 4, 1, 2, 3, 8]]
    note = check_sides(legs[None], NAMES, 'truth')[0]
    assert note.endswith('by the wrong side, the arms are not')
    arms = BODY[[0, 1, 2, 3, 8, 5, 6, 7, 4]]
    note = check_sides(arms[None], NAMES, 'truth')[0]
    assert 'hips and shoulders disagree' in note
    assert note.startswith('WARNING')


def test_noise_has_no_sides():
    noise = np.random.default_rng(0).normal(size=(5000, len(NAMES), 3))
    note = check_sides(noise, NAMES, 'noise')[0]
    assert note.startswith('noise: knees too straight')


def test_straight_legs_and_unknown_joints_say_nothing():
    straight = BODY.copy()
    straight[[2, 6], 2] = 0
    notes = check_sides(straight[None], NAMES, 'truth')
    assert notes == [
        'truth: knees too straight to tell the sides (+0.0 % of the leg)'
    ]
    unknown = np.full((2, *BODY.shape), np.nan)
    assert check_sides(unknown, NAMES, 'truth') == []
    # One good frame among unknown ones is enough.
    unknown[1] = BODY
    assert len(check_sides(unknown, NAMES, 'truth')) == 1


@pytest.mark.parametrize('mirror', [False, True])
def test_recorded_motion(shared_dir, mirror):
    """On motion capture of many actions, recording by recording."""
    with np.load(shared_dir / 'data' / 'cmu_mocap_train.npz') as archive:
        joints = archive['h36m17'] * np.array([-1 if mirror else 1, 1, 1])
        names = archive['h36m17_names'].tolist()
        ends = np.cumsum(archive['seq_len'])[:-1]
    for points in np.split(joints, ends):
        notes = check_sides(points, names, 'truth')
        assert notes[0].startswith('WARNING') == mirror
