# Copyright (c) hanet_mm contributors. All rights reserved.
"""Swaps of left and right in a stream."""

from typing import List, Optional, Sequence

import numpy as np

from ..refine.frame_rate import native_rate
from ..refine.root_path import relative_to_root
from ..refine.swap_chains import SwapChains
from ..refine.swap_costs import measure_motion
from ..refine.swap_decoder import NewFrames, SwapDecoder, push_frames

# Frames after which the motion is measured anew, and until when each time.
_EVERY, _FIRST = 10, 20


class StreamSides:
    """Decides which frames of the buffer are swapped, anew with each frame.

    The motion that costs go by is that of the buffer. Where no frame follows
    and none was dropped all is decided as :func:`unswap` does it, and with
    joints ``root`` as :meth:`RefineInputs.unswap` does it.
    """

    def __init__(
        self,
        chains: SwapChains,
        rate: Optional[float],
        fps: Optional[float],
        root: Optional[Sequence[int]] = None,
    ) -> None:
        self.chains = chains
        self._deciders = [
            _SideDecider(chains, rate, fps, joints)
            for joints in ([None, root] if root else [None])
        ]

    def decide(
        self,
        keypoints: np.ndarray,
        seen: np.ndarray,
        position: np.ndarray,
        last: bool = False,
    ) -> np.ndarray:
        """Swapped keypoints of all frames of the buffer, bool (F, K)."""
        push_frames(self.take(keypoints, seen, position, last))
        return self.swapped(seen)

    def take(
        self,
        keypoints: np.ndarray,
        seen: np.ndarray,
        position: np.ndarray,
        last: bool = False,
    ) -> List[NewFrames]:
        """Take new frames, to be pushed before :meth:`swapped` is asked.

        They may be pushed together with those of other persons.
        """
        return [
            x.take(keypoints, seen, position, last) for x in self._deciders
        ]

    def swapped(self, seen: np.ndarray) -> np.ndarray:
        """What is decided of all frames now, bool (F, K)."""
        flags, *others = (x.swapped() for x in self._deciders)
        for other in others:
            flags &= other
        if flags.any():
            flags &= seen | seen[:, self.chains.flip_indices]
        return flags

    def reset(self) -> None:
        """Decide of the whole buffer anew: frames are seen otherwise."""
        for decider in self._deciders:
            decider.reset()

    def drop(self, count: int) -> None:
        """Forget the first frames of the buffer."""
        for decider in self._deciders:
            decider.drop(count)


class _SideDecider:
    """Decides by places in space, or relative to the joints ``root``."""

    def __init__(
        self,
        chains: SwapChains,
        rate: Optional[float],
        fps: Optional[float],
        root: Optional[Sequence[int]] = None,
    ) -> None:
        self._chains = chains
        self._root = root
        self._rate = rate
        self._fps = fps
        self._decoder: Optional[SwapDecoder] = None
        self._count = 0  # frames that the decoder knows of the buffer
        self._since = 0  # frames since the motion was measured
        self._whole = True

    def take(
        self,
        keypoints: np.ndarray,
        seen: np.ndarray,
        position: np.ndarray,
        last: bool = False,
    ) -> NewFrames:
        """Take new frames, to be pushed."""
        if self._root:
            keypoints = relative_to_root(keypoints, seen, self._root)
        new = len(keypoints) - self._count
        self._since += new
        decoder = None if last and self._whole else self._decoder
        measured = None
        if decoder is None:
            scale = measure_motion(keypoints, seen, self._chains)
            fps = self._fps or native_rate(position, self._rate)
            decoder = SwapDecoder(self._chains, scale, fps)
            new = len(keypoints)
        elif self._since >= _EVERY or len(keypoints) < _FIRST:
            measured = keypoints, seen
            self._since = 0
        self._decoder, self._count = decoder, len(keypoints)
        first = len(keypoints) - new
        return NewFrames(decoder, keypoints[first:], seen[first:], measured)

    def swapped(self) -> np.ndarray:
        """What is decided of all frames now, bool (F, K)."""
        if self._decoder is None:
            raise RuntimeError('sides are asked for before frames are taken')
        return self._decoder.swapped()

    def reset(self) -> None:
        """Decide of the whole buffer anew: frames are seen otherwise."""
        self._decoder, self._count = None, 0

    def drop(self, count: int) -> None:
        """Forget the first frames of the buffer."""
        self._whole = False
        self._count -= count
        if self._decoder is not None:
            self._decoder.let_go(count)
