# Copyright (c) hanet_mm contributors. All rights reserved.
"""Parts of a long sequence (T, ..., K, D) that fit into memory together.

What is computed for frames or joints alone is the same in blocks, and what it
needs for a moment does not grow with the sequence.
"""

from typing import Iterator, Sequence

import numpy as np

# Frames of a block, of which windows may be copied.
_FRAMES = 2048
# Keypoints of all frames of a block of joints.
_KEYPOINTS = 2**20


def row_blocks(count: int) -> Iterator[slice]:
    """Blocks of so many frames."""
    for start in range(0, count, _FRAMES):
        yield slice(start, min(start + _FRAMES, count))


def joint_blocks(shape: Sequence[int]) -> Iterator[slice]:
    """Blocks of the joints of (T, ..., K), for what needs all frames."""
    together = max(_KEYPOINTS // max(int(np.prod(shape[:-1])), 1), 1)
    for start in range(0, shape[-1], together):
        yield slice(start, min(start + together, shape[-1]))
