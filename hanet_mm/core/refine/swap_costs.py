# Copyright (c) hanet_mm contributors. All rights reserved.
"""What it costs to take a side, from the frames before."""

from typing import Any, List, NamedTuple, Sequence, Tuple, Union

import numpy as np

from ..data.blocks import row_blocks
from ..data.lengths import lengths
from ..poses.boxes import unit_length
from .swap_chains import NUM_CHAINS, SwapChains

# Frames that a frame is compared with.
LAGS = 3
# What is computed of a chain takes so much of the room of a person: for the
# size of blocks.
PART = 1 / 2
# Where the last three frames lead: a straight line fitted to them.
_AHEAD = (4 / 3, 1 / 3, -2 / 3)
# Sides nearer to each other than so much of the motion say little.
_CLEAR = 1.0
# Weight of the distance to that place beside the distance to the frames.
_AHEAD_WEIGHT = 0.5
# Distances are capped, in body sizes; motion and noise are never taken to be
# smaller than so much.
_CAP, LEAST_MOTION = 0.4, 0.015

_LAG = np.arange(1, LAGS + 1)
# What every chain is taken to move at least, to each of the places before.
_LEAST = LEAST_MOTION * np.sqrt([*_LAG, 1])
# Of each kind of distance the oldest frame that it goes back to, less 1.
_OLDEST = np.array([0, 1, 2, 2])
# Axes of time of frames.
_TIME_AXES = (1, 1, 0)


class MotionScale(NamedTuple):
    """Size of the person, and what the chains move anyway, (3, 4).

    The latter in body sizes: median distances to the first, second and third
    seen frame before, and to where these lead.
    """

    size: float
    motion: np.ndarray


def measure_motion(
    keypoints: np.ndarray, seen: np.ndarray, chains: SwapChains
) -> MotionScale:
    """Measure what each chain moves, from (T, K, D) and seen, bool (T, K)."""
    return measure_motions([keypoints], [seen], chains)[0]


def measure_motions(
    keypoints: Sequence[np.ndarray],
    seen: Sequence[np.ndarray],
    chains: SwapChains,
) -> List[MotionScale]:
    """:func:`measure_motion` of P persons with equally many frames."""
    sizes = [unit_length(*x) for x in zip(keypoints, seen)]
    own, bounds = _by_chains(chains)
    flip = chains.flip_indices[own]
    count, people = len(keypoints[0]), len(sizes)
    # Of all frames, to each of the places before.
    far = np.empty((LAGS + 1, people, len(own), count))
    past = None
    for rows in row_blocks(count, people):
        scaled = [x[rows] / size for x, size in zip(keypoints, sizes)]
        poses = side_by_side(scaled, 1)
        there = side_by_side([x[rows] for x in seen], 1)
        # Each keypoint as a chain of its own, (2, n, P, K, 1).
        known = np.stack([there[..., own], there[..., flip]])[..., None]
        shown = known[0, ..., 0]
        if not shown.all():
            shown = shown.copy()
            for chain in bounds:
                shown[..., chain] = shown[..., chain].any(-1, keepdims=True)
        # Steps are those of the first side.
        places = np.where(known[0, ..., None], poses[..., own, None, :], 0)
        new = ChainFrames.packed(places.astype(np.float64)[None], known, shown)
        every = new.after(past or new.none_before())
        steps = every.steps()[..., 0]
        far[..., rows] = steps.transpose(0, 2, 3, 1)
        past = every.last_of_each(shown)
    motion = np.empty((people, NUM_CHAINS, LAGS + 1))
    for n, chain in enumerate(bounds):
        steps = far[:, :, chain].reshape(LAGS + 1, people, -1)
        motion[:, n] = np.maximum(_medians(steps).T, _LEAST)
    return [MotionScale(*x) for x in zip(sizes, motion)]


def side_by_side(arrays: Sequence[np.ndarray], axis: int) -> np.ndarray:
    """``np.stack``, but for one array without a copy."""
    if len(arrays) > 1:
        return np.stack(arrays, axis=axis)
    return np.expand_dims(arrays[0], axis)


def _by_chains(chains: SwapChains) -> Tuple[np.ndarray, List[slice]]:
    """Keypoints chain by chain, (K, ), and where each chain is of these."""
    own = [np.flatnonzero(chains.chains == n) for n in range(NUM_CHAINS)]
    ends = np.cumsum([len(x) for x in own]).tolist()
    return np.concatenate(own), list(map(slice, [0, *ends], ends))


