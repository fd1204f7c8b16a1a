# Copyright (c) hanet_mm contributors. All rights reserved.
"""Frames of a person in a stream that are still needed."""

from typing import NamedTuple, Optional, Tuple

import numpy as np

from ..data.gaps import PastSight, fill_missing, long_gaps
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


class StreamBuffer:
    """The last F frames of a person, and where joints were seen before them.

    ``timestamp`` (F, ) is NaN if not known, ``position`` (F, ) the time in
    refiner frames; ``last_seen`` is the position at which any joint was last
    seen, -inf before. Keypoints (F, K, D) and scores (F, K) are as given;
    with a decoder of swaps those marked as ``swapped`` (F, K) change places
    in all that is handed out.
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
        self.keypoints = np.zeros((0, num_keypoints, coord_dims), np.float32)
        self.scores = np.zeros((0, num_keypoints), np.float32)
        self.swapped = np.zeros((0, num_keypoints), bool)
        # Scores that are 0 where the keypoint is a placeholder or an outlier.
        self.known = np.zeros((0, num_keypoints), np.float32)
        self.outliers = np.zeros((0, num_keypoints), bool)
        # First frame of which that has changed, None if nothing has.
        self._changed: Optional[int] = None
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
        return self.corrected()[1] == 0

    def corrected(self) -> Tuple[np.ndarray, np.ndarray]:
        """Keypoints (F, K, D) and scores (F, K), swaps undone."""
        if self.sides is None or not self.swapped.any():
            return self.keypoints, self.known
        chains = self.sides.chains
        return swap_sides(self.keypoints, self.known, self.swapped, chains)[:2]

    def outlying(self) -> np.ndarray:
        """Outliers at the keypoints that they are given for now, (F, K)."""
        if self.sides is None:
            return self.outliers
        flip = self.sides.chains.flip_indices
        return np.where(self.swapped, self.outliers[:, flip], self.outliers)

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
        self.index = np.append(self.index, elapsed.indices)
        self.timestamp = np.append(self.timestamp, elapsed.timestamps)
        self.position = np.append(self.position, position)
        self.keypoints = np.concatenate([self.keypoints, keypoints])
        self.scores = np.concatenate([self.scores, scores])
        swapped = np.zeros((count, self.scores.shape[1]), bool)
        self.swapped = np.concatenate([self.swapped, swapped])
        self._look()

    def new_sides(self, last: bool) -> Optional[NewFrames]:
        """The new frames of which sides are to be decided, if there are few.

        To be pushed before :meth:`decide`; ``last``: no frame follows.
        """
        if self.sides is None:
            return None
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
        first = len(self) if changed is None else changed
        if self.sides is None:
            return first
        before = self.swapped
        self.swapped = self.sides.swapped(self.known > 0)
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
            self.last_seen = max(self.last_seen, newest)

    def filled(self) -> np.ndarray:
        """Keypoints (F, K, D) with gaps filled by what is known so far.

        As :func:`fill_missing` does with the sequence up to now; a gap that
        is still open is filled with the last place.
        """
        past = self._past if self._past.found.any() else None
        length = np.array([len(self)])
        keypoints, scores = self.corrected()
        return fill_missing(
            keypoints, scores == 0, length, self.position, past
        )

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
        if self.sides is not None:
            self.sides.drop(count)


_ROWS = (
    *('index', 'timestamp', 'position', 'keypoints', 'scores', 'swapped'),
    *('known', 'outliers'),
)
