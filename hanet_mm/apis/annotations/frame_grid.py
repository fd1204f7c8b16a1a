# Copyright (c) hanet_mm contributors. All rights reserved.
"""Rows of a file as frames of sequences that are evenly spaced in time."""

from typing import Sequence

import numpy as np

from hanet_mm.core.data.files import PathLike

# Frames of a sequence for each image of it that a file names.
_SPARSEST = 100


def check_density(images: int, frames: int, where: str) -> None:
    """Raise if a file names hardly any image of the frames of a sequence."""
    if frames > _SPARSEST * images:
        raise ValueError(
            f'{where}: expected images of most frames, found {images} from '
            f'the first of {frames} frames to the last'
        )


class FrameGrid:
    """Flat frames of S sequences, from the numbers of their images.

    A sequence has a frame each ``step`` images from its first to its last:
    frames that are missing in the file have a place too, so that time goes on
    evenly. The step is the largest that meets all images of the sequence.

    Args:
        sequence: Sequence of each image, (N,) from 0 to S - 1; each has one.
        number: Number of each image in its video, (N,); images may repeat.
        names: Of the S sequences, for messages.
        path: Of the file, for messages.

    Attributes:
        step: Numbers from a frame to the next, (S,) int64; 1 for sequences of
            one image.
        first: Number of the first frame, (S,) int64.
        seq_len: Frames, (S,) int64.

    Raises:
        ValueError: If a sequence has hardly any image of its frames.
    """

    def __init__(
        self,
        sequence: np.ndarray,
        number: np.ndarray,
        names: Sequence[str],
        path: PathLike,
    ) -> None:
        order = np.lexsort((number, sequence))
        sequence, number = sequence[order], number[order].astype(np.int64)
        begins = np.flatnonzero(np.diff(sequence, prepend=-1))
        ways = np.diff(number, prepend=number[:1])
        ways[begins] = 0
        self.step = np.maximum(np.gcd.reduceat(ways, begins), 1)
        last = np.append(begins[1:], len(number)) - 1
        self.first = number[begins]
        self.seq_len = (number[last] - self.first) // self.step + 1
        images = last - begins + 1
        index = int(np.argmax(self.seq_len / images))
        where = f'{path}: sequence {names[index]!r}'
        check_density(images[index], self.seq_len[index], where)
        self._starts = np.cumsum(self.seq_len) - self.seq_len

    @property
    def total(self) -> int:
        """Frames of all sequences."""
        return int(self.seq_len.sum())

    def places(self, sequence: np.ndarray, number: np.ndarray) -> np.ndarray:
        """Flat frames of images, (N,) int64."""
        frame = (number - self.first[sequence]) // self.step[sequence]
        return self._starts[sequence] + frame

    def numbers(self) -> np.ndarray:
        """Number in its video of each flat frame, int64."""
        frame = np.arange(self.total) - np.repeat(self._starts, self.seq_len)
        step, first = (
            np.repeat(x, self.seq_len) for x in (self.step, self.first)
        )
        return first + step * frame
