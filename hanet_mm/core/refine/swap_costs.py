# Copyright (c) hanet_mm contributors. All rights reserved.
"""What it costs to take a side, from the frames before."""

from typing import Any, List, NamedTuple, Optional, Tuple, Union

import numpy as np

from ..data.blocks import row_blocks
from ..data.lengths import lengths
from ..poses.boxes import unit_length
from .swap_chains import NUM_CHAINS, SwapChains

# Frames that a frame is compared with.
LAGS = 3
# A chain is about so much of a person: for the size of blocks.
PART = 1 / 4
# Where the last three frames lead: a straight line fitted to them.
_AHEAD = (4 / 3, 1 / 3, -2 / 3)
# Sides nearer to each other than so much of the motion say little.
_CLEAR = 1.0
# Weight of the distance to that place beside the distance to the frames.
_AHEAD_WEIGHT = 0.5
# Distances are capped, in body sizes; motion and noise are never taken to be
# smaller than so much.
_CAP, LEAST_MOTION = 0.4, 0.015


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
    size = unit_length(keypoints, seen)
    motion = np.full((NUM_CHAINS, LAGS + 1), LEAST_MOTION)
    motion[:, :LAGS] *= np.sqrt(1 + np.arange(LAGS))
    for chain in range(NUM_CHAINS):
        # Of all frames, to each of the places before.
        steps: List[List[np.ndarray]] = [[] for _ in range(LAGS + 1)]
        past = None
        for rows in row_blocks(len(keypoints), PART):
            poses = keypoints[rows] / size
            new = ChainFrames.of(poses, seen[rows], chains, chain)
            frames = new.after(past)
            for place, found in enumerate(frames.steps(len(new.times))):
                steps[place].append(found)
            past = frames.last(LAGS, len(poses))
        for place, parts in enumerate(steps):
            every = np.concatenate(parts)
            if len(every):
                median = np.median(every)
                motion[chain, place] = max(motion[chain, place], median)
    return MotionScale(size, motion)


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

    def after(self, past: Optional['ChainFrames']) -> 'ChainFrames':
        """These frames behind those of the past."""
        if past is None:
            return self
        pairs = zip(past, self, (1, 1, 0))
        return ChainFrames(*(np.concatenate(p[:2], axis=p[2]) for p in pairs))

    def last(self, count: int, later: int) -> 'ChainFrames':
        """The last frames, ``later`` frames further back."""
        rows = slice(max(len(self.times) - count, 0), None)
        times = self.times[rows] - later
        return ChainFrames(self.poses[:, rows], self.seen[:, rows], times)

    def of_rows(self, rows: np.ndarray) -> 'ChainFrames':
        """The frames in rows (m, ...) of each person or chain."""
        place: Any = (rows, *np.ogrid[tuple(map(slice, rows.shape))][1:])
        every: Any = (slice(None), *place)
        return ChainFrames(
            self.poses[every], self.seen[every], self.times[place]
        )

    def steady(self) -> np.ndarray:
        """Pairs seen in four frames in a row, bool (n - 3, k)."""
        both = np.all(self.seen, axis=0)
        four = [both[i : len(both) - LAGS + i] for i in range(LAGS + 1)]
        running = self.times[LAGS:] - self.times[:-LAGS] == LAGS
        return np.logical_and.reduce(four) & running[..., None]

    def steps(self, count: int) -> List[np.ndarray]:
        """Lengths of the steps to the last frames, as many as ``count``, of
        pairs that are seen in both: from the first, second and third frame
        before, and from where these lead.
        """
        ways = []
        now = max(len(self.times) - count, 0)
        for lag in range(1, LAGS + 1):
            first = max(now - lag, 0)
            known = (self.seen[0, lag:] & self.seen[0, :-lag])[first:]
            steps = (self.poses[0, lag:] - self.poses[0, :-lag])[first:]
            ways.append(lengths(steps[known]))
        ahead = np.zeros(0)
        if len(self.times) > LAGS:
            first = max(now - LAGS, 0)
            steps = (self.poses[0, LAGS:] - self.ahead((0, 0, 0)))[first:]
            ahead = lengths(steps[self.steady()[first:]])
        return [*ways, ahead]

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
        """Cost of each frame by the relative sides before, (n, ..., 2, 2, 2).

        ``forget``: frames of a gap after which it says e times less.
        """
        costs = np.zeros((*self.times.shape, *(2,) * LAGS))
        across = lengths(self.poses[0] - self.poses[1])
        across = np.where(np.all(self.seen, axis=0), across, np.inf)
        for lag in range(1, LAGS + 1):
            other: Any = (..., 1, *[slice(None)] * (LAGS - lag))
            clear = _clear(across, lag, motion[lag - 1])
            apart = self._apart(lag, motion[lag - 1], clear, forget)
            apart = apart.reshape(*apart.shape, *(1,) * (LAGS - 1))
            costs[lag:][other] += apart / LAGS
        if len(self.times) > LAGS:
            known = self.steady()
            count = np.maximum(known.sum(-1), 1)
            clear = known * _clear(across, LAGS, motion[LAGS])
            clear /= count[..., None]
            # Of all sides of the three frames before, (n, ..., 2, 2, 2, k).
            spread: Any = (..., *[None] * LAGS, slice(None))
            every: Any = (*spread, slice(None))
            first: Any = (..., *[slice(1)] * LAGS, slice(None))
            far = self.poses[0, LAGS:][every]
            far = _cap(far - self._every_ahead(), motion[LAGS], LAGS)
            far = far - far[first]
            costs[LAGS:] += _AHEAD_WEIGHT * (far * clear[spread]).sum(-1)
        return costs

    def _every_ahead(self) -> np.ndarray:
        """:meth:`ahead` on all sides, (n - 3, ..., 2, 2, 2, k, D)."""
        total: Any = 0.0
        for lag, weight in enumerate(_AHEAD, start=1):
            rows = slice(LAGS - lag, len(self.times) - lag)
            # The side of this frame is axis ``lag`` of the three.
            sides = np.moveaxis(self.poses[:, rows], 0, -3)
            place: Any = [None] * LAGS
            place[lag - 1] = slice(None)
            place = (..., *place, slice(None), slice(None))
            total = total + weight * sides[place]
        return total

    def _apart(
        self,
        lag: int,
        motion: np.ndarray,
        clear: np.ndarray,
        forget: Union[float, np.ndarray],
    ) -> np.ndarray:
        """How much nearer the same side is in the frame ``lag`` before."""
        now, before = self.poses[:, lag:], self.poses[:, :-lag]
        seen, past = self.seen[:, lag:], self.seen[:, :-lag]
        same = _cap(now[0] - before[0], motion)
        total = np.zeros(same.shape)
        count = np.zeros(same.shape)
        # Its own keypoint against the other one of then, and of now.
        for side, known in (
            (now[0] - before[1], seen[0] & past[0] & past[1]),
            (now[1] - before[0], seen[0] & seen[1] & past[0]),
        ):
            total += np.where(known, _cap(side, motion) - same, 0)
            count += known
        gap = self.times[lag:] - self.times[:-lag] - lag
        total *= clear
        mean = total.sum(-1) / np.maximum(count.sum(-1), 1)
        return mean * np.exp(-np.maximum(gap, 0) / forget)


def _clear(across: np.ndarray, lag: int, motion: np.ndarray) -> np.ndarray:
    """Distance between both sides, from 0 to 1, (n - lag, ..., k).

    The smaller one of both frames of ``across`` (n, ..., k), infinite where
    it is not known.
    """
    across = np.minimum(across[lag:], across[:-lag])
    motion = _CLEAR * motion[..., None]
    return 1 / (1 + (motion / np.maximum(across, 1e-9)) ** 2)


def _cap(steps: np.ndarray, motion: np.ndarray, axes: int = 0) -> np.ndarray:
    """Capped lengths of steps, with so many axes more, in units of motion."""
    spread: Any = (..., *[None] * (axes + 1))
    motion = motion[spread]
    return np.minimum(lengths(steps), _CAP) / motion
