# Copyright (c) hanet_mm contributors. All rights reserved.
"""Parts of a long sequence (T, ..., K, D) that fit into memory together.

What is computed for frames or joints alone is the same in blocks, and what it
needs for a moment does not grow with the sequence. Short sequences of equal
length are worked on together, (T, S, K, D).
"""

from typing import Dict, Hashable, Iterator, List, Sequence, Tuple

import numpy as np

# Frames of a block, of which windows may be copied: those of 17 keypoints fit
# into the cache of a core.
_FRAMES = 512
# Frames of short sequences that are worked on together.
_TOGETHER = 2048
# Keypoints of all frames of a block of joints.
_KEYPOINTS = 2**17


def row_blocks(count: int, people: float = 1) -> Iterator[slice]:
    """Blocks of so many frames, each of so many people (or parts of one)."""
    size = max(int(_FRAMES / people), 1)
    for start in range(0, count, size):
        yield slice(start, min(start + size, count))


def joint_blocks(shape: Sequence[int]) -> Iterator[slice]:
    """Blocks of the joints of (T, ..., K), for what needs all frames."""
    together = max(_KEYPOINTS // max(int(np.prod(shape[:-1])), 1), 1)
    for start in range(0, shape[-1], together):
        yield slice(start, min(start + together, shape[-1]))


def alike_groups(
    lengths: Sequence[int], kinds: Sequence[Hashable]
) -> Iterator[List[int]]:
    """Sequences of equal length and kind, as many as make a block of frames.

    Examples:
        >>> list(alike_groups([30, 40, 30, 30], [25.0, 25.0, 25.0, 50.0]))
        [[0, 2], [1], [3]]
    """
    groups: Dict[Tuple[int, Hashable], List[int]] = {}
    for index, key in enumerate(zip(lengths, kinds)):
        groups.setdefault(key, []).append(index)
    for (length, _), group in groups.items():
        together = max(_TOGETHER // length, 1)
        for start in range(0, len(group), together):
            yield group[start : start + together]
