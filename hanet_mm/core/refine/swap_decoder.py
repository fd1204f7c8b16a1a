# Copyright (c) hanet_mm contributors. All rights reserved.
"""The cheapest sides of a sequence, by dynamic programming over time."""

from bisect import bisect_right
from typing import (
    Any,
    Dict,
    List,
    NamedTuple,
    Optional,
    Sequence,
    Tuple,
    Union,
)

import numpy as np

from ..data.blocks import row_blocks
from .frame_rate import USUAL_RATE
from .swap_blocks import MEMORY, run_forward
from .swap_chains import NUM_CHAINS, SwapChains
from .swap_costs import LAGS, PART, ChainFrames, MotionScale
from .swap_past import PastChains

# Seconds of a gap after which it says e times less which side is which.
_FORGET = 0.5
# Cost of a frame swapped as a whole, and in part (times its share of chains),
# at 30 frames per second: a swap costs by the time that it lasts.
_WHOLE_COST, _PART_COST = 0.2, 0.4

_BITS = np.indices((2,) * (1 + LAGS))
# Sides of the frames before relative to that of a frame, (3, 2, 2, 2, 2).
_RELATIVE = tuple(_BITS[0] ^ _BITS[1 + lag] for lag in range(LAGS))
_SWAPPED = np.indices((2,) * NUM_CHAINS)
_SHARE = _SWAPPED.mean(0)
_STATE_COST = np.where(_SHARE == 1, _WHOLE_COST, _PART_COST * _SHARE)


def side_costs(
    frames: ChainFrames, motion: np.ndarray, fps: Union[float, np.ndarray]
) -> np.ndarray:
    """Cost of the sides of a chain in four frames, (n, ..., 2, 2, 2, 2)."""
    costs = frames.costs(motion, _FORGET * fps)
    return costs[(..., *_RELATIVE)] / NUM_CHAINS


def state_cost(fps: float) -> np.ndarray:
    """Cost of swapped chains in a frame, (2, 2, 2)."""
    return _STATE_COST * USUAL_RATE / fps


