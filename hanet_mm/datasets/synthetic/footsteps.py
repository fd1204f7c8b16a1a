"""Where the feet stand and how they get there.

A foot in stance stands still at the place that the pelvis passes around the
middle of the stance, so feet cannot slide, and starting, stopping and
turning on the spot need no rules of their own: a foot that has nowhere to go
stays.
"""

from dataclasses import dataclass
from typing import Tuple

import numpy as np

from .body import SIDE_SIGN, BodyShape
from .paths import HEEL_STRIKE, PASSING, Gait, Path
from .timeline import ramp

# Gait timing in fractions of a stride (normal gait after J. Perry, "Gait
# Analysis", 1992): foot flat, heel off, toe off.
FLAT, HEEL_OFF, STANCE = 0.10, 0.30, 0.60
# Lift in metres of a foot that makes a short step.
SHORT_STEP_LIFT = 0.045
# Part of a swing in which the foot speeds up, and slows down.
_EASE = 0.25


@dataclass
class Footsteps:
    """Feet of S people over T frames; the side axis is (left, right).

    Args:
        ankles (np.ndarray): Ankle positions in metres, (S, T, 2, 3).
        heading (np.ndarray): Direction of the feet in radians, (S, T, 2).
        contact (np.ndarray): Foot flat on the floor in its stance, bool
            (S, T, 2).
    """

    ankles: np.ndarray
    heading: np.ndarray
    contact: np.ndarray


def _stance_places(
    path: Path, gait: Gait, shape: BodyShape, step: np.ndarray
) -> Tuple[np.ndarray, np.ndarray]:
    """Floor position (S, T, 2, 2) and heading of a foot's n-th stance."""
    offset = gait.phase[..., None] + np.array([0.0, 0.5])
    when = (step + PASSING - offset) / gait.cadence[..., None]
    where = path.at(when)
    heading, share = where[..., 2], where[..., 3]
    # Feet stand hip-wide and walk on a narrower track.
    width = shape['half_hips'][..., None] * (1.15 - 0.55 * share)
    aside = np.stack([-np.sin(heading), np.cos(heading)], axis=-1)
    return where[..., :2] + (SIDE_SIGN * width)[..., None] * aside, heading


def over_the_toes(
    pitch: np.ndarray, forefoot: np.ndarray, height: np.ndarray
) -> Tuple[np.ndarray, np.ndarray]:
    """Travel of the ankle when the foot turns about its ball.

    Args:
        pitch (np.ndarray): Heel rise in radians.
        forefoot (np.ndarray): Ankle to ball along the floor in metres.
        height (np.ndarray): Height of the ankle over the sole in metres.

    Returns:
        Tuple[np.ndarray, np.ndarray]: Forward and upward travel in metres.
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
    rise = ramp(phase, HEEL_OFF, STANCE + 0.12)
    fall = ramp(phase, STANCE + 0.04, 0.98)
    return gait.heel_rise[..., None] * rise * (1 - fall)


def _lift(
    phase: np.ndarray,
    gait: Gait,
    travel: np.ndarray,
    effort: np.ndarray,
    share: np.ndarray,
) -> np.ndarray:
    """Lift of the foot besides its heel rise in metres, (S, T, 2)."""
    bump = np.sin(np.pi * np.clip((phase - STANCE) / (1 - STANCE), 0, 1)) ** 2
    # A short step does not roll over the toes: it is lifted as a whole.
    short = SHORT_STEP_LIFT * ramp(travel, 0.0, 0.15) * (1 - effort)
    # The heel strikes first: the ankle is still a little high at phase 0.
    strike = np.maximum(ramp(phase, 0.65, 0.95), 1 - ramp(phase, 0.0, FLAT))
    return (
        bump * (gait.clearance[..., None] * effort + short)
        + HEEL_STRIKE * strike * share[..., None]
    )


def make_footsteps(
    path: Path,
    gait: Gait,
    shape: BodyShape,
    time: np.ndarray,
    share: np.ndarray,
    tiptoe: np.ndarray,
) -> Footsteps:
    """Ankles that stand, roll over the toes and swing.

    Args:
        path (Path): Paths of S people.
        gait (Gait): Their gaits.
        shape (BodyShape): Their segment lengths.
        time (np.ndarray): Seconds of the frames, (T,).
        share (np.ndarray): Share of the walking speed, (S, T).
        tiptoe (np.ndarray): Heel rise for other reasons than gait in
            radians, (S, T).

    Returns:
        Footsteps: Both feet in every frame.
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
    forward, upward = over_the_toes(
        pitch, shape['forefoot'][..., None], shape['ankle_height'][..., None]
    )
    upward += _lift(phase, gait, travel, effort, share)
    swing = _cruise((phase - STANCE) / (1 - STANCE))
    heading = turned + (turned_next - turned) * swing
    ankles = np.empty((*phase.shape, 3))
    ankles[..., :2] = here + (there - here) * swing[..., None]
    ankles[..., 0] += forward * np.cos(heading)
    ankles[..., 1] += forward * np.sin(heading)
    ankles[..., 2] = shape['ankle_height'][..., None] + upward
    flat = (phase >= FLAT) & (phase < STANCE) & (pitch < 1e-3)
    return Footsteps(ankles=ankles, heading=heading, contact=flat)
