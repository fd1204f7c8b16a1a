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
# No time is larger, not even in nanoseconds.
_LARGEST = 2**63
# Steps up to this many median ones are of one frame.
_USUAL = 1.5
# A longer pause counts as one of so many frames: no more are made up.
LONGEST = 1000
# No more steps than this share are longer than so many usual ones where times
# are those of frames.
_FEW, _LONG = 0.25, 10


def number_frames(times: np.ndarray) -> np.ndarray:
    """Numbers (R,) from 0 of the frames of rows, in the order of their times.

    Rows of one time are of one frame. A step of n usual ones, rounded, leaves
    n - 1 numbers out, up to ``LONGEST``: frames without anybody are not in the
    file. Where many steps are long the times are those of rows, not of frames,
    and all numbers are there.
    """
    distinct, place = np.unique(times, return_inverse=True)
    steps = np.diff(distinct)
    if len(steps):
        usual = steps[steps <= _USUAL * np.median(steps)].mean()
        steps = np.clip(steps, usual, LONGEST * usual)
        steps = np.rint(steps / usual)
        if (steps > _LONG).mean() > _FEW:
            steps[:] = 1
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
    # Of all frames, for single times are rounded; how many there are in the
    # longest steps is not known.
    counts = np.diff(numbers)
    known = counts < LONGEST
    if not known.any():
        return None
    step = steps[known].sum() / counts[known].sum()
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
