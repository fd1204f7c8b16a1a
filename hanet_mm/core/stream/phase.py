# Copyright (c) hanet_mm contributors. All rights reserved.
"""Windows of a stream that begins at one place between two frames."""

from typing import Callable, NamedTuple, Tuple

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

    def local(self, positions: np.ndarray) -> np.ndarray:
        """Positions in frames of this phase."""
        return snap(positions - self.start)

    def due_ends(
        self, newest: float, due: np.ndarray, delay: int, ahead: int
    ) -> Tuple[np.ndarray, bool]:
        """Last frames of the windows that are wanted, and if one is passing.

        ``newest`` is the position of the newest frame and ``due`` (n, ) are
        those of the frames handed out that this phase serves: in a window
        with ``ahead`` frames after them, or all that are known. Windows that
        are kept wait for ``delay`` frames; the passing one is the last.
        """
        last = int(np.floor(self.local(np.array([newest]))[0]))
        # What was repeated to fill a window is known now.
        if self._passing.end > self._newest:
            self._passing = PassingWindow(self.outputs[:0], -1)
        self._newest = last
        ends = np.arange(self.next_end, last - delay + 1, self.stride)
        if not len(due):
            return ends, False
        place = int(np.ceil(self.local(due)[-1]))
        wanted = max(min(place + ahead, last), place, self.window - 1)
        covered = self.next_end + self.stride * (len(ends) - 1)
        every = last - delay - place >= self.window - 1
        if every or max(covered, self._passing.end) >= wanted:
            return ends, False
        return np.append(ends, max(last, place, self.window - 1)), True

    def add(
        self, windows: np.ndarray, ends: np.ndarray, passing: bool
    ) -> None:
        """Take the refined windows (W, T, K, C) of :meth:`due_ends`."""
        if passing:
            self._passing = PassingWindow(windows[-1], int(ends[-1]))
            windows = windows[:-1]
        if len(self.outputs):
            windows = np.concatenate([self.outputs, windows])
        if len(windows):
            self.outputs = windows

    def revise(self, position: float) -> None:
        """Forget the windows that reach beyond a position."""
        last = int(np.floor(self.local(np.array([position]))[0]))
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
        local = self.local(positions)
        grid = np.arange(np.floor(local[0]), np.ceil(local[-1]) + 1)
        outputs, count = self.outputs, len(self.outputs)
        ends = self.first + self.stride * np.arange(count)
        if self._passing.end > self.next_end - self.stride:
            extra = self._passing.output[None]
            outputs = np.concatenate([outputs, extra]) if count else extra
            ends = np.append(ends, self._passing.end)
        # Place of each frame in each window.
        place = grid[:, None].astype(np.int64) - ends + self.window - 1
        inside = (place >= 0) & (place < self.window)
        place = place.clip(0, self.window - 1)
        weights = self._weights[0][place]
        # As offline, one that begins between two strides is added.
        added = (ends - self.first) % self.stride > 0
        weights = np.where(added, self._weights[1][place], weights)
        weights = np.where(inside, weights, np.float32(0))
        values = outputs[np.arange(len(ends)), place]
        # An unknown error of a window elsewhere says nothing.
        values = np.where(inside[..., None, None], values, np.float32(0))
        mean = np.einsum('ge,gekc->gkc', weights, values)
        mean /= weights.sum(1)[:, None, None]
        return from_grid(finish(mean), local - grid[0])

    def forget(self, position: float) -> None:
        """Drop the windows that end before a position."""
        oldest = int(np.floor(self.local(np.array([position]))[0]))
        count = -((self.first - oldest) // self.stride)
        count = min(max(count, 0), len(self.outputs))
        if count:
            self.outputs = self.outputs[count:].copy()
            self.first += self.stride * count
