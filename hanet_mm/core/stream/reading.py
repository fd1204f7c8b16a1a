# Copyright (c) hanet_mm contributors. All rights reserved.
"""Frames of people as they are pushed, checked."""

from typing import Any, Hashable, List, Mapping, Optional, Sequence, Tuple

import numpy as np

from ..data.plausible import glance_at
from ..refine.inputs import Array, read_rotations, read_sequence
from .arguments import check_array
from .buffer import GivenFrame
from .settings import StreamSettings

Person = Tuple[Array, Optional[Array]]


def read_people(
    people: Mapping[Hashable, Person], settings: StreamSettings, index: int
) -> List[GivenFrame]:
    """Check keypoints (K, D), or rotations in any form, and scores (K, ) or
    None, by track id, of the frame of that number.

    Raises a TypeError or ValueError about the first person who is wrong.
    """
    parts = list(zip(*people.values()))
    if len(people) > 1 and all(_alike(x) for x in parts):
        keypoints, scores = parts
        try:
            return _read(
                check_array(np.stack(keypoints), 'people', 'keypoints'),
                None
                if scores[0] is None
                else check_array(np.stack(scores), 'people', 'scores'),
                settings,
                'people',
                index,
            )
        except (TypeError, ValueError):
            # Who is wrong is told below.
            pass
    frames = []
    for key, (keypoints, scores) in people.items():
        name = f'track {key}'
        keypoints = check_array(keypoints, name, 'keypoints (K, D)')
        if scores is not None:
            scores = check_array(scores, name, 'scores (K,)')[None]
        sequence = keypoints[None] if np.shape(keypoints) else keypoints
        frames += _read(sequence, scores, settings, name, index)
    return frames


def _alike(given: Sequence[Any]) -> bool:
    """Whether these can be read together: arrays of one type, or all None."""
    first = given[0]
    if not isinstance(first, np.ndarray):
        return all(x is None for x in given)
    return all(
        type(x) is np.ndarray
        and x.shape == first.shape
        and x.dtype == first.dtype
        for x in given
    )


def _read(
    keypoints: Array,
    scores: Optional[Array],
    settings: StreamSettings,
    name: str,
    index: int,
) -> List[GivenFrame]:
    """Check P people in a frame, as a sequence of so many frames."""
    shape = tuple(np.shape(keypoints))[1:]
    expected = (settings.num_keypoints, settings.coord_dims)
    if settings.normalization == 'rot6d':
        keypoints = read_rotations(keypoints, settings.num_keypoints)
    if tuple(np.shape(keypoints))[1:] != expected:
        raise ValueError(
            f'{name}: expected keypoints of shape (K, D) = {expected}, found '
            f'{shape}'
        )
    if scores is not None and tuple(np.shape(scores))[1:] != expected[:1]:
        raise ValueError(
            f'{name}: expected scores of shape (K,) = {expected[:1]}, found '
            f'{tuple(np.shape(scores))[1:]}'
        )
    points, known = read_sequence(keypoints, scores, expected, name, index)
    glances = glance_at(points, known == 0)
    return [
        GivenFrame(own, weights, shape, glance)
        for own, weights, glance in zip(points, known, glances)
    ]
