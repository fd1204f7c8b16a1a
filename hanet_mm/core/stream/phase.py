# Copyright (c) hanet_mm contributors. All rights reserved.
"""Windows of a stream that begins at one place between two frames."""

from typing import Callable, Optional, Tuple

import numpy as np

from ..refine.frame_rate import from_grid, snap

# A window (T, K, C) and its last frame.
PassingWindow = Optional[Tuple[np.ndarray, int]]


class PhaseWindows:
    """Refined windows that end at the refiner's frames of one phase.

    The frames are numbered from 0 at ``start``, a position. One window ends
    at each of them from T - 1 on. ``outputs`` (E, T, K, C) are the windows
    that end at ``first`` and after, as long as a result may need them.
    """

    def __init__(self, start: float, window: int) -> None:
        self.start = start
        self.window = window
        self.first = window - 1
        self.outputs = np.zeros((0, window, 0, 0), np.float32)

    @property
    def next_end(self) -> int:
        """First frame at which no window has ended yet."""
        return self.first + len(self.outputs)

    def local(self, positions: np.ndarray) -> np.ndarray:
        """Positions in frames of this phase."""
        return snap(positions - self.start)

    def due_ends(
        self, newest: float, due: np.ndarray, delay: int
    ) -> Tuple[np.ndarray, bool]:
        """Last frames of the windows that are wanted, and if one is passing.

        ``newest`` is the position of the newest frame and ``due`` (n, ) are
        those of the frames handed out that this phase serves. A passing
        window reaches beyond what is known or would have waited.
        """
        last = float(self.local(np.array([newest]))[0])
        ends = np.arange(self.next_end, np.floor(last) - delay + 1)
        ends = ends.astype(np.int64)
        covered = self.next_end + len(ends) - 1
        needed = -1.0 if not len(due) else np.ceil(self.local(due)[-1])
        short = covered < self.window - 1 or covered < needed
        passing = bool(len(due)) and bool(short)
        if passing:
            end = max(int(np.floor(last)), int(needed), self.window - 1)
            ends = np.append(ends, end)
        return ends, passing

    def add(self, windows: np.ndarray) -> None:
        """Keep the windows (W, T, K, C) that end at the next frames."""
        if len(self.outputs):
            windows = np.concatenate([self.outputs, windows])
        if len(windows):
            self.outputs = windows

    def revise(self, position: float) -> None:
        """Forget the windows that reach beyond a position."""
        last = int(np.floor(self.local(np.array([position]))[0]))
        self.outputs = self.outputs[: max(last + 1 - self.first, 0)]

    def at(
        self,
        positions: np.ndarray,
        passing: PassingWindow,
        finish: Callable[[np.ndarray], np.ndarray],
    ) -> np.ndarray:
        """Mean over the windows at positions (n, ), (n, K, C).

        ``finish`` makes poses of the means (m, K, C) at the refiner's frames.
        """
        local = self.local(positions)
        grid = np.arange(np.floor(local[0]), np.ceil(local[-1]) + 1)
        outputs, ends = self.outputs, self.first + np.arange(len(self.outputs))
        if passing is not None:
            extra, end = passing[0][None], passing[1]
            outputs = np.concatenate([outputs, extra]) if len(ends) else extra
            ends = np.append(ends, end)
        # Place of each frame in each window.
        place = grid[:, None].astype(np.int64) - ends + self.window - 1
        inside = (place >= 0) & (place < self.window)
        rows, windows = np.nonzero(inside)
        total = np.zeros((len(grid), *outputs.shape[2:]), np.float32)
        np.add.at(total, rows, outputs[windows, place[rows, windows]])
        mean = total / inside.sum(1)[:, None, None].astype(np.float32)
        return from_grid(finish(mean), local - grid[0])

    def forget(self, position: float) -> None:
        """Drop the windows that end before a position."""
        oldest = int(np.floor(self.local(np.array([position]))[0]))
        count = min(max(oldest - self.first, 0), len(self.outputs))
        if count:
            self.outputs = self.outputs[count:].copy()
            self.first += count
