# Copyright (c) hanet_mm contributors. All rights reserved.
"""The order of frames by their numbers or names."""

import re
import warnings
from typing import Dict, List, Sequence, Tuple

import numpy as np

from hanet_mm.core.data.files import PathLike

# Digits that Python makes a number of, in any version.
_LONGEST = 4000
_DIGITS = re.compile(r'(\d+)')
_ENDINGS = re.compile(r'(_keypoints)?(\.[A-Za-z]\w*)?$')
# What stands between the digits of a time: 15.90, 10:20:15, 10h20m15s,
# 2020-01-31T10_20_15.90.
_TIME = re.compile(r'[\s_.:\-TZhms]*')


def frame_numbers(
    names: Sequence[object], path: PathLike, key: str
) -> np.ndarray:
    """Number the frames of N detections or files by their names.

    Integers are the numbers. Of texts, such as names of pictures, these are
    the last digits, if they rise with the whole names in natural order
    (numbers in them count as such: ``a9`` before ``a10``). Otherwise, as in
    names that end in a time, frames are counted in that order. A warning says
    so, and also if a file lists its names in another order.

    Returns:
        np.ndarray: Numbers from 0, (N,) int64.

    Raises:
        ValueError: If a name has no number, or frames have the same one.
    """
    for name in names:
        if isinstance(name, (list, dict)):  # JSON holds no other mutable ones
            _split(name, path, key)
    parts = {name: _split(name, path, key) for name in dict.fromkeys(names)}
    texts = [name for name in parts if isinstance(name, str)]
    numbers = {name: int(value[-1]) for name, value in parts.items()}
    if texts:
        ordered = sorted(parts, key=lambda name: _natural(parts[name]))
        last = [numbers[name] for name in ordered]
        if any(b <= a for a, b in zip(last, last[1:])):
            _check_different(numbers, path)
            first = next(i for i, x in enumerate(last) if last[i + 1] <= x)
            _warn(
                path,
                key,
                f'{ordered[first]} comes before {ordered[first + 1]} by the '
                'whole name, but not by its last number: frames are counted '
                'in the order of the whole names',
            )
            numbers = {name: i for i, name in enumerate(ordered)}
        elif ordered != list(parts):
            _warn(
                path,
                key,
                'the frames are not listed in the order of their numbers; '
                'they are taken in the order of the numbers',
            )
    return np.array([numbers[name] for name in names], np.int64)


def natural_order(names: Sequence[str]) -> List[str]:
    """Sort names with the numbers in them as numbers."""
    return sorted(names, key=lambda name: _natural(_pieces(name)))


def _split(name: object, path: PathLike, key: str) -> Tuple[str, ...]:
    """Text and digits of a name in turn, up to its last digits."""
    pieces: Tuple[str, ...] = ()
    if isinstance(name, str):
        pieces = _pieces(_ENDINGS.sub('', name))
        pieces = pieces[: len(pieces) - 1]
    elif type(name) is int and name >= 0:
        pieces = ('', str(name))
    long = any(len(piece) > _LONGEST for piece in pieces)
    if not pieces or long or not int(pieces[-1]) < 2**62:
        raise ValueError(
            f'{path}: {key}: expected a number from 0, or a name that '
            f'ends in the frame number, found {name!r:.200}'
        )
    return pieces


def _pieces(name: str) -> Tuple[str, ...]:
    return tuple(_DIGITS.split(name))


def _natural(pieces: Sequence[str]) -> list:
    return [int(x) if i % 2 else x for i, x in enumerate(pieces)]


def _check_different(numbers: Dict[object, int], path: PathLike) -> None:
    """Raise if two names end in one number, unless they are times: several
    recordings would be read as one.
    """
    seen: Dict[int, object] = {}
    for name, number in numbers.items():
        if number in seen:
            other = seen[number]
            if not _are_times(str(name), str(other)):
                raise ValueError(
                    f'{path}: expected a different number for each frame, '
                    f'found {other} and {name}'
                )
        seen.setdefault(number, name)


def _are_times(*names: str) -> bool:
    """Whether names of one folder are times and nothing else."""
    split = [re.split(r'[\\/]', _ENDINGS.sub('', name)) for name in names]
    texts = [_DIGITS.sub('', parts[-1]) for parts in split]
    return len({tuple(parts[:-1]) for parts in split}) == 1 and all(
        _TIME.fullmatch(text) for text in texts
    )


def _warn(path: PathLike, key: str, text: str) -> None:
    warnings.warn(f'{path}: {key}: {text}', UserWarning, stacklevel=4)
