# Copyright (c) hanet_mm contributors. All rights reserved.
"""Toes and heels of captured and of procedural people.

Motion capture knows the ankle, the ball and the tip of the foot; heels and
small toes are offsets in the frame of the foot, fractions of its length.
Procedural people have no feet: theirs are flat where the ankle is low, roll
over the ball where it is a little higher and hang where it is high.

(..., 3) are points in metres, y or z up.
"""

from typing import Dict, NamedTuple, Sequence, Tuple

import numpy as np

from hanet_mm.core.poses.skeleton_data import SKELETONS

from .signals import smooth_step

_BODY23 = SKELETONS['coco_wholebody_body'].keypoint_names
FOOT_NAMES: Tuple[str, ...] = tuple(
    name for name in _BODY23 if name.endswith(('toe', 'heel'))
)
"""Big toe, small toe and heel of the left foot, then of the right one."""

# Lengths in statures: foot (Drillis and Contini, 1966), ankle to ball, height
# of the ankle over the sole; shank to know the stature from.
_FOOT, _FOREFOOT, _ANKLE, _SHANK = 0.152, 0.085, 0.039, 0.246
# Offsets in lengths of the foot, backwards, down and outwards: the heel is
# behind and below the ankle, as high over the sole as one sees it; toes are
# relative to the tip of the foot, which is that of the second toe.
_HEEL = (0.22, 0.20, 0.0)
_BIG_TOE = (0.0, 0.0, -0.06)
_SMALL_TOE = (0.18, 0.0, 0.20)
# The line from ankle to ball points below the sole's direction by this angle,
# the median of captured people who stand.
_DROP = np.radians(17.0)
# Share of the foot that lies between ankle and tip.
_AHEAD = 0.78
# Feet of procedural people, radians: turned outwards; plantar flexion of a
# foot that hangs, and its limits.
_OUTWARD, _HANGING = 0.12, 0.35
_FLEXION = (-0.45, 0.9)
# The front of the leg counts so much beside the bend of the knee, in lengths
# of the leg, where the foot points.
_FRONT = 0.15
_SIDES = (('left', 1.0), ('right', -1.0))


class _Foot(NamedTuple):
    """A foot: ankle, tip of the toes, axes of the sole (..., 3) and length."""

    ankle: np.ndarray
    tip: np.ndarray
    forward: np.ndarray
    up: np.ndarray
    outward: np.ndarray
    length: np.ndarray  # (..., 1)

    def points(self, side: str) -> Dict[str, np.ndarray]:
        """Big toe, small toe and heel."""

        def beside(start: np.ndarray, offset: Sequence[float]) -> np.ndarray:
            back, down, out = offset
            return start + self.length * (
                out * self.outward - back * self.forward - down * self.up
            )

        return {
            f'{side}_big_toe': beside(self.tip, _BIG_TOE),
            f'{side}_small_toe': beside(self.tip, _SMALL_TOE),
            f'{side}_heel': beside(self.ankle, _HEEL),
        }


def captured_feet(joints: np.ndarray, names: Sequence[str]) -> np.ndarray:
    """Feet of the joints (N, J, 3) of the CMU database, (N, 6, 3) float32.

    In the order of ``FOOT_NAMES``. Raises a ValueError if ``names`` lack the
    joints of a leg.
    """
    body = {str(name): joints[:, i] for i, name in enumerate(names)}
    found = {}
    for side, sign in _SIDES:
        parts = [f'{side[0]}{x}' for x in ('femur', 'tibia', 'foot', 'toes')]
        absent = [part for part in parts if part not in body]
        if absent:
            raise ValueError(
                f'joint_names: expected {absent[0]!r}, found '
                f'{", ".join(map(str, names))}'
            )
        # Each is where its bone ends: knee, ankle, ball, tip.
        knee, ankle, ball, tip = (body[part] for part in parts)
        ahead = _unit(ball - ankle)
        above = _unit(_across(knee - ankle, ahead))
        forward = np.cos(_DROP) * ahead + np.sin(_DROP) * above
        up = np.cos(_DROP) * above - np.sin(_DROP) * ahead
        length = _norm(ball - ankle) + _norm(tip - ball)
        outward = sign * np.cross(up, forward)
        foot = _Foot(ankle, tip, forward, up, outward, length / _AHEAD)
        found.update(foot.points(side))
    return np.stack([found[name] for name in FOOT_NAMES], 1).astype(np.float32)


def procedural_feet(body: Dict[str, np.ndarray]) -> Dict[str, np.ndarray]:
    """Feet of procedural joints by name, (..., T, 3), z up.

    The floor is below the lowest ankle of the T frames.
    """
    across = _unit(body['left_hip'] - body['right_hip'])
    ankles = [body[f'{side}_ankle'][..., 2] for side, _ in _SIDES]
    lowest = np.minimum(*ankles).min(axis=-1, keepdims=True)
    found = {}
    for side, sign in _SIDES:
        hip, knee, ankle = (
            body[f'{side}_{x}'] for x in ('hip', 'knee', 'ankle')
        )
        line = _unit(hip - ankle)
        bend = _across(knee - ankle, line)
        leg = _norm(hip - knee) + _norm(knee - ankle)
        toward = _FRONT * _unit(np.cross(across, line)) + bend / leg
        shank = _unit(knee - ankle)
        toward = _unit(_across(toward, shank))
        left = np.cross(shank, toward)
        toward = np.cos(_OUTWARD) * toward + sign * np.sin(_OUTWARD) * left
        stature = _norm(knee - ankle) / _SHANK
        height = (ankle[..., 2] - lowest)[..., None] / (_FOREFOOT * stature)
        flexion, rolled = _flexion(shank, toward, height)
        cosine, sine = np.cos(flexion), np.sin(flexion)
        forward = cosine * toward - sine * shank
        up = sine * toward + cosine * shank
        ball = ankle + stature * (_FOREFOOT * forward - _ANKLE * up)
        # The toes stay on the floor when the heel rises.
        toes = np.cos(rolled) * forward + np.sin(rolled) * up
        length = _FOOT * stature
        tip = ball + (_AHEAD * length - _FOREFOOT * stature) * toes
        outward = sign * np.cross(up, forward)
        foot = _Foot(ankle, tip, forward, up, outward, length)
        found.update(foot.points(side))
    return found


def _flexion(
    shank: np.ndarray, toward: np.ndarray, height: np.ndarray
) -> Tuple[np.ndarray, np.ndarray]:
    """Plantar flexion, and the part of it that is heel rise, (..., 1).

    ``height`` (..., 1) is that of the ankle over its lowest place, in lengths
    of the forefoot, over which a foot on the floor rolls.
    """
    rise = np.arcsin(np.clip(height, 0, 0.85))
    flat = np.arctan2(toward[..., 2:], shank[..., 2:])
    on_floor = 1 - smooth_step(height - 0.9)
    on_floor = on_floor * smooth_step((shank[..., 2:] - 0.2) / 0.4)
    flexion = on_floor * (flat + rise) + (1 - on_floor) * _HANGING
    return np.clip(flexion, *_FLEXION), on_floor * rise


def _norm(vector: np.ndarray) -> np.ndarray:
    return np.linalg.norm(vector, axis=-1, keepdims=True)


def _unit(vector: np.ndarray) -> np.ndarray:
    return vector / np.maximum(_norm(vector), 1e-9)


def _across(vector: np.ndarray, axis: np.ndarray) -> np.ndarray:
    """Part of a vector across a unit axis."""
    return vector - np.sum(vector * axis, axis=-1, keepdims=True) * axis
