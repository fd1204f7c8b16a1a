# Copyright (c) hanet_mm contributors. All rights reserved.
"""First frames of a person whose frame rate is not known yet."""

from typing import List, NamedTuple, Optional

import numpy as np

from ..refine.frame_rate import frame_steps, snap
from .buffer import GivenFrame
from .clock import Elapsed


class WaitingFrame(NamedTuple):
    """A frame as it was pushed, None if the person was missed."""

    index: int  # type: ignore[assignment]  # tuple.index is not used
    timestamp: float
    given: Optional[GivenFrame]


class WaitingTrack:
    """Frames that wait until the first one is due.

    Their time stamps tell the rate, as those of a whole sequence do offline:
    positions in refiner frames depend on it, and with them all windows.
    """

    def __init__(self) -> None:
        self.frames: List[WaitingFrame] = []

    def add(self, elapsed: Elapsed, given: Optional[GivenFrame]) -> None:
        """Append the newest frame, None if missed too.

        What was missed before it :attr:`intervals` tell by their numbers.
        """
        self.frames.append(
            WaitingFrame(elapsed.indices[-1], elapsed.timestamps[-1], given)
        )

    @property
    def index(self) -> int:
        """Number of the newest frame."""
        return self.frames[-1].index

    @property
    def timestamp(self) -> float:
        """Seconds of the newest frame."""
        return self.frames[-1].timestamp

    @property
    def intervals(self) -> List[float]:
        """Seconds from each frame to the next; missed ones have as many."""
        times = np.array([frame.timestamp for frame in self.frames])
        counts = np.diff([frame.index for frame in self.frames])
        return np.repeat(np.diff(times) / counts, counts).tolist()

    def is_due(self, lookahead: int, window: int) -> bool:
        """Whether ``lookahead`` frames, by their time, have followed.

        A pause counts no longer than a ``window``.
        """
        intervals = np.array(self.intervals)
        if not lookahead or not len(intervals):
            return not lookahead
        steps = frame_steps(intervals, 1 / float(np.median(intervals)))
        steps = np.minimum(steps, window)
        return bool(snap(np.cumsum(steps))[-1] >= lookahead)
