# Copyright (c) hanet_mm contributors. All rights reserved.
"""Forward pass over the sides of many frames, in blocks side by side.

What a side costs now hardly depends on what was long ago: the least costs of
all states, as found from some frames before a block on, are those of the
whole sequence but for a constant. So blocks begin some frames early, all at
once. Where the end of a block is not what the next one had before its own
first frame, the next one runs again, from there: the result is exact.

A state is the sides of the three chains in the last three frames, (8, 8, 8). n
frames, B blocks.
"""

from typing import NamedTuple, Sequence, Tuple

import numpy as np

from .swap_chains import NUM_CHAINS
from .swap_costs import LAGS

# Sides of a chain in so many frames are a state.
MEMORY = 2**LAGS
_HALF, _REST = MEMORY // 2, MEMORY ** (NUM_CHAINS - 1)
# Costs grow with time: after so many frames the least one is taken off.
_CLEAN_UP = 64
# Frames before a block, fewest frames of a block, and most blocks at once.
_EARLY, _LEAST, _MOST = 96, 96, 32
# Fewer blocks, or persons, gain nothing.
_WORTH = 4
# Costs are alike that differ by less: their rounding is far below.
_ALIKE = 1e-7


class Forward(NamedTuple):
    """Least costs of the states, and how each was reached.

    Attributes:
        best (np.ndarray): Of the last frame, up to a constant, (8, 8, 8).
        bits (np.ndarray): Which of the oldest sides was the better one, of
            all frames and chains, bool (n, 3, 512).
    """

    best: np.ndarray
    bits: np.ndarray


