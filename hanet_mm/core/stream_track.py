"""What a stream keeps of one person between two frames."""

from typing import NamedTuple, Optional

import numpy as np
import torch
from torch import Tensor

from .grid_mean import GridMean
from .normalization import finish_poses
from .resampling import at_positions, from_grid, snap
from .stream_buffer import StreamBuffer, StreamFrame


class StreamSettings(NamedTuple):
    """What all persons of a stream share.

    Attributes:
        window (int): Frames of a window, T.
        lookahead (int): Frames of the refiner that a result waits for.
        max_gap (int, optional): Longest gap that is filled, in frames.
        normalization (str): See :func:`fit_normalization`.
        num_keypoints (int): K.
        coord_dims (int): D.
    """

    window: int
    lookahead: int
    max_gap: Optional[int]
    normalization: str
    num_keypoints: int
    coord_dims: int

    @property
    def delay(self) -> int:
        """Frames that a window waits for gaps to close."""
        return max(self.lookahead - (self.window - 1), 0)

    @property
    def memory(self) -> int:
        """Frames of the refiner that a stream remembers, at least T."""
        return self.window + self.delay


class RefinedFrames(NamedTuple):
    """Frames whose refined poses are final.

    Attributes:
        index (np.ndarray): Numbers, (n, ).
        timestamp (np.ndarray): Seconds, NaN if not known, (n, ).
        keypoints (Tensor): As if nothing were left empty; NaN if nothing is
            known, (n, K, D).
        missing (np.ndarray): Bool, (n, K).
        empty (np.ndarray): Those that are to be left empty, bool, (n, K).
    """

    index: np.ndarray
    timestamp: np.ndarray
    keypoints: Tensor
    missing: np.ndarray
    empty: np.ndarray


class DueWindows(NamedTuple):
    """Windows that the network has to see now.

    Attributes:
        poses (np.ndarray): (W, T, K, D).
        scores (np.ndarray): 0 = missing, (W, T, K).
        starts (np.ndarray): Their first frames, of the refiner, (W, ).
        passing (bool): Whether the last one serves the frames that are due
            now and is then forgotten, since it reaches beyond what is known.
    """

    poses: np.ndarray
    scores: np.ndarray
    starts: np.ndarray
    passing: bool


