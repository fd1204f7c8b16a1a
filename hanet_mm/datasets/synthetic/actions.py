"""Posture over time: what each action asks of trunk, arms and pelvis."""

from dataclasses import dataclass
from typing import Dict

import numpy as np

from .paths import Gait
from .timeline import ACTIONS, GRAVITY, SETTLE, Script, ramp

# Joint limits of the arms in radians: nothing bends backwards.
ELBOW_LIMITS = (0.05, 2.5)
# A start in seconds that no sequence reaches.
_NEVER = 1e9


@dataclass
class Posture:
    """Angles in radians and shifts in metres, (S, T) unless stated.

    Args:
        height (np.ndarray): Pelvis over its standing height.
        flight (np.ndarray): Rise of the whole body in the air, >= 0.
        airborne (np.ndarray): Whether both feet are off the floor, bool.
        tuck (np.ndarray): Extra lift of the feet in flight.
        tiptoe (np.ndarray): Heel rise of both feet.
        back (np.ndarray): Backward shift of the pelvis.
        side (np.ndarray): Shift of the pelvis to the left.
        pelvis (np.ndarray): Yaw (to the heading), roll, pitch, (3, S, T).
        trunk (np.ndarray): The same of the trunk, (3, S, T).
        head (np.ndarray): The same of the head, (3, S, T).
        arms (np.ndarray): Shoulder flexion, abduction, inward rotation,
            elbow flexion, (4, S, T, 2), side axis (left, right).
    """

    height: np.ndarray
    flight: np.ndarray
    airborne: np.ndarray
    tuck: np.ndarray
    tiptoe: np.ndarray
    back: np.ndarray
    side: np.ndarray
    pelvis: np.ndarray
    trunk: np.ndarray
    head: np.ndarray
    arms: np.ndarray


# Idle wandering of 17 quantities, standard deviations in radians except
# for the last two, the pelvis shifts (back, side) in metres.
_WANDER = np.array(
    [0.06, 0.04, 0.05]  # trunk yaw, roll, pitch
    + [0.18, 0.05, 0.09]  # head yaw, roll, pitch
    + [0.13, 0.13, 0.07, 0.07, 0.14, 0.14, 0.16, 0.16]  # arms, (4, 2)
    + [0.06, 0.012, 0.018]  # pelvis yaw, back, side
)


def wander(
    rng: np.random.Generator, num: int, time: np.ndarray, count: int
) -> np.ndarray:
    """Slow random movement of unit variance: three sines per channel.

    Args:
        rng (np.random.Generator): Source of randomness.
        num (int): Number of people S.
        time (np.ndarray): Seconds, (T,).
        count (int): Number of channels C.

    Returns:
        np.ndarray: Smooth curves, (C, S, T).
    """
    low, high = np.array([0.15, 0.4, 0.9]), np.array([0.4, 0.9, 1.7])
    rate = rng.uniform(low, high, (count, num, 3))
    phase = rng.uniform(0, 2 * np.pi, (count, num, 3))
    weight = np.array([0.78, 0.55, 0.30]) * np.sqrt(2)
    angle = 2 * np.pi * rate[:, :, None] * time[:, None] + phase[:, :, None]
    return np.sin(angle) @ weight


def _jump(
    posture: Posture, time: np.ndarray, p: Dict[str, np.ndarray]
) -> np.ndarray:
    """Crouch, push off, fly, land and recover; returns the depth (S, T).

    Push and landing have constant acceleration from and to rest, so the
    vertical speed is continuous and the flight is a parabola under g.
    """
    begin = p['start'] + SETTLE
    down = begin + p['crouch_time']
    off = down + p['push_time']
    touch = off + p['flight_time']
    low = touch + p['land_time']
    crouch, land = p['jump_crouch'], p['jump_landing']
    stroke, drop = crouch + p['jump_rise'], land + p['jump_rise']
    push = np.clip((time - down) / p['push_time'], 0, 1) ** 2
    yielded = 1 - np.clip((low - time) / p['land_time'], 0, 1) ** 2
    height = -crouch * ramp(time, begin, down) + stroke * push
    height += -drop * yielded + land * ramp(time, low, low + p['recover_time'])
    air = np.clip(time - off, 0, p['flight_time'])
    posture.height += height
    posture.flight += p['jump_speed'] * air - 0.5 * GRAVITY * air**2
    posture.airborne |= (time > off) & (time < touch)
    posture.tuck += (
        p['jump_tuck'] * np.sin(np.pi * air / p['flight_time']) ** 2
    )
    stand = ramp(time, off - 0.6 * p['push_time'], off)
    posture.tiptoe += 0.75 * (
        stand - ramp(time, touch, touch + 0.6 * p['land_time'])
    )
    upwards = ramp(time, off - 0.35, off + 0.05)
    backwards = ramp(time, begin, off - 0.3) - upwards
    upwards -= ramp(time, touch - 0.2, touch + 0.4)
    swing = p['jump_arms'] * (2.4 * upwards - 0.7 * backwards)
    posture.arms[0] += swing[..., None]
    posture.arms[3] += (0.5 * p['jump_arms'] * (upwards + backwards))[
        ..., None
    ]
    return np.maximum(-height, 0.0)


