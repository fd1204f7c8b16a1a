# Copyright (c) hanet_mm contributors. All rights reserved.
"""Number and time of each frame of a stream."""

import math
from typing import Dict, Hashable, List, NamedTuple, Optional, Sequence

import numpy as np

from ..refine.frame_rate import frame_steps
from ..refine.pauses import warn_of_interval

# Intervals that tell the rate of a person.
_MOST_INTERVALS = 1000
# So many frames after pauses and no other are no stream of a camera.
_MANY_PAUSES = 5


class Elapsed(NamedTuple):
    """Frames since the last one of a person, the newest last.

    ``indices`` are their numbers; all but the last were missed. Of a pause,
    which ends the sequence, the last alone is there; ``count`` are all.
    ``timestamps`` are seconds, evenly spread, NaN if not known, and ``step``
    is the interval in refiner frames, ``interval`` that in seconds.
    """

    indices: List[int]
    timestamps: List[float]
    step: float
    count: int = 1  # type: ignore[assignment]
    interval: float = np.nan

    @property
    def intervals(self) -> List[float]:
        """That of each frame, see :func:`_every`."""
        return _every(self.interval, self.count)

    def is_pause(self, window: int, memory: int) -> bool:
        """Whether it spans ``window`` refiner frames or ``memory`` frames."""
        missed = self.count > 1 and self.step * self.count >= memory
        return self.step >= window or missed


class StreamClock:
    """Measures the time between frames, in frames of the refiner.

    ``rate`` is that of the refiner and ``fps`` that of the stream, for frames
    without time stamps; each is taken for the other where one is None. Where
    both are, the rate of each person is that of the median interval so far.
    """

    def __init__(self, rate: Optional[float], fps: Optional[float]):
        self.rate = rate or fps
        self.fps = fps
        self._intervals: Dict[Hashable, List[float]] = {}
        self._pauses: Optional[int] = 0  # None: no longer counted

    def count_pause(self, elapsed: Sequence[Elapsed], paused: bool) -> None:
        """Warn once if all that came so far came after pauses; ``paused``:
        everybody in this frame did. Pauses by the number of a frame are meant.
        """
        if not elapsed or self._pauses is None:
            return
        self._pauses += 1
        if not paused or any(x.count > 1 for x in elapsed):
            self._pauses = None
        elif self._pauses == _MANY_PAUSES:
            self._pauses = None
            warn_of_interval(elapsed[0].interval, stacklevel=5)

    def must_learn(self, key: Hashable, timestamp: Optional[float]) -> bool:
        """Whether time stamps have to tell the rate of a new person first."""
        known = self.rate is not None or key in self._intervals
        return timestamp is not None and not known

    def learn(self, key: Hashable, intervals: List[float]) -> None:
        """Let the first seconds between frames of a person tell its rate."""
        self._intervals[key] = intervals[-_MOST_INTERVALS:]

    def note(self, key: Hashable, elapsed: Elapsed) -> None:
        """Let one more interval tell the rate, if it is not known else."""
        if key in self._intervals:
            self.learn(key, self._intervals[key] + elapsed.intervals)

    def forget(self, key: Optional[Hashable] = None) -> None:
        """Forget the rate of a person, or (None) of all."""
        if key is None:
            self._intervals.clear()
        self._intervals.pop(key, None)

    def begin(
        self, index: int, timestamp: Optional[float], name: str
    ) -> Elapsed:
        """Time of the first frame of a person."""
        if timestamp is not None:
            seconds = _check_seconds(timestamp, name)
        else:
            seconds = index / self.fps if self.fps else math.nan
        return Elapsed([int(index)], [float(seconds)], 0.0)

    def follow(
        self,
        last_index: int,
        last_timestamp: float,
        index: int,
        timestamp: Optional[float],
        key: Hashable,
        memory: int,
        learned: bool = False,
    ) -> Elapsed:
        """Time from the last frame of a person, the ``key``, to this one.

        Missed frames are listed if they take less than ``memory`` refiner
        frames. ``learned``: the rate is known from this frame already.

        Raises a ValueError with the name of the person if number or time
        do not increase, or time stamps come with some frames only.
        """
        name = f'track {key}'
        count = int(index) - last_index
        if count < 1:
            raise ValueError(
                f'{name}: expected a frame number above {last_index}, found '
                f'{index}'
            )
        seconds = math.nan
        if timestamp is not None:
            seconds = _seconds_since(last_timestamp, timestamp, name)
        elif self.fps:
            seconds = count / self.fps
        elif not math.isnan(last_timestamp):
            raise ValueError(
                f'{name}: expected a timestamp as with the frames before, '
                'found none'
            )
        interval, rate = seconds / count, self.rate
        if rate is None and key in self._intervals:
            own = self._intervals[key]
            if not learned:
                own = own + _every(interval, count)
            rate = 1 / float(np.median(own))
        step = 1.0
        if rate and not math.isnan(seconds):
            step = float(frame_steps(interval, rate))
        listed = 1 if step * count >= memory else count
        passed = range(count - listed + 1, count + 1)
        times = [last_timestamp + seconds * (x / count) for x in passed]
        if timestamp is not None:
            # Not the sum, which is rounded.
            times[-1] = float(timestamp)
        indices = [last_index + x for x in passed]
        return Elapsed(indices, times, step, count, interval)


def _every(interval: float, count: int) -> List[float]:
    """The same interval for each frame; of many the first."""
    return [interval] * min(count, _MOST_INTERVALS)


def _seconds_since(last: float, timestamp: float, name: str) -> float:
    seconds = _check_seconds(timestamp, name) - last
    if math.isnan(seconds):
        raise ValueError(
            f'{name}: expected no timestamp, as with the frames before, '
            f'found {timestamp:g}'
        )
    if seconds <= 0:
        raise ValueError(
            f'{name}: expected a timestamp above {last:g} s, found '
            f'{timestamp:g}'
        )
    return seconds


def _check_seconds(timestamp: float, name: str) -> float:
    if not math.isfinite(timestamp):
        raise ValueError(
            f'{name}: expected a timestamp in seconds, found {timestamp}'
        )
    return float(timestamp)
