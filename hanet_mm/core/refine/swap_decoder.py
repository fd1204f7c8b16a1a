# Copyright (c) hanet_mm contributors. All rights reserved.
"""The cheapest sides of a sequence, by dynamic programming over time."""

from bisect import bisect_left, bisect_right
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

from ..data.blocks import alike_groups, row_blocks
from .frame_rate import USUAL_RATE
from .swap_blocks import MEMORY, run_forward, run_together
from .swap_chains import NUM_CHAINS, SwapChains
from .swap_costs import (
    LAGS,
    PART,
    ChainFrames,
    MotionScale,
    measure_motions,
    side_by_side,
)
from .swap_past import PastChains

# Seconds of a gap after which it says e times less which side is which.
_FORGET = 0.5
# Frames of all persons that are costed together: those of a block.
_FEW = 16
# Cost of a frame swapped as a whole, and in part (times its share of chains),
# at 30 frames per second: a swap costs by the time that it lasts.
_WHOLE_COST, _PART_COST = 0.2, 0.4

_BITS = np.indices((2,) * (1 + LAGS))
# Of a frame and those before, which sides these have relative to it, (16, ).
_RELATIVE = np.ravel_multi_index(
    tuple(_BITS[0] ^ _BITS[1:]), (2,) * LAGS
).ravel()
_SWAPPED = np.indices((2,) * NUM_CHAINS)
_SHARE = _SWAPPED.mean(0)
_STATE_COST = np.where(_SHARE == 1, _WHOLE_COST, _PART_COST * _SHARE)


def side_costs(
    frames: ChainFrames, motion: np.ndarray, fps: Union[float, np.ndarray]
) -> np.ndarray:
    """Cost of the sides of a chain in four frames, (n - 3, ..., 2, 2, 2, 2).

    Of the frames that have three before.
    """
    costs = frames.costs(motion, _FORGET * fps) / NUM_CHAINS
    shape = costs.shape[:-LAGS]
    costs = costs.reshape(*shape, 2**LAGS).take(_RELATIVE, axis=-1)
    return costs.reshape(*shape, *_BITS.shape[1:])


