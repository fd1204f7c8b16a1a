# Copyright (c) hanet_mm contributors. All rights reserved.
"""Undo swaps of left and right, decided once for a whole sequence.

An estimator that takes the left side for the right one does so for a run of
frames: the keypoints jump to the other side and back. Which frames are
swapped is found by dynamic programming (Viterbi, IEEE Transactions on
Information Theory 13, 1967) over the states "as given" and "swapped" of three
chains: the trunk with the face, the arms, and the legs.

A side costs what it is further from the last three seen frames of the chain,
and from where these lead at constant speed, and a little more if it is the
swapped one. Distances are in units of what the chain moves anyway, so noise
needs more evidence than clean motion; where left and right lie on each other
they say nothing. The side of the majority is taken as right unless ``odds``
say otherwise. All costs are about natural log-odds.
"""

from typing import Any, List, NamedTuple, Optional, Tuple

import numpy as np

from ..poses.boxes import person_size
from .swap_chains import NUM_CHAINS, SwapChains

# Frames that a frame is compared with: states of so many are remembered.
_LAGS = 3
_MEMORY = 2**_LAGS
# Where the last three frames lead: a straight line fitted to them.
_AHEAD = (4 / 3, 1 / 3, -2 / 3)
# Sides nearer to each other than so much of the motion say little.
_CLEAR = 1.0
# Weight of the distance to that place beside the distance to the frames.
_AHEAD_WEIGHT = 0.5
# Distances are capped, in body sizes; motion and noise are never taken to be
# smaller than so much.
_CAP, _LEAST_MOTION = 0.4, 0.015
# Seconds of a gap after which it says e times less which side is which.
_FORGET = 0.5
# Cost of a frame swapped as a whole, and in part (times its share of chains),
# at 30 frames per second: a swap costs by the time that it lasts.
_WHOLE_COST, _PART_COST, _RATE = 0.2, 0.4, 30.0

_BITS = np.indices((2,) * (1 + _LAGS))
# Sides of the frames before relative to that of a frame, (3, 2, 2, 2, 2).
_RELATIVE = tuple(_BITS[0] ^ _BITS[1 + lag] for lag in range(_LAGS))
_SWAPPED = np.indices((2,) * NUM_CHAINS)
_SHARE = _SWAPPED.mean(0)
_STATE_COST = np.where(_SHARE == 1, _WHOLE_COST, _PART_COST * _SHARE)


class MotionScale(NamedTuple):
    """Size of the person, and what the chains move anyway, (3, 4).

    The latter in body sizes: median distances to the first, second and third
    seen frame before, and to where these lead.
    """

    size: float
    motion: np.ndarray


class Unswapped(NamedTuple):
    """Keypoints with left and right corrected.

    Attributes:
        keypoints (np.ndarray): (T, K, D).
        scores (np.ndarray): (T, K).
        swapped (np.ndarray): Keypoints that changed places, bool (T, K).
    """

    keypoints: np.ndarray
    scores: np.ndarray
    swapped: np.ndarray


def unswap(
    keypoints: np.ndarray,
    chains: SwapChains,
    scores: Optional[np.ndarray] = None,
    odds: Optional[np.ndarray] = None,
    fps: float = _RATE,
) -> Unswapped:
    """Undo swaps of left and right in a sequence.

    Args:
        keypoints (np.ndarray): (T, K, D), D = 2 or 3, any unit; NaN is
            missing.
        chains (SwapChains): See :func:`swap_chains`.
        scores (np.ndarray, optional): (T, K); 0 is missing. Defaults to
            None: 1 where keypoints are not NaN.
        odds (np.ndarray, optional): Further evidence, of a network or of the
            face: natural log-odds that a keypoint is given on the wrong
            side, (T, K); NaN or 0 = not known. Defaults to None.
        fps (float): Frames per second. Defaults to 30.

    Returns:
        Unswapped: Corrected keypoints and scores, and which were swapped.
    """
    seen = np.isfinite(keypoints).all(-1)
    if scores is None:
        scores = seen.astype(np.float32)
    seen = seen & (scores > 0)
    scale = measure_motion(keypoints, seen, chains)
    decoder = SwapDecoder(chains, scale, fps)
    decoder.push(keypoints, seen, odds)
    swapped = decoder.swapped()
    swapped &= seen | seen[:, chains.flip_indices]
    return swap_sides(keypoints, scores, swapped, chains)


def swap_sides(
    keypoints: np.ndarray,
    scores: np.ndarray,
    swapped: np.ndarray,
    chains: SwapChains,
) -> Unswapped:
    """Let the keypoints (T, K) that are swapped change places in pairs."""
    flip = chains.flip_indices
    return Unswapped(
        np.where(swapped[..., None], keypoints[:, flip], keypoints),
        np.where(swapped, scores[:, flip], scores),
        swapped,
    )


