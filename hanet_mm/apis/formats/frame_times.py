# Copyright (c) hanet_mm contributors. All rights reserved.
"""Numbers of frames from their times, and their rate."""

import re
from typing import Any, Optional, Sequence

import numpy as np

# Names of times, in lower case.
TIME = (
    *('time', 'timestamp', 'timestamp_ms', 'time_ms', 'time_s', 'ms'),
    *('seconds', 'time_sec', 'timestamp_s'),
)
# Intervals of videos in seconds and in milliseconds: where the name of a time
# does not say the unit, no others tell it.
_SECONDS, _MILLISECONDS = (0.002, 0.5), (5.0, 500.0)
_IN_MS = re.compile(r'(.*[\W_])?(ms|msec|milliseconds)\W*', re.IGNORECASE)
_IN_S = re.compile(r'(.*[\W_])?(s|sec|seconds)\W*', re.IGNORECASE)
# No time is larger, in nanoseconds neither.
_LARGEST = 2**63
# Steps up to this many median ones are of one frame.
_USUAL = 1.5


def number_frames(times: np.ndarray) -> np.ndarray:
    """Numbers (R,) from 0 of the frames of rows, in the order of their times.

    Rows of one time are of one frame. A step of n usual ones, rounded, leaves
    n - 1 numbers out: frames without anybody are not in the file.
    """
    distinct, place = np.unique(times, return_inverse=True)
    steps = np.diff(distinct)
    if len(steps):
        usual = steps[steps <= _USUAL * np.median(steps)].mean()
        steps = np.maximum(np.rint(steps / usual), 1)
    numbers = np.concatenate([np.zeros(1), np.cumsum(steps)])
    return numbers.astype(np.int64)[place]


def rate_of_times(
    times: np.ndarray, frames: np.ndarray, name: str
) -> Optional[float]:
    """Frames per second of rows (R,) with times and numbers of frames.

    None if times do not rise with the numbers, or if neither their name nor
    they themselves tell their unit.
    """
    if not np.isfinite(times).all():
        return None
    numbers, first = np.unique(frames, return_index=True)
    steps = np.diff(times[first])
    if not len(steps) or not (steps > 0).all():
        return None
    # Of all frames: single times are rounded.
    step = (times[first[-1]] - times[first[0]]) / (numbers[-1] - numbers[0])
    if _IN_MS.fullmatch(name) or (
        not _IN_S.fullmatch(name)
        and _MILLISECONDS[0] <= step <= _MILLISECONDS[1]
    ):
        return float(1000 / step)
    if _IN_S.fullmatch(name) or _SECONDS[0] <= step <= _SECONDS[1]:
        return float(1 / step)
    return None


def rate_of_entries(
    entries: Sequence[Any], frames: Sequence[int]
) -> Optional[float]:
    """The same of parsed JSON with an entry for each frame.

    None if one of them has no time.
    """
    for name in TIME:
        times = [x.get(name) if isinstance(x, dict) else None for x in entries]
        if times and all(
            type(x) in (int, float) and abs(x) < _LARGEST for x in times
        ):
            return rate_of_times(
                np.array(times, np.float64), np.array(frames), name
            )
    return None
