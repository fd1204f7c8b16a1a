# Copyright (c) hanet_mm contributors. All rights reserved.
"""Base of the classical filters, with the interface of a refiner."""

from abc import ABC, abstractmethod
from typing import (
    Any,
    ClassVar,
    Dict,
    List,
    Mapping,
    Optional,
    Sequence,
    Union,
)

import numpy as np
import torch

from hanet_mm.core.data.gaps import scores_or_default
from hanet_mm.core.poses.rotations import project_rot6d
from hanet_mm.core.refine.frame_rate import Rates, spread_rates
from hanet_mm.core.refine.inputs import (
    Array,
    RefineResult,
    read_refine_inputs,
)
from hanet_mm.core.refine.swap_chains import SwapChains


class SequenceFilter(ABC):
    """A filter over time that is used like a refiner.

    :meth:`refine` takes and returns what
    :meth:`hanet_mm.core.refine.refiner.Refiner.refine` does. Every joint and
    coordinate is filtered by itself; missing keypoints are interpolated
    first. Scores say which are missing, and to some filters how much to
    trust the others. Filters are computed in float64 and hand back float32.

    Subclasses keep their parameters as attributes, name them in ``GRID`` and
    write :meth:`smooth_all`, or :meth:`PerSequenceFilter.smooth_frames`.

    Args:
        rotations (bool): Whether the keypoints are rotations as 6 numbers
            (D = 6, see :mod:`hanet_mm.core.poses.rotations`). These are
            filtered as six coordinates and put back onto rotations.

    Attributes:
        GRID: Values of each parameter that tuning tries; in frames, per
            frame, Hz or relative to the person's size, so that they hold
            for any data, see :meth:`in_units`.
    """

    GRID: ClassVar[Mapping[str, Sequence[float]]]

    def __init__(self, rotations: bool = False) -> None:
        self.rotations = rotations

    def __repr__(self) -> str:
        values = ', '.join(
            f'{key}={value:g}' for key, value in self.settings.items()
        )
        rotations = ', rotations=True' if self.rotations else ''
        return f'{type(self).__name__}({values}{rotations})'

    @property
    def settings(self) -> Dict[str, float]:
        """Values of the parameters that tuning chooses, by name."""
        return {name: getattr(self, name) for name in self.GRID}

    @classmethod
    def in_units(
        cls, settings: Mapping[str, float], size: float, fps: float
    ) -> Dict[str, Any]:
        """Arguments of the filter for one point of the grid, given the size of
        a person in the unit of the keypoints and the frame rate; here the
        settings as they are.
        """
        del size, fps  # of no meaning to filters that count in frames
        return dict(settings)

    def refine(
        self,
        keypoints: Union[Array, Sequence[Array]],
        scores: Union[Array, Sequence[Array], None] = None,
        image_size: Optional[Sequence] = None,
        chains: Optional[SwapChains] = None,
        fps: Rates = None,
    ) -> Union[RefineResult, List[RefineResult]]:
        """Filter one sequence or several.

        Args:
            keypoints: (T, K, D), any T >= 1, or a list of such. NaN marks a
                keypoint that was not found.
            scores: Confidences, (T, K) or a list of such; 0 marks a keypoint
                that was not found. Defaults to None: all were found that are
                not NaN.
            image_size: Of no effect; taken so that a filter can stand where
                a refiner stands.
            chains: Pairs of the skeleton, see
                :func:`hanet_mm.core.refine.swap_chains.swap_chains`: swaps of
                left and right are undone before filtering, decided over the
                whole sequence. Defaults to None: left and right stay.
            fps: Frames per second, of all sequences or of each, with
                ``chains``; filters count in frames. Defaults to None: 30.

        Returns:
            RefineResult, or a list of them for a list.

        Raises:
            ValueError: If shapes do not fit each other, a value is infinite,
                a sequence is empty or has no keypoint at all; the message
                names the sequence. If swaps of rotations are to be undone.
        """
        del image_size
        if chains is not None and self.rotations:
            raise ValueError(
                'chains: expected None for rotations, of which swaps are not '
                'undone'
            )
        rates = None
        if fps is not None:
            several = isinstance(keypoints, (list, tuple))
            count = len(keypoints) if several else 1
            rates = spread_rates(fps, count)
        inputs = read_refine_inputs(
            keypoints, scores, chains=chains, fps=rates
        )
        if not inputs.keypoints:
            return []
        lengths = np.array([len(points) for points in inputs.keypoints])
        smoothed = self.smooth(
            np.concatenate(inputs.keypoints),
            lengths,
            np.concatenate(inputs.scores),
        )
        return inputs.results(
            torch.from_numpy(smoothed).split(lengths.tolist())
        )

    def smooth(
        self,
        keypoints: np.ndarray,
        seq_len: np.ndarray,
        scores: Optional[np.ndarray] = None,
    ) -> np.ndarray:
        """Filter sequences without gaps that lie one after the other, (N, K,
        D) to float32, of S lengths; scores (N, K) are 0 where a gap was
        filled, by default ``UNKNOWN_SCORE``.
        """
        if self.rotations and keypoints.shape[-1] != 6:
            raise ValueError(
                'keypoints: expected D = 6 numbers of a rotation, found '
                f'{keypoints.shape[-1]}'
            )
        if scores is None:
            scores = scores_or_default(None, keypoints.shape[:2])
        smoothed = self.smooth_all(keypoints, np.asarray(seq_len), scores)
        if not self.rotations:
            return smoothed
        return project_rot6d(torch.from_numpy(smoothed)).numpy()

    @abstractmethod
    def smooth_all(
        self, keypoints: np.ndarray, seq_len: np.ndarray, scores: np.ndarray
    ) -> np.ndarray:
        """Filter plain coordinates as :meth:`smooth` does."""


class PerSequenceFilter(SequenceFilter):
    """A filter that takes all frames of a sequence at once."""

    def smooth_all(
        self, keypoints: np.ndarray, seq_len: np.ndarray, scores: np.ndarray
    ) -> np.ndarray:
        """Filter length after length, (N, K, D) -> (N, K, D)."""
        del scores  # all frames count the same
        out = np.empty(keypoints.shape, np.float32)
        starts = np.cumsum(seq_len) - seq_len
        for frames in np.unique(seq_len):
            # Sequences of one length, S of them, side by side: (T, S, K, D).
            index = np.arange(frames)[:, None] + starts[seq_len == frames]
            # The recursions of IIR filters need the digits of float64.
            points = keypoints[index].astype(np.float64)
            out[index] = self.smooth_frames(points)
        return out

    @abstractmethod
    def smooth_frames(self, keypoints: np.ndarray) -> np.ndarray:
        """Filter along the frames, (T, ...) float64 -> (T, ...)."""
