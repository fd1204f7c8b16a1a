# Copyright (c) hanet_mm contributors. All rights reserved.
"""Frames of a person in a stream that are still needed."""

from typing import List, NamedTuple, Optional, Tuple

import numpy as np

from ..data.gaps import PastSight, fill_missing, long_gaps
from ..refine.frame_rate import snap
from ..refine.inputs import without_ignored
from ..refine.swap_decoder import NewFrames
from ..refine.unswap import swap_sides
from .clock import Elapsed
from .sides import StreamSides


class GivenFrame(NamedTuple):
    """Checked float32 keypoints (K, D) and scores (K, ) of one person.

    ``shape`` is that of the input.
    """

    keypoints: np.ndarray
    scores: np.ndarray
    shape: Tuple[int, ...]


class _NewFrame(NamedTuple):
    """Frames since the last one, the newest last, at positions (n, )."""

    elapsed: Elapsed
    positions: np.ndarray
    frame: Optional[GivenFrame]


class _Time(NamedTuple):
    """Number and time of a frame, see :class:`StreamBuffer`."""

    index: int  # type: ignore[assignment]  # tuple.index is not used
    timestamp: float
    position: float


class StreamBuffer:
    """The last F frames of a person, and where joints were seen before them.

    Frames that are added wait until :meth:`take_in`: nothing but the number
    and the time of the newest one is known of them before. ``timestamp``
    (F, ) is NaN if not known, ``position`` (F, ) the time in refiner frames,
    ``snapped`` (F, ) that without rounding errors; ``last_seen`` is the
    position at which any joint was last seen, -inf before. Keypoints
    (F, K, D) and scores (F, K) are as given; with a decoder of swaps those
    marked as ``swapped`` (F, K) change places in all that is handed out.
    """

    def __init__(
        self,
        num_keypoints: int,
        coord_dims: int,
        sides: Optional[StreamSides] = None,
    ):
        self.sides = sides
        self.index = np.zeros(0, np.int64)
        self.timestamp = np.zeros(0)
        self.position = np.zeros(0)
        self.snapped = np.zeros(0)
        self.keypoints = np.zeros((0, num_keypoints, coord_dims), np.float32)
        self.scores = np.zeros((0, num_keypoints), np.float32)
        self.swapped = np.zeros((0, num_keypoints), bool)
        # Scores that are 0 where the keypoint is a placeholder or an outlier.
        self.known = np.zeros((0, num_keypoints), np.float32)
        self.outliers = np.zeros((0, num_keypoints), bool)
        # First frame of which that has changed, None if nothing has.
        self._changed: Optional[int] = None
        self.last_seen = -np.inf
        # Frames that wait, and time and number of the newest one.
        self._new: List[_NewFrame] = []
        self.newest = _Time(-1, np.nan, 0.0)
        # Before any frame that waits was seen.
        self._last_known = -np.inf
        # Swaps undone and gaps filled, of what is known now.
        self._corrected: Optional[Tuple[np.ndarray, np.ndarray]] = None
        self._filled: Optional[np.ndarray] = None
        self._past = PastSight(
            np.zeros(num_keypoints, bool),
            np.zeros((num_keypoints, coord_dims), np.float32),
            np.zeros(num_keypoints),
        )
        # Frames for which each joint had been missing before the first one.
        self._since = np.zeros(num_keypoints, np.int64)

    def __len__(self) -> int:
        """Frames, with those that wait."""
        return len(self.index) + sum(len(x.positions) for x in self._new)

    def first_new(self, row: int) -> float:
        """Position of a frame that may be the first one to wait."""
        if row < len(self.snapped):
            return float(self.snapped[row])
        return float(self._new[0].positions[0])

    @property
    def missing(self) -> np.ndarray:
        """Keypoints that were not found, bool, (F, K)."""
        return self.corrected()[1] == 0

    def corrected(self) -> Tuple[np.ndarray, np.ndarray]:
        """Keypoints (F, K, D) and scores (F, K), swaps undone."""
        if self.sides is None or not self.swapped.any():
            return self.keypoints, self.known
        if self._corrected is None:
            self._corrected = swap_sides(
                self.keypoints, self.known, self.swapped, self.sides.chains
            )[:2]
        return self._corrected

    def outlying(self) -> np.ndarray:
        """Outliers at the keypoints that they are given for now, (F, K)."""
        if self.sides is None:
            return self.outliers
        flip = self.sides.chains.flip_indices
        return np.where(self.swapped, self.outliers[:, flip], self.outliers)

    def add(self, elapsed: Elapsed, frame: Optional[GivenFrame]) -> None:
        """Append missed frames and the newest one, None if missed too."""
        count = len(elapsed.indices)
        # From step to step, as the frames come, for equal rounding.
        position = np.cumsum([self.newest.position, *[elapsed.step] * count])
        self._new.append(_NewFrame(elapsed, position[1:], frame))
        self.newest = _Time(
            int(elapsed.indices[-1]),
            float(elapsed.timestamps[-1]),
            float(position[-1]),
        )
        # As far as is known: what is seen may be a placeholder.
        if frame is not None and (frame.scores > 0).any():
            self.last_seen = self.newest.position

    def take_in(self) -> None:
        """Look at the frames that wait."""
        if not self._new:
            return
        new, self._new = self._new, []
        position = np.concatenate([x.positions for x in new])
        count = len(position)
        keypoints = np.zeros((count, *self.keypoints.shape[1:]), np.float32)
        scores = np.zeros((count, self.scores.shape[1]), np.float32)
        row = -1
        for own in new:
            row += len(own.positions)
            if own.frame is not None:
                keypoints[row] = own.frame.keypoints
                scores[row] = own.frame.scores
        indices = [x.elapsed.indices for x in new]
        times = [x.elapsed.timestamps for x in new]
        self.index = np.concatenate([self.index, *indices])
        self.timestamp = np.concatenate([self.timestamp, *times])
        self.position = np.concatenate([self.position, position])
        self.snapped = np.concatenate([self.snapped, snap(position)])
        self.keypoints = np.concatenate([self.keypoints, keypoints])
        self.scores = np.concatenate([self.scores, scores])
        swapped = np.zeros(scores.shape, bool)
        self.swapped = np.concatenate([self.swapped, swapped])
        self._look()

    def new_sides(self, last: bool) -> List[NewFrames]:
        """The new frames of which sides are to be decided, if there are few.

        To be pushed before :meth:`decide`; ``last``: no frame follows.
        """
        self.take_in()
        if self.sides is None:
            return []
        if self._changed is not None:
            self.sides.reset()
        seen = self.known > 0
        return self.sides.take(self.keypoints, seen, self.position, last)

    def decide(self) -> int:
        """Decide which keypoints count and which are swapped.

        Returns the first frame of which something else is said than before,
        F if there is none.
        """
        changed, self._changed = self._changed, None
        first = len(self.index) if changed is None else changed
        if self.sides is None:
            return first
        before = self.swapped
        self.swapped = self.sides.swapped(self.known > 0)
        self._corrected = self._filled = None
        swaps = np.flatnonzero(np.any(before != self.swapped, axis=1))
        return min([first, *swaps[:1].tolist()])

    def _look(self) -> None:
        """Tell placeholders and outliers, of frames before too."""
        before = self.known
        self.known, self.outliers = without_ignored(
            self.keypoints, self.scores
        )
        old = np.any(before != self.known[: len(before)], axis=1)
        if old.any():
            first = int(old.argmax())
            changed = self._changed
            self._changed = first if changed is None else min(first, changed)
        seen = np.flatnonzero(np.any(self.known > 0, axis=1))
        if len(seen):
            newest = float(self.position[seen[-1]])
            self._last_known = max(self._last_known, newest)
        self.last_seen = self._last_known
        self._corrected = self._filled = None

    def filled(self) -> np.ndarray:
        """Keypoints (F, K, D) with gaps filled by what is known so far.

        As :func:`fill_missing` does with the sequence up to now; a gap that
        is still open is filled with the last place.
        """
        if self._filled is None:
            past = self._past if self._past.found.any() else None
            length = np.array([len(self.index)])
            keypoints, scores = self.corrected()
            self._filled = fill_missing(
                keypoints, scores == 0, length, self.position, past
            )
        return self._filled

    def empty(self, max_gap: Optional[int]) -> np.ndarray:
        """Keypoints that stay empty as far as is known, bool, (F, K)."""
        return long_gaps(self.missing, max_gap, self._since, self._past.found)

    def drop(self, count: int) -> None:
        """Forget the first frames."""
        if not count:
            return
        keypoints, scores = self.corrected()
        missing = scores[:count] == 0
        seen = ~missing
        found = np.any(seen, axis=0)
        # The last frame in which each joint was seen.
        last = count - 1 - seen[::-1].argmax(0)
        joints = np.arange(missing.shape[1])
        self._past = PastSight(
            self._past.found | found,
            np.where(
                found[:, None],
                keypoints[last, joints],
                self._past.keypoints,
            ),
            np.where(found, self.position[last], self._past.positions),
        )
        self._since = np.where(found, count - 1 - last, self._since + count)
        for name in _ROWS:
            setattr(self, name, getattr(self, name)[count:])
        self._corrected = self._filled = None
        if self.sides is not None:
            self.sides.drop(count)


_ROWS = (
    *('index', 'timestamp', 'position', 'snapped', 'keypoints', 'scores'),
    *('swapped', 'known', 'outliers'),
)
