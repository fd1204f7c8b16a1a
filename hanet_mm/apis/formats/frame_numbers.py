"""Numbers of frames that are files."""

import re
from typing import List, Sequence

import numpy as np

from hanet_mm.core.data.files import PathLike

_DIGITS = re.compile(r'\d+')
_ENDINGS = re.compile(r'(_keypoints)?(\.[A-Za-z]\w*)?$')


def frame_numbers(
    names: Sequence[object], path: PathLike, key: str
) -> np.ndarray:
    """Numbers of frames from their names.

    Args:
        names: Integers, or names of files that have a number, the last one
            before ``_keypoints`` and the ending being that of the frame.
        path: The file, for messages.
        key: What the file calls these names.

    Returns:
        (N,) int64.

    Raises:
        ValueError: One line naming the file and the name that has none.
    """
    numbers: List[int] = []
    for name in names:
        found = []
        if isinstance(name, str):
            found = _DIGITS.findall(_ENDINGS.sub('', name))
        elif type(name) is int:
            found = [name]
        if not found or not 0 <= int(found[-1]) < 2**62:
            raise ValueError(
                f'{path}: {key}: expected a number from 0 on, or a name '
                f'that ends in the number of its frame, found {name!r}'
            )
        numbers.append(int(found[-1]))
    return np.array(numbers, np.int64)
