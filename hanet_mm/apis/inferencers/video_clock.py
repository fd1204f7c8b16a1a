"""The times of the frames of a video file."""

from typing import Optional

# A time stamp this near to its place at a constant rate, in frames, differs
# by rounding only.
_ROUNDING = 0.1


class VideoClock:
    """Time stamps of a video, without the rounding of its container.

    Args:
        fps (float, optional): Frames per second; None: not known.
        timed (bool): Whether time stamps count. If one is not above the one
            before it they do not from there on.
    """

    def __init__(self, fps: Optional[float], timed: bool) -> None:
        self.fps, self.timed = fps, timed
        self.first = self.elapsed = self.given = 0.0

    def read(self, index: int, seconds: float) -> Optional[float]:
        """The time of a frame in seconds since the first one."""
        if not self.fps:
            return None  # a file that knows no rate knows no times
        if not index:
            self.first = seconds
            return 0.0
        elapsed = seconds - self.first
        if elapsed <= self.elapsed:
            self.timed = False  # this reader does not tell the time
        self.elapsed = elapsed
        if not self.timed:
            self.given += 1 / self.fps
            return self.given
        even = index / self.fps
        near = abs(elapsed - even) * self.fps < _ROUNDING
        self.given = even if near and even > self.given else elapsed
        return self.given
