# Copyright (c) hanet_mm contributors. All rights reserved.
"""Kinds of motion other than walking."""

import numpy as np
import pytest
from scipy.interpolate import CubicSpline

from hanet_mm.core.poses.skeleton_data import SKELETONS
from hanet_mm.datasets.simulation import (
    JOINT_NAMES,
    exercise_motion,
    kinds_of_part,
    made_motion,
)
from hanet_mm.datasets.simulation.body import sample_body_shapes
from hanet_mm.datasets.simulation.exercise_kinds import (
    KINDS,
    generate_exercises,
)
from hanet_mm.datasets.simulation.exercises import (
    CHANNELS,
    arm_keys,
    leg_keys,
    perform,
    periodic_spline,
)

BONES = dict(
    thigh=('hip', 'knee'),
    shank=('knee', 'ankle'),
    upper_arm=('shoulder', 'elbow'),
    forearm=('elbow', 'wrist'),
)


def at(joints, name):
    return joints[..., JOINT_NAMES.index(name), :]


def people(kind, num=4, seconds=8.0, fps=60.0, seed=0):
    """Bodies and joints of people who do a kind, (S, T, 16, 3)."""
    rng = np.random.default_rng(seed)
    shape = sample_body_shapes(rng, num)
    time = np.arange(round(seconds * fps)) / fps
    return shape, perform(rng, KINDS[kind], shape, time)


def test_splines_are_periodic_and_pass_through_their_keys():
    keys = np.random.default_rng(0).normal(size=7)
    phase = np.linspace(0, 2, 101)
    times = np.arange(8) / 7
    expected = CubicSpline(times, [*keys, keys[0]], bc_type='periodic')
    np.testing.assert_allclose(
        periodic_spline(keys, phase), expected(phase), atol=1e-12
    )
    np.testing.assert_allclose(periodic_spline(3.0, phase), 3.0)


def test_keys_of_limbs_bring_their_ends_to_the_places():
    places = [(0.1, -0.4), (0.2, -0.25), (-0.1, -0.3)]
    pitch = np.array([0.0, 30.0, -20.0])
    keys = leg_keys(places, pitch)
    thigh = np.radians(keys['hip'] - pitch)
    shank = thigh - np.radians(keys['knee'])
    ahead = 0.245 * np.sin(thigh) + 0.246 * np.sin(shank)
    above = -0.245 * np.cos(thigh) - 0.246 * np.cos(shank)
    np.testing.assert_allclose(np.c_[ahead, above], places, atol=1e-12)
    places = [(0.1, -0.25), (0.2, -0.1), (-0.1, -0.2)]
    keys = arm_keys(places)
    upper = np.radians(keys['reach'])
    lower = upper + np.radians(keys['elbow'])
    ahead = 0.186 * np.sin(upper) + 0.146 * np.sin(lower)
    above = -0.186 * np.cos(upper) - 0.146 * np.cos(lower)
    np.testing.assert_allclose(np.c_[ahead, above], places, atol=1e-12)


@pytest.mark.parametrize('kind', KINDS)
def test_tables_are_of_known_channels(kind):
    kind = KINDS[kind]
    names = {key.replace('_right', '') for key in kind.keys}
    assert names <= set(CHANNELS)
    assert {*kind.drift, *kind.wind} <= set(CHANNELS)
    assert 0.25 < kind.period[0] <= kind.period[1] < 10
    assert kind.anchor in ('pelvis', 'ankles', 'wrists', 'floor')


@pytest.mark.parametrize('kind', KINDS)
def test_bodies_are_plausible_in_all_kinds(kind):
    shape, joints = people(kind)
    assert np.isfinite(joints).all()
    for name, (start, end) in BONES.items():
        for side in ('left', 'right'):
            bone = at(joints, f'{side}_{end}') - at(joints, f'{side}_{start}')
            length = np.linalg.norm(bone, axis=-1)
            np.testing.assert_allclose(
                length, np.broadcast_to(shape[name], length.shape), rtol=1e-6
            )
    # Neither jumps nor jerks: a hand that is thrown reaches 20 m/s and some
    # hundred m/s^2.
    moved = joints - at(joints, 'pelvis')[..., None, :]
    speed = np.linalg.norm(np.diff(moved, axis=1), axis=-1) * 60
    assert speed.max() < 20
    accel = np.linalg.norm(np.diff(moved, 2, axis=1), axis=-1) * 3600
    assert accel.max() < 600
    # Something moves.
    assert np.ptp(moved, axis=1).max() > 0.1
    if KINDS[kind].anchor == 'floor':
        assert joints[..., 2].min() > -0.1