def _medians(values: np.ndarray) -> np.ndarray:
    """Medians of the finite values (..., n), which change places; else 0."""
    count = np.isfinite(values).sum(-1)
    if not count.any():
        return np.zeros(count.shape)
    middle = np.stack([np.maximum(count - 1, 0) // 2, count // 2], axis=-1)
    values.partition(np.unique(middle), axis=-1)
    median = np.take_along_axis(values, middle, axis=-1).sum(-1) / 2
    return np.where(count, median, 0)


class ChainFrames(NamedTuple):
    """Frames in which a chain is seen, as given and swapped, (2, n, k, D).

    With people (2, n, S, k, D), and times (n, S): those who are seen in fewer
    frames have others behind, in which nothing of the chain is seen.
    """

    poses: np.ndarray
    seen: np.ndarray
    times: np.ndarray

    @classmethod
    def of(
        cls, poses: np.ndarray, seen: np.ndarray, chains: SwapChains, n: int
    ) -> 'ChainFrames':
        """The frames of chain n, of poses (T, K, D) or (T, S, K, D)."""
        own = np.flatnonzero(chains.chains == n)
        sides = np.stack([own, chains.flip_indices[own]])
        shown = seen[..., own].any(-1)
        index: Any
        if shown.ndim == 1:
            index = times = np.flatnonzero(shown)
        else:
            times = np.argsort(~shown, axis=0, kind='stable')
            times = times[: shown.sum(0).max()]
            index = (times, np.arange(shown.shape[1]))
        here = np.moveaxis(seen[index][..., sides], -2, 0)
        there = np.moveaxis(poses[index][..., sides, :], -3, 0)
        there = np.where(here[..., None], there.astype(np.float64), 0)
        return cls(there, here, times)

    @classmethod
    def packed(
        cls, poses: np.ndarray, seen: np.ndarray, shown: np.ndarray
    ) -> 'ChainFrames':
        """All frames, those in which a chain is not shown, (n, ...), behind.

        Nothing is seen of a chain that is not shown.
        """
        count = np.arange(len(shown)).reshape(-1, *(1,) * (shown.ndim - 1))
        frames = cls(poses, seen, np.broadcast_to(count, shown.shape))
        if shown.all():
            return frames
        return frames.of_rows(np.argsort(~shown, axis=0, kind='stable'))

    def none_before(self) -> 'ChainFrames':
        """Three frames before the first one: nothing is seen in them."""
        shapes = [
            (*x.shape[:axis], LAGS, *x.shape[axis + 1 :])
            for x, axis in zip(self, _TIME_AXES)
        ]
        return ChainFrames(
            *(np.zeros(x, y.dtype) for x, y in zip(shapes, self))
        )

    def after(self, past: 'ChainFrames') -> 'ChainFrames':
        """These frames behind those of the past."""
        pairs = zip(past, self, _TIME_AXES)
        return ChainFrames(*(np.concatenate(p[:2], axis=p[2]) for p in pairs))

    def last(self, count: int, later: int) -> 'ChainFrames':
        """The last frames, ``later`` frames further back."""
        rows = slice(max(len(self.times) - count, 0), None)
        times = self.times[rows] - later
        return ChainFrames(self.poses[:, rows], self.seen[:, rows], times)

    def last_of_each(self, shown: np.ndarray) -> 'ChainFrames':
        """The last three of each chain, of past frames and :meth:`packed`."""
        if shown.all():
            return self.last(LAGS, len(shown))
        first = shown.sum(0)
        rows = first + np.arange(LAGS).reshape(-1, *(1,) * first.ndim)
        found = self.of_rows(rows)
        return found._replace(times=found.times - len(shown))

    def of_rows(self, rows: np.ndarray) -> 'ChainFrames':
        """The frames in rows (m, ...) of each person or chain."""
        place: Any = (rows, *np.ogrid[tuple(map(slice, rows.shape))][1:])
        every: Any = (slice(None), *place)
        return ChainFrames(
            self.poses[every], self.seen[every], self.times[place]
        )

    def steady(self) -> np.ndarray:
        """Pairs seen in four frames in a row, bool (n - 3, k)."""
        both = self.seen[0] & self.seen[1]
        two = both[1:] & both[:-1]
        running = self.times[LAGS:] - self.times[:-LAGS] == LAGS
        return two[2:] & two[:-2] & running[..., None]

    def steps(self) -> np.ndarray:
        """Lengths of steps to the first, second and third frame before, and
        to where these lead, (4, n - 3, ..., k).

        Of the frames that have three before; infinite where a keypoint is
        not seen in both, or for the last its pair not in all.
        """
        now = self.poses[0, LAGS:]
        far = np.empty((LAGS + 1, *now.shape[:-1]))
        for lag in range(1, LAGS + 1):
            past = slice(LAGS - lag, -lag)
            known = self.seen[0, LAGS:] & self.seen[0, past]
            step = lengths(now - self.poses[0, past])
            far[lag - 1] = np.where(known, step, np.inf)
        step = lengths(now - self.ahead((0,) * LAGS))
        far[LAGS] = np.where(self.steady(), step, np.inf)
        return far

    def _before(self) -> np.ndarray:
        """Of each frame that has three before each of these, (3, n - 3)."""
        return np.arange(LAGS, len(self.times)) - _LAG[:, None]

    def ahead(self, sides: Tuple[int, ...]) -> np.ndarray:
        """Extrapolation of the three frames before, on these sides."""
        total: Any = 0.0
        for lag, (side, weight) in enumerate(zip(sides, _AHEAD), start=1):
            rows = slice(LAGS - lag, len(self.times) - lag)
            total = total + weight * self.poses[side, rows]
        return total

    def costs(
        self, motion: np.ndarray, forget: Union[float, np.ndarray]
    ) -> np.ndarray:
        """Cost of each frame by the relative sides before, (n - 3, ..., 2, 2,
        2): of the frames that have three before.

        ``forget``: frames of a gap after which it says e times less.
        """
        before = self._before()
        both = self.seen[0] & self.seen[1]
        clear = self._clear(both, before, motion)
        apart = self._apart(before, motion[:LAGS], clear[:LAGS], forget)
        each = np.zeros((*apart.shape, 2))
        np.divide(apart, LAGS, out=each[..., 1])
        first, second, third = each
        costs = first[..., None, None] + second[..., None, :, None]
        costs = costs + third[..., None, None, :]
        known = self.steady()
        if known.any():
            share = np.maximum(known.sum(-1, keepdims=True), 1)
            weight = known * clear[LAGS] / share
            far = self._far_ahead(motion[LAGS])
            far = (far - far[0, 0, 0]) * weight
            ahead = _AHEAD_WEIGHT * far.sum(-1)
            costs += np.moveaxis(ahead, range(LAGS), range(-LAGS, 0))
        return costs

    def _clear(
        self, both: np.ndarray, before: np.ndarray, motion: np.ndarray
    ) -> np.ndarray:
        """Distance between both sides, from 0 to 1, (4, n - 3, ..., k).

        The smaller one of both frames, infinite where it is not known; to the
        frames before, and to the last one for where they lead.
        """
        across = lengths(self.poses[0] - self.poses[1])
        across = np.where(both, np.maximum(across, 1e-9), np.inf)
        near = across[before[_OLDEST]]
        np.minimum(near, across[LAGS:], out=near)
        np.divide(_CLEAR * motion[:, None, ..., None], near, out=near)
        np.square(near, out=near)
        near += 1
        return np.divide(1, near, out=near)

    def _far_ahead(self, motion: np.ndarray) -> np.ndarray:
        """Distances to :meth:`ahead` on all sides, (2, 2, 2, n - 3, ...,
        k).
        """
        sides = []
        for lag, weight in enumerate(_AHEAD, start=1):
            rows = slice(LAGS - lag, len(self.times) - lag)
            sides.append(weight * self.poses[:, rows])
        first, second, third = sides
        # The side of each frame is an axis of its own.
        total = first[:, None] + second
        total = total[:, :, None] + third
        np.subtract(self.poses[0, LAGS:], total, out=total)
        return _cap(total, motion)

    def _apart(
        self,
        before: np.ndarray,
        motion: np.ndarray,
        clear: np.ndarray,
        forget: Union[float, np.ndarray],
    ) -> np.ndarray:
        """How much nearer the same side is in each frame before, (3, n - 3,
        ...)."""
        (now, other), past = self.poses[:, LAGS:], self.poses[:, before]
        seen, then = self.seen[:, LAGS:], self.seen[:, before]
        # The same side, and its own keypoint against the other one of then,
        # and of now.
        steps = np.empty((3, *past.shape[1:]))
        np.subtract(now, past, out=steps[:2])
        np.subtract(other, past[0], out=steps[2])
        far = _cap(steps, motion[:, None])
        nearer = far[1:]
        nearer -= far[0]
        known = (seen[0] & then[0]) & np.stack(
            [then[1], np.broadcast_to(seen[1], then[1].shape)]
        )
        nearer *= known
        total = nearer[0] + nearer[1]
        total *= clear
        count = known.sum((0, -1))
        mean = total.sum(-1) / np.maximum(count, 1)
        gap = self.times[LAGS:] - self.times[before]
        gap -= _LAG.reshape(-1, *(1,) * self.times.ndim)
        return mean * np.exp(-np.maximum(gap, 0) / forget)


def _cap(steps: np.ndarray, motion: np.ndarray) -> np.ndarray:
    """Capped lengths of steps (..., k, D), in units of motion (...)."""
    far = lengths(steps)
    np.minimum(far, _CAP, out=far)
    return np.divide(far, motion[..., None], out=far)
