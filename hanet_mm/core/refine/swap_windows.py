# Copyright (c) hanet_mm contributors. All rights reserved.
"""The cheapest sides of many short sequences at once.

The decision of :class:`SwapDecoder`, without its memory of bits: training
windows need it by the thousand. T frames, S sequences, K keypoints.
"""

import numpy as np

from ..data.lengths import lengths
from ..poses.boxes import unit_length
from .frame_rate import USUAL_RATE
from .swap_blocks import MEMORY, run_beside
from .swap_chains import NUM_CHAINS, SwapChains
from .swap_costs import LAGS, LEAST_MOTION, ChainFrames
from .swap_decoder import side_costs, state_cost

_HALF = MEMORY // 2
_SIDES = (2,) * (1 + LAGS)


def swapped_windows(
    keypoints: np.ndarray,
    seen: np.ndarray,
    chains: SwapChains,
    fps: float = USUAL_RATE,
) -> np.ndarray:
    """Swapped keypoints of sequences (T, S, K, D), bool (T, S, K).

    ``seen`` is bool, (T, S, K).
    """
    frames, people = seen.shape[:2]
    sizes = [unit_length(keypoints[:, i], seen[:, i]) for i in range(people)]
    poses = keypoints / np.array(sizes, keypoints.dtype)[:, None, None]
    costs = np.zeros((frames, NUM_CHAINS, people, *_SIDES))
    shown = np.zeros((frames, NUM_CHAINS, people), bool)
    for n in range(NUM_CHAINS):
        chain = ChainFrames.of(poses, seen, chains, n)
        real = chain.seen[0].any(-1)
        place = (chain.times[real], n, np.nonzero(real)[1])
        every = chain.after(chain.none_before())
        costs[place] = side_costs(every, _chain_motion(chain), fps)[real]
        shown[place] = True
    found = np.zeros((frames, people, NUM_CHAINS + 1), bool)
    maybe = ~_surely_none(costs, shown, fps)
    if maybe.any():
        found[:, maybe, :NUM_CHAINS] = _best_sides(
            costs[:, :, maybe], shown[:, :, maybe], fps
        )
    # Keypoints without another side are in chain -1: never swapped.
    return found[..., chains.chains]


def _chain_motion(chain: ChainFrames) -> np.ndarray:
    """What :func:`measure_motion` measures of a chain, (4, S)."""
    motion = np.full((LAGS + 1, chain.times.shape[1]), LEAST_MOTION)
    poses, seen = chain.poses[0], chain.seen[0]
    for lag in range(1, LAGS + 1):
        motion[lag - 1] *= np.sqrt(lag)
        _raise_to_median(
            motion[lag - 1],
            poses[lag:] - poses[:-lag],
            seen[lag:] & seen[:-lag],
        )
    if len(poses) > LAGS:
        ahead = poses[LAGS:] - chain.ahead((0,) * LAGS)
        _raise_to_median(motion[LAGS], ahead, chain.steady())
    return motion


def _raise_to_median(
    motion: np.ndarray, steps: np.ndarray, known: np.ndarray
) -> None:
    """Raise (S,) to the median lengths of known steps (n, S, k, D)."""
    if not known.any():
        return
    far = np.where(known, lengths(steps), np.inf)
    far = np.sort(far.swapaxes(0, 1).reshape(far.shape[1], -1), axis=-1)
    count = known.sum((0, 2))
    who = np.arange(len(far))
    median = far[who, np.maximum(count - 1, 0) // 2] + far[who, count // 2]
    np.maximum(motion, np.where(count > 0, median / 2, 0), out=motion)


def _surely_none(
    costs: np.ndarray, shown: np.ndarray, fps: float
) -> np.ndarray:
    """Sequences in which no chain can be swapped at a gain, (S,).

    Costs are (T, 3, S, 2, 2, 2, 2), shown (T, 3, S). Each chain is decided
    for itself, at the least that its swap costs together with others: if all
    of them stay then, they stay together.
    """
    together = np.indices((2,) * NUM_CHAINS).sum(0)
    least = (state_cost(fps) / np.maximum(together, 1))[together > 0].min()
    best = np.zeros((*shown.shape[1:], MEMORY))
    for cost, seen in zip(costs, shown):
        shape = (*seen.shape, -1, _HALF, 2)
        total = best.reshape(shape) + cost.reshape(shape)
        new = total.min(-1).reshape(best.shape)
        best = np.where(seen[..., None], new, best)
        best[..., _HALF:] += least * seen.any(0)[:, None]
    return (best.min(-1) >= 0).all(0)


def _best_sides(
    costs: np.ndarray, shown: np.ndarray, fps: float
) -> np.ndarray:
    """Swapped chains (T, S, 3) by dynamic programming over all of them."""
    frames, _, people = shown.shape
    costs = np.moveaxis(costs, 2, -1).reshape(frames, NUM_CHAINS, -1, people)
    there = shown.any(1)[:, None]
    best, bits = run_beside(
        np.zeros((MEMORY**NUM_CHAINS, people)),
        costs,
        shown.swapaxes(1, 2),
        state_cost(fps).reshape(1, -1, 1) * there,
    )
    return _trace_back(best.argmin(0), bits, shown)


def _trace_back(
    last: np.ndarray, bits: np.ndarray, shown: np.ndarray
) -> np.ndarray:
    """Swapped chains (T, S, 3) from the best last states, (S,)."""
    frames, _, people = shown.shape
    state = list(np.unravel_index(last, (MEMORY,) * NUM_CHAINS))
    found = np.zeros((frames, people, NUM_CHAINS), bool)
    who = np.arange(people)
    for t in range(frames - 1, -1, -1):
        found[t] = np.stack(state, -1) >= _HALF
        for n in range(NUM_CHAINS - 1, -1, -1):
            # The axes were turned until this chain was the first.
            turned = [state[(n + i) % NUM_CHAINS] for i in range(NUM_CHAINS)]
            place = np.ravel_multi_index(turned, (MEMORY,) * NUM_CHAINS)
            past = state[n] * 2 % MEMORY + bits[t, n, place, who]
            state[n] = np.where(shown[t, n], past, state[n])
    return found
