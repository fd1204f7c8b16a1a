# Copyright (c) hanet_mm contributors. All rights reserved.
"""Settings of all persons of a stream, and frames that come out."""

from typing import Callable, NamedTuple, Optional

import numpy as np
from torch import Tensor

from ..refine.frame_rate import count_phases, frame_steps, limit_rate
from ..refine.refiner import Refiner
from ..refine.rigid import RigidBody
from ..refine.swap_chains import SwapChains
from .arguments import block_length


class StreamSettings(NamedTuple):
    """Settings of all persons of a stream: window T, K, D and the latency.

    ``stride`` and ``taper`` are those of the refiner. ``lookahead`` and
    ``block`` are in refiner frames, ``max_gap`` in frames of the stream.
    ``chains`` are those of a refiner that keeps to the evidence and ``body``
    that of one of 3D poses, ``redefine`` changes poses to the joint
    definitions that it learnt. ``rate`` is that of the refiner and ``fps``
    that of the stream, where known; it has ``phases`` frames for one of the
    refiner.
    """

    window: int
    stride: int
    taper: bool
    lookahead: int
    block: int
    max_gap: Optional[int]
    normalization: str
    num_keypoints: int
    coord_dims: int
    redefine: Callable[[Tensor], Tensor]
    chains: Optional[SwapChains] = None
    body: Optional[RigidBody] = None
    rate: Optional[float] = None
    fps: Optional[float] = None
    phases: int = 1

    @property
    def delay(self) -> int:
        """Frames that a window waits for gaps to close."""
        return max(self.lookahead - (self.window - 1), 0)

    @property
    def memory(self) -> int:
        """Frames of the refiner that a stream remembers, at least T."""
        return self.window + self.delay


def make_settings(
    refiner: Refiner,
    lookahead: int,
    rate: Optional[float],
    fps: Optional[float],
    max_gap: Optional[int],
) -> StreamSettings:
    """Settings of a stream at ``fps``, refined at a ``rate``."""
    head = refiner.network.head
    phases = 1
    if fps and rate:
        phases = count_phases(float(frame_steps(1 / fps, rate)))
    return StreamSettings(
        window=refiner.window_size,
        stride=refiner.stride,
        taper=refiner.taper,
        lookahead=lookahead,
        block=block_length(lookahead, refiner),
        max_gap=max_gap,
        normalization=refiner.normalization,
        num_keypoints=head.num_keypoints,
        coord_dims=head.coord_dims,
        redefine=head.redefine,
        chains=refiner.chains,
        body=refiner.body,
        rate=rate,
        fps=fps and limit_rate(fps),
        phases=phases,
    )


class StreamedFrame(NamedTuple):
    """A refined frame of a stream.

    Attributes:
        index (int): Number of the frame.
        keypoints (np.ndarray): Refined, (K, D) in the coordinates given;
            rotations in the shape given. NaN where they were left empty.
        filled (np.ndarray): Keypoints that the estimator had not found and
            that were filled, bool, (K, ).
        timestamp (float, optional): Seconds; None if not known.
        swapped (np.ndarray, optional): Keypoints that changed places with the
            other side, bool, (K, ); None from refiners that do not look.
        reason (np.ndarray, optional): Why each keypoint was changed, uint8
            (K, ), see :class:`RefineResult`.
    """

    index: int  # type: ignore[assignment]  # tuple.index is not used
    keypoints: np.ndarray
    filled: np.ndarray
    timestamp: Optional[float]
    swapped: Optional[np.ndarray] = None
    reason: Optional[np.ndarray] = None