def _reach(
    posture: Posture, time: np.ndarray, p: Dict[str, np.ndarray]
) -> np.ndarray:
    """One arm or both go somewhere, stay, perhaps wave, and come back."""
    finish = p['start'] + p['length']
    begin = p['start'] + 0.5 * SETTLE
    quick = 0.36 * (finish - begin)
    share = ramp(time, begin, begin + quick) - ramp(
        time, finish - quick, finish
    )
    side = p['reach_side']
    share = share[..., None]
    # Side 1 is the left arm, -1 the right one, 0 both.
    arm = share * np.stack([side >= 0, side <= 0], axis=-1)
    wave = p['wave'] * np.sin(2 * np.pi * p['wave_rate'] * (time - begin))
    names = ('flexion', 'abduction', 'inward', 'elbow')
    target = np.stack([p[f'reach_{name}'] for name in names])[..., None]
    target[3, ..., 0] += wave
    posture.arms += arm * (target - posture.arms)
    share = share[..., 0]
    posture.trunk[2] += share * p['reach_lean']
    posture.trunk[0] += -0.25 * side * share
    posture.height -= share * p['reach_dip']
    return share * p['reach_dip']


def _squat(
    posture: Posture, time: np.ndarray, p: Dict[str, np.ndarray]
) -> np.ndarray:
    """Go down, hold, come up, arms forward for balance."""
    finish = p['start'] + p['length']
    begin = p['start'] + 0.5 * SETTLE
    quick = 0.38 * (finish - begin)
    share = ramp(time, begin, begin + quick) - ramp(
        time, finish - quick, finish
    )
    depth = share * p['squat_depth']
    posture.height -= depth
    posture.arms[0] += (2.2 * depth)[..., None]
    return depth


def _walk(
    posture: Posture, gait: Gait, share: np.ndarray, phase: np.ndarray
) -> None:
    """Counter-rotation of pelvis and trunk, arms against the legs."""
    left = 2 * np.pi * phase
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


def _bend_with_depth(posture: Posture, depth: np.ndarray) -> None:
    """A lowered pelvis moves back, the trunk leans, the eyes stay up."""
    posture.back += 0.35 * depth
    posture.pelvis[2] += 0.9 * depth
    posture.trunk[2] += 1.5 * depth
    posture.head[2] += 0.4 * posture.trunk[2]


def _standing(rng: np.random.Generator, num: int, time: np.ndarray) -> Posture:
    """Somebody who stands and is alive: habits plus slow wandering."""
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


def make_posture(
    rng: np.random.Generator,
    script: Script,
    gait: Gait,
    share: np.ndarray,
    time: np.ndarray,
) -> Posture:
    """Posture of S people over T frames.

    Args:
        rng (np.random.Generator): Source of randomness.
        script (Script): What they do.
        gait (Gait): How they walk.
        share (np.ndarray): Share of the walking speed, (S, T).
        time (np.ndarray): Seconds of the frames, (T,).

    Returns:
        Posture: Angles and shifts for every frame.
    """
    posture = _standing(rng, len(share), time)
    _walk(posture, gait, share, gait.cadence * time + gait.phase)
    index = script.index(np.broadcast_to(time, share.shape))
    params = {
        name: np.take_along_axis(values, index, 1)
        for name, values in script.params.items()
    }
    action = np.take_along_axis(script.action, index, 1)
    start = np.take_along_axis(script.start, index, 1)
    depth = np.zeros(share.shape)
    for name, act in (('reach', _reach), ('squat', _squat), ('jump', _jump)):
        going_on = action == ACTIONS.index(name)
        if going_on.any():
            # Begun "never" elsewhere: there every ramp is still 0.
            params['start'] = np.where(going_on, start, _NEVER)
            depth += act(posture, time, params)
    _bend_with_depth(posture, depth)
    posture.arms[3] = np.clip(posture.arms[3], *ELBOW_LIMITS)
    return posture