@pytest.mark.parametrize('kind', ['squats', 'push_ups', 'pull_ups'])
def test_hands_and_feet_that_hold_stay(kind):
    _, joints = people(kind)
    for end in KINDS[kind].fixed:
        for side in ('left_', 'right_'):
            place = at(joints, side + end[:-1])
            assert np.ptp(place, axis=1).max() < 0.06


def test_cyclists_pedal_in_circles_at_their_cadence():
    _, joints = people('cycling', 8, 20.0)
    ankle = at(joints, 'left_ankle') - at(joints, 'left_hip')
    low, high = np.percentile(ankle[..., [0, 2]], [1, 99], axis=1)
    # A crank of 170 mm of somebody of 1.74 m.
    np.testing.assert_allclose(high - low, 0.34, atol=0.16)
    assert np.median(high - low) == pytest.approx(0.34, abs=0.05)
    wave = ankle[..., 2] - ankle[..., 2].mean(axis=1, keepdims=True)
    peak = np.abs(np.fft.rfft(wave, axis=1)).argmax(axis=1) / 20 * 60
    assert 45 <= peak.min() < peak.max() <= 115
    other = at(joints, 'right_ankle')[..., 2]
    for one, two in zip(wave, other):
        assert np.corrcoef(one, two)[0, 1] < -0.9


def test_legs_of_rowers_are_stretched_and_pulled_in():
    shape, joints = people('rowing')
    leg = at(joints, 'left_ankle') - at(joints, 'left_hip')
    reach = np.linalg.norm(leg, axis=-1) / shape.leg
    assert (reach.min(axis=1) < 0.6).all()
    assert (reach.max(axis=1) > 0.9).all()
    flat = np.abs(leg[..., 2]) / np.linalg.norm(leg, axis=-1)
    assert np.median(flat) < 0.4


def test_parts_share_no_kind():
    train, val, test = map(set, map(kinds_of_part, ('train', 'val', 'test')))
    assert {'rowing', 'crawling'} <= val
    assert {'jumping_jacks', 'wheelchair'} <= test
    assert not (train & val)
    assert not (train & test)
    assert not (val & test)
    assert train | val | test == set(kinds_of_part(None)) == set(KINDS)
    assert len(train) > 50


def test_motion_of_a_part_is_of_its_kinds():
    bank = exercise_motion(np.random.default_rng(0), 'coco17', 'val', 2)
    kinds = kinds_of_part('val') * 2
    assert len(bank.start) == len(kinds)
    assert bank.joints.shape == (480 * len(kinds), 17, 3)
    np.testing.assert_array_equal(bank.length, 480)
    names = SKELETONS['coco17'].keypoint_names
    bodies = bank.joints.reshape(len(kinds), 480, 17, 3)
    # y is up: hands of those who do pull-ups are above the shoulders.
    above = (
        bodies[:, :, names.index('left_wrist'), 1]
        - bodies[:, :, names.index('left_shoulder'), 1]
    ).mean(axis=1)
    hanging = np.array(kinds) == 'pull_ups'
    assert above[hanging].min() > 0.2 > 0.1 > above[~hanging].max()


def test_most_of_the_motion_is_of_the_tables():
    bank = made_motion(np.random.default_rng(0), 'coco17', 'test')
    assert bank.chance.sum() == pytest.approx(1)
    assert bank.chance[bank.fps == 60].sum() == pytest.approx(0.65)
    assert bank.chance[bank.fps == 30].sum() == pytest.approx(0.35)


def test_exercises_are_those_of_the_seed():
    kinds = ('rowing', 'dance')
    one, two, other = (
        generate_exercises(np.random.default_rng(seed), kinds, 30, 30.0)
        for seed in (0, 0, 1)
    )
    np.testing.assert_array_equal(one, two)
    assert (one != other).mean() > 0.9
    with pytest.raises(ValueError, match=r"kinds: expected.*\['flying'\]"):
        generate_exercises(np.random.default_rng(0), ('flying',), 3, 30.0)
