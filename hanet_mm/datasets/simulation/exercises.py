# Copyright (c) hanet_mm contributors. All rights reserved.
"""Kinds of motion other than walking: cycles of joint angles.

A kind is a table: for each angle that moves, its values at evenly spaced
times of a cycle, joined by a periodic cubic spline. Periods, amplitudes,
phases, offsets and asymmetry are drawn for each person, and everything drifts
a little. What a person holds on to or lies on is the anchor: the body is moved
so that it stays in place.

S people, T frames. Tables are in degrees and in per cent of the stature.
"""

from typing import Dict, NamedTuple, Sequence, Tuple, Union

import numpy as np

from .body import (
    SIDE_SIGN,
    BodyShape,
    order_joints,
    place_limbs,
    place_upper_body,
    rotation,
    swing_limbs,
)
from .signals import wander

BODY_CHANNELS = (
    *('turn', 'roll', 'pitch'),  # pelvis: to the left, left side up, forward
    *('twist', 'side', 'bend'),  # the same of the trunk relative to it
    *('look', 'tilt', 'nod'),  # the same of the head relative to the trunk
    *('ahead', 'left', 'up'),  # shift of the pelvis, per cent of stature
)
"""What moves the trunk."""

ARM_CHANNELS = ('reach', 'spread', 'inward', 'elbow')
"""Shoulder flexion, abduction, inward rotation; elbow flexion."""

LEG_CHANNELS = ('hip', 'open', 'rotate', 'knee')
"""Hip flexion relative to the pelvis, abduction, rotation; knee flexion."""

CHANNELS = (*BODY_CHANNELS, *ARM_CHANNELS, *LEG_CHANNELS)
"""Keys of the tables; limbs may have ``<channel>_right`` besides."""

Keys = Union[float, Sequence[float]]

# Degrees (per cent of stature for shifts) by which everything drifts.
_DRIFT = dict(
    zip(
        CHANNELS,
        (
            *(1.0, 1.0, 1.5, 2.0, 1.0, 2.0, 6.0, 3.0, 5.0, 0.3, 0.3, 0.2),
            *(3.0, 3.0, 3.0, 3.0, 1.0, 1.0, 1.0, 1.5),
        ),
    )
)
# The same of the offsets that are drawn once, and of those of one side.
_HABIT, _ONE_SIDED = 1.5, 0.7
# Spread of amplitudes, all and those of one side; of phases in cycles.
_AMPLITUDE, _SIDE_AMPLITUDE, _PHASE = 0.08, 0.04, 0.012
# How far the cycle runs ahead and behind, and how far it drifts, in cycles.
_UNEVEN, _RHYTHM = 0.03, 0.02
# Joints of people on the floor are this high, in statures; how much floor and
# feet give, in statures and seconds.
_FLOOR, _SOFT, _GIVE = 0.04, 0.012, 0.08
_LIMITS = dict(elbow=(3.0, 150.0), knee=(3.0, 150.0))


class Kind(NamedTuple):
    """A kind of motion.

    Attributes:
        keys: Values of the channels over a cycle; others are 0.
        period: Shortest and longest cycle in seconds.
        anchor: What stays in place: 'pelvis', 'ankles', 'wrists', or
            'floor', on which the lowest joint is.
        fixed: 'ankles', 'wrists' or both: each stays where it is on average.
        arms_lag: Cycles by which the right arm is behind the left one.
        legs_lag: The same of the legs.
        wind: Degrees by which a channel goes on with every cycle.
        drift: How far channels drift, where not as usual.
        speed: Slowest and fastest way ahead in statures per second.
        rise: The same upwards.
        spin: Most that the whole person turns, in degrees per second.
        part: 'train', 'val' or 'test'.
    """

    keys: Dict[str, Keys]
    period: Tuple[float, float]
    anchor: str = 'floor'
    fixed: Tuple[str, ...] = ()
    arms_lag: float = 0.0
    legs_lag: float = 0.0
    wind: Dict[str, float] = {}
    drift: Dict[str, float] = {}
    speed: Tuple[float, float] = (0.0, 0.0)
    rise: Tuple[float, float] = (0.0, 0.0)
    spin: float = 0.0
    part: str = 'train'


def leg_keys(
    ankles: Sequence[Tuple[float, float]], pitch: Keys = 0.0
) -> Dict[str, Keys]:
    """Keys of a leg whose ankle goes through places.

    These are ahead of the hip and above it in statures, not turned with the
    pelvis, whose ``pitch`` is in degrees.
    """
    direction, lag, knee = _two_bones(ankles, 0.245, 0.246)
    hip = direction + lag + np.asarray(pitch)
    return dict(hip=tuple(hip), knee=tuple(knee))


def arm_keys(wrists: Sequence[Tuple[float, float]]) -> Dict[str, Keys]:
    """Keys of an arm whose wrist goes through places.

    These are ahead of the shoulder and above it in statures, as the trunk is
    turned.
    """
    direction, lag, elbow = _two_bones(wrists, 0.186, 0.146)
    return dict(reach=tuple(direction - lag), elbow=tuple(elbow))