class SwapDecoder:
    """Decides which frames are swapped; frames may come bit by bit.

    Later frames may change what is said of earlier ones: a stream pushes a
    frame, asks for :meth:`swapped` of those within its look-ahead and lets
    go of the one that it emits. With all frames pushed the decision is that
    of :func:`unswap` at the same ``scale``, however they were cut. The scale
    may be replaced on the way.
    """

    def __init__(
        self, chains: SwapChains, scale: MotionScale, fps: float = USUAL_RATE
    ) -> None:
        self.chains = chains
        self.scale = scale
        self.fps = fps
        # Least cost of each state, one axis for each chain.
        self._best = np.zeros((MEMORY,) * NUM_CHAINS)
        # Of each frame and chain (n, 3): which of the oldest sides was the
        # better one, as bits, and whether the chain was seen.
        self._oldest: List[bytes] = []
        self._shown: List[Tuple[bool, ...]] = []
        # Whether a path that ends in no swap at all was in none before.
        self._quiet: List[bool] = []
        self._past = PastChains(chains)

    def __len__(self) -> int:
        """Frames that are remembered."""
        return len(self._shown)

    def push(
        self,
        keypoints: np.ndarray,
        seen: np.ndarray,
        odds: Optional[np.ndarray] = None,
    ) -> None:
        """Take further frames (n, K, D), with seen and odds (n, K)."""
        count = len(keypoints)
        if count == 1 and odds is None:
            push_frames([NewFrames(self, keypoints, seen)])
            return
        costs = np.zeros((count, NUM_CHAINS, *_BITS.shape[1:]))
        shown = np.zeros((count, NUM_CHAINS), bool)
        for rows in row_blocks(count, PART):
            poses = keypoints[rows] / self.scale.size
            costs[rows], shown[rows] = self._chain_costs(poses, seen[rows])
        sides = np.zeros((count, *_STATE_COST.shape))
        sides[shown.any(1)] = state_cost(self.fps)
        if odds is not None:
            sides -= self._mean_odds(odds, seen)
        self._run(costs, shown, sides)

    def _chain_costs(
        self, poses: np.ndarray, seen: np.ndarray
    ) -> Tuple[np.ndarray, np.ndarray]:
        """Costs (n, 3, 2, 2, 2, 2) of the next frames, and chains shown."""
        count = len(poses)
        costs = np.zeros((count, NUM_CHAINS, *_BITS.shape[1:]))
        shown = np.zeros((count, NUM_CHAINS), bool)
        for n in range(NUM_CHAINS):
            new = ChainFrames.of(poses, seen, self.chains, n)
            every = new.after(self._past.of_chain(n))
            self._past.replace(n, every.last(LAGS, count))
            table = side_costs(every, self.scale.motion[n], self.fps)
            costs[new.times, n] = table[len(every.times) - len(new.times) :]
            shown[new.times, n] = True
        return costs, shown

    def swapped(self, first: int = 0) -> np.ndarray:
        """Swapped keypoints from a frame on, as far as known, bool (n, K)."""
        best = np.unravel_index(self._best.argmin(), self._best.shape)
        state = [int(x) for x in best]
        found = np.zeros((len(self) - first, NUM_CHAINS + 1), bool)
        loud = [t for t, quiet in enumerate(self._quiet) if not quiet]
        t = len(self) - 1
        while t >= first:
            if not any(state):
                # Nothing is swapped back to the frame where this may change.
                later = bisect_right(loud, t)
                t = loud[later - 1] if later else -1
                if t < first:
                    break
            found[t - first, :NUM_CHAINS] = [x >= MEMORY // 2 for x in state]
            oldest, shown = self._oldest[t], self._shown[t]
            for n in range(NUM_CHAINS - 1, -1, -1):
                if not shown[n]:
                    continue
                # The axes were turned until this chain was the first.
                place = n
                for turn in range(NUM_CHAINS):
                    place = place * MEMORY + state[(n + turn) % NUM_CHAINS]
                bit = oldest[place >> 3] >> (7 - (place & 7)) & 1
                state[n] = (state[n] * 2) % MEMORY + bit
            t -= 1
        # Keypoints without another side are in chain -1: never swapped.
        return found[:, self.chains.chains]

    def let_go(self, count: int) -> None:
        """Forget the first frames: nothing is said of them any more."""
        del self._oldest[:count], self._shown[:count], self._quiet[:count]

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

    def _run(
        self, costs: np.ndarray, shown: np.ndarray, sides: np.ndarray
    ) -> None:
        """Go through frames: each chain seen forgets its oldest side."""
        self._best, bits = run_forward(self._best, costs, shown, sides)
        packed = np.packbits(bits.reshape(len(bits), -1), axis=-1)
        self._oldest += [x.tobytes() for x in packed]
        # Of many frames few are different.
        same: Dict[Tuple[bool, ...], Tuple[bool, ...]] = {}
        every = map(tuple, shown.tolist())
        self._shown += [same.setdefault(x, x) for x in every]
        self._quiet += (~bits[..., 0].any(1)).tolist()


class NewFrames(NamedTuple):
    """Frames that a decoder is to take: keypoints (n, K, D), seen (n, K)."""

    decoder: SwapDecoder
    keypoints: np.ndarray
    seen: np.ndarray


def push_frames(new: Sequence[NewFrames]) -> None:
    """Push a few frames into each of several decoders of the same chains.

    What sides cost is computed for all persons and chains together.
    """
    groups: Dict[int, List[NewFrames]] = {}
    for one in new:
        groups.setdefault(len(one.keypoints), []).append(one)
    for group in groups.values():
        _push_together(group)


def _push_together(new: Sequence[NewFrames]) -> None:
    """Push equally many frames into several decoders."""
    decoders = [x.decoder for x in new]
    past = [x._past for x in decoders]
    sides, exist = past[0].sides, past[0].exist
    # (2, n, P, C, k) of n frames, P persons and C chains.
    seen = np.stack([x.seen for x in new], axis=1)
    seen = np.moveaxis(seen[..., sides] & exist, 2, 0)
    scaled = [x.keypoints / x.decoder.scale.size for x in new]
    poses = np.moveaxis(np.stack(scaled, axis=1)[:, :, sides], 2, 0)
    poses = np.where(seen[..., None], poses.astype(np.float64), 0)
    shown = seen[0].any(-1)
    before = [x.begin(poses.shape[-1]) for x in past]
    every = ChainFrames(
        np.stack([x.poses for x in before], axis=2),
        np.stack([x.seen for x in before], axis=2),
        np.stack([x.times for x in before], axis=1),
    )
    # Those in which a chain is not seen go behind the others.
    order = np.argsort(~shown, axis=0, kind='stable')
    now = ChainFrames(poses, seen, order)
    if not shown.all():
        now = now.of_rows(order)._replace(times=order)
    every = now.after(every)
    motion = np.stack([x.scale.motion.T for x in decoders], axis=1)
    fps = np.array([x.fps for x in decoders])[:, None]
    costs = np.empty((*shown.shape, *_BITS.shape[1:]))
    place: Any = (order, *np.ogrid[tuple(map(slice, shown.shape))][1:])
    costs[place] = side_costs(every, motion, fps)[LAGS:]
    # A chain that is not seen keeps the frames that it has.
    last = shown.sum(0) + np.arange(LAGS)[:, None, None]
    kept = every.of_rows(last)
    for person, decoder in enumerate(decoders):
        decoder._past.frames = ChainFrames(
            kept.poses[:, :, person],
            kept.seen[:, :, person],
            kept.times[:, person] - len(shown),
        )
        own = shown[:, person]
        side = state_cost(decoder.fps) * own.any(-1)[:, None, None, None]
        decoder._run(costs[:, person], own, side)