def measure_motion(
    keypoints: np.ndarray, seen: np.ndarray, chains: SwapChains
) -> MotionScale:
    """Measure what each chain moves, from (T, K, D) and seen, bool (T, K)."""
    size = person_size(keypoints.astype(np.float64), seen)
    size = size if size > 0 else 1.0
    motion = np.full((NUM_CHAINS, _LAGS + 1), _LEAST_MOTION)
    motion[:, :_LAGS] *= np.sqrt(1 + np.arange(_LAGS))
    for chain in range(NUM_CHAINS):
        frames = _Frames.of(keypoints / size, seen, chains, chain)
        for lag in range(1, _LAGS + 1):
            both = frames.seen[0, lag:] & frames.seen[0, :-lag]
            steps = frames.poses[0, lag:] - frames.poses[0, :-lag]
            _raise_to_median(motion[chain], lag - 1, steps, both)
        if len(frames.times) > _LAGS:
            steps = frames.poses[0, _LAGS:] - frames.ahead((0, 0, 0))
            _raise_to_median(motion[chain], _LAGS, steps, frames.steady())
    return MotionScale(size, motion)


def _raise_to_median(
    motion: np.ndarray, place: int, steps: np.ndarray, known: np.ndarray
) -> None:
    if known.any():
        median = np.median(np.linalg.norm(steps[known], axis=-1))
        motion[place] = max(motion[place], median)


class _Frames(NamedTuple):
    """Frames in which a chain is seen, as given and swapped, (2, n, k, D)."""

    poses: np.ndarray
    seen: np.ndarray
    times: np.ndarray

    @classmethod
    def of(
        cls, poses: np.ndarray, seen: np.ndarray, chains: SwapChains, n: int
    ) -> '_Frames':
        """The frames of chain n, of poses (T, K, D)."""
        own = np.flatnonzero(chains.chains == n)
        sides = np.stack([own, chains.flip_indices[own]])
        times = np.flatnonzero(seen[:, own].any(1))
        here = seen[times][:, sides].swapaxes(0, 1)
        there = poses[times][:, sides].swapaxes(0, 1).astype(np.float64)
        return cls(np.where(here[..., None], there, 0), here, times)

    def after(self, past: Optional['_Frames']) -> '_Frames':
        """These frames behind those of the past."""
        if past is None:
            return self
        pairs = zip(past, self, (1, 1, 0))
        return _Frames(*(np.concatenate(p[:2], axis=p[2]) for p in pairs))

    def last(self, count: int, later: int) -> '_Frames':
        """The last frames, ``later`` frames further back."""
        rows = slice(max(len(self.times) - count, 0), None)
        times = self.times[rows] - later
        return _Frames(self.poses[:, rows], self.seen[:, rows], times)

    def steady(self) -> np.ndarray:
        """Pairs seen in four frames in a row, bool (n - 3, k)."""
        both = np.all(self.seen, axis=0)
        four = [both[i : len(both) - _LAGS + i] for i in range(_LAGS + 1)]
        running = self.times[_LAGS:] - self.times[:-_LAGS] == _LAGS
        return np.logical_and.reduce(four) & running[:, None]

    def ahead(self, sides: Tuple[int, ...]) -> np.ndarray:
        """Extrapolation of the three frames before, on these sides."""
        total: Any = 0.0
        for lag, (side, weight) in enumerate(zip(sides, _AHEAD), start=1):
            rows = slice(_LAGS - lag, len(self.times) - lag)
            total = total + weight * self.poses[side, rows]
        return total

    def costs(self, motion: np.ndarray, forget: float) -> np.ndarray:
        """Cost of each frame by the relative sides before, (n, 2, 2, 2).

        ``forget``: frames of a gap after which it says e times less.
        """
        costs = np.zeros((len(self.times), *(2,) * _LAGS))
        for lag in range(1, _LAGS + 1):
            other: Any = (slice(lag, None), *[slice(None)] * (lag - 1), 1)
            apart = self._apart(lag, motion[lag - 1], forget)
            costs[other] += apart.reshape(-1, *(1,) * (_LAGS - 1)) / _LAGS
        if len(self.times) > _LAGS:
            known = self.steady()
            count = np.maximum(known.sum(1), 1)
            clear = known * self._clear(_LAGS, motion[_LAGS])
            straight = self.poses[0, _LAGS:] - self.ahead((0, 0, 0))
            straight = _cap(straight, motion[_LAGS])
            for sides in np.ndindex(*costs.shape[1:]):
                steps = self.poses[0, _LAGS:] - self.ahead(sides)
                far = _cap(steps, motion[_LAGS]) - straight
                far = _AHEAD_WEIGHT * (far * clear).sum(1) / count
                costs[_LAGS:][(slice(None),) + sides] += far
        return costs

    def _clear(self, lag: int, motion: float) -> np.ndarray:
        """Distance between both sides, from 0 to 1, (n - lag, k)."""
        across = np.linalg.norm(self.poses[0] - self.poses[1], axis=-1)
        both = np.all(self.seen, axis=0)
        now = np.where(both[lag:], across[lag:], np.inf)
        before = np.where(both[:-lag], across[:-lag], np.inf)
        across = np.minimum(now, before)
        return 1 / (1 + (_CLEAR * motion / np.maximum(across, 1e-9)) ** 2)

    def _apart(self, lag: int, motion: float, forget: float) -> np.ndarray:
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
        total *= self._clear(lag, motion)
        mean = total.sum(1) / np.maximum(count.sum(1), 1)
        return mean * np.exp(-gap / forget)