def _two_bones(
    ends: Sequence[Tuple[float, float]], upper: float, lower: float
) -> Tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Direction of the ends from hanging down, angle between it and the upper
    bone, and angle of the joint, in degrees.
    """
    ahead, above = np.array(ends, dtype=np.float64).T
    length = np.hypot(ahead, above)
    cosine = (length**2 - upper**2 - lower**2) / (2 * upper * lower)
    joint = np.arccos(np.clip(cosine, -1, 1))
    lag = np.arctan2(lower * np.sin(joint), upper + lower * np.cos(joint))
    # Continuous over a cycle, however far it goes around.
    direction = np.unwrap(np.arctan2(ahead, -above))
    return np.degrees(direction), np.degrees(lag), np.degrees(joint)


def periodic_spline(keys: Keys, phase: np.ndarray) -> np.ndarray:
    """Cubic spline through n evenly spaced values of a cycle; any shape."""
    values = np.atleast_1d(np.asarray(keys, dtype=np.float64))
    count = len(values)
    # Spline coefficients c with (c[i-1] + 4 c[i] + c[i+1]) / 6 = values[i].
    wave = 2 * np.pi * np.arange(count) / count
    solved = np.fft.fft(values) * 6 / (4 + 2 * np.cos(wave))
    solved = np.fft.ifft(solved).real
    place = np.asarray(phase) % 1 * count
    left = np.floor(place)
    x = place - left
    left = left.astype(np.int64)
    weights = (
        (1 - x) ** 3,
        3 * x**3 - 6 * x**2 + 4,
        -3 * x**3 + 3 * x**2 + 3 * x + 1,
        x**3,
    )
    return (
        sum(
            weight * solved[(left + shift) % count]
            for shift, weight in enumerate(weights, start=-1)
        )
        / 6
    )


class _Draw:
    """One kind of motion of S people: their angles over T frames."""

    def __init__(
        self, rng: np.random.Generator, kind: Kind, num: int, time: np.ndarray
    ) -> None:
        self.rng, self.kind, self.num, self.time = rng, kind, num, time
        low, high = kind.period
        self.period = low * (high / low) ** rng.random((num, 1))
        cycles = rng.random((num, 1)) + time / self.period
        # Faster here and slower there, more or less alike in every cycle.
        uneven = rng.uniform(-1, 1, (num, 1))
        cycles += _UNEVEN * uneven * np.sin(2 * np.pi * cycles)
        self.cycles = cycles + _RHYTHM * wander(rng, num, time, 1)[0]
        self.amplitude = {
            group[0]: 1 + _AMPLITUDE * _clipped(rng, (num, 1))
            for group in (BODY_CHANNELS, ARM_CHANNELS, LEG_CHANNELS)
        }

    def channel(
        self, name: str, group: Sequence[str], lag: float, key: str = ''
    ) -> np.ndarray:
        """A channel in degrees or per cent, (S, T)."""
        kind, rng, shape = self.kind, self.rng, (self.num, 1)
        keys = np.atleast_1d(kind.keys.get(key, kind.keys.get(name, 0.0)))
        middle = np.mean(keys)
        cycles = self.cycles - lag + _PHASE * _clipped(rng, shape)
        values = periodic_spline(keys - middle, cycles)
        values *= self.amplitude[group[0]]
        values *= 1 + _SIDE_AMPLITUDE * _clipped(rng, shape)
        values += middle + kind.wind.get(name, 0.0) * cycles
        drift = kind.drift.get(name, _DRIFT[name])
        values += drift * wander(rng, self.num, self.time, 1)[0]
        values += _ONE_SIDED * _DRIFT[name] * _clipped(rng, shape)
        return values

    def body(self) -> Dict[str, np.ndarray]:
        """Channels of the trunk; angles in radians, shifts in statures."""
        scale = dict.fromkeys(('ahead', 'left', 'up'), 0.01)
        return {
            name: scale.get(name, np.pi / 180)
            * self.channel(name, BODY_CHANNELS, 0.0)
            for name in BODY_CHANNELS
        }

    def limbs(self, group: Sequence[str], lag: float) -> np.ndarray:
        """Angles of both arms or legs in radians, (4, S, T, 2)."""
        angles = []
        for name in group:
            habit = _HABIT * _DRIFT[name] * _clipped(self.rng, (self.num, 1))
            sides = [
                habit + self.channel(name, group, side_lag, name + suffix)
                for suffix, side_lag in (('', 0.0), ('_right', lag))
            ]
            low, high = _LIMITS.get(name, (-np.inf, np.inf))
            angles.append(np.clip(np.stack(sides, axis=-1), low, high))
        return np.radians(angles)


def _clipped(rng: np.random.Generator, shape: Tuple[int, ...]) -> np.ndarray:
    return np.clip(rng.standard_normal(shape), -2.0, 2.0)


def perform(
    rng: np.random.Generator,
    kind: Kind,
    shape: BodyShape,
    time: np.ndarray,
) -> np.ndarray:
    """Let S people do a kind of motion.

    Args:
        rng (np.random.Generator): Source of randomness.
        kind (Kind): The kind.
        shape (BodyShape): Bodies of S people.
        time (np.ndarray): Seconds, (T,).

    Returns:
        np.ndarray: Joints in the order of ``JOINT_NAMES`` in metres, z up,
        (S, T, 16, 3).
    """
    num = len(shape.stature)
    draw = _Draw(rng, kind, num, time)
    body = draw.body()
    spin = np.radians(kind.spin) * rng.uniform(-1, 1, (num, 1)) * time
    turn = rotation(body['turn'] + spin, body['roll'], body['pitch'])
    trunk = turn @ rotation(body['twist'], body['side'], body['bend'])
    face = trunk @ rotation(body['look'], body['tilt'], body['nod'])
    arms = draw.limbs(ARM_CHANNELS, kind.arms_lag)
    legs = draw.limbs(LEG_CHANNELS, kind.legs_lag)
    shifts = np.stack([body[x] for x in ('ahead', 'left', 'up')], -1)
    shifts = shape.stature[:, None, None] * shifts
    pelvis = shifts * [1.0, 1.0, 0.0]
    parts = place_upper_body(pelvis, (turn, trunk, face), arms, shape)
    aside = SIDE_SIGN * shape['half_hips'][..., None]
    hips = pelvis[..., None, :] + aside[..., None] * turn[..., None, :, 1]
    knees, ankles = swing_limbs(
        hips, turn, legs, shape['thigh'], shape['shank'], -1.0
    )
    parts.update(pelvis=pelvis, hips=hips, knees=knees, ankles=ankles)
    _anchor(kind.anchor, parts, shape, time)
    _hold(kind.fixed, parts, trunk, turn, shape)
    joints = order_joints(parts)
    return joints + _way(rng, kind, spin, shifts, shape, time)[:, :, None]


def _way(
    rng: np.random.Generator,
    kind: Kind,
    spin: np.ndarray,
    shifts: np.ndarray,
    shape: BodyShape,
    time: np.ndarray,
) -> np.ndarray:
    """Where the whole person goes in metres, (S, T, 3)."""
    ahead, upward = (
        rng.uniform(*ends, spin[:, :1].shape) * shape.stature[:, None]
        for ends in (kind.speed, kind.rise)
    )
    step = np.gradient(time) if len(time) > 1 else np.zeros(1)
    velocity = np.stack(
        [ahead * np.cos(spin), ahead * np.sin(spin), upward + 0 * spin], -1
    )
    way = np.cumsum(velocity * step[:, None], axis=1)
    way[..., 2] += shifts[..., 2]
    return way


def _anchor(
    anchor: str,
    parts: Dict[str, np.ndarray],
    shape: BodyShape,
    time: np.ndarray,
) -> None:
    """Shift the whole body so that the anchor stays in place."""
    if anchor in ('ankles', 'wrists'):
        shift = parts[anchor].mean(axis=2)
        shift = shift - shift.mean(axis=1, keepdims=True)
    elif anchor == 'floor':
        heights = order_joints(parts)[..., 2]
        soft = _SOFT * shape.stature[:, None, None]
        lowest = heights.min(axis=-1, keepdims=True)
        excess = np.exp((lowest - heights) / soft).sum(axis=-1)
        height = lowest[..., 0] - soft[..., 0] * np.log(excess)
        # The whole body does not jerk when another joint becomes lowest.
        apart = (time[:, None] - time) / _GIVE
        weights = np.exp(-0.5 * apart**2)
        weights /= weights.sum(axis=1, keepdims=True)
        shift = np.zeros((*excess.shape, 3))
        shift[..., 2] = height @ weights.T - _FLOOR * shape.stature[:, None]
    else:
        return
    for name, points in parts.items():
        parts[name] = points - (
            shift[:, :, None] if points.ndim == 4 else shift
        )


def _hold(
    fixed: Tuple[str, ...],
    parts: Dict[str, np.ndarray],
    trunk: np.ndarray,
    turn: np.ndarray,
    shape: BodyShape,
) -> None:
    """Keep hands or feet where they are on average."""
    limbs = dict(
        wrists=('shoulders', 'elbows', -trunk, 'upper_arm', 'forearm'),
        ankles=('hips', 'knees', turn, 'thigh', 'shank'),
    )
    for name in fixed:
        root, middle, frame, upper, lower = limbs[name]
        roots, ends = parts[root], parts[name]
        held = ends.mean(axis=1, keepdims=True)
        # The joint bends the way that it did; straight limbs to the front
        # (knees) or to the back (elbows).
        towards = parts[middle] - 0.5 * (roots + ends)
        towards = towards + 0.02 * frame[:, :, None, :, 0]
        parts[middle], parts[name] = place_limbs(
            roots,
            np.broadcast_to(held, ends.shape),
            towards,
            shape[upper],
            shape[lower],
        )