class StreamTrack:
    """One person: frames go in, windows come out, refined frames come out.

    In each step frames are added, the windows of :meth:`due_windows` are
    refined by the network and handed to :meth:`advance`.

    The refiner's frames are numbered from the first frame of the person. One
    window ends at each of them from T - 1 on, as offline; before, there is a
    single window that is padded with the last frame, as that of a sequence
    shorter than T. Windows that would reach beyond the newest frame are
    computed where a result cannot wait, and forgotten afterwards.

    Args:
        settings (StreamSettings): What all persons share.
    """

    def __init__(self, settings: StreamSettings):
        self.settings = settings
        shape = (settings.num_keypoints, settings.coord_dims)
        self.buffer = StreamBuffer(*shape)
        self.mean = GridMean(*shape)
        # First frame of the refiner at which no window has ended yet.
        self._next_end = settings.window - 1
        self._emitted = 0  # frames of the buffer that are done

    @property
    def position(self) -> float:
        """Time of the newest frame, in frames of the refiner."""
        return float(self.buffer.position[-1])

    @property
    def ended(self) -> bool:
        """Whether nothing was seen for longer than the stream remembers."""
        since = max(self.buffer.last_seen, -1.0)
        return self.position - since >= self.settings.memory

    def add(self, frame: StreamFrame) -> None:
        """Append a frame; its windows and results come later."""
        self.buffer.add(frame)

    def due_windows(self, last: bool = False) -> Optional[DueWindows]:
        """Windows that the frames so far ask for.

        Args:
            last (bool): Whether no frame follows. Defaults to False.

        Returns:
            DueWindows, optional: None if there is none, or nothing was seen.
        """
        if not np.isfinite(self.buffer.last_seen):
            return None
        window = self.settings.window
        positions = snap(self.buffer.position)
        limit = np.floor(positions[-1])
        if not last:
            limit -= self.settings.delay
        ends = np.arange(self._next_end, limit + 1, dtype=np.int64)
        # Frames of the refiner up to this one have windows then.
        covered = self._next_end + len(ends) - 1
        due = positions[self._emitted : self._due(positions, last)]
        passing = len(due) > 0 and (
            covered < window - 1 or covered < np.ceil(due[-1])
        )
        if passing:
            end = max(int(np.ceil(positions[-1])), window - 1)
            ends = np.append(ends, end)
        if not len(ends):
            return None
        starts = ends - (window - 1)
        poses, scores = at_positions(
            self.buffer.filled(),
            self.buffer.scores,
            positions,
            starts[:, None] + np.arange(window),
        )
        return DueWindows(poses, scores, starts, passing)

    def advance(
        self,
        windows: Optional[DueWindows],
        refined: Optional[np.ndarray],
        last: bool = False,
    ) -> RefinedFrames:
        """Take refined windows in, hand out frames and forget them.

        Args:
            windows (DueWindows, optional): Of :meth:`due_windows`.
            refined (np.ndarray, optional): Refined windows, (W, T, K, D).
            last (bool): As for :meth:`due_windows`. Defaults to False.

        Returns:
            RefinedFrames: In order; possibly none.
        """
        mean = self.mean
        if windows is not None:
            lasting = len(windows.starts) - windows.passing
            for window, start in zip(refined[:lasting], windows.starts):
                mean.add(window, int(start))
            self._next_end += lasting
            if windows.passing:
                start = int(windows.starts[-1])
                mean = mean.with_window(refined[-1], start)
        positions = snap(self.buffer.position)
        due = slice(self._emitted, self._due(positions, last))
        known = np.isfinite(self.buffer.last_seen)
        frames = self._refined(due, positions, mean if known else None)
        self._emitted = due.stop
        self._forget(positions)
        return frames

    def give_up(self) -> RefinedFrames:
        """Hand out what is left, empty."""
        rest = slice(self._emitted, len(self.buffer))
        return self._refined(rest, snap(self.buffer.position), None)

    def _due(self, positions: np.ndarray, last: bool) -> int:
        """Frames of the buffer, from its first, that are not to wait."""
        if last or self.settings.lookahead == 0:
            return len(positions)
        limit = np.floor(positions[-1]) - self.settings.lookahead
        return int(np.searchsorted(positions, limit, side='right'))

    def _refined(
        self,
        due: slice,
        positions: np.ndarray,
        mean: Optional[GridMean],
    ) -> RefinedFrames:
        missing = self.buffer.missing[due]
        shape = (*missing.shape, self.settings.coord_dims)
        poses = torch.full(shape, float('nan'))
        if mean is not None and len(missing):
            poses = self._poses(positions[due], mean)
        return RefinedFrames(
            self.buffer.index[due],
            self.buffer.timestamp[due],
            poses,
            missing,
            self.buffer.empty(self.settings.max_gap)[due],
        )

    def _poses(self, positions: np.ndarray, mean: GridMean) -> Tensor:
        """Refined poses at positions (n, ), (n, K, D)."""
        name = self.settings.normalization
        grid = np.arange(np.floor(positions[0]), np.ceil(positions[-1]) + 1)
        poses = mean.at(grid.astype(np.int64))
        poses = finish_poses(name, torch.from_numpy(poses)).numpy()
        brought = from_grid(poses, positions - grid[0])
        return finish_poses(name, torch.from_numpy(brought))

    def _forget(self, positions: np.ndarray) -> None:
        """Drop what neither windows nor results need any more."""
        start = self._next_end - (self.settings.window - 1)
        needed = int(np.searchsorted(positions, start, side='right')) - 1
        oldest = min(self._emitted, len(positions) - 1)
        self.mean.drop_before(int(np.floor(positions[oldest])))
        count = min(self._emitted, max(needed, 0))
        self.buffer.drop(count)
        self._emitted -= count