def _cap(steps: np.ndarray, motion: float) -> np.ndarray:
    return np.minimum(np.linalg.norm(steps, axis=-1), _CAP) / motion


class SwapDecoder:
    """Decides which frames are swapped; frames may come bit by bit.

    Later frames may change what is said of earlier ones: a stream pushes a
    frame, asks for :meth:`swapped` of those within its look-ahead and lets
    go of the one that it emits. With all frames pushed the decision is that
    of :func:`unswap` at the same ``scale``, however they were cut. The scale
    may be replaced on the way.
    """

    def __init__(
        self, chains: SwapChains, scale: MotionScale, fps: float = _RATE
    ) -> None:
        self.chains = chains
        self.scale = scale
        self.fps = fps
        self._best = np.zeros((_MEMORY,) * NUM_CHAINS)
        self._back: List[Tuple[np.ndarray, np.ndarray]] = []
        self._past: List[Optional[_Frames]] = [None] * NUM_CHAINS

    def push(
        self,
        keypoints: np.ndarray,
        seen: np.ndarray,
        odds: Optional[np.ndarray] = None,
    ) -> None:
        """Take further frames (n, K, D), with seen and odds (n, K)."""
        count, poses = len(keypoints), keypoints / self.scale.size
        costs = np.zeros((count, NUM_CHAINS, *_BITS.shape[1:]))
        shown = np.zeros((count, NUM_CHAINS), bool)
        for n in range(NUM_CHAINS):
            new = _Frames.of(poses, seen, self.chains, n)
            every = new.after(self._past[n])
            self._past[n] = every.last(_LAGS, count)
            table = every.costs(self.scale.motion[n], _FORGET * self.fps)
            table = table[len(every.times) - len(new.times) :]
            table = table[(slice(None),) + _RELATIVE] / NUM_CHAINS
            costs[new.times, n] = table
            shown[new.times, n] = True
        sides = np.zeros((count, *_STATE_COST.shape))
        sides[shown.any(1)] = _STATE_COST * _RATE / self.fps
        if odds is not None:
            sides -= self._mean_odds(odds, seen)
        for frame in zip(costs, shown, sides):
            self._step(*frame)

    def swapped(self, first: int = 0) -> np.ndarray:
        """Swapped keypoints from a frame on, as far as known, bool (n, K)."""
        state = list(np.unravel_index(self._best.argmin(), self._best.shape))
        count = len(self._back)
        found = np.zeros((count - first, NUM_CHAINS + 1), bool)
        for t in range(count - 1, first - 1, -1):
            found[t - first, :NUM_CHAINS] = np.array(state) >= _MEMORY // 2
            oldest, shown = self._back[t]
            for n in np.flatnonzero(shown)[::-1]:
                bit = int(oldest[tuple(state)]) >> n & 1
                state[n] = (state[n] * 2) % _MEMORY + bit
        # Keypoints without another side are in chain -1: never swapped.
        return found[:, self.chains.chains]

    def let_go(self, count: int) -> None:
        """Forget the first frames: nothing is said of them any more."""
        del self._back[:count]

    def _mean_odds(self, odds: np.ndarray, seen: np.ndarray) -> np.ndarray:
        """Mean log-odds of the swapped chains, (n, 2, 2, 2)."""
        known = np.isfinite(odds) & seen
        odds = np.where(known, odds, 0)
        total = np.zeros((len(odds), *_STATE_COST.shape))
        for n in range(NUM_CHAINS):
            own = self.chains.chains == n
            count = np.maximum(known[:, own].sum(1), 1)
            mean = odds[:, own].sum(1) / count / NUM_CHAINS
            total += mean[:, None, None, None] * _SWAPPED[n]
        return total

    def _step(
        self, costs: np.ndarray, shown: np.ndarray, sides: np.ndarray
    ) -> None:
        """A frame: each chain that is seen forgets its oldest side."""
        best, oldest = self._best, np.zeros(self._best.shape, np.uint8)
        for n in np.flatnonzero(shown):
            shape = (2,) * _LAGS + (-1,)
            before = np.moveaxis(best, n, 0).reshape(shape)
            total = before[None] + costs[n][..., None]
            first, second = total[:, :, :, 0], total[:, :, :, 1]
            bits = (second < first).astype(np.uint8) << np.uint8(n)
            shape = (_MEMORY,) * NUM_CHAINS
            best = np.minimum(first, second).reshape(shape)
            best = np.moveaxis(best, 0, n)
            oldest |= np.moveaxis(bits.reshape(shape), 0, n)
        newest = best.reshape((2, _MEMORY // 2) * NUM_CHAINS)
        newest = newest + sides[:, None, :, None, :, None]
        self._best = newest.reshape(best.shape)
        self._best -= self._best.min()
        self._back.append((oldest, shown))
