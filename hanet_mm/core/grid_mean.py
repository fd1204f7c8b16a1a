"""Mean of overlapping windows that come one after the other."""

import copy

import numpy as np


class GridMean:
    """As :class:`hanet_mm.core.windows.OverlapMean`, for an endless sequence.

    Args:
        num_keypoints (int): K.
        coord_dims (int): D.

    Attributes:
        first (int): Frame of the first row; those before were dropped.
        total (np.ndarray): Sum of the windows, (G, K, D).
        count (np.ndarray): Windows of each frame, (G, ).
    """

    def __init__(self, num_keypoints: int, coord_dims: int):
        self.first = 0
        self.total = np.zeros((0, num_keypoints, coord_dims), np.float32)
        self.count = np.zeros(0, np.float32)

    def add(self, window: np.ndarray, start: int) -> None:
        """Add a window.

        Args:
            window (np.ndarray): (T, K, D).
            start (int): Its first frame. What lies before ``first`` is left
                out.
        """
        lacking = start + len(window) - self.first - len(self.count)
        if lacking > 0:
            rows = np.zeros((lacking, *self.total.shape[1:]), np.float32)
            self.total = np.concatenate([self.total, rows])
            self.count = np.append(self.count, np.zeros(lacking, np.float32))
        window = window[max(self.first - start, 0) :]
        begin = max(start - self.first, 0)
        self.total[begin : begin + len(window)] += window
        self.count[begin : begin + len(window)] += 1

    def with_window(self, window: np.ndarray, start: int) -> 'GridMean':
        """Return a copy that has one window more."""
        other = copy.copy(self)
        other.total, other.count = self.total.copy(), self.count.copy()
        other.add(window, start)
        return other

    def at(self, frames: np.ndarray) -> np.ndarray:
        """Means at frames from ``first`` on, (n, ) -> (n, K, D)."""
        rows = frames - self.first
        return self.total[rows] / self.count[rows][:, None, None]

    def drop_before(self, frame: int) -> None:
        """Forget the frames before one."""
        count = max(frame - self.first, 0)
        self.total, self.count = self.total[count:], self.count[count:]
        self.first = max(frame, self.first)
