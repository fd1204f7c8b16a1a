# Copyright (c) hanet_mm contributors. All rights reserved.
"""All kinds of motion of the tables, and which are kept for validation."""

from typing import Dict, Optional, Tuple

import numpy as np

from .body import sample_body_shapes
from .exercises import Kind, perform
from .exercises_daily import DAILY
from .exercises_floor import FLOOR
from .exercises_sport import SPORT

KINDS: Dict[str, Kind] = {**SPORT, **FLOOR, **DAILY}
"""Kinds of motion by their names."""


def kinds_of_part(part: Optional[str]) -> Tuple[str, ...]:
    """Names of the kinds of 'train', 'val' or 'test'; all of None.

    Parts share no kind: what was seen of a refiner in validation it was not
    trained on.
    """
    return tuple(k for k, v in KINDS.items() if part in (None, v.part))


def generate_exercises(
    rng: np.random.Generator,
    kinds: Tuple[str, ...],
    num_frames: int,
    fps: float,
) -> np.ndarray:
    """Let people of random build do one kind each.

    Joints in the order of ``JOINT_NAMES`` in metres, z up, (S, T, 16, 3).
    Raises a ValueError if a kind is unknown.
    """
    unknown = sorted(set(kinds) - set(KINDS))
    if unknown:
        raise ValueError(f'kinds: expected of {tuple(KINDS)}, found {unknown}')
    time = np.arange(num_frames) / fps
    joints = np.empty((len(kinds), num_frames, 16, 3), np.float32)
    names = np.array(kinds)
    for name in dict.fromkeys(kinds):
        who = np.flatnonzero(names == name)
        shape = sample_body_shapes(rng, len(who))
        joints[who] = perform(rng, KINDS[name], shape, time)
    return joints
