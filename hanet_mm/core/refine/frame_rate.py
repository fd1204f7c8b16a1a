# Copyright (c) hanet_mm contributors. All rights reserved.
"""When the frames of a sequence were taken, in frames of the refiner.

A refiner knows velocities per frame, at the rate that it was trained at. The
position of a frame is its time counted in frames of that rate: 0, 2, 4, ...
for a video of half the rate, uneven numbers for uneven time stamps.
Resampling is linear in time in both directions. Where frames come at twice
the refiner's rate or more, it is done several times, from each frame in
between on, and the results are averaged: all frames count. The refined pose
itself is resampled back: adding the change (refined - input) to the given
frames would restore, between the refiner's frames, the jitter that refinement
removed.
"""

from typing import Any, List, Optional, Sequence, Tuple, Union, overload

import numpy as np

Rates = Union[float, Sequence[float], None]
Times = Union[np.ndarray, Sequence[float]]

TOLERANCE = 0.05
"""Part of an interval by which one may differ and still count as equal.

Time stamps of video files are rounded to ms, so the intervals of a video of
constant rate differ by 4 % at 60 fps, and 29.97 fps are no reason to resample
for a refiner of 30 fps: velocities are off by as little.
"""

USUAL_RATE = 30.0
"""Frames per second where nobody says them: those of most videos."""


FASTEST = 1000.0
"""Beyond this rate what looks at the frames of a time, such as the noise of
0.4 s, looks at as many as at this rate: a wrong unit costs no memory."""

# Share of intervals near the median one with which a video has a frame rate.
_EVEN_SHARE = 0.75


def check_fps(fps: float, name: str = 'fps') -> float:
    """Raise a ValueError unless it is a frame rate; return it as a float."""
    try:
        rate = float(fps)
    except (TypeError, ValueError):
        rate = np.nan
    if not (np.isfinite(rate) and rate > 0):
        raise ValueError(
            f'{name}: expected frames per second above 0, found {fps!r}'
        )
    return rate


def check_range(
    fps_range: Sequence[float], fps: Optional[float]
) -> List[float]:
    """Check that it is (low, high) around ``fps``; return floats."""
    low, high = (check_fps(x, 'fps_range') for x in fps_range)
    if fps is None or not low <= fps <= high:
        raise ValueError(
            f'fps_range: expected rates around fps = {fps}, found '
            f'{low:g} to {high:g}'
        )
    return [low, high]


def check_timestamps(
    timestamps: Times, count: int, name: str = 'timestamps'
) -> np.ndarray:
    """Check that seconds (T, ) are finite and increasing; return float64."""
    times = np.asarray(timestamps)
    if times.dtype.kind in 'mM':
        raise ValueError(
            f'{name}: expected seconds as numbers, found {times.dtype}'
        )
    times = times.astype(np.float64)
    if times.shape != (count,):
        raise ValueError(
            f'{name}: expected shape ({count},), one of each frame, found '
            f'{times.shape}'
        )
    if not np.isfinite(times).all():
        frame = int(np.argmin(np.isfinite(times)))
        raise ValueError(f'{name}: frame {frame} is not finite')
    steps = np.diff(times)
    if (steps <= 0).any():
        frame = int(np.argmax(steps <= 0)) + 1
        raise ValueError(
            f'{name}: expected seconds that increase, found {times[frame]:g} '
            f'in frame {frame} after {times[frame - 1]:g}'
        )
    return times


def frame_steps(
    seconds: Union[float, np.ndarray], rate: float
) -> Union[float, np.ndarray]:
    """Convert time intervals in seconds to (fractional) refiner frames.

    Nearly one frame, see ``TOLERANCE``, is exactly 1.
    """
    if np.ndim(seconds) == 0:
        step = float(seconds * rate)
        return 1.0 if abs(step - 1) <= TOLERANCE else step
    steps = np.asarray(seconds, dtype=np.float64) * rate
    return np.where(np.abs(steps - 1) <= TOLERANCE, 1.0, steps)


def network_rate(
    own: float, rate: Optional[float], known: Optional[Sequence[float]]
) -> float:
    """Rate at which frames at a rate of their ``own`` are refined.

    Their own where the refiner has no ``rate`` or was trained at such rates
    as well, from ``known[0]`` to ``known[1]``.
    """
    if rate is None or (known and known[0] <= own <= known[1]):
        return own
    return rate


