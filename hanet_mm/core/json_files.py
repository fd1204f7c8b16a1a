"""JSON, read with the numbers that it does not have, and written without."""

import json
from pathlib import Path
from typing import Any

import numpy as np

from .files import PathLike, atomic_path

# NaN is read as null; infinity is kept, to be refused where it matters.
_CONSTANTS = {
    'NaN': None,
    'Infinity': float('inf'),
    '-Infinity': -float('inf'),
}


def read_json(path: PathLike) -> Any:
    """Read a JSON file; NaN, which is no JSON but common, is None.

    Raises:
        ValueError: One line naming the file.
    """
    try:
        return json.loads(
            Path(path).read_text(encoding='utf-8'),
            parse_constant=_CONSTANTS.get,
        )
    except (ValueError, RecursionError) as error:
        raise ValueError(f'{path}: expected JSON, found {error}') from None


def write_json(path: PathLike, content: Any, source: PathLike) -> None:
    """Write a JSON file, whole or not at all.

    Args:
        path: The file.
        content: What json takes, without NaN.
        source: Where the content came from, for the message.

    Raises:
        ValueError: If a number is infinite.
    """
    try:
        text = json.dumps(content, allow_nan=False)
    except ValueError:
        raise ValueError(
            f'{source}: has an infinite number outside the keypoints, '
            'which JSON cannot hold'
        ) from None
    with atomic_path(path) as temporary:
        temporary.write_text(text, encoding='utf-8')


def to_lists(array: np.ndarray) -> list:
    """An array as nested lists, with None for NaN."""
    missing = np.isnan(array)
    if missing.any():
        array = np.where(missing, None, array.astype(object))
    return array.tolist()
