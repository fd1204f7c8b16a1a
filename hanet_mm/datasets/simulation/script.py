# Copyright (c) hanet_mm contributors. All rights reserved.
"""Who does what and when: a script of actions per person."""

from dataclasses import dataclass
from typing import Dict, Sequence

import numpy as np

from .actions import ACTIONS, REGISTRY, draw_params


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
