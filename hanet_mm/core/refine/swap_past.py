# Copyright (c) hanet_mm contributors. All rights reserved.
"""Frames that the sides of a next one are compared with."""

from typing import Optional

import numpy as np

from .swap_chains import NUM_CHAINS, SwapChains
from .swap_costs import LAGS, ChainFrames


class PastChains:
    """The last three frames in which each chain was seen, side by side.

    ``frames`` are (2, 3, C, k, D) of C chains with k keypoints, as many as
    the largest has, and times (3, C); None before the first. Keypoints that a
    chain does not have, and frames before its first one, are not seen.
    """

    def __init__(self, chains: SwapChains) -> None:
        own = [np.flatnonzero(chains.chains == n) for n in range(NUM_CHAINS)]
        self._counts = [len(x) for x in own]
        shape = NUM_CHAINS, max(self._counts)
        # Keypoints of both sides, (2, C, k), and whether they exist.
        self.sides = np.zeros((2, *shape), int)
        self.exist = np.zeros(shape, bool)
        for n, places in enumerate(own):
            flipped = chains.flip_indices[places]
            self.sides[:, n, : len(places)] = places, flipped
            self.exist[n, : len(places)] = True
        self.frames: Optional[ChainFrames] = None

    def begin(self, coord_dims: int) -> ChainFrames:
        """The frames; nothing seen before the first."""
        if self.frames is None:
            shape = (2, LAGS, *self.exist.shape)
            self.frames = ChainFrames(
                np.zeros((*shape, coord_dims)),
                np.zeros(shape, bool),
                np.zeros((LAGS, NUM_CHAINS), int),
            )
        return self.frames

    def of_chain(self, n: int, coord_dims: int) -> ChainFrames:
        """Those of chain n alone, (2, 3, k, D)."""
        frames = self.begin(coord_dims)
        own = slice(self._counts[n])
        return ChainFrames(
            frames.poses[:, :, n, own],
            frames.seen[:, :, n, own],
            frames.times[:, n],
        )

    def replace(self, n: int, found: ChainFrames) -> None:
        """Replace those of chain n."""
        frames = self.begin(found.poses.shape[-1])
        own = slice(self._counts[n])
        frames.poses[:, :, n, own] = found.poses
        frames.seen[:, :, n, own] = found.seen
        frames.times[:, n] = found.times
