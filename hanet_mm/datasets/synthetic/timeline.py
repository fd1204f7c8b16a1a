"""Which person does what and when: a script of actions per sequence."""

from dataclasses import dataclass
from typing import Dict, Sequence

import numpy as np

ACTIONS = ('idle', 'walk', 'turn', 'reach', 'jump', 'squat')
"""Names of the actions, their position is their number in a script."""

_FREQUENCY = np.array([0.08, 0.32, 0.15, 0.2, 0.12, 0.13])

GRAVITY = 9.81
"""Acceleration of a body in flight in m/s^2."""

SETTLE = 0.6
"""Seconds at the start of an action in which a walk comes to rest."""


def smooth_step(x: np.ndarray) -> np.ndarray:
    """Minimum-jerk step from 0 (x <= 0) to 1 (x >= 1).

    The profile of unconstrained human reaching: T. Flash and N. Hogan,
    "The coordination of arm movements", J. Neuroscience 5, 1985.

    Args:
        x (np.ndarray): Progress, any shape.

    Returns:
        np.ndarray: Smoothed progress, of the same shape.
    """
    x = np.clip(x, 0.0, 1.0)
    return x * x * x * (10 + x * (6 * x - 15))


def ramp(time: np.ndarray, start: np.ndarray, end: np.ndarray) -> np.ndarray:
    """Minimum-jerk step between two times in seconds (broadcast)."""
    return smooth_step((time - start) / (end - start))


@dataclass
class Script:
    """M consecutive actions for each of S people.

    Args:
        start (np.ndarray): First second of each action, (S, M).
        action (np.ndarray): Numbers into ``ACTIONS``, (S, M).
        params (Dict[str, np.ndarray]): One number per action, (S, M)
            each; those of other kinds of action are not read.
    """

    start: np.ndarray
    action: np.ndarray
    params: Dict[str, np.ndarray]

    def index(self, time: np.ndarray) -> np.ndarray:
        """Position of the action that is going on.

        Args:
            time (np.ndarray): Seconds, (S, T).

        Returns:
            np.ndarray: Positions 0..M-1, (S, T).
        """
        # One sorted array for all people: each gets a range of its own.
        num, count = self.start.shape
        low = min(float(time.min()), float(self.start.min())) - 1.0
        high = max(float(time.max()), float(self.start.max())) + 1.0
        shift = (high - low) * np.arange(num)[:, None]
        edges = (self.start - low + shift).ravel()
        found = np.searchsorted(edges, time - low + shift, side='right') - 1
        return np.clip(found - count * np.arange(num)[:, None], 0, count - 1)


def _jump_durations(params: Dict[str, np.ndarray]) -> None:
    """Add take-off speed and the durations of a jump's phases.

    Whoever jumps high crouches deep: the push stays below about 1.1 g, the
    landing below 1.5 g.
    """
    height = params['jump_height']
    crouch, landing = params['jump_crouch'], params['jump_landing']
    params['jump_crouch'] = np.maximum(crouch, 0.9 * height)
    params['jump_landing'] = np.maximum(landing, 0.65 * height)
    speed = np.sqrt(2 * GRAVITY * params['jump_height'])
    params['jump_speed'] = speed
    # Constant acceleration over the stroke gives this duration exactly.
    stroke = params['jump_crouch'] + params['jump_rise']
    params['push_time'] = 2 * stroke / speed
    params['flight_time'] = 2 * speed / GRAVITY
    stroke = params['jump_landing'] + params['jump_rise']
    params['land_time'] = 2 * stroke / speed


def _sample_params(
    rng: np.random.Generator, shape: Sequence[int], stature: np.ndarray
) -> Dict[str, np.ndarray]:
    """Draw the numbers of every action; lengths scale with stature."""

    def uniform(low: float, high: float) -> np.ndarray:
        return rng.uniform(low, high, shape)

    size = stature[:, None] / 1.7
    params = dict(
        pace=uniform(0.85, 1.12),
        bend=rng.normal(0.0, 0.5, shape),
        pivot=uniform(0.8, 2.8) * rng.choice([-1.0, 1.0], shape),
        crouch_time=uniform(0.32, 0.5),
        recover_time=uniform(0.4, 0.6),
        jump_height=uniform(0.08, 0.40) * size,
        jump_crouch=uniform(0.15, 0.33) * size,
        jump_landing=uniform(0.10, 0.28) * size,
        jump_rise=0.045 * size * np.ones(shape),
        jump_tuck=uniform(0.0, 0.14) * size,
        jump_arms=uniform(0.15, 1.0),
        squat_depth=uniform(0.15, 0.46) * size,
        reach_flexion=uniform(0.6, 2.8),
        reach_abduction=uniform(-0.25, 1.1),
        reach_inward=uniform(-0.3, 0.9),
        reach_elbow=uniform(0.08, 1.2),
        reach_lean=uniform(-0.05, 0.35),
        reach_dip=uniform(0.0, 0.12) * size,
        reach_side=rng.choice([-1.0, 0.0, 1.0], shape, p=[0.35, 0.25, 0.4]),
        wave=uniform(0.15, 0.5) * (rng.random(shape) < 0.4),
        wave_rate=uniform(0.8, 2.2),
    )
    _jump_durations(params)
    return params


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
        ValueError: An action is unknown or none is given.
    """
    unknown = sorted(set(actions) - set(ACTIONS))
    if unknown or not actions:
        raise ValueError(
            f'actions: expected some of {ACTIONS}, found {tuple(actions)}'
        )
    num = len(stature)
    count = int(np.ceil(duration / 1.8)) + 2
    numbers = np.array([ACTIONS.index(name) for name in actions])
    weights = _FREQUENCY[numbers]
    action = rng.choice(numbers, (num, count), p=weights / weights.sum())
    params = _sample_params(rng, (num, count), stature)
    length = rng.uniform(1.8, 3.4, (num, count))
    phases = ('crouch', 'push', 'flight', 'land', 'recover')
    jump = SETTLE + sum(params[f'{name}_time'] for name in phases) + 0.1
    length = np.where(action == ACTIONS.index('jump'), jump, length)
    start = np.cumsum(length, axis=1) - length
    start -= rng.random((num, 1)) * length[:, :1]
    params['length'] = length
    return Script(start, action, params)
