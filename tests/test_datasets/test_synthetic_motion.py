# Copyright (c) hanet_mm contributors. All rights reserved.
"""The movement of the procedural people is that of bodies."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hanet_mm.datasets.simulation import (
    ACTIONS,
    JOINT_NAMES,
    generate_motion,
)
from hanet_mm.datasets.simulation.actions import REGISTRY, Action

FPS = 25.0
AT = {name: i for i, name in enumerate(JOINT_NAMES)}
SIDES = ('left', 'right')
BONES = (
    *(('pelvis', 'belly'), ('belly', 'neck'), ('neck', 'head')),
    *(
        (parent.format(side), child.format(side))
        for side in SIDES
        for parent, child in (
            *(('neck', '{}_shoulder'), ('{}_shoulder', '{}_elbow')),
            *(('{}_elbow', '{}_wrist'), ('pelvis', '{}_hip')),
            *(('{}_hip', '{}_knee'), ('{}_knee', '{}_ankle')),
        )
    ),
)


def move(*actions, num=40, frames=100, fps=FPS, seed=0):
    rng = np.random.default_rng(seed)
    return generate_motion(rng, num, frames, fps, actions or ACTIONS)


def joint(motion, name):
    return motion.joints[:, :, AT[name]]


def bend(motion, upper, middle, lower):
    """Angle by which a joint is bent, 0 = straight, in degrees."""
    a = joint(motion, middle) - joint(motion, upper)
    b = joint(motion, lower) - joint(motion, middle)
    cosine = np.sum(a * b, -1)
    cosine /= np.linalg.norm(a, axis=-1) * np.linalg.norm(b, axis=-1)
    return np.degrees(np.arccos(np.clip(cosine, -1, 1)))


def forward(motion):
    """Direction in which the pelvis faces, on the floor."""
    across = joint(motion, 'left_hip') - joint(motion, 'right_hip')
    ahead = np.stack([across[..., 1], -across[..., 0]], axis=-1)
    return ahead / np.linalg.norm(ahead, axis=-1, keepdims=True)


def ankles(motion):
    """Left and right ankle, (S, T, 2, 3)."""
    return np.stack([joint(motion, f'{s}_ankle') for s in SIDES], axis=2)


@settings(max_examples=15, deadline=None)
@given(
    st.integers(0, 2**32 - 1),
    st.integers(1, 60),
    st.lists(st.sampled_from(ACTIONS), min_size=1, unique=True),
)
def test_bones_keep_their_lengths(seed, frames, actions):
    motion = move(*actions, num=3, frames=frames, seed=seed)
    for start, end in BONES:
        length = np.linalg.norm(
            joint(motion, end) - joint(motion, start), 2, -1
        )
        np.testing.assert_allclose(
            length, np.repeat(length[:, :1], frames, axis=1), rtol=1e-9
        )


def test_left_and_right_limbs_are_equally_long():
    motion = move(frames=1)
    for start, end in (
        ('shoulder', 'elbow'),
        ('elbow', 'wrist'),
        ('hip', 'knee'),
        ('knee', 'ankle'),
    ):
        left, right = (
            np.linalg.norm(
                joint(motion, f'{s}_{end}') - joint(motion, f'{s}_{start}'),
                axis=-1,
            )
            for s in SIDES
        )
        np.testing.assert_allclose(left, right, rtol=1e-9)


@pytest.mark.parametrize('side', SIDES)
def test_joints_stay_within_human_limits(side):
    motion = move(num=200)
    knee = bend(motion, f'{side}_hip', f'{side}_knee', f'{side}_ankle')
    elbow = bend(motion, f'{side}_shoulder', f'{side}_elbow', f'{side}_wrist')
    assert knee.min() > 1
    assert knee.max() < 145
    assert elbow.min() > 2
    assert elbow.max() < 150


@pytest.mark.parametrize('side', SIDES)
def test_knees_bend_forward(side):
    """The knee lies on the front side of the line from hip to ankle."""
    motion = move(num=200)
    hip, knee, ankle = (
        joint(motion, f'{side}_{part}') for part in ('hip', 'knee', 'ankle')
    )
    line = ankle - hip
    along = np.sum((knee - hip) * line, -1) / np.sum(line**2, -1)
    aside = knee - hip - along[..., None] * line
    ahead = np.sum(aside[..., :2] * forward(motion), -1)
    # Pivots turn the pelvis over a standing foot, so allow some of it.
    assert (ahead > 0).mean() > 0.99
    still = np.isin(motion.actions, [ACTIONS.index('squat')])
    assert still.any()
    assert (ahead > 0)[still].mean() > 0.995


@pytest.mark.parametrize('side', SIDES)
def test_elbows_bend_forward_when_walking(side):
    motion = move('walk')
    shoulder, elbow, wrist = (
        joint(motion, f'{side}_{p}') for p in ('shoulder', 'elbow', 'wrist')
    )
    middle = shoulder + (wrist - shoulder) * 0.5
    ahead = np.sum((elbow - middle)[..., :2] * forward(motion), -1)
    assert (ahead < 0).mean() > 0.97


def test_standing_feet_do_not_slide():
    motion = move('walk', 'turn', 'idle', 'reach', 'squat', num=100)
    feet = ankles(motion)
    together = motion.contact[:, 1:] & motion.contact[:, :-1]
    step = np.linalg.norm(np.diff(feet, axis=1), axis=-1)
    assert together.mean() > 0.2
    assert np.quantile(step[together], 0.99) < 0.002
    assert step[together].max() < 0.02


def test_low_ankles_do_not_slide_whatever_the_contact_flag_says():
    motion = move('walk', num=100)
    feet = ankles(motion)
    floor = feet[..., 2].min(axis=1, keepdims=True)
    low = feet[..., 2] < floor + 0.003
    low = low[:, 1:-1] & low[:, 2:] & low[:, :-2]
    speed = np.linalg.norm(np.diff(feet[..., :2], axis=1), axis=-1)[:, 1:]
    assert low.mean() > 0.1
    assert np.quantile(speed[low] * FPS, 0.95) < 0.1


def test_walking_feet_alternate_and_one_is_always_down():
    motion = move('walk', num=60)
    feet = ankles(motion)
    way = np.diff(joint(motion, 'pelvis')[..., :2], axis=1)
    speed = np.linalg.norm(way, axis=-1).mean(axis=1) * FPS
    assert 0.4 < speed.min() < speed.max() < 1.8
    swing = np.linalg.norm(np.diff(feet, axis=1), axis=-1) * FPS > 1.1
    assert not swing.all(axis=-1).any()
    # Between two swings of one foot the other one swings.
    for left, right in swing.transpose(0, 2, 1):
        fresh = [
            (frame, side)
            for side, moving in enumerate((left, right))
            for frame in np.nonzero(moving[1:] & ~moving[:-1])[0]
        ]
        order = [side for _, side in sorted(fresh)]
        assert len(order) >= 3
        assert all(a != b for a, b in zip(order, order[1:]))


def test_arms_swing_against_the_legs():
    motion = move('walk', num=60)
    ahead = forward(motion)

    def lead(part):
        apart = joint(motion, f'left_{part}') - joint(motion, f'right_{part}')
        return np.sum(apart[..., :2] * ahead, axis=-1)

    arms, legs = lead('wrist'), lead('ankle')
    agreement = [np.corrcoef(a, b)[0, 1] for a, b in zip(arms, legs)]
    assert np.median(agreement) < -0.8
    assert (np.array(agreement) < 0).mean() > 0.9


def test_flight_is_a_parabola_under_gravity():
    motion = move('jump', num=100, fps=100.0, frames=300)
    height = joint(motion, 'pelvis')[..., 2]
    fall = np.diff(height, 2, axis=1) * 100.0**2
    flying = motion.airborne
    inside = flying[:, 2:] & flying[:, 1:-1] & flying[:, :-2]
    assert inside.mean() > 0.05
    np.testing.assert_allclose(fall[inside], -9.81, atol=0.4)
    # Both feet are off the floor, by a jump of 8 to 47 cm.
    feet = ankles(motion)[..., 2]
    rise = feet.min(axis=-1) - feet.min(axis=(1, 2))[:, None]
    assert (rise[flying] > 0).all()
    assert 0.3 < rise.max() < 0.8
    low = feet.min(axis=-1) < feet.min(axis=(1, 2))[:, None] + 1e-3
    assert not (low & flying).any()


def test_a_jump_begins_with_a_crouch():
    motion = move('jump', num=60, frames=150)
    height = joint(motion, 'pelvis')[..., 2]
    for who, frame in zip(
        *np.nonzero(motion.airborne[:, 1:] & ~motion.airborne[:, :-1])
    ):
        if frame >= 25:
            before = height[who, frame - 25 : frame + 1]
            assert before.max() - before.min() > 0.1


def test_a_squat_lowers_the_pelvis_and_keeps_the_feet():
    motion = move('squat', num=60)
    height = joint(motion, 'pelvis')[..., 2]
    depth = np.ptp(height, axis=1) / motion.shape.stature
    assert np.median(depth) > 0.1
    feet = ankles(motion)
    assert np.ptp(feet, axis=1).max() < 0.02


def test_a_turn_changes_the_heading_on_the_spot():
    motion = move('turn', num=60)
    ahead = forward(motion)
    heading = np.unwrap(np.arctan2(ahead[..., 1], ahead[..., 0]), axis=1)
    assert np.median(np.ptp(heading, axis=1)) > 0.8
    assert np.ptp(joint(motion, 'pelvis')[..., :2], axis=1).max() < 0.2


def test_a_reach_lifts_a_hand():
    motion = move('reach', num=60)
    hands = np.stack([joint(motion, f'{s}_wrist') for s in SIDES], axis=2)
    lift = np.ptp(hands[..., 2], axis=1).max(axis=-1)
    assert np.median(lift) > 0.3
    feet = ankles(motion)
    assert np.ptp(feet, axis=1).max() < 0.02


def test_movement_is_continuous_across_actions():
    """No jumps: at 400 frames a second 3 mm would be 480 m/s^2."""
    fps = 400.0
    motion = move(num=30, frames=2400, fps=fps)
    changes = motion.actions[:, 1:] != motion.actions[:, :-1]
    assert changes.sum() > 20
    speed = np.linalg.norm(np.diff(motion.joints, axis=1), axis=-1) * fps
    assert speed.max() < 11
    kink = np.linalg.norm(np.diff(motion.joints, 2, axis=1), axis=-1) * fps**2
    assert kink[..., AT['pelvis']].max() < 480
    assert kink.max() < 2500


def test_frame_rate_samples_the_same_movement():
    slow = move(num=20, frames=50, fps=25.0, seed=3)
    fast = move(num=20, frames=200, fps=100.0, seed=3)
    np.testing.assert_allclose(slow.joints, fast.joints[:, ::4], atol=0.03)


def test_seeds():
    one, same, other = move(seed=1), move(seed=1), move(seed=2)
    np.testing.assert_array_equal(one.joints, same.joints)
    # Other people and another movement, in every sequence.
    assert (np.abs(one.shape.stature - other.shape.stature) > 1e-6).all()
    apart = np.abs(one.joints - other.joints).max(axis=(1, 2, 3))
    assert apart.min() > 0.05


def test_unknown_action():
    with pytest.raises(ValueError, match=r"actions: .* found \('fly',\)"):
        move('fly')
    with pytest.raises(ValueError, match='actions'):
        generate_motion(np.random.default_rng(0), 1, 5, FPS, ())


def test_a_new_action_changes_nobody_who_does_not_do_it(monkeypatch):
    def draw(rng, shape, size):
        return dict(stroke=rng.uniform(0, 1, shape))

    before = generate_motion(np.random.default_rng(0), 4, 60)
    monkeypatch.setitem(REGISTRY, 'row', Action(0.5, draw))
    after = generate_motion(np.random.default_rng(0), 4, 60)
    np.testing.assert_array_equal(before.joints, after.joints)
