# Copyright (c) hanet_mm contributors. All rights reserved.
"""Cut sequences into windows and merge overlapping windows again."""

from typing import NamedTuple, Sequence

import numpy as np
from torch import Tensor

TAILS = ('cover', 'drop')


class WindowTable(NamedTuple):
    """Windows (W, ) of many concatenated sequences.

    ``start`` and ``length`` are the first frame of each in its sequence, and
    how many frames that has from ``offset`` on; ``sequence`` is the owner of
    each window; ``added`` are those between two strides, at the end of a
    sequence; ``places`` (T, ) are the frames of a window, from 0 on.
    """

    start: np.ndarray
    length: np.ndarray
    offset: np.ndarray
    sequence: np.ndarray
    added: np.ndarray
    places: np.ndarray

    def rows(self, rows: slice) -> 'WindowTable':
        """Some of the windows."""
        return WindowTable(
            self.start[rows],
            self.length[rows],
            self.offset[rows],
            self.sequence[rows],
            self.added[rows],
            self.places,
        )

    @property
    def inside(self) -> np.ndarray:
        """False past the end of a short sequence, bool (W, T)."""
        return self.start[:, None] + self.places < self.length[:, None]

    @property
    def frames(self) -> np.ndarray:
        """Flat frames (W, T); past the end that is repeated."""
        places = self.start[:, None] + self.places
        places = np.minimum(places, self.length[:, None] - 1)
        return self.offset[:, None] + places


def window_starts(
    length: int, window: int, stride: int, tail: str = 'cover'
) -> np.ndarray:
    """Return the first frames of the windows; ``[0]`` for short sequences.

    The tail 'cover' adds a window that ends at the last frame; 'drop' leaves
    up to ``stride - 1`` last frames uncovered, as the published protocol does.
    """
    last = max(length - window, 0)
    starts = np.arange(0, last + 1, stride)
    if tail == 'cover' and starts[-1] != last:
        starts = np.append(starts, last)
    return starts


def window_table(
    seq_len: Sequence[int], window: int, stride: int, tail: str = 'cover'
) -> WindowTable:
    """Place windows in sequences of ``seq_len`` frames (S, )."""
    if tail not in TAILS:
        raise ValueError(f'tail has to be one of {TAILS}, got {tail!r}')
    lengths = np.asarray(seq_len, dtype=np.int64)
    if window < 1 or stride < 1 or (lengths < 1).any():
        raise ValueError(
            'window, stride and sequence lengths have to be at least 1, got '
            f'{window}, {stride} and {lengths.tolist()}'
        )
    starts = [window_starts(n, window, stride, tail) for n in lengths]
    counts = [len(s) for s in starts]
    sequence = np.repeat(np.arange(len(lengths)), counts)
    start = np.concatenate(starts) if starts else np.zeros(0, np.int64)
    return WindowTable(
        start,
        lengths[sequence],
        (np.cumsum(lengths) - lengths)[sequence],
        sequence,
        start % stride > 0,
        np.arange(window),
    )


def window_weights(
    window: int, taper: bool, added: bool = False
) -> np.ndarray:
    """Weights (T, ) of the frames of a window where windows overlap.

    All 1, or with ``taper`` those of a Hann window: most at its middle, where
    the frames around are known on both sides, and never 0 at the ends of a
    sequence. The first frame of a window ``added`` between two strides weighs
    nothing then: a stream with a look-ahead of T - 1 hands it out before it
    is known that this window is the last.
    """
    if not taper:
        return np.ones(window, np.float32)
    places = np.arange(1, window + 1)
    weights = np.sin(np.pi * places / (window + 1)) ** 2
    if added:
        weights[0] = 0
    return weights.astype(np.float32)


def table_weights(table: WindowTable, taper: bool) -> np.ndarray:
    """Weights (W, T) of the frames of all windows, 0 where not inside."""
    window = len(table.places)
    both = np.stack([window_weights(window, taper, x) for x in (False, True)])
    return both[table.added.astype(int)] * table.inside


class OverlapMean:
    """Weighted mean over the windows of each of N frames, added in batches."""

    def __init__(self, num_frames: int, like: Tensor):
        self.total = like.new_zeros(num_frames, *like.shape[-2:])
        self.count = like.new_zeros(num_frames)

    def add(self, windows: Tensor, frames: Tensor, weights: Tensor) -> None:
        """Add windows (W, T, K, D) at flat frames, with weights (W, T)."""
        heavy = windows * weights[..., None, None]
        places = frames.flatten()
        self.total.index_add_(0, places, heavy.flatten(0, 1))
        self.count.index_add_(0, places, weights.flatten())

    def result(self) -> Tensor:
        """The mean, (N, K, D); NaN at frames that no window covers.

        Once, when all windows were added: it takes the place of their sum.
        """
        return self.total.div_(self.count[:, None, None])

    @property
    def covered(self) -> Tensor:
        """Frames covered by a window, bool, (N, )."""
        return self.count > 0