def sequence_positions(
    keypoints: Any,
    rate: Optional[float],
    fps: Rates = None,
    timestamps: Union[Times, Sequence[Times], None] = None,
    known: Optional[Sequence[float]] = None,
) -> Optional[List[np.ndarray]]:
    """Positions (T_i, ) float64 of all frames in refiner frames, from 0 on.

    A refiner without a ``rate`` takes that of each sequence: the median
    interval of ``timestamps``; ``fps`` has no effect then. None if no times
    are known. Rates ``fps`` that are ``known`` count as the refiner's, see
    :func:`network_rate`.
    """
    if fps is None and timestamps is None:
        return None
    if fps is not None and timestamps is not None:
        raise ValueError('expected fps or timestamps, found both')
    several = isinstance(keypoints, (list, tuple))
    lengths = [len(x) for x in (keypoints if several else [keypoints])]
    if fps is not None:
        steps = _steps_of_rates(lengths, rate, fps, known)
    else:
        given: Any = timestamps
        all_times = list(given) if several else [given]
        steps = _steps_of_times(lengths, several, rate, all_times)
    return [
        np.concatenate([np.zeros(min(length, 1)), np.cumsum(step)])
        for length, step in zip(lengths, steps)
    ]


def spread_rates(
    fps: Union[float, Sequence[float]], count: int
) -> List[float]:
    """Checked rates of so many sequences, from one rate or all of them."""
    given: Any = fps
    rates = [given] * count if np.ndim(given) == 0 else list(given)
    if len(rates) != count:
        raise ValueError(
            f'{count} sequences of keypoints but {len(rates)} of fps'
        )
    return [check_fps(x) for x in rates]


def _steps_of_rates(
    lengths: Sequence[int],
    rate: Optional[float],
    fps: Union[float, Sequence[float]],
    known: Optional[Sequence[float]],
) -> List[np.ndarray]:
    steps = [
        frame_steps(1 / own, network_rate(own, rate, known))
        for own in spread_rates(fps, len(lengths))
    ]
    return [
        np.full(max(length - 1, 0), step)
        for length, step in zip(lengths, steps)
    ]


def _steps_of_times(
    lengths: Sequence[int],
    several: bool,
    rate: Optional[float],
    all_times: Sequence[Times],
) -> List[np.ndarray]:
    if len(all_times) != len(lengths):
        raise ValueError(
            f'{len(lengths)} sequences of keypoints but {len(all_times)} of '
            'timestamps'
        )
    steps = []
    for index, (length, times) in enumerate(zip(lengths, all_times)):
        name = f'timestamps of sequence {index}' if several else 'timestamps'
        seconds = np.diff(check_timestamps(times, length, name))
        own = rate
        if own is None:
            own = 1 / np.median(seconds) if len(seconds) else 1.0
        steps.append(np.asarray(frame_steps(seconds, own)))
    return steps


