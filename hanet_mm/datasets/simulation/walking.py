# Copyright (c) hanet_mm contributors. All rights reserved.
"""How and where people walk: gait, path of the pelvis, and footsteps.

A foot in stance stands still at the place that the pelvis passes around the
middle of the stance. So feet cannot slide, and starting, stopping and turning
on the spot need no rules of their own: a foot without a new place stays.
"""

from dataclasses import dataclass
from typing import Tuple

import numpy as np

from .actions import ACTIONS, Posture, Script
from .body import SIDE_SIGN, BodyShape
from .signals import ramp

PATH_MARGIN = 2.0
"""Seconds of path that footsteps may need before and after a sequence: more
than one stride of the slowest walker."""

# The pelvis passes over a foot at this phase of the stride, a little before
# the middle of the stance: the ankle travels on over the toes afterwards.
_PASSING = 0.235
# Height of the ankle in metres when the heel strikes.
_HEEL_STRIKE = 0.018
# Gait timing in fractions of a stride (normal gait after J. Perry, "Gait
# Analysis", 1992): foot flat, heel off, toe off.
_FLAT, _HEEL_OFF, _STANCE = 0.10, 0.30, 0.60
# Lift in metres of a foot that makes a short step.
_SHORT_STEP_LIFT = 0.045
# Part of a swing in which the foot speeds up, and slows down.
_EASE = 0.25


@dataclass
class Gait:
    """Walking habits of S people, (S, 1) each."""

    speed: np.ndarray  # m/s
    cadence: np.ndarray  # strides (two steps) per second
    phase: np.ndarray  # stride phase of the left foot at second 0
    clearance: np.ndarray  # extra lift of the swinging foot in metres
    heel_rise: np.ndarray  # foot pitch at toe-off in radians
    bob: np.ndarray  # fall of the pelvis between two steps in metres
    heading: np.ndarray  # first heading in radians


def sample_gaits(rng: np.random.Generator, stature: np.ndarray) -> Gait:
    """Draw walking habits of people of a stature in metres, (S,).

    Speed and cadence are tied by the walk ratio, step length over steps
    per minute, which hardly changes with speed (N. Sekiya and H. Nagasaki,
    "Reproducibility of the walking patterns of normal young adults", Gait
    & Posture 7, 1998); 0.0062 m min here. Step length scales with stature.
    """
    shape = (len(stature), 1)
    size = stature[:, None] / 1.7
    speed = rng.uniform(0.7, 1.4, shape)
    cadence = np.sqrt(60 * speed / 0.0062) / 120
    # The front leg (0.83 m at 1.70 m) spans most just before the strike.
    span = (_PASSING + 0.012) * speed / cadence
    bob = 0.83 - np.sqrt(0.83**2 - span**2) - _HEEL_STRIKE
    return Gait(
        speed=speed * size,
        cadence=cadence,
        phase=rng.random(shape),
        clearance=rng.uniform(0.005, 0.04, shape),
        heel_rise=rng.uniform(0.85, 1.15, shape),
        bob=np.maximum(bob, 0.015) * size,
        heading=rng.uniform(-np.pi, np.pi, shape),
    )


@dataclass
class Path:
    """Pelvis path on the floor, tabulated at the frame rate."""

    time: np.ndarray  # seconds of the table, (P,)
    # x, y in metres, heading in radians, share of the walking speed,
    # (S, P, 4)
    values: np.ndarray

    def at(self, time: np.ndarray) -> np.ndarray:
        """Interpolate at seconds (S, ...) in the table, (S, ..., 4)."""
        step = self.time[1] - self.time[0]
        place = np.clip((time - self.time[0]) / step, 0, len(self.time) - 1)
        low = np.minimum(place.astype(np.int64), len(self.time) - 2)
        part = (place - low)[..., None]
        who = np.arange(len(time)).reshape(-1, *[1] * (time.ndim - 1))
        return (1 - part) * self.values[who, low] + part * self.values[
            who, low + 1
        ]


