# Copyright (c) hanet_mm contributors. All rights reserved.
"""One person in a stream: frames still needed, due windows, results."""

from typing import List, NamedTuple, Optional, Tuple

import numpy as np
import torch
from torch import Tensor

from ..data.gaps import PastSight, fill_missing, long_gaps
from ..refine.frame_rate import at_positions, from_grid, snap
from ..refine.inputs import (
    Array,
    follow_axis_angle,
    read_rotations,
    read_sequence,
)
from ..refine.normalization import finish_poses
from ..refine.windows import GridMean
from .clock import Elapsed


class StreamSettings(NamedTuple):
    """Settings of all persons of a stream: window T, K, D and the latency.

    ``lookahead`` is in refiner frames, ``max_gap`` in frames of the stream.
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


class GivenFrame(NamedTuple):
    """Checked float32 keypoints (K, D) and scores (K, ) of one person.

    ``shape`` is that of the input.
    """

    keypoints: np.ndarray
    scores: np.ndarray
    shape: Tuple[int, ...]


class StreamedFrame(NamedTuple):
    """A refined frame of a stream.

    Attributes:
        index (int): Number of the frame.
        keypoints (np.ndarray): Refined, (K, D) in the coordinates given;
            rotations in the shape given. NaN where they were left empty.
        filled (np.ndarray): Keypoints that the estimator had not found and
            that were filled, bool, (K, ).
        timestamp (float, optional): Seconds; None if not known.
    """

    index: int  # type: ignore[assignment]  # tuple.index is not used
    keypoints: np.ndarray
    filled: np.ndarray
    timestamp: Optional[float]


def read_frame(
    keypoints: Array,
    scores: Optional[Array],
    settings: StreamSettings,
    name: str,
) -> GivenFrame:
    """Check keypoints (K, D), or rotations in any form, and scores (K, )."""
    shape = tuple(np.shape(keypoints))
    expected = (settings.num_keypoints, settings.coord_dims)
    sequence = keypoints[None] if shape else keypoints
    if settings.normalization == 'rot6d':
        sequence = read_rotations(sequence, settings.num_keypoints)
    if tuple(np.shape(sequence))[1:] != expected:
        raise ValueError(
            f'{name}: expected keypoints of shape (K, D) = {expected}, found '
            f'{shape}'
        )
    if scores is not None and tuple(np.shape(scores)) != expected[:1]:
        raise ValueError(
            f'{name}: expected scores of shape (K,) = {expected[:1]}, found '
            f'{tuple(np.shape(scores))}'
        )
    points, known = read_sequence(
        sequence, None if scores is None else scores[None], expected, name
    )
    return GivenFrame(points[0], known[0], shape)


class StreamBuffer:
    """The last F frames of a person, and where joints were seen before them.

    ``timestamp`` (F, ) is NaN if not known, ``position`` (F, ) the time in
    refiner frames; ``last_seen`` is the position at which any joint was last
    seen, -inf before.
    """

    def __init__(self, num_keypoints: int, coord_dims: int):
        self.index = np.zeros(0, np.int64)
        self.timestamp = np.zeros(0)
        self.position = np.zeros(0)
        self.keypoints = np.zeros((0, num_keypoints, coord_dims), np.float32)
        self.scores = np.zeros((0, num_keypoints), np.float32)
        self.last_seen = -np.inf
        self._past = PastSight(
            np.zeros(num_keypoints, bool),
            np.zeros((num_keypoints, coord_dims), np.float32),
            np.zeros(num_keypoints),
        )
        # Frames for which each joint had been missing before the first one.
        self._since = np.zeros(num_keypoints, np.int64)

    def __len__(self) -> int:
        return len(self.index)

    @property
    def missing(self) -> np.ndarray:
        """Keypoints that were not found, bool, (F, K)."""
        return self.scores == 0

    def add(self, elapsed: Elapsed, frame: Optional[GivenFrame]) -> None:
        """Append missed frames and the newest one, None if missed too."""
        count = len(elapsed.indices)
        last = self.position[-1] if len(self) else 0.0
        # From step to step, as the frames come, for equal rounding.
        position = np.cumsum([last, *[elapsed.step] * count])[1:]
        keypoints = np.zeros((count, *self.keypoints.shape[1:]), np.float32)
        scores = np.zeros((count, self.scores.shape[1]), np.float32)
        if frame is not None:
            keypoints[-1], scores[-1] = frame.keypoints, frame.scores
            if frame.scores.any():
                self.last_seen = float(position[-1])
        self.index = np.append(self.index, elapsed.indices)
        self.timestamp = np.append(self.timestamp, elapsed.timestamps)
        self.position = np.append(self.position, position)
        self.keypoints = np.concatenate([self.keypoints, keypoints])
        self.scores = np.concatenate([self.scores, scores])

    def filled(self) -> np.ndarray:
        """Keypoints (F, K, D) with gaps filled by what is known so far.

        As :func:`fill_missing` does with the sequence up to now; a gap that
        is still open is filled with the last place.
        """
        past = self._past if self._past.found.any() else None
        length = np.array([len(self)])
        return fill_missing(
            self.keypoints, self.missing, length, self.position, past
        )

    def empty(self, max_gap: Optional[int]) -> np.ndarray:
        """Keypoints that stay empty as far as is known, bool, (F, K)."""
        return long_gaps(self.missing, max_gap, self._since, self._past.found)

    def drop(self, count: int) -> None:
        """Forget the first frames."""
        if not count:
            return
        missing = self.missing[:count]
        seen = ~missing
        found = np.any(seen, axis=0)
        # The last frame in which each joint was seen.
        last = count - 1 - seen[::-1].argmax(0)
        joints = np.arange(missing.shape[1])
        self._past = PastSight(
            self._past.found | found,
            np.where(
                found[:, None],
                self.keypoints[last, joints],
                self._past.keypoints,
            ),
            np.where(found, self.position[last], self._past.positions),
        )
        self._since = np.where(found, count - 1 - last, self._since + count)
        for name in ('index', 'timestamp', 'position', 'keypoints', 'scores'):
            setattr(self, name, getattr(self, name)[count:])


class DueWindows(NamedTuple):
    """Windows (W, T, K, D) that the network has to see now, and their scores.

    ``starts`` (W, ) are in refiner frames. ``passing``: the last window serves
    only the frames due now, since it reaches beyond what is known.
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
    """

    def __init__(self, settings: StreamSettings):
        self.settings = settings
        shape = (settings.num_keypoints, settings.coord_dims)
        self.buffer = StreamBuffer(*shape)
        self.mean = GridMean(*shape)
        # First frame of the refiner at which no window has ended yet.
        self._next_end = settings.window - 1
        self._emitted = 0  # frames of the buffer that are done
        self._shape: Tuple[int, ...] = shape  # in which keypoints come
        self._vectors: Optional[Tensor] = None  # the last axis-angle

    @property
    def index(self) -> int:
        """Number of the newest frame."""
        return int(self.buffer.index[-1])

    @property
    def timestamp(self) -> float:
        """Seconds of the newest frame, NaN if not known."""
        return float(self.buffer.timestamp[-1])

    @property
    def ended(self) -> bool:
        """Whether no joint was seen for as long as the stream remembers."""
        since = max(self.buffer.last_seen, -1.0)
        return self.buffer.position[-1] - since >= self.settings.memory

    def add(self, elapsed: Elapsed, frame: Optional[GivenFrame]) -> None:
        """Append missed frames and the newest one, None if missed too."""
        self.buffer.add(elapsed, frame)
        if frame is not None:
            self._shape = frame.shape

    def due_windows(self, last: bool = False) -> Optional[DueWindows]:
        """Windows that the frames so far ask for; ``last``: none follows.

        None if there is no such window, or nothing was seen.
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
        passing = len(due) > 0 and bool(
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
    ) -> List[StreamedFrame]:
        """Take refined windows (W, T, K, D), hand out frames, forget them."""
        mean = self.mean
        if windows is not None and refined is not None:
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
        frames = self._results(due, positions, mean if known else None)
        self._emitted = due.stop
        self._forget(positions)
        return frames

    def give_up(self) -> List[StreamedFrame]:
        """Give the remaining frames, all NaN."""
        rest = slice(self._emitted, len(self.buffer))
        return self._results(rest, snap(self.buffer.position), None)

    def _due(self, positions: np.ndarray, last: bool) -> int:
        """Frames of the buffer, from its first, that must not wait."""
        if last or self.settings.lookahead == 0:
            return len(positions)
        limit = np.floor(positions[-1]) - self.settings.lookahead
        return int(np.searchsorted(positions, limit, side='right'))

    def _results(
        self, due: slice, positions: np.ndarray, mean: Optional[GridMean]
    ) -> List[StreamedFrame]:
        """Frames in the form in which they came; without a mean all NaN."""
        missing = self.buffer.missing[due]
        empty = self.buffer.empty(self.settings.max_gap)[due]
        poses = torch.full((*missing.shape, self.settings.coord_dims), np.nan)
        if mean is not None and len(missing):
            poses = self._poses(positions[due], mean)
        unknown = poses.isnan().any(-1).numpy()
        filled = missing & ~(unknown | empty)
        results = []
        for row, frame in enumerate(range(due.start, due.stop)):
            given = self._as_given(poses[row])
            joints = given.reshape(len(missing[row]), -1).numpy().copy()
            joints[empty[row]] = np.nan
            seconds = float(self.buffer.timestamp[frame])
            results.append(
                StreamedFrame(
                    int(self.buffer.index[frame]),
                    joints.reshape(given.shape),
                    filled[row],
                    None if np.isnan(seconds) else seconds,
                )
            )
        return results

    def _poses(self, positions: np.ndarray, mean: GridMean) -> Tensor:
        """Refined poses at positions (n, ), (n, K, D)."""
        name = self.settings.normalization
        grid = np.arange(np.floor(positions[0]), np.ceil(positions[-1]) + 1)
        poses = mean.at(grid.astype(np.int64))
        poses = finish_poses(name, torch.from_numpy(poses)).numpy()
        resampled = from_grid(poses, positions - grid[0])
        return finish_poses(name, torch.from_numpy(resampled))

    def _as_given(self, poses: Tensor) -> Tensor:
        """Poses (K, D) in the shape in which they came."""
        if self.settings.normalization != 'rot6d':
            return poses
        if np.prod(self._shape) == poses.numel():
            return poses.reshape(self._shape)
        if poses.isnan().any():
            return poses[:, :3].reshape(self._shape)
        self._vectors = follow_axis_angle(poses, self._vectors)
        return self._vectors.reshape(self._shape)

    def _forget(self, positions: np.ndarray) -> None:
        """Drop what neither windows nor results need any more."""
        start = self._next_end - (self.settings.window - 1)
        needed = int(np.searchsorted(positions, start, side='right')) - 1
        oldest = min(self._emitted, len(positions) - 1)
        self.mean.drop_before(int(np.floor(positions[oldest])))
        count = min(self._emitted, max(needed, 0))
        self.buffer.drop(count)
        self._emitted -= count
