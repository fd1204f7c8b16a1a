# Copyright (c) hanet_mm contributors. All rights reserved.
"""Fields of annotations in JSON; what is wrong is told in one line.

``where`` names the file and the place in it.
"""

from typing import Any, Dict, List, Optional, Tuple, Union

import numpy as np


def take(mapping: Any, key: str, where: str) -> Any:
    """Value of a key that has to be there."""
    if not isinstance(mapping, dict):
        raise ValueError(
            f'{where}: expected an object with key {key!r}, '
            f'found {type(mapping).__name__}'
        )
    if key not in mapping:
        raise ValueError(f'{where}: key {key!r} is missing')
    return mapping[key]


def numbers(
    value: Any, count: Tuple[int, ...], key: str, where: str
) -> np.ndarray:
    """Array of float32 whose number of elements is one of ``count``."""
    try:
        # What float32 cannot hold becomes inf and is refused below.
        with np.errstate(over='ignore'):
            array = np.asarray(value, dtype=np.float32).reshape(-1)
    except (OverflowError, TypeError, ValueError):
        array = np.zeros(0, np.float32)
    if array.size not in count or np.isinf(array).any():
        raise ValueError(
            f'{where}: key {key!r}: expected '
            f'{" or ".join(map(str, count))} finite numbers, found '
            f'{str(value)[:60]}'
        )
    return array


def take_list(mapping: Any, key: str, where: str) -> List[Any]:
    """List of a key that has to be there."""
    value = take(mapping, key, where)
    if not isinstance(value, list):
        raise ValueError(
            f'{where}: key {key!r}: expected a list, found '
            f'{type(value).__name__}'
        )
    return value


def take_objects(mapping: Any, key: str, where: str) -> List[Dict[str, Any]]:
    """Objects of a key that may be missing; one alone needs no list."""
    value = mapping.get(key) or []
    value = [value] if isinstance(value, dict) else value
    if not isinstance(value, list) or not all(
        isinstance(x, dict) for x in value
    ):
        raise ValueError(
            f'{where}: key {key!r}: expected a list of objects, found '
            f'{str(value)[:60]}'
        )
    return value


def take_id(mapping: Any, key: str, where: str) -> Union[int, str]:
    """Number or name of an image that has to be there."""
    value = take(mapping, key, where)
    if isinstance(value, bool) or not isinstance(value, (int, str)):
        raise ValueError(
            f'{where}: key {key!r}: expected a number or a name, found '
            f'{str(value)[:60]}'
        )
    return value


def take_size(image: Any, where: str) -> Optional[Tuple[int, int]]:
    """Width and height of an image, None where neither is there."""
    if 'width' not in image or 'height' not in image:
        return None
    width, height = (image[key] for key in ('width', 'height'))
    for value in (width, height):
        number = isinstance(value, (int, float)) and not isinstance(
            value, bool
        )
        if not number or not 1 <= value < 2**31:
            raise ValueError(
                f"{where}: keys 'width' and 'height': expected pixels, found "
                f'{str(value)[:60]}'
            )
    return int(width), int(height)