def _headings(script: Script, gait: Gait, time: np.ndarray) -> np.ndarray:
    """Heading in radians at (S, P) seconds: walks bend, pivots turn."""
    walks = script.action == ACTIONS.index('walk')
    pivots = script.action == ACTIONS.index('turn')
    turn = np.where(walks, script.params['bend'], 0.0)
    turn = np.where(pivots, script.params['pivot'], turn)
    before = gait.heading + np.cumsum(turn, axis=1) - turn
    # A pivot takes its time after the walk has come to rest.
    start = script.start + np.where(pivots, 0.3, 0.0)
    end = script.start + script.params['length'] - np.where(pivots, 0.2, 0.0)
    before, turn, start, end = (
        np.take_along_axis(values, script.index(time), 1)
        for values in (before, turn, start, end)
    )
    return before + turn * ramp(time, start, end)


def _speed_shares(script: Script, time: np.ndarray) -> np.ndarray:
    """Share of the walking speed at (S, P) seconds."""
    walks = script.action == ACTIONS.index('walk')
    share = np.where(walks, script.params['pace'], 0.0)
    before = np.concatenate([share[:, :1], share[:, :-1]], axis=1)
    share, before, start = (
        np.take_along_axis(values, script.index(time), 1)
        for values in (share, before, script.start)
    )
    return before + (share - before) * ramp(time, start, start + 0.5)


def make_path(script: Script, gait: Gait, num_frames: int, fps: float) -> Path:
    """Integrate speed and heading, ``PATH_MARGIN`` beyond both ends."""
    margin = int(np.ceil(PATH_MARGIN * fps))
    time = np.arange(-margin, num_frames + margin) / fps
    times = np.broadcast_to(time, (len(script.start), len(time)))
    heading = _headings(script, gait, times)
    share = _speed_shares(script, times)
    direction = np.stack([np.cos(heading), np.sin(heading)], axis=-1)
    velocity = (gait.speed * share)[..., None] * direction
    # Trapezoidal rule, zero at the first frame of the sequence.
    place = np.cumsum(velocity, axis=1) - 0.5 * velocity
    place = (place - place[:, margin : margin + 1]) / fps
    values = np.concatenate([place, heading[..., None], share[..., None]], -1)
    return Path(time, values)


def add_walk(
    posture: Posture, gait: Gait, share: np.ndarray, time: np.ndarray
) -> None:
    """Add counter-rotation of pelvis and trunk, and the swing of the arms.

    ``share`` is that of the walking speed, (S, T); ``time`` in seconds, (T,).
    """
    left = 2 * np.pi * (gait.cadence * time + gait.phase)
    stride = np.cos(left)
    # Lowest just after a heel strike, when the legs are furthest apart.
    sink = 0.5 + 0.5 * np.cos(2 * left - 0.06 * np.pi)
    posture.height -= share**2 * (0.01 + 0.95 * gait.bob * sink)
    posture.pelvis[0] += -0.10 * share * stride
    posture.pelvis[1] += -0.05 * share * np.cos(left - 2 * np.pi * 0.8)
    posture.side += 0.022 * share * np.cos(left - 2 * np.pi * 0.3)
    posture.trunk[0] += 0.09 * share * stride
    posture.trunk[2] += 0.04 * share
    # The left heel strikes at phase 0: then the left arm is at the back.
    against = np.stack([-stride, stride], axis=-1) * share[..., None]
    swing = (0.18 + 0.14 * gait.speed)[..., None]
    posture.arms[0] += swing * against
    posture.arms[3] += 0.5 * swing * (share[..., None] + against)


@dataclass
class Footsteps:
    """Feet of S people over T frames; the side axis is (left, right)."""

    ankles: np.ndarray  # metres, (S, T, 2, 3)
    heading: np.ndarray  # direction of the feet in radians, (S, T, 2)
    contact: np.ndarray  # flat on the floor in stance, bool (S, T, 2)


def _stance_places(
    path: Path, gait: Gait, shape: BodyShape, step: np.ndarray
) -> Tuple[np.ndarray, np.ndarray]:
    """Floor position (S, T, 2, 2) and heading of a foot's n-th stance."""
    offset = gait.phase[..., None] + np.array([0.0, 0.5])
    when = (step + _PASSING - offset) / gait.cadence[..., None]
    where = path.at(when)
    heading, share = where[..., 2], where[..., 3]
    # Feet stand hip-wide and walk on a narrower track.
    width = shape['half_hips'][..., None] * (1.15 - 0.55 * share)
    aside = np.stack([-np.sin(heading), np.cos(heading)], axis=-1)
    return where[..., :2] + (SIDE_SIGN * width)[..., None] * aside, heading


