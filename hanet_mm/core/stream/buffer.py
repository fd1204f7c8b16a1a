# Copyright (c) hanet_mm contributors. All rights reserved.
"""Frames of a person in a stream that are still needed."""

from typing import Any, List, NamedTuple, Optional, Sequence, Tuple

import numpy as np

from ..data.gaps import PastSight, fill_missing, long_gaps
from ..data.plausible import glance_at
from ..refine.frame_rate import snap
from ..refine.inputs import without_ignored
from ..refine.swap_decoder import NewFrames
from ..refine.unswap import swap_sides
from .clock import Elapsed
from .sides import StreamSides


class GivenFrame(NamedTuple):
    """Checked float32 keypoints (K, D) and scores (K, ) of one person.

    ``shape`` is that of the input, ``glance`` what :func:`glance_at` says of
    the frame.
    """

    keypoints: np.ndarray
    scores: np.ndarray
    shape: Tuple[int, ...]
    glance: np.ndarray


class _NewFrame(NamedTuple):
    """Frames since the last one, the newest last, and their positions."""

    elapsed: Elapsed
    positions: List[float]
    frame: Optional[GivenFrame]


class _Time(NamedTuple):
    """Number and time of a frame, see :class:`StreamBuffer`."""

    index: int  # type: ignore[assignment]  # tuple.index is not used
    timestamp: float
    position: float


