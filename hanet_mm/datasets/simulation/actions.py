# Copyright (c) hanet_mm contributors. All rights reserved.
"""What people do and when: the registry of actions, and scripts of them.

An action draws its parameters, one number for each time that it is done, and
adds to the posture of somebody who stands or walks. A new kind of motion is a
new entry of ``REGISTRY``.

S people, T frames, M actions one after the other. Angles are in radians,
lengths in metres, times in seconds.
"""

from dataclasses import dataclass
from typing import Callable, Dict, NamedTuple, Optional, Sequence, Tuple

import numpy as np

from .signals import ramp

GRAVITY = 9.81
"""Acceleration of a body in flight in m/s^2."""

SETTLE = 0.6
"""Seconds at the start of an action in which a walk comes to rest."""

Params = Dict[str, np.ndarray]


@dataclass
class Posture:
    """Angles in radians and shifts in metres, (S, T) unless stated."""

    height: np.ndarray  # pelvis relative to its standing height
    flight: np.ndarray  # rise of the whole body in the air, >= 0
    airborne: np.ndarray  # whether both feet are off the floor, bool
    tuck: np.ndarray  # extra lift of the feet in flight
    tiptoe: np.ndarray  # heel rise of both feet
    back: np.ndarray  # backward shift of the pelvis
    side: np.ndarray  # shift of the pelvis to the left
    pelvis: np.ndarray  # yaw relative to the heading, roll, pitch, (3, S, T)
    trunk: np.ndarray  # the same of the trunk, (3, S, T)
    head: np.ndarray  # the same of the head, (3, S, T)
    # Shoulder flexion, abduction, inward rotation, elbow flexion,
    # (4, S, T, 2); the side axis is (left, right).
    arms: np.ndarray


class Action(NamedTuple):
    """One kind of motion."""

    # Relative chance that somebody does it.
    frequency: float
    # (rng, shape (S, M), stature / 1.7 m (S, 1)) -> parameters (S, M).
    draw: Optional[
        Callable[[np.random.Generator, Tuple[int, int], np.ndarray], Params]
    ] = None
    # (posture, time (T,), parameters (S, T)): change the posture in place
    # and return how deep the pelvis is lowered, (S, T). Parameters include
    # ``start`` and ``length`` of the action.
    act: Optional[Callable[[Posture, np.ndarray, Params], np.ndarray]] = None
    # Duration from the parameters; None: any.
    length: Optional[Callable[[Params], np.ndarray]] = None


def _draw_walk(
    rng: np.random.Generator, shape: Tuple[int, int], size: np.ndarray
) -> Params:
    return dict(
        pace=rng.uniform(0.85, 1.12, shape), bend=rng.normal(0.0, 0.5, shape)
    )


def _draw_turn(
    rng: np.random.Generator, shape: Tuple[int, int], size: np.ndarray
) -> Params:
    pivot = rng.uniform(0.8, 2.8, shape)
    return dict(pivot=pivot * rng.choice([-1.0, 1.0], shape))


def _draw_jump(
    rng: np.random.Generator, shape: Tuple[int, int], size: np.ndarray
) -> Params:
    """Take-off speed and the durations of the phases follow from heights."""
    params = dict(
        crouch_time=rng.uniform(0.32, 0.5, shape),
        recover_time=rng.uniform(0.4, 0.6, shape),
        jump_height=rng.uniform(0.08, 0.40, shape) * size,
        jump_crouch=rng.uniform(0.15, 0.33, shape) * size,
        jump_landing=rng.uniform(0.10, 0.28, shape) * size,
        jump_rise=0.045 * size * np.ones(shape),
        jump_tuck=rng.uniform(0.0, 0.14, shape) * size,
        jump_arms=rng.uniform(0.15, 1.0, shape),
    )
    height, rise = params['jump_height'], params['jump_rise']
    # A high jump needs a deep crouch: the push stays below about 1.1 g, the
    # landing below 1.5 g.
    crouch = np.maximum(params['jump_crouch'], 0.9 * height)
    landing = np.maximum(params['jump_landing'], 0.65 * height)
    speed = np.sqrt(2 * GRAVITY * height)
    # Constant acceleration over the stroke gives these durations exactly.
    return dict(
        params,
        jump_crouch=crouch,
        jump_landing=landing,
        jump_speed=speed,
        push_time=2 * (crouch + rise) / speed,
        flight_time=2 * speed / GRAVITY,
        land_time=2 * (landing + rise) / speed,
    )


def _jump_length(p: Params) -> np.ndarray:
    phases = ('crouch', 'push', 'flight', 'land', 'recover')
    return SETTLE + sum(p[f'{name}_time'] for name in phases) + 0.1