def run_forward(
    best: np.ndarray, costs: np.ndarray, shown: np.ndarray, sides: np.ndarray
) -> Forward:
    """Go through frames: each chain seen forgets its oldest side.

    Args:
        best (np.ndarray): Least costs of the states before, (8, 8, 8).
        costs (np.ndarray): See :func:`side_costs`, (n, 3, 2, 2, 2, 2).
        shown (np.ndarray): Whether a chain is seen, bool (n, 3).
        sides (np.ndarray): Costs of swapped chains, (n, 2, 2, 2).

    Returns:
        Forward: Costs of the states after these frames.
    """
    count = len(costs)
    blocks = min(count // _LEAST, _MOST)
    if blocks < _WORTH:
        return _run_alone(best, costs, shown, sides)
    size = -(-count // blocks)
    first = size * np.arange(blocks)
    frames = first + np.arange(-_EARLY, size)[:, None]
    given = (frames >= 0) & (frames < count)
    frames = frames.clip(0, count - 1)
    # Nothing is seen in frames that do not exist.
    seen = shown[frames] & given[..., None]
    cost = np.moveaxis(costs.reshape(count, NUM_CHAINS, -1)[frames], 1, -1)
    side = np.moveaxis(sides.reshape(count, -1)[frames], 1, -1)
    side = np.where(given[:, None], side, 0)
    start = np.full((MEMORY**NUM_CHAINS, blocks), np.inf)
    start[0] = 0
    # Blocks that begin at the first frame begin as they shall.
    start[:, first <= _EARLY] = best.reshape(-1, 1)
    own = slice(_EARLY)
    begin, _ = run_beside(start, cost[own], seen[own], side[own])
    own = slice(_EARLY, None)
    end, bits = run_beside(begin, cost[own], seen[own], side[own])
    # As frames come, (n, 3, 512).
    bits = np.ascontiguousarray(np.moveaxis(bits, -1, 0))
    bits = bits.reshape(-1, *bits.shape[2:])[:count]
    last = end[:, 0]
    for block in range(1, blocks):
        if _alike(last, begin[:, block]):
            last = end[:, block]
            continue
        rows = slice(first[block], first[block] + size)
        again = _run_alone(
            last.reshape(best.shape), costs[rows], shown[rows], sides[rows]
        )
        bits[rows] = again.bits
        last = again.best.reshape(-1)
    return Forward(last.reshape(best.shape).copy(), bits)


def _alike(one: np.ndarray, other: np.ndarray) -> bool:
    """Whether costs of states (512, ) are the same but for a constant."""
    if not np.isfinite(other).all():
        return False
    return bool(np.abs(one - one.min() - (other - other.min())).max() < _ALIKE)


def run_together(
    best: Sequence[np.ndarray],
    costs: np.ndarray,
    shown: np.ndarray,
    sides: np.ndarray,
) -> Forward:
    """:func:`run_forward` for a few frames of P persons.

    Args:
        best (Sequence[np.ndarray]): Of each person, (8, 8, 8).
        costs (np.ndarray): (n, P, 3, 2, 2, 2, 2).
        shown (np.ndarray): Bool (n, P, 3).
        sides (np.ndarray): (n, P, 2, 2, 2).

    Returns:
        Forward: With an axis of persons first: (P, 8, 8, 8) and bits
        (P, n, 3, 512).
    """
    count, people = shown.shape[:2]
    if people < _WORTH:
        own = zip(best, *(x.swapaxes(0, 1) for x in (costs, shown, sides)))
        found = [_run_alone(*x) for x in own]
        return Forward(*(np.array(x) for x in zip(*found)))
    cost = costs.reshape(count, people, NUM_CHAINS, -1)
    side = sides.reshape(count, people, -1)
    last, bits = run_beside(
        np.stack([x.ravel() for x in best], axis=-1),
        np.ascontiguousarray(cost.transpose(0, 2, 3, 1)),
        shown,
        np.ascontiguousarray(side.swapaxes(1, 2)),
    )
    return Forward(
        np.ascontiguousarray(last.T).reshape(-1, *best[0].shape),
        bits.transpose(3, 0, 1, 2),
    )


def run_beside(
    best: np.ndarray, costs: np.ndarray, shown: np.ndarray, sides: np.ndarray
) -> Tuple[np.ndarray, np.ndarray]:
    """:func:`run_forward` for B blocks or sequences of n frames.

    Args:
        best (np.ndarray): (512, B).
        costs (np.ndarray): (n, 3, 16, B).
        shown (np.ndarray): Bool (n, B, 3).
        sides (np.ndarray): (n, 8, B).

    Returns:
        Tuple[np.ndarray, np.ndarray]: Costs of the states after these frames,
        (512, B), and bits (n, 3, 512, B).
    """
    count, blocks = len(costs), best.shape[-1]
    costs = costs.reshape(count, NUM_CHAINS, 2, _HALF, 2, 1, blocks)
    sides = sides.reshape(count, 2, 1, 2, 1, 2, 1, blocks)
    bits = np.empty((count, NUM_CHAINS, 2, _HALF, _REST, blocks), bool)
    first, second = np.empty((2, *bits.shape[2:]))
    # Two buffers are read and written in turns; what is written has its axes
    # turned by one: the next chain comes first.
    turns = [best.copy(), np.empty_like(best)]
    given = [x.reshape(_HALF, 2, _REST, blocks) for x in turns]
    kept = [x.reshape(2, _HALF, _REST, blocks) for x in turns]
    turned = [
        x.reshape(_REST, 2, _HALF, blocks).transpose(1, 2, 0, 3) for x in turns
    ]
    whole = [x.reshape(*(2, _HALF) * NUM_CHAINS, blocks) for x in turns]
    every = shown.all(1).tolist()
    now = 0
    for t in range(count):
        for n in range(NUM_CHAINS):
            cost, flags, new = costs[t, n], bits[t, n], turned[1 - now]
            np.add(given[now][:, 0], cost[:, :, 0], out=first)
            np.add(given[now][:, 1], cost[:, :, 1], out=second)
            np.less(second, first, out=flags)
            np.minimum(first, second, out=new)
            if not every[t][n]:
                away = ~shown[t, :, n]
                flags[..., away] = False
                new[..., away] = kept[now][..., away]
            now = 1 - now
        np.add(whole[now], sides[t], out=whole[now])
        if t % _CLEAN_UP == 0:
            turns[now] -= turns[now].min(0)
    return turns[now], bits.reshape(*bits.shape[:2], -1, blocks)


def _run_alone(
    best: np.ndarray, costs: np.ndarray, shown: np.ndarray, sides: np.ndarray
) -> Forward:
    """:func:`run_forward`, one frame after the other."""
    count = len(costs)
    costs = costs.reshape(count, NUM_CHAINS, 2, _HALF, 2, 1)
    sides = sides[:, :, None, :, None, :, None]
    bits = np.zeros((count, NUM_CHAINS, 2, _HALF, _REST), bool)
    total = np.empty((2, _HALF, 2, _REST))
    first, second = total[:, :, 0], total[:, :, 1]
    # As above.
    turns = [best.copy(), np.empty_like(best)]
    given = [x.reshape(_HALF, 2, _REST) for x in turns]
    kept = [x.reshape(2, _HALF, _REST) for x in turns]
    turned = [x.reshape(_REST, 2, _HALF).transpose(1, 2, 0) for x in turns]
    whole = [x.reshape((2, _HALF) * NUM_CHAINS) for x in turns]
    now = 0
    for t, seen in enumerate(shown.tolist()):
        cost, flags = costs[t], bits[t]
        for n in range(NUM_CHAINS):
            if seen[n]:
                np.add(given[now], cost[n], out=total)
                np.less(second, first, out=flags[n])
                np.minimum(first, second, out=turned[1 - now])
            else:
                turned[1 - now][...] = kept[now]
            now = 1 - now
        np.add(whole[now], sides[t], out=whole[now])
        if t % _CLEAN_UP == 0:
            turns[now] -= turns[now].min()
    return Forward(turns[now], bits.reshape(count, NUM_CHAINS, -1))
