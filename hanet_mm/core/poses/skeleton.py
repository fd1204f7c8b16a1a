# Copyright (c) hanet_mm contributors. All rights reserved.
"""What a skeleton is: the names of its keypoints and what is known of them."""

import re
from dataclasses import dataclass
from typing import Any, Dict, Mapping, Optional, Sequence, Tuple

from hanet_mm.core.data.files import PathLike, read_json

Pair = Tuple[str, str]

LEFT, RIGHT = 'left', 'right'
_SIDES = {'l': LEFT, 'r': RIGHT, LEFT: LEFT, RIGHT: RIGHT}
# A lower case letter or digit before a capital; the last of many capitals
# before a word.
_WORD_START = re.compile(r'(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])')
# Places of the body that have many names, each with the names that mean
# nothing else. What other names mean depends on the skeleton.
_USUAL_MEANINGS = {
    'root': 'pelvis',
    'hip': 'pelvis',
    'mid_hip': 'pelvis',
    'neck': 'mid_shoulders',
    'thorax': 'mid_shoulders',
    'head_bottom': 'upper_neck',
    # MediaPipe's tip of the foot, 1 to 2 cm beside the big toe.
    'left_foot_index': 'left_big_toe',
    'right_foot_index': 'right_big_toe',
}


@dataclass(frozen=True)
class Skeleton:
    """A skeleton; made by :func:`make_skeleton`.

    Attributes:
        name: Its name.
        keypoint_names: Names of the K keypoints, in order.
        links: Pairs of names that are drawn as a bone.
        flip_pairs: Pairs of names that change places in a mirror.
        points: The place on the body of each keypoint, K strings. Keypoints
            of two skeletons are the same if their points are.
    """

    name: str
    keypoint_names: Tuple[str, ...]
    links: Tuple[Pair, ...] = ()
    flip_pairs: Tuple[Pair, ...] = ()
    points: Tuple[str, ...] = ()

    def __len__(self) -> int:
        return len(self.keypoint_names)

    @property
    def link_indices(self) -> Tuple[Tuple[int, int], ...]:
        """The links as pairs of keypoint numbers."""
        index = {name: i for i, name in enumerate(self.keypoint_names)}
        return tuple((index[a], index[b]) for a, b in self.links)


def make_skeleton(
    name: str,
    keypoint_names: Sequence[str],
    links: Sequence[Sequence[str]] = (),
    flip_pairs: Optional[Sequence[Sequence[str]]] = None,
    meanings: Optional[Mapping[str, str]] = None,
) -> Skeleton:
    """Make a skeleton and check it.

    ``flip_pairs`` of None are the keypoints that differ in their side only;
    ``meanings`` are the points of names that have an unusual one.
    """
    names = tuple(keypoint_names)
    twice = sorted({x for x in names if names.count(x) > 1})
    if twice:
        raise ValueError(
            f'skeleton {name!r}: keypoint_names: expected each name once, '
            f'found {", ".join(twice)} more than once'
        )
    points = tuple(
        (meanings or {}).get(x) or _usual_meaning(plain_name(x)) for x in names
    )
    if flip_pairs is None:
        flip_pairs = _opposite_sides(names)
    return Skeleton(
        name,
        names,
        _check_pairs(name, 'links', links, names),
        _check_pairs(name, 'flip_pairs', flip_pairs, names),
        points,
    )


def read_skeleton(path: PathLike) -> Skeleton:
    """Read a skeleton of one's own.

    Args:
        path: JSON ``{"name": ..., "keypoint_names": [...], "links": [[a, b],
            ...]}`` with links between names; ``links`` may be left out, and
            ``flip_pairs`` may be given in the same form.

    Raises:
        ValueError: One line naming the file and the key.
    """
    content = read_json(path)
    if not isinstance(content, dict):
        raise ValueError(
            f'{path}: expected a skeleton {{"name", "keypoint_names", '
            f'"links"}}, found {type(content).__name__}'
        )
    unknown = sorted(
        {*content} - {'name', 'keypoint_names', 'links', 'flip_pairs'}
    )
    if unknown:
        raise ValueError(
            f'{path}: expected the keys name, keypoint_names, links, '
            f'flip_pairs, found {unknown[0]!r}'
        )
    for key, check, what in (
        ('name', _is_name, 'a text'),
        ('keypoint_names', _are_names, 'a list of names'),
        ('links', _are_pairs, 'a list of pairs of names'),
        ('flip_pairs', _are_pairs, 'a list of pairs of names'),
    ):
        needed = key in ('name', 'keypoint_names')
        if (needed or key in content) and not check(content.get(key)):
            raise ValueError(
                f'{path}: {key}: expected {what}, found {content.get(key)!r}'
            )
    try:
        return make_skeleton(**content)
    except ValueError as error:
        raise ValueError(f'{path}: {error}') from None


def plain_name(name: str) -> str:
    """A name as MMPose spells it: ``LShoulder`` is ``left_shoulder``.

    Words are separated by underscores, in lower case, with the side first.
    """
    words = re.split(r'[\s_.:-]+', _WORD_START.sub('_', name).lower())
    words = [_SIDES.get(word, word) for word in words if word]
    sides = [word for word in words if word in (LEFT, RIGHT)]
    if len(sides) == 1:
        words.remove(sides[0])
        words.insert(0, sides[0])
    return '_'.join(words) or name


def _usual_meaning(name: str) -> str:
    return _USUAL_MEANINGS.get(name, name)


def _opposite_sides(names: Tuple[str, ...]) -> Tuple[Pair, ...]:
    by_plain: Dict[str, str] = {plain_name(name): name for name in names}
    return tuple(
        (name, by_plain[RIGHT + plain[len(LEFT) :]])
        for plain, name in by_plain.items()
        if plain.startswith(f'{LEFT}_')
        and RIGHT + plain[len(LEFT) :] in by_plain
    )


def _check_pairs(
    skeleton: str, key: str, pairs: Sequence[Sequence[str]], names: Sequence
) -> Tuple[Pair, ...]:
    for pair in pairs:
        for name in pair:
            if name not in names:
                raise ValueError(
                    f'skeleton {skeleton!r}: {key}: expected names of its '
                    f'keypoints, found {name!r}'
                )
    return tuple((a, b) for a, b in pairs)


def _is_name(value: Any) -> bool:
    return isinstance(value, str) and bool(value)


def _are_names(value: Any) -> bool:
    return (
        isinstance(value, list) and bool(value) and all(map(_is_name, value))
    )


def _are_pairs(value: Any) -> bool:
    return isinstance(value, list) and all(
        _are_names(pair) and len(pair) == 2 for pair in value
    )
