"""Frames of one person that a stream still needs."""

from typing import NamedTuple, Optional

import numpy as np

from .gaps import PastSight, fill_missing, long_gaps


class StreamFrame(NamedTuple):
    """A frame as it came.

    Attributes:
        index (int): Its number.
        timestamp (float): Seconds, NaN if not known.
        position (float): Time in frames of the refiner.
        keypoints (np.ndarray): (K, D) float32, anything where missing.
        scores (np.ndarray): 0 = missing, (K, ).
    """

    index: int
    timestamp: float
    position: float
    keypoints: np.ndarray
    scores: np.ndarray


class StreamBuffer:
    """The last frames of a person, and where joints were seen before them.

    Args:
        num_keypoints (int): K.
        coord_dims (int): D.

    Attributes:
        index (np.ndarray): Numbers of the frames, (F, ).
        timestamp (np.ndarray): Seconds, (F, ).
        position (np.ndarray): Times in frames of the refiner, (F, ).
        keypoints (np.ndarray): As they came, (F, K, D).
        scores (np.ndarray): 0 = missing, (F, K).
        last_seen (float): Position at which any joint was seen last; -inf
            before.
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

    def add(self, frame: StreamFrame) -> None:
        """Append a frame."""
        self.index = np.append(self.index, frame.index)
        self.timestamp = np.append(self.timestamp, frame.timestamp)
        self.position = np.append(self.position, frame.position)
        self.keypoints = np.concatenate(
            [self.keypoints, frame.keypoints[None]]
        )
        self.scores = np.concatenate([self.scores, frame.scores[None]])
        if frame.scores.any():
            self.last_seen = frame.position

    def filled(self) -> np.ndarray:
        """Keypoints with gaps filled by what is known so far, (F, K, D).

        As :func:`fill_missing` does with the sequence up to now; a gap that
        is still open is filled with the last place.
        """
        past = self._past if self._past.found.any() else None
        return fill_missing(
            self.keypoints,
            self.missing,
            np.array([len(self)]),
            self.position,
            past,
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
        found = seen.any(0)
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
