# Copyright (c) hanet_mm contributors. All rights reserved.
"""Settings of a stream, and types of what is pushed into it."""

import numbers
from typing import Any, Hashable, Mapping, Optional, Sequence
from zlib import crc32

import numpy as np
from torch import Tensor

from ..refine.inputs import Array
from ..refine.refiner import Refiner


def check_types(index: Any, timestamp: Any) -> None:
    """Raise a TypeError unless they are None or numbers of their kind."""
    for name, value, kind, expected in (
        ('index', index, numbers.Integral, 'a whole number'),
        ('timestamp', timestamp, numbers.Real, 'seconds'),
    ):
        wrong = not isinstance(value, kind) or isinstance(value, bool)
        if value is not None and wrong:
            raise TypeError(
                f'{name}: expected {expected} or None, found {value!r:.60}'
            )


def check_id(track_id: Any) -> None:
    """Raise a TypeError unless two ids of a person are one key of a dict.

    A tensor is equal to nothing but itself, and NaN to nothing: each frame
    would begin another person.
    """
    if isinstance(track_id, (Tensor, np.ndarray)):
        raise TypeError(
            'track_id: expected a number or a name, such as int(id), found '
            f'{type(track_id).__name__} {track_id!r:.60}'
        )
    if isinstance(track_id, numbers.Real) and track_id != track_id:
        raise TypeError('track_id: expected a number or a name, found NaN')


def check_people(people: Any) -> None:
    """Raise a TypeError unless it maps track ids to keypoints and scores."""
    if not isinstance(people, Mapping):
        raise TypeError(
            'people: expected a dict of keypoints and scores by track id, '
            f'found {type(people).__name__}'
        )
    for track_id, pair in people.items():
        check_id(track_id)
        if not isinstance(pair, (tuple, list)) or len(pair) != 2:
            raise TypeError(
                f'track {track_id}: expected keypoints and scores (or None), '
                f'found {type(pair).__name__}'
            )


def check_array(given: Any, name: str, expected: str) -> Array:
    """An array of numbers, or lists of them as one."""
    if isinstance(given, Tensor):
        return given
    array = given if isinstance(given, np.ndarray) else np.asarray(given)
    if array.dtype.kind not in 'fiub':
        raise TypeError(
            f'{name}: expected {expected} as an array of numbers, found '
            f'{type(given).__name__} of {array.dtype}'
        )
    return array


def check_stream(
    refiner: Refiner, lookahead: int, image_size: Optional[Sequence[int]]
) -> None:
    """Raise a TypeError or ValueError for wrong arguments of a stream."""
    if not isinstance(refiner, Refiner):
        raise TypeError(
            f'refiner: expected a Refiner, found {type(refiner).__name__}'
        )
    if not isinstance(lookahead, (int, np.integer)) or lookahead < 0:
        raise ValueError(
            'lookahead: expected a number of frames from 0, found '
            f'{lookahead!r}'
        )
    if refiner.normalization == 'image' and image_size is None:
        raise ValueError("normalization 'image' needs image_size (W, H)")
    if image_size is not None and np.shape(image_size) != (2,):
        raise ValueError(
            f'image_size: expected (W, H) in pixels, found {image_size!r}'
        )


# With less look-ahead blocks cost more than half a per cent of the error.
_LEAST_LOOKAHEAD = 4


def block_length(lookahead: int, refiner: Refiner) -> int:
    """Frames that are decided together: half of those within the look-ahead.

    A refiner whose windows follow each other more closely needs as many
    windows anyway, and a stream that waits for all windows looks at each frame
    as late as it can.
    """
    if not _LEAST_LOOKAHEAD <= lookahead < refiner.window_size - 1:
        return 1
    return min((lookahead + 1) // 2, refiner.stride)


def turn_of(track_id: Hashable) -> int:
    """A number that depends on the id of a person alone."""
    if isinstance(track_id, numbers.Integral):
        return int(track_id)
    return crc32(repr(track_id).encode())
