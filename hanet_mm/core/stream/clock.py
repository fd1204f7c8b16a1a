"""Number and time of each frame of a stream."""

from typing import NamedTuple, Optional

import numpy as np

from ..refine.frame_rate import frame_steps


class Moment(NamedTuple):
    """When a frame was taken.

    Attributes:
        index (int): Number of the frame.
        timestamp (float): Seconds, NaN if not known.
    """

    index: int
    timestamp: float


class Elapsed(NamedTuple):
    """Frames since the last one of a person.

    Attributes:
        indices (np.ndarray): Their numbers; all but the last were missed,
            (n, ).
        timestamps (np.ndarray): Seconds, evenly spread, (n, ).
        step (float): From one to the next, in frames of the refiner.
    """

    indices: np.ndarray
    timestamps: np.ndarray
    step: float

    def is_pause(self, window: int, memory: int) -> bool:
        """Whether it is too long to go on with what was before.

        Args:
            window (int): Frames of the refiner without a frame of the stream
                that are a pause.
            memory (int): The same for frames that were missed.
        """
        count = len(self.indices)
        missed = count > 1 and self.step * count >= memory
        return self.step >= window or missed


class StreamClock:
    """Tells how much time has passed, in frames of the refiner.

    Args:
        rate (float, optional): Frames per second of the refiner.
        fps (float, optional): Frames per second of the stream, where frames
            come without time stamps. If the refiner does not know its rate
            it is taken to be this one.
    """

    def __init__(self, rate: Optional[float], fps: Optional[float]):
        self.rate = rate or fps
        self.fps = fps

    def begin(
        self, index: int, timestamp: Optional[float], name: str
    ) -> Moment:
        """Time of the first frame of a person."""
        if timestamp is not None:
            return Moment(index, _check_seconds(timestamp, name))
        return Moment(index, index / self.fps if self.fps else np.nan)

    def follow(
        self,
        last: Moment,
        index: int,
        timestamp: Optional[float],
        name: str,
    ) -> Elapsed:
        """Time from one frame of a person to the next.

        Args:
            last (Moment): The frame before.
            index (int): Number of the frame. Those in between were missed.
            timestamp (float, optional): Its seconds.
            name (str): What to call the person in messages.

        Returns:
            Elapsed: The frames missed and this one.

        Raises:
            ValueError: If number or time do not increase, or time stamps
                come with some frames and not with others.
        """
        count = index - last.index
        if count < 1:
            raise ValueError(
                f'{name}: expected a frame number above {last.index}, found '
                f'{index}'
            )
        indices = np.arange(last.index + 1, index + 1)
        passed = np.arange(1, count + 1) / count
        if timestamp is not None:
            seconds = self._seconds(last, timestamp, name)
        elif self.fps:
            seconds = count / self.fps
        elif np.isnan(last.timestamp):
            return Elapsed(indices, np.full(count, np.nan), 1.0)
        else:
            raise ValueError(
                f'{name}: expected a timestamp as with the frames before, '
                'found none'
            )
        step = 1.0
        if self.rate:
            step = frame_steps(seconds / count, self.rate)
        times = last.timestamp + seconds * passed
        # Not the sum, which is rounded.
        times[-1] = times[-1] if timestamp is None else timestamp
        return Elapsed(indices, times, step)

    def _seconds(self, last: Moment, timestamp: float, name: str) -> float:
        seconds = _check_seconds(timestamp, name) - last.timestamp
        if np.isnan(seconds):
            raise ValueError(
                f'{name}: expected no timestamp, as with the frames before, '
                f'found {timestamp:g}'
            )
        if seconds <= 0:
            raise ValueError(
                f'{name}: expected a timestamp above {last.timestamp:g} s, '
                f'found {timestamp:g}'
            )
        return seconds


def _check_seconds(timestamp: float, name: str) -> float:
    if not np.isfinite(timestamp):
        raise ValueError(
            f'{name}: expected a timestamp in seconds, found {timestamp}'
        )
    return float(timestamp)
