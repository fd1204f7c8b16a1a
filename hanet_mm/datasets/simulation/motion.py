# Copyright (c) hanet_mm contributors. All rights reserved.
"""3D motion of procedural people: script, posture, footsteps, skeleton."""

from dataclasses import dataclass
from typing import Sequence, Tuple

import numpy as np

from .actions import ACTIONS, REGISTRY, Posture, Script, sample_script
from .body import (
    SIDE_SIGN,
    BodyShape,
    order_joints,
    place_limbs,
    place_upper_body,
    rotation,
    sample_body_shapes,
)
from .signals import wander
from .walking import (
    PATH_MARGIN,
    Footsteps,
    Gait,
    add_walk,
    make_footsteps,
    make_path,
    sample_gaits,
)

# Hip to ankle over leg length: standing, and at most (the knee keeps about
# 10 degrees of flexion).
_STANDING, _STRAIGHT = 0.993, 0.996
# Width in metres of the smooth minimum over the limits of the two legs.
_SOFTNESS = 0.006
# Limits of the elbows in radians: nothing bends backwards.
_ELBOW_LIMITS = (0.05, 2.5)
# A start in seconds that no sequence reaches.
_NEVER = 1e9
# Idle wandering of 17 quantities, standard deviations in radians except
# for the last two, the pelvis shifts (back, side) in metres.
_WANDER = np.array(
    [0.06, 0.04, 0.05]  # trunk yaw, roll, pitch
    + [0.18, 0.05, 0.09]  # head yaw, roll, pitch
    + [0.13, 0.13, 0.07, 0.07, 0.14, 0.14, 0.16, 0.16]  # arms, (4, 2)
    + [0.06, 0.012, 0.018]  # pelvis yaw, back, side
)


@dataclass
class Motion:
    """Movement of S people over T frames.

    ``joints`` (S, T, 16, 3) are in the order of ``JOINT_NAMES`` in the world
    frame, metres, z up, floor at 0; ``contact`` (S, T, 2) tells whether the
    left and right foot are flat on the floor, ``airborne`` (S, T) whether the
    body is in flight; ``actions`` (S, T) are numbers into ``ACTIONS``.
    """

    joints: np.ndarray
    contact: np.ndarray
    airborne: np.ndarray
    actions: np.ndarray
    shape: BodyShape


def _standing(rng: np.random.Generator, num: int, time: np.ndarray) -> Posture:
    """Posture of people who stand: habits plus slow wandering."""
    count, frames = len(_WANDER), len(time)
    drift = wander(rng, num, time, count)
    drift += rng.normal(0.0, 0.4, (count, num, 1))
    drift *= _WANDER[:, None, None]
    arms = np.moveaxis(drift[6:14].reshape(4, 2, num, frames), 1, -1)
    # The hanging arm: slightly forward, off the body, elbow soft.
    arms = arms + np.array([0.05, 0.13, 0.25, 0.28])[:, None, None, None]
    height, flight, tuck, tiptoe = np.zeros((4, num, frames))
    return Posture(
        height=height,
        flight=flight,
        airborne=np.zeros((num, frames), dtype=bool),
        tuck=tuck,
        tiptoe=tiptoe,
        back=drift[15],
        side=drift[16],
        pelvis=np.concatenate([drift[14:15], np.zeros((2, num, frames))]),
        trunk=drift[0:3] + np.array([0.0, 0.0, 0.05])[:, None, None],
        head=drift[3:6],
        arms=arms,
    )


def _make_posture(
    rng: np.random.Generator,
    script: Script,
    gait: Gait,
    share: np.ndarray,
    time: np.ndarray,
) -> Posture:
    """Posture of S people over T frames; ``share`` of the walking speed."""
    posture = _standing(rng, len(share), time)
    add_walk(posture, gait, share, time)
    index = script.index(np.broadcast_to(time, share.shape))
    params = {
        name: np.take_along_axis(values, index, 1)
        for name, values in script.params.items()
    }
    action = np.take_along_axis(script.action, index, 1)
    start = np.take_along_axis(script.start, index, 1)
    depth = np.zeros(share.shape)
    for number, kind in enumerate(REGISTRY.values()):
        active = action == number
        if kind.act is not None and active.any():
            # Started "never" elsewhere: there every ramp is still 0.
            params['start'] = np.where(active, start, _NEVER)
            depth += kind.act(posture, time, params)
    # A lowered pelvis moves back, the trunk leans, the eyes stay up.
    posture.back += 0.35 * depth
    posture.pelvis[2] += 0.9 * depth
    posture.trunk[2] += 1.5 * depth
    posture.head[2] += 0.4 * posture.trunk[2]
    posture.arms[3] = np.clip(posture.arms[3], *_ELBOW_LIMITS)
    return posture