def state_cost(fps: Union[float, np.ndarray]) -> np.ndarray:
    """Cost of swapped chains in a frame, (2, 2, 2).

    Of several rates (P, 1, 1, 1): (P, 2, 2, 2).
    """
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
        # Frames, counted from the very first one, before which a path that
        # ends in no swap at all was in one; and how many are forgotten.
        self._loud: List[int] = []
        self._gone = 0
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
            every = new.after(self._past.of_chain(n, poses.shape[-1]))
            self._past.replace(n, every.last(LAGS, count))
            costs[new.times, n] = side_costs(
                every, self.scale.motion[n], self.fps
            )
            shown[new.times, n] = True
        return costs, shown

    def swapped(self, first: int = 0) -> np.ndarray:
        """Swapped keypoints from a frame on, as far as known, bool (n, K)."""
        found = np.zeros((len(self) - first, NUM_CHAINS + 1), bool)
        best = int(self._best.argmin())
        state = [best // MEMORY**n % MEMORY for n in range(NUM_CHAINS)][::-1]
        t = len(self) - 1
        while t >= first:
            if not any(state):
                # Nothing is swapped back to the frame where this may change.
                later = bisect_right(self._loud, t + self._gone)
                t = self._loud[later - 1] - self._gone if later else -1
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
        count = min(count, len(self))
        del self._oldest[:count], self._shown[:count]
        self._gone += count
        del self._loud[: bisect_left(self._loud, self._gone)]

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
        found = run_forward(self._best, costs, shown, sides)
        self._remember(found.best, *_steps_back(found.bits), shown)

    def _remember(
        self,
        best: np.ndarray,
        oldest: np.ndarray,
        loud: np.ndarray,
        shown: np.ndarray,
    ) -> None:
        """Remember what was found of n further frames."""
        self._best = best
        first = self._gone + len(self)
        self._loud += [first + t for t, x in enumerate(loud.tolist()) if x]
        self._oldest += [x.tobytes() for x in oldest]
        # Of many frames few are different.
        same: Dict[Tuple[bool, ...], Tuple[bool, ...]] = {}
        every = map(tuple, shown.tolist())
        self._shown += [same.setdefault(x, x) for x in every]


def _steps_back(bits: np.ndarray) -> Tuple[np.ndarray, np.ndarray]:
    """What is remembered of bits (..., 3, 512): packed (..., 192), and
    whether a path that ends in no swap at all was in one before (..., ).
    """
    packed = np.packbits(bits, axis=-1)
    return packed.reshape(*bits.shape[:-2], -1), bits[..., 0].any(-1)


class NewFrames(NamedTuple):
    """Frames that a decoder is to take: keypoints (n, K, D), seen (n, K).

    ``measured``: keypoints (F, K, D) and seen (F, K) of all frames by which
    the scale of the decoder is to be measured anew before.
    """

    decoder: SwapDecoder
    keypoints: np.ndarray
    seen: np.ndarray
    measured: Optional[Tuple[np.ndarray, np.ndarray]] = None


def push_frames(new: Sequence[NewFrames]) -> None:
    """Push frames into each of several decoders of the same chains.

    Motion is measured, and what sides cost computed for a few frames, for all
    persons and chains together.
    """
    _measure_anew([x for x in new if x.measured is not None])
    groups: Dict[int, List[NewFrames]] = {}
    for one in new:
        groups.setdefault(len(one.keypoints), []).append(one)
    for count, group in groups.items():
        if count > _FEW:
            for decoder, keypoints, seen, _ in group:
                decoder.push(keypoints, seen)
        elif count:
            _push_together(group)


def _measure_anew(new: Sequence[NewFrames]) -> None:
    """Replace the scales of these decoders."""
    frames = [x.measured for x in new if x.measured is not None]
    for group in alike_groups([len(x) for x, _ in frames], [0] * len(frames)):
        keypoints, seen = zip(*(frames[i] for i in group))
        chains = new[group[0]].decoder.chains
        scales = measure_motions(keypoints, seen, chains)
        for i, scale in zip(group, scales):
            new[i].decoder.scale = scale


def _push_together(new: Sequence[NewFrames]) -> None:
    """Push equally many frames into several decoders."""
    decoders = [x.decoder for x in new]
    past = [x._past for x in decoders]
    sides, exist = past[0].sides, past[0].exist
    # (2, n, P, C, k) of n frames, P persons and C chains.
    seen = side_by_side([x.seen for x in new], 1)
    seen = (seen[:, :, sides] & exist).transpose(2, 0, 1, 3, 4)
    scaled = [x.keypoints / x.decoder.scale.size for x in new]
    poses = side_by_side(scaled, 1)[:, :, sides].transpose(2, 0, 1, 3, 4, 5)
    poses = np.where(seen[..., None], poses, 0).astype(np.float64)
    shown = seen[0].any(-1)
    now = ChainFrames.packed(poses, seen, shown)
    before = [x.begin(poses.shape[-1]) for x in past]
    every = now.after(
        ChainFrames(
            side_by_side([x.poses for x in before], 2),
            side_by_side([x.seen for x in before], 2),
            side_by_side([x.times for x in before], 1),
        )
    )
    motion = side_by_side([x.scale.motion.T for x in decoders], 1)
    fps = np.array([x.fps for x in decoders])
    costs = side_costs(every, motion, fps[:, None])
    if not shown.all():
        place: Any = (now.times, *np.ogrid[tuple(map(slice, shown.shape))][1:])
        packed, costs = costs, np.empty_like(costs)
        costs[place] = packed
    kept = every.last_of_each(shown)
    sides = (
        state_cost(fps.reshape(-1, 1, 1, 1))
        * shown.any(-1)[..., None, None, None]
    )
    best, bits = run_together([x._best for x in decoders], costs, shown, sides)
    back = zip(best, *_steps_back(bits), shown.swapaxes(0, 1))
    for person, (decoder, found) in enumerate(zip(decoders, back)):
        decoder._remember(*found)
        decoder._past.frames = ChainFrames(
            kept.poses[:, :, person],
            kept.seen[:, :, person],
            kept.times[:, person],
        )