def _jump(posture: Posture, time: np.ndarray, p: Params) -> np.ndarray:
    """Crouch, push off, fly, land and recover.

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
    bend = 0.5 * p['jump_arms'] * (upwards + backwards)
    posture.arms[3] += bend[..., None]
    return np.maximum(-height, 0.0)


def _draw_squat(
    rng: np.random.Generator, shape: Tuple[int, int], size: np.ndarray
) -> Params:
    return dict(squat_depth=rng.uniform(0.15, 0.46, shape) * size)


def _squat(posture: Posture, time: np.ndarray, p: Params) -> np.ndarray:
    """Go down, hold, come up, arms forward for balance."""
    depth = _there_and_back(time, p, 0.38) * p['squat_depth']
    posture.height -= depth
    posture.arms[0] += (2.2 * depth)[..., None]
    return depth


def _draw_reach(
    rng: np.random.Generator, shape: Tuple[int, int], size: np.ndarray
) -> Params:
    """Side 1 is the left arm, -1 the right one, 0 both; some people wave."""
    return dict(
        reach_flexion=rng.uniform(0.6, 2.8, shape),
        reach_abduction=rng.uniform(-0.25, 1.1, shape),
        reach_inward=rng.uniform(-0.3, 0.9, shape),
        reach_elbow=rng.uniform(0.08, 1.2, shape),
        reach_lean=rng.uniform(-0.05, 0.35, shape),
        reach_dip=rng.uniform(0.0, 0.12, shape) * size,
        reach_side=rng.choice([-1.0, 0.0, 1.0], shape, p=[0.35, 0.25, 0.4]),
        wave=rng.uniform(0.15, 0.5, shape) * (rng.random(shape) < 0.4),
        wave_rate=rng.uniform(0.8, 2.2, shape),
    )


def _reach(posture: Posture, time: np.ndarray, p: Params) -> np.ndarray:
    """One arm or both go somewhere, stay, perhaps wave, and come back."""
    begin = p['start'] + 0.5 * SETTLE
    share = _there_and_back(time, p, 0.36)
    side = p['reach_side']
    arm = share[..., None] * np.stack([side >= 0, side <= 0], axis=-1)
    wave = p['wave'] * np.sin(2 * np.pi * p['wave_rate'] * (time - begin))
    names = ('flexion', 'abduction', 'inward', 'elbow')
    target = np.stack([p[f'reach_{name}'] for name in names])[..., None]
    target[3, ..., 0] += wave
    posture.arms += arm * (target - posture.arms)
    posture.trunk[2] += share * p['reach_lean']
    posture.trunk[0] += -0.25 * side * share
    posture.height -= share * p['reach_dip']
    return share * p['reach_dip']


def _there_and_back(
    time: np.ndarray, p: Params, fraction: float
) -> np.ndarray:
    """Rise from 0 to 1 in a fraction of the action, hold, and fall."""
    finish = p['start'] + p['length']
    begin = p['start'] + 0.5 * SETTLE
    quick = fraction * (finish - begin)
    return ramp(time, begin, begin + quick) - ramp(
        time, finish - quick, finish
    )


# Walking and turning move the path of the pelvis, see ``walking``.
REGISTRY: Dict[str, Action] = dict(
    idle=Action(0.08),
    walk=Action(0.32, _draw_walk),
    turn=Action(0.15, _draw_turn),
    reach=Action(0.2, _draw_reach, _reach),
    jump=Action(0.12, _draw_jump, _jump, _jump_length),
    squat=Action(0.13, _draw_squat, _squat),
)
"""Actions by name; their position is their number in a script."""

ACTIONS: Tuple[str, ...] = tuple(REGISTRY)
"""Names of the actions."""

# The parameters of these are always drawn, in this order, so that a seed
# gives the same people whatever is registered later.
_ALWAYS_DRAWN = ('walk', 'turn', 'jump', 'squat', 'reach')


def draw_params(
    rng: np.random.Generator,
    shape: Tuple[int, int],
    size: np.ndarray,
    actions: Tuple[str, ...],
) -> Params:
    """Draw the parameters of the actions, (S, M) each."""
    params: Params = {}
    for name in dict.fromkeys((*_ALWAYS_DRAWN, *actions)):
        draw = REGISTRY[name].draw
        if draw is not None:
            params.update(draw(rng, shape, size))
    return params


@dataclass
class Script:
    """M consecutive actions for each of S people, (S, M) arrays."""

    start: np.ndarray  # first second of each action
    action: np.ndarray  # numbers into ACTIONS
    # One number per action; those of other actions are not read.
    params: Dict[str, np.ndarray]

    def index(self, time: np.ndarray) -> np.ndarray:
        """Position 0..M-1 of the active action at (S, T) seconds."""
        # One sorted array for all people: each gets a range of its own.
        num, count = self.start.shape
        low = min(float(time.min()), float(self.start.min())) - 1.0
        high = max(float(time.max()), float(self.start.max())) + 1.0
        shift = (high - low) * np.arange(num)[:, None]
        edges = (self.start - low + shift).ravel()
        found = np.searchsorted(edges, time - low + shift, side='right') - 1
        return np.clip(found - count * np.arange(num)[:, None], 0, count - 1)


def sample_script(
    rng: np.random.Generator,
    stature: np.ndarray,
    duration: float,
    actions: Sequence[str] = ACTIONS,
) -> Script:
    """Draw what each person does; every sequence begins mid-action.

    Args:
        rng (np.random.Generator): Source of randomness.
        stature (np.ndarray): Body heights in metres, (S,).
        duration (float): Seconds that the script must cover.
        actions (Sequence[str]): Actions to draw from.

    Returns:
        Script: Actions with their times and parameters.

    Raises:
        ValueError: If an action is unknown or none is given.
    """
    unknown = sorted(set(actions) - set(ACTIONS))
    if unknown or not actions:
        raise ValueError(
            f'actions: expected some of {ACTIONS}, found {tuple(actions)}'
        )
    num = len(stature)
    count = int(np.ceil(duration / 1.8)) + 2
    numbers = np.array([ACTIONS.index(name) for name in actions])
    weights = np.array([REGISTRY[name].frequency for name in actions])
    action = rng.choice(numbers, (num, count), p=weights / weights.sum())
    size = stature[:, None] / 1.7
    params = draw_params(rng, (num, count), size, tuple(actions))
    length = rng.uniform(1.8, 3.4, (num, count))
    for name in actions:
        own_length = REGISTRY[name].length
        if own_length is not None:
            is_it = action == ACTIONS.index(name)
            length = np.where(is_it, own_length(params), length)
    start = np.cumsum(length, axis=1) - length
    start -= rng.random((num, 1)) * length[:, :1]
    params['length'] = length
    return Script(start, action, params)
