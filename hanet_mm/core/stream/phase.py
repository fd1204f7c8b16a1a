# Copyright (c) hanet_mm contributors. All rights reserved.
"""Windows of a stream that begins at one place between two frames."""

import math
from typing import Callable, Iterator, List, NamedTuple, Optional, Tuple

import numpy as np

from ..refine.frame_rate import from_grid, snap
from ..refine.windows import window_weights


class PassingWindow(NamedTuple):
    """A refined window (T, K, C) between two of those that are kept."""

    output: np.ndarray
    end: int


class PhaseWindows:
    """Refined windows at the refiner's frames of one phase.

    The frames are numbered from 0 at ``start``, a position. A window begins
    at every ``stride``-th of them, as offline: ``outputs`` (E, T, K, C) are
    those that end at ``first`` and every ``stride`` frames after, as long as a
    result may need them. Where a result cannot wait for the next of these it
    takes a passing one, which ends at the newest frame.
    """

    def __init__(
        self, start: float, window: int, stride: int, taper: bool
    ) -> None:
        self.start = start
        self.window = window
        # Frames between two windows would be in none.
        self.stride = min(stride, window)
        self.first = window - 1
        self.outputs = np.zeros((0, window, 0, 0), np.float32)
        self._weights = [
            window_weights(window, taper, added) for added in (False, True)
        ]
        self._passing = PassingWindow(self.outputs, -1)
        self._newest = -1  # last frame that was known

    @property
    def next_end(self) -> int:
        """Last frame of the next window that is kept."""
        return self.first + self.stride * len(self.outputs)

    def local(self, position: float) -> float:
        """A position in frames of this phase."""
        return snap(position - self.start)

    def due_ends(
        self, newest: float, due: Optional[float], delay: int, ahead: int
    ) -> Tuple[List[int], bool]:
        """Last frames of the windows that are wanted, and if one is passing.

        ``newest`` is the position of the newest frame and ``due`` that of the
        last one handed out that this phase serves, None if it serves none: in
        a window with ``ahead`` frames after it, or all that are known. Windows
        that are kept wait for ``delay`` frames; the passing one is the last.
        """
        last = math.floor(self.local(newest))
        # What was repeated to fill a window is known now.
        if self._passing.end > self._newest:
            self._passing = PassingWindow(self.outputs[:0], -1)
        self._newest = last
        ends = list(range(self.next_end, last - delay + 1, self.stride))
        if due is None:
            return ends, False
        place = math.ceil(self.local(due))
        wanted = max(min(place + ahead, last), place, self.window - 1)
        covered = self.next_end + self.stride * (len(ends) - 1)
        every = last - delay - place >= self.window - 1
        if every or max(covered, self._passing.end) >= wanted:
            return ends, False
        return [*ends, max(last, place, self.window - 1)], True

    def add(self, windows: np.ndarray, ends: List[int], passing: bool) -> None:
        """Take the refined windows (W, T, K, C) of :meth:`due_ends`."""
        if passing:
            self._passing = PassingWindow(windows[-1], ends[-1])
            windows = windows[:-1]
        if not len(self.outputs):
            self.outputs = windows
        elif len(windows):
            self.outputs = np.concatenate([self.outputs, windows])

    def revise(self, position: float) -> None:
        """Forget the windows that reach beyond a position."""
        last = math.floor(self.local(position))
        kept = max((last - self.first) // self.stride + 1, 0)
        self.outputs = self.outputs[:kept]
        if self._passing.end > last:
            self._passing = PassingWindow(self.outputs[:0], -1)

    def at(
        self,
        positions: np.ndarray,
        finish: Callable[[np.ndarray], np.ndarray],
    ) -> np.ndarray:
        """Mean over the windows at positions (n, ), (n, K, C).

        ``finish`` makes poses of the means (m, K, C) at the refiner's frames.
        """
        local = [self.local(x) for x in positions.tolist()]
        first, last = math.floor(local[0]), math.ceil(local[-1])
        count = last + 1 - first
        total = np.zeros((count, *self.outputs.shape[2:]), np.float32)
        weight = np.zeros((count, 1, 1), np.float32)
        for output, end in self._around(first, last):
            # Frames of the window, and their places among those wanted.
            begin = end - (self.window - 1)
            inside = slice(max(first, begin) - begin, last + 1 - begin)
            rows = slice(inside.start + begin - first, end + 1 - first)
            # As offline, one that begins between two strides is added.
            added = (end - self.first) % self.stride > 0
            own = self._weights[added][inside, None, None]
            total[rows] += own * output[inside]
            weight[rows] += own
        total /= weight
        mean = finish(total)
        if local == list(range(first, last + 1)):
            return mean
        return from_grid(mean, np.array(local) - first)

    def _around(
        self, first: int, last: int
    ) -> Iterator[Tuple[np.ndarray, int]]:
        """Windows that cover any of these frames, and where they end."""
        ends = range(self.first, self.next_end, self.stride)
        windows = list(zip(self.outputs, ends))
        if self._passing.end > self.next_end - self.stride:
            windows.append(self._passing)
        for output, end in windows:
            if first <= end < last + self.window:
                yield output, end

    def forget(self, position: float) -> None:
        """Drop the windows that end before a position."""
        oldest = math.floor(self.local(position))
        count = -((self.first - oldest) // self.stride)
        count = min(max(count, 0), len(self.outputs))
        if count:
            self.outputs = self.outputs[count:].copy()
            self.first += self.stride * count
