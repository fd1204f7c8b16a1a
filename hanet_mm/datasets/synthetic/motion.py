"""3D motion of procedural people: script, footsteps and posture joined."""

from dataclasses import dataclass
from typing import Sequence, Tuple

import numpy as np

from .actions import Posture, make_posture
from .body import (
    JOINT_NAMES,
    SIDE_SIGN,
    BodyShape,
    place_arms,
    place_legs,
    rotation,
    sample_body_shapes,
)
from .footsteps import Footsteps, make_footsteps
from .paths import PATH_MARGIN, make_path, sample_gaits
from .timeline import ACTIONS, sample_script

# Hip to ankle over leg length: standing, and at most (the knee keeps about
# 10 degrees of flexion).
_STANDING, _STRAIGHT = 0.993, 0.996
# Width in metres over which the limits of the two legs melt into one.
_SOFTNESS = 0.006


@dataclass
class Motion:
    """Movement of S people over T frames.

    Args:
        joints (np.ndarray): Joints in the order of ``JOINT_NAMES``, world
            frame, metres, z up, floor at 0, (S, T, 16, 3).
        contact (np.ndarray): Feet flat on the floor, bool (S, T, 2), side
            axis (left, right).
        airborne (np.ndarray): Whether the body is in flight, bool (S, T).
        actions (np.ndarray): Numbers into ``ACTIONS``, (S, T).
        shape (BodyShape): Segment lengths of the people.
    """

    joints: np.ndarray
    contact: np.ndarray
    airborne: np.ndarray
    actions: np.ndarray
    shape: BodyShape


def _turned(
    heading: np.ndarray, forward: np.ndarray, left: np.ndarray
) -> np.ndarray:
    """Floor vector of body coordinates in the world, (..., 2)."""
    cosine, sine = np.cos(heading), np.sin(heading)
    return np.stack(
        [cosine * forward - sine * left, sine * forward + cosine * left],
        axis=-1,
    )


def _pelvis_height(
    posture: Posture, shape: BodyShape, hips: np.ndarray, ankles: np.ndarray
) -> np.ndarray:
    """Height that both legs can reach, as a smooth minimum, (S, T).

    Args:
        posture (Posture): Wanted height over standing.
        shape (BodyShape): Segment lengths.
        hips (np.ndarray): Hips relative to the pelvis in height, absolute
            on the floor, (S, T, 2, 3).
        ankles (np.ndarray): Ankles in metres, (S, T, 2, 3).
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
    pelvis[..., :2] = where[..., :2] + _turned(
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
    knees, ankles = place_legs(hips, ankles, ahead, shape)
    return pelvis, turn, hips, knees, ankles


def _upper_body(
    posture: Posture,
    heading: np.ndarray,
    pelvis: np.ndarray,
    turn: np.ndarray,
    shape: BodyShape,
) -> Tuple[np.ndarray, ...]:
    """Belly, neck, head (S, T, 3); shoulders, elbows, wrists."""
    yaw, roll, pitch = posture.trunk
    trunk = rotation(heading + yaw, roll, pitch)
    belly = pelvis + shape['lower_trunk'][..., None] * turn[..., 2]
    neck = belly + shape['upper_trunk'][..., None] * trunk[..., 2]
    yaw, roll, pitch = posture.head
    face = rotation(heading + yaw, roll, pitch)
    head = neck + shape['head_up'][..., None] * face[..., 2]
    head += shape['head_forward'][..., None] * face[..., 0]
    aside = SIDE_SIGN * shape['half_shoulders'][..., None]
    shoulders = neck - shape['shoulder_drop'][..., None] * trunk[..., 2]
    shoulders = (
        shoulders[..., None, :] + aside[..., None] * trunk[..., None, :, 1]
    )
    elbows, wrists = place_arms(shoulders, trunk, posture.arms, shape)
    return belly, neck, head, shoulders, elbows, wrists


def generate_motion(
    rng: np.random.Generator,
    num: int,
    num_frames: int,
    fps: float = 25.0,
    actions: Sequence[str] = ACTIONS,
) -> Motion:
    """Let people of random build act for a while.

    Args:
        rng (np.random.Generator): Source of randomness.
        num (int): Number of people S.
        num_frames (int): Frames T of each.
        fps (float): Frames per second.
        actions (Sequence[str]): Actions to draw from, see ``ACTIONS``.

    Returns:
        Motion: Their joints and what is known about them.

    Raises:
        ValueError: An action is unknown or none is given.
    """
    shape = sample_body_shapes(rng, num)
    gait = sample_gaits(rng, shape.stature)
    duration = num_frames / fps + PATH_MARGIN
    script = sample_script(rng, shape.stature, duration, actions)
    time = np.arange(num_frames) / fps
    path = make_path(script, gait, num_frames, fps)
    where = path.at(np.broadcast_to(time, (num, num_frames)))
    share = where[..., 3]
    posture = make_posture(rng, script, gait, share, time)
    feet = make_footsteps(path, gait, shape, time, share, posture.tiptoe)
    pelvis, turn, hips, knees, ankles = _legs(posture, feet, where, shape)
    belly, neck, head, shoulders, elbows, wrists = _upper_body(
        posture, where[..., 2], pelvis, turn, shape
    )
    joints = np.empty((num, num_frames, len(JOINT_NAMES), 3))
    joints[..., 0, :], joints[..., 1, :] = neck, belly
    joints[..., 2, :], joints[..., 15, :] = head, pelvis
    sides = (shoulders, hips, elbows, knees, wrists, ankles)
    for place, pair in zip(range(3, 15, 2), sides):
        # Sides are (left, right) here, (right, left) in JHMDB.
        joints[..., place : place + 2, :] = pair[..., ::-1, :]
    index = script.index(np.broadcast_to(time, (num, num_frames)))
    return Motion(
        joints=joints,
        contact=feet.contact & ~posture.airborne[..., None],
        airborne=posture.airborne,
        actions=np.take_along_axis(script.action, index, 1),
        shape=shape,
    )
