# Copyright (c) hanet_mm contributors. All rights reserved.
"""Checks of a portable file before a network is built from its header.

A header may say any number: nothing may be built, and no loop run, that the
weights in the file do not fill.
"""

import math
from typing import TYPE_CHECKING, Any, Dict, Iterator, List, Tuple

from ..data.files import PathLike

if TYPE_CHECKING:
    from torch import Tensor

# Numbers of a header, in any field.
_LARGEST = 100_000
_LONGEST_LIST, _DEEPEST = 10_000, 8
# Fields that count something, of the header and of the parts of the network.
_COUNTS = {
    *('window_size', 'stride', 'sample_interval', 'distance', 'embed_dims'),
    *('num_keypoints', 'coord_dims', 'num_levels', 'num_layers', 'num_heads'),
    'feedforward_channels',
}
# Buffer of a gate that passes everything.
_MAY_BE_INFINITE = 'gate.limit'


def check_header(
    header: Dict[str, Any], weights: 'Dict[str, Tensor]', path: PathLike
) -> None:
    """Raise a ValueError unless header and weights can be those of a refiner.

    Args:
        header (dict): Arguments of the refiner.
        weights (dict): Tensors by name.
        path (PathLike): The file, for messages.
    """
    for name, value in weights.items():
        if not value.is_floating_point():
            raise ValueError(
                f'{path}: weight {name!r}: expected real numbers, found '
                f'{value.dtype}'
            )
        wrong = ~value.isfinite()
        if name == _MAY_BE_INFINITE:
            wrong = value.isnan()
        if wrong.any():
            raise ValueError(
                f'{path}: weight {name!r}: found {int(wrong.sum())} numbers '
                'that are not finite; the file is damaged, or of a training '
                'that diverged'
            )
    for where, number in _numbers(header, 'header', path):
        if not abs(number) <= _LARGEST:  # nor NaN
            raise ValueError(
                f'{path}: {where}: expected a number of at most {_LARGEST}, '
                f'found {number:.6g}'
            )
    for where, part in _parts(header):
        for name in _COUNTS & {*part}:
            value = part[name]
            if type(value) is int and value > 0:
                continue
            if name != 'feedforward_channels' or value is not None:
                raise ValueError(
                    f'{path}: {where}: {name}: expected a whole number from '
                    f'1, found {value!r:.60}'
                )
    _check_indices(header, path)
    found = sum(x.numel() for x in weights.values())
    needed = _least_weights(header, len(weights), path)
    if needed > found:
        raise ValueError(
            f'{path}: the header describes a network of at least {needed} '
            f'weights, found {found}'
        )


def _parts(header: Dict[str, Any]) -> List[Tuple[str, Dict[str, Any]]]:
    """The header, its network, backbone and head, if they are dicts."""
    network = header.get('network')
    inner = network if isinstance(network, dict) else {}
    parts = [
        ('header', header),
        ('network', inner),
        ('backbone', inner.get('backbone')),
        ('head', inner.get('head')),
    ]
    return [(x, y) for x, y in parts if isinstance(y, dict)]


def _check_indices(header: Dict[str, Any], path: PathLike) -> None:
    """The fields that name keypoints by their number."""
    names = header.get('keypoint_names')
    if names is not None and not (
        isinstance(names, list)
        and names
        and all(isinstance(x, str) for x in names)
    ):
        raise ValueError(f'{path}: header: keypoint_names: expected strings')
    try:
        count = int(header['network']['head']['num_keypoints'])
    except (KeyError, TypeError, ValueError):
        return  # refused where the network is built
    for name in ('root', 'flip_indices'):
        given = header.get(name)
        if given is None:
            continue
        every = isinstance(given, list) and all(
            type(x) is int and 0 <= x < count for x in given
        )
        if not every or (
            name == 'flip_indices' and sorted(given) != [*range(count)]
        ):
            raise ValueError(
                f'{path}: header: {name}: expected numbers of its {count} '
                f'keypoints, found {given!r:.60}'
            )


def _numbers(
    value: Any, where: str, path: PathLike, depth: int = 0
) -> Iterator[Tuple[str, float]]:
    if isinstance(value, (int, float)):
        # A float of integers beyond it would overflow.
        yield where, value if abs(value) <= _LARGEST else math.inf
        return
    if not isinstance(value, (dict, list)):
        return
    if depth > _DEEPEST or len(value) > _LONGEST_LIST:
        raise ValueError(
            f'{path}: {where}: expected at most {_LONGEST_LIST} values and '
            f'{_DEEPEST} levels'
        )
    pairs = value.items() if isinstance(value, dict) else enumerate(value)
    for key, item in pairs:
        yield from _numbers(item, f'{where}[{key!r:.40}]', path, depth + 1)


def _least_weights(
    header: Dict[str, Any], num_tensors: int, path: PathLike
) -> int:
    """Weights that a network has at least, by what its arguments multiply."""
    total, points = 0, 0
    for _, part in _parts(header)[2:]:
        width = _count(part, 'embed_dims', 64)
        depth = 'num_levels' if 'num_levels' in part else 'num_layers'
        levels = _count(part, depth, 1)
        if levels > num_tensors:
            raise ValueError(
                f'{path}: {depth}: expected at most one level for each of '
                f'{num_tensors} tensors, found {levels}'
            )
        grow = depth == 'num_levels' and part.get('hierarchical', True)
        widest = width * 2 ** (levels - 1) if grow else width
        wide = max(_count(part, 'feedforward_channels', 1), width)
        total += widest * widest + levels * width * wide
        count = _count(part, 'num_keypoints', 1)
        points = max(points, count * _count(part, 'coord_dims', 1))
        total += points
    if header.get('gate'):
        total += points * points
    return total


def _count(part: Dict[str, Any], name: str, default: int) -> int:
    value = part.get(name, default)
    # What is no number at all is refused where the network is built.
    return max(value, 1) if isinstance(value, int) else default