def _over_the_toes(
    pitch: np.ndarray, forefoot: np.ndarray, height: np.ndarray
) -> Tuple[np.ndarray, np.ndarray]:
    """Forward and upward travel of the ankle as the foot pitches.

    The foot turns about its ball: ``forefoot`` metres ahead of the ankle,
    ``height`` metres below it.
    """
    cosine, sine = np.cos(pitch), np.sin(pitch)
    forward = forefoot * (1 - cosine) + height * sine
    upward = forefoot * sine - height * (1 - cosine)
    return forward, upward


def _cruise(x: np.ndarray) -> np.ndarray:
    """Step from 0 to 1 at even speed but for eased ends, C1.

    A swinging foot peaks at about 1.3 times its mean speed; a minimum-jerk
    step would peak at 1.9 times.
    """
    x = np.clip(x, 0.0, 1.0)
    near = np.minimum(x, 1 - x)
    eased = np.where(near < _EASE, near**2 / (2 * _EASE), near - _EASE / 2)
    eased /= 1 - _EASE
    return np.where(x < 0.5, eased, 1 - eased)


def _heel_rise(phase: np.ndarray, gait: Gait) -> np.ndarray:
    """Pitch of the foot over a full stride in radians, (S, T, 2)."""
    # The heel still rises when the toes leave the floor: the ankle goes
    # over from rolling to swinging without a stop.
    rise = ramp(phase, _HEEL_OFF, _STANCE + 0.12)
    fall = ramp(phase, _STANCE + 0.04, 0.98)
    return gait.heel_rise[..., None] * rise * (1 - fall)


def _lift(
    phase: np.ndarray,
    gait: Gait,
    travel: np.ndarray,
    effort: np.ndarray,
    share: np.ndarray,
) -> np.ndarray:
    """Lift of the foot besides its heel rise in metres, (S, T, 2)."""
    swing = np.clip((phase - _STANCE) / (1 - _STANCE), 0, 1)
    bump = np.sin(np.pi * swing) ** 2
    # A short step does not roll over the toes: it is lifted as a whole.
    short = _SHORT_STEP_LIFT * ramp(travel, 0.0, 0.15) * (1 - effort)
    # The heel strikes first: the ankle is still a little high at phase 0.
    strike = np.maximum(ramp(phase, 0.65, 0.95), 1 - ramp(phase, 0.0, _FLAT))
    return (
        bump * (gait.clearance[..., None] * effort + short)
        + _HEEL_STRIKE * strike * share[..., None]
    )


def make_footsteps(
    path: Path,
    gait: Gait,
    shape: BodyShape,
    time: np.ndarray,
    share: np.ndarray,
    tiptoe: np.ndarray,
) -> Footsteps:
    """Make ankles that stand, roll over the toes and swing.

    ``time`` is in seconds, (T,); ``share`` that of the walking speed and
    ``tiptoe`` the heel rise for other reasons in radians, (S, T).
    """
    cycles = gait.cadence * time + gait.phase
    cycles = cycles[..., None] + np.array([0.0, 0.5])
    step = np.floor(cycles)
    phase = cycles - step
    here, turned = _stance_places(path, gait, shape, step)
    there, turned_next = _stance_places(path, gait, shape, step + 1)
    travel = np.linalg.norm(there - here, axis=-1)
    stride = (gait.speed / gait.cadence)[..., None]
    effort = ramp(travel / stride, 0.0, 0.6)
    pitch = np.maximum(_heel_rise(phase, gait) * effort, tiptoe[..., None])
    forward, upward = _over_the_toes(
        pitch, shape['forefoot'][..., None], shape['ankle_height'][..., None]
    )
    upward += _lift(phase, gait, travel, effort, share)
    swing = _cruise((phase - _STANCE) / (1 - _STANCE))
    heading = turned + (turned_next - turned) * swing
    ankles = np.empty((*phase.shape, 3))
    ankles[..., :2] = here + (there - here) * swing[..., None]
    ankles[..., 0] += forward * np.cos(heading)
    ankles[..., 1] += forward * np.sin(heading)
    ankles[..., 2] = shape['ankle_height'][..., None] + upward
    flat = (phase >= _FLAT) & (phase < _STANCE) & (pitch < 1e-3)
    return Footsteps(ankles=ankles, heading=heading, contact=flat)