def _to_world(
    heading: np.ndarray, forward: np.ndarray, left: np.ndarray
) -> np.ndarray:
    """Floor vector in the world of one in body coordinates, (..., 2)."""
    cosine, sine = np.cos(heading), np.sin(heading)
    return np.stack(
        [cosine * forward - sine * left, sine * forward + cosine * left],
        axis=-1,
    )


def _pelvis_height(
    posture: Posture, shape: BodyShape, hips: np.ndarray, ankles: np.ndarray
) -> np.ndarray:
    """Height that both legs can reach, as a smooth minimum, (S, T).

    Hips are relative to the pelvis in height, absolute on the floor,
    (S, T, 2, 3).
    """
    limit = (_STRAIGHT * shape.leg)[..., None]
    apart = np.sum((ankles - hips)[..., :2] ** 2, axis=-1)
    reach = np.sqrt(np.maximum(limit**2 - apart, (0.3 * limit) ** 2))
    most = ankles[..., 2] + reach - hips[..., 2]
    wanted = shape['ankle_height'] + _STANDING * shape.leg + posture.height
    heights = np.concatenate([wanted[..., None], most], axis=-1)
    lowest = heights.min(axis=-1)
    excess = np.exp((lowest[..., None] - heights) / _SOFTNESS).sum(axis=-1)
    return lowest - _SOFTNESS * np.log(excess)


def _legs(
    posture: Posture, feet: Footsteps, where: np.ndarray, shape: BodyShape
) -> Tuple[np.ndarray, ...]:
    """Pelvis (S, T, 3), its rotation, hips, knees and ankles."""
    heading = where[..., 2]
    pelvis = np.empty((*heading.shape, 3))
    pelvis[..., :2] = where[..., :2] + _to_world(
        heading, -posture.back, posture.side
    )
    pelvis[..., 2] = 0.0
    yaw, roll, pitch = posture.pelvis
    turn = rotation(heading + yaw, roll, pitch)
    aside = SIDE_SIGN * shape['half_hips'][..., None]
    hips = pelvis[..., None, :] + aside[..., None] * turn[..., None, :, 1]
    height = _pelvis_height(posture, shape, hips, feet.ankles)
    height += posture.flight
    ankles = feet.ankles.copy()
    ankles[..., 2] += (posture.flight + posture.tuck)[..., None]
    pelvis[..., 2] = height
    hips[..., 2] += height[..., None]
    # Knees follow the feet, which point slightly outwards.
    ahead = np.zeros_like(hips)
    toes = feet.heading + 0.12 * SIDE_SIGN
    ahead[..., 0], ahead[..., 1] = np.cos(toes), np.sin(toes)
    knees, ankles = place_limbs(
        hips, ankles, ahead, shape['thigh'], shape['shank']
    )
    return pelvis, turn, hips, knees, ankles


def _place_joints(
    posture: Posture, feet: Footsteps, where: np.ndarray, shape: BodyShape
) -> np.ndarray:
    """Joints in metres in the order of ``JOINT_NAMES``, (S, T, 16, 3)."""
    pelvis, turn, hips, knees, ankles = _legs(posture, feet, where, shape)
    trunk, face = (
        rotation(where[..., 2] + yaw, roll, pitch)
        for yaw, roll, pitch in (posture.trunk, posture.head)
    )
    upper = place_upper_body(pelvis, (turn, trunk, face), posture.arms, shape)
    legs = dict(pelvis=pelvis, hips=hips, knees=knees, ankles=ankles)
    return order_joints({**upper, **legs})


def generate_motion(
    rng: np.random.Generator,
    num: int,
    num_frames: int,
    fps: float = 25.0,
    actions: Sequence[str] = ACTIONS,
) -> Motion:
    """Simulate S people of random build over T frames of a rate.

    Raises a ValueError if one of the ``actions``, names of ``ACTIONS``, is
    unknown or none is given.
    """
    shape = sample_body_shapes(rng, num)
    gait = sample_gaits(rng, shape.stature)
    duration = num_frames / fps + PATH_MARGIN
    script = sample_script(rng, shape.stature, duration, actions)
    time = np.arange(num_frames) / fps
    path = make_path(script, gait, num_frames, fps)
    where = path.at(np.broadcast_to(time, (num, num_frames)))
    share = where[..., 3]
    posture = _make_posture(rng, script, gait, share, time)
    feet = make_footsteps(path, gait, shape, time, share, posture.tiptoe)
    index = script.index(np.broadcast_to(time, (num, num_frames)))
    return Motion(
        joints=_place_joints(posture, feet, where, shape),
        contact=feet.contact & ~posture.airborne[..., None],
        airborne=posture.airborne,
        actions=np.take_along_axis(script.action, index, 1),
        shape=shape,
    )