def native_rate(
    positions: Optional[np.ndarray], rate: Optional[float]
) -> float:
    """Frames per second of frames at positions (T, ) in refiner frames.

    Where the refiner's rate is not known either it is taken to be 30.
    """
    rate = rate or USUAL_RATE
    if positions is None or len(positions) < 2:
        return limit_rate(rate)
    steps = np.sort(positions[1:] - positions[:-1])
    # Many times faster than np.median, the same.
    low, high = steps[(len(steps) - 1) // 2], steps[len(steps) // 2]
    return limit_rate(rate / max((low + high) / 2, 1e-9))


def limit_rate(fps: float) -> float:
    """A rate that tells how many frames a time has, at most ``FASTEST``."""
    return float(min(fps, FASTEST))


def native_rates(
    keypoints: Any,
    positions: Optional[Sequence[np.ndarray]],
    rate: Optional[float],
    fps: Rates = None,
) -> List[float]:
    """Frames per second of one sequence or several, as given or by their
    positions, see :func:`native_rate`.
    """
    several = isinstance(keypoints, (list, tuple))
    count = len(keypoints) if several else 1
    if fps is not None:
        return [limit_rate(x) for x in spread_rates(fps, count)]
    if positions is None:
        return [native_rate(None, rate)] * count
    return [native_rate(x, rate) for x in positions]


# Ten thousand frames per second, for a refiner of 40.
_MOST_PHASES = 250


def count_phases(steps: Union[float, np.ndarray]) -> int:
    """How many frames come within one of the refiner's, rounded, at least 1.

    ``steps`` (n, ) are the intervals between frames, in refiner frames. It is
    1 if too many differ: frames at no rate of their own do not lie between
    the refiner's in any order. Of more than ``_MOST_PHASES`` some count less.
    """
    steps = np.atleast_1d(steps)
    if not len(steps):
        return 1
    usual = np.median(steps)
    even = np.abs(steps - usual) <= 2 * TOLERANCE * usual
    if even.mean() < _EVEN_SHARE:
        return 1
    # The same for 45 fps and for the steps that are made of it.
    usual = max(usual, 1 / _MOST_PHASES)
    return max(int(1 / usual + 0.5 + 1e-6), 1)


def phase_coverage(
    positions: np.ndarray, starts: np.ndarray, newest: float
) -> np.ndarray:
    """Which phases tell of positions (n, ), bool (P, n).

    The frames of a phase are ``starts`` (P, ), the first 0, and whole numbers
    added, up to the position of the newest frame. What no phase reaches is
    told by the first.
    """
    if len(starts) == 1:
        return np.ones((1, len(positions)), bool)
    local = snap(positions - starts[:, None])
    last = np.floor(snap(newest - starts))[:, None]
    inside = (local >= 0) & (local <= last)
    inside[0] |= ~inside.any(0)
    return inside


def last_frames(positions: np.ndarray, starts: np.ndarray) -> np.ndarray:
    """Last frame of each phase, counted from its start, (P, ).

    The first phase reaches what no other does, beyond the last of the frames
    at ``positions`` (n, ) if need be.
    """
    newest = positions[-1]
    if len(starts) == 1:
        return np.ceil(positions[-1:])
    last = np.floor(snap(newest - starts))
    served = phase_coverage(positions, starts, newest)[0]
    beyond = np.ceil(positions[served].max(initial=-np.inf))
    last[0] = max(last[0], beyond)
    return last


# Far below the rounding of time stamps, far above that of float64.
_EPSILON = 1e-6


@overload
def snap(positions: float) -> float: ...


@overload
def snap(positions: np.ndarray) -> np.ndarray: ...


def snap(positions: Union[float, np.ndarray]) -> Union[float, np.ndarray]:
    """Round positions that differ from whole numbers by rounding only.

    One position or many.
    """
    if isinstance(positions, float):
        near = float(round(positions))
        return near if abs(positions - near) < _EPSILON else positions
    whole = np.rint(positions)
    apart = np.abs(positions - whole)
    if not apart.any():
        return whole
    return np.where(apart < _EPSILON, whole, positions)


def at_positions(
    keypoints: np.ndarray,
    scores: np.ndarray,
    positions: np.ndarray,
    wanted: np.ndarray,
) -> Tuple[np.ndarray, np.ndarray]:
    """Interpolate poses (F, K, D) at ``wanted`` (...) positions, (..., K, D).

    Scores (..., K) are those of the nearest frame. Poses are constant before
    the first and after the last frame; from a whole frame after the last on
    their score is 0.
    """
    last = len(positions) - 1
    left = np.maximum(positions.searchsorted(wanted, side='right') - 1, 0)
    beyond = wanted >= positions[-1] + 1
    if ((wanted <= positions[left]) | (left == last)).all():
        # Frames as they are, as usual.
        poses, known = keypoints[left], scores[left]
        known[beyond] = 0
        return poses, known
    right = np.minimum(left + 1, last)
    gap = np.where(right > left, positions[right] - positions[left], 1)
    weight = ((wanted - positions[left]) / gap).clip(0, 1)
    weight = np.where(right > left, weight, 0)
    share = weight[..., None, None].astype(keypoints.dtype)
    poses = keypoints[left]
    poses = poses + (keypoints[right] - poses) * share
    known = scores[np.where(weight < 0.5, left, right)]
    known[beyond] = 0
    return poses, known


def from_grid(poses: np.ndarray, positions: np.ndarray) -> np.ndarray:
    """Interpolate poses (G, K, D) of frames 0, 1, ... at positions (F, )."""
    left = np.floor(positions).astype(np.int64)
    if (positions == left).all():
        return poses[left]
    right = np.ceil(positions).astype(np.int64)
    share = (positions - left)[:, None, None].astype(poses.dtype)
    return poses[left] + (poses[right] - poses[left]) * share