class StreamBuffer:
    """The last F frames of a person, and where joints were seen before them.

    Frames that are added wait until :meth:`take_in`: nothing but the number
    and the time of the newest one is known of them before. ``index`` are the
    numbers of the frames, ``timestamp`` their seconds, NaN if not known,
    ``position`` (F, ) the time in refiner frames, ``snapped`` (F, ) that
    without rounding errors; ``last_seen`` is the position at which any joint
    was last seen, -inf before. Keypoints (F, K, D) and scores (F, K) are as
    given; with a decoder of swaps those marked as ``swapped`` (F, K) change
    places in all that is handed out.
    """

    def __init__(
        self,
        num_keypoints: int,
        coord_dims: int,
        sides: Optional[StreamSides] = None,
    ):
        self.sides = sides
        self.index: List[int] = []
        self.timestamp: List[float] = []
        self.position = np.zeros(0)
        self.snapped = np.zeros(0)
        self.keypoints = np.zeros((0, num_keypoints, coord_dims), np.float32)
        self.scores = np.zeros((0, num_keypoints), np.float32)
        self.swapped = np.zeros((0, num_keypoints), bool)
        # Scores that are 0 where the keypoint is a placeholder or an outlier.
        self.known = np.zeros((0, num_keypoints), np.float32)
        self.outliers = np.zeros((0, num_keypoints), bool)
        self._nobody = _nobody(num_keypoints, coord_dims)
        # Of each frame, what tells that nothing is ignored as a rule.
        self._glances = self._nobody.glance[None][:0]
        # First frame of which that has changed, None if nothing has.
        self._changed: Optional[int] = None
        self.last_seen = -np.inf
        # Frames that wait, and time and number of the newest one.
        self._new: List[_NewFrame] = []
        self.newest = _Time(-1, np.nan, 0.0)
        # Before any frame that waits was seen.
        self._last_known = -np.inf
        # Swaps undone, what is missing, and gaps filled, as is known now.
        self._corrected: Optional[Tuple[np.ndarray, np.ndarray]] = None
        self._missing: Optional[np.ndarray] = None
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
        return self._new[0].positions[0]

    @property
    def missing(self) -> np.ndarray:
        """Keypoints that were not found, bool, (F, K)."""
        if self._missing is None:
            self._missing = self.corrected()[1] == 0
        return self._missing

    def corrected(self) -> Tuple[np.ndarray, np.ndarray]:
        """Keypoints (F, K, D) and scores (F, K), swaps undone."""
        if self._corrected is None:
            self._corrected = self.keypoints, self.known
            if self.sides is not None:
                self._corrected = swap_sides(
                    *self._corrected, self.swapped, self.sides.chains
                )[:2]
        return self._corrected

    def outlying(self) -> np.ndarray:
        """Outliers at the keypoints that they are given for now, (F, K)."""
        if self.sides is None or not self.outliers.any():
            return self.outliers
        flip = self.sides.chains.flip_indices
        return np.where(self.swapped, self.outliers[:, flip], self.outliers)

    def add(self, elapsed: Elapsed, frame: Optional[GivenFrame]) -> None:
        """Append missed frames and the newest one, None if missed too."""
        position = self.newest.position
        positions = []
        for _ in elapsed.indices:
            # From step to step, as the frames come, for equal rounding.
            position += elapsed.step
            positions.append(position)
        self._new.append(_NewFrame(elapsed, positions, frame))
        self.newest = _Time(
            elapsed.indices[-1], elapsed.timestamps[-1], position
        )
        # As far as is known: what is seen may be a placeholder.
        if frame is not None and frame.scores.any():
            self.last_seen = self.newest.position

    def take_in(self) -> None:
        """Look at the frames that wait."""
        if not self._new:
            return
        new, self._new = self._new, []
        frames: List[GivenFrame] = []
        positions: List[float] = []
        for own in new:
            self.index += own.elapsed.indices
            self.timestamp += own.elapsed.timestamps
            positions += own.positions
            frames += [self._nobody] * (len(own.positions) - 1)
            frames.append(own.frame or self._nobody)
        self.position = _extend(self.position, positions)
        self.snapped = _extend(self.snapped, [snap(x) for x in positions])
        keypoints, scores, _, glances = zip(*frames)
        self.keypoints = _extend(self.keypoints, keypoints)
        self.scores = _extend(self.scores, scores)
        self._glances = _extend(self._glances, glances)
        swapped = np.zeros((len(frames), self.swapped.shape[1]), bool)
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
        self._renew()
        swaps = _first_other(before, self.swapped)
        return first if swaps is None else min(first, swaps)

    def _look(self) -> None:
        """Tell placeholders and outliers, of frames before too."""
        before = self.known
        self.known, self.outliers = without_ignored(
            self.keypoints, self.scores, self._glances
        )
        first = _first_other(before, self.known[: len(before)])
        if first is not None:
            changed = self._changed
            self._changed = first if changed is None else min(first, changed)
        for row in reversed(range(len(self.index))):
            if self.known[row].any():
                newest = float(self.position[row])
                self._last_known = max(self._last_known, newest)
                break
        self.last_seen = self._last_known
        self._renew()

    def filled(self) -> np.ndarray:
        """Keypoints (F, K, D) with gaps filled by what is known so far.

        As :func:`fill_missing` does with the sequence up to now; a gap that
        is still open is filled with the last place.
        """
        if self._filled is None:
            past = self._past if self._past.found.any() else None
            length = np.array([len(self.index)])
            self._filled = fill_missing(
                self.corrected()[0], self.missing, length, self.position, past
            )
        return self._filled

    def empty(self, max_gap: Optional[int]) -> np.ndarray:
        """Keypoints that stay empty as far as is known, bool, (F, K)."""
        return long_gaps(self.missing, max_gap, self._since, self._past.found)

    def drop(self, count: int) -> None:
        """Forget the first frames."""
        if not count:
            return
        self._remember(count)
        del self.index[:count], self.timestamp[:count]
        for name in _ROWS:
            setattr(self, name, getattr(self, name)[count:])
        self._renew()
        if self.sides is not None:
            self.sides.drop(count)

    def _remember(self, count: int) -> None:
        """Where each joint was last seen before frames that go."""
        keypoints, missing = self.corrected()[0], self.missing[:count]
        if not missing[-1].any():
            shape = missing.shape[1:]
            self._past = PastSight(
                np.ones(shape, bool),
                keypoints[count - 1].copy(),
                np.full(shape, self.position[count - 1]),
            )
            self._since = np.zeros(shape, np.int64)
            return
        joints = np.arange(missing.shape[1])
        # The last frame in which each joint was seen, and if there is one.
        last = count - 1 - missing[::-1].argmin(0)
        found = ~missing[last, joints]
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

    def _renew(self) -> None:
        """Work out anew what depends on what is known of the frames."""
        self._corrected = self._missing = self._filled = None


_ROWS = (
    *('position', 'snapped', 'keypoints', 'scores', 'swapped', 'known'),
    *('outliers', '_glances'),
)


def _nobody(num_keypoints: int, coord_dims: int) -> GivenFrame:
    """A frame in which nobody was seen."""
    points = np.zeros((1, num_keypoints, coord_dims), np.float32)
    scores = np.zeros((1, num_keypoints), np.float32)
    glance = glance_at(points, scores == 0)[0]
    return GivenFrame(points[0], scores[0], points.shape[1:], glance)


def _extend(rows: np.ndarray, new: Sequence[Any]) -> np.ndarray:
    return np.concatenate([rows, np.array(new)])


def _first_other(before: np.ndarray, now: np.ndarray) -> Optional[int]:
    """First row that is not equal to that before, None if all are."""
    other = before != now
    return int(other.any(1).argmax()) if other.any() else None
