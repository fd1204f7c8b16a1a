"""What is measured: the input, filters and refiners.

Letters: N frames of all sequences, T frames of one, K keypoints, D
coordinates.
"""

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Any, Dict, List, Optional, Tuple

import numpy as np

from hanet_mm.apis.formats.base import PersonTrack
from hanet_mm.apis.keypoint_plan import KeypointPlan, nonempty_indices
from hanet_mm.core.data.gaps import fill_missing
from hanet_mm.core.data.sequences import PoseSequences
from hanet_mm.core.refine.refiner import Refiner, RefineResult
from hanet_mm.filters.base import SequenceFilter

INPUT = 'input'


@dataclass
class Method(ABC):
    """Makes poses of estimates.

    Attributes:
        name: In tables and legends.
        settings: What else there is to say of it.
    """

    name: str
    settings: str = ''

    # 'input', 'filter' or 'refiner'.
    kind = 'input'

    @abstractmethod
    def run(self, sequences: PoseSequences) -> np.ndarray:
        """Poses of all frames, (N, K, D); NaN where they are left empty."""


class InputMethod(Method):
    """The estimates as they are, gaps filled."""

    def run(self, sequences: PoseSequences) -> np.ndarray:
        """See :meth:`Method.run`."""
        return filled_input(sequences)


@dataclass
class FilterMethod(Method):
    """A classical filter.

    Attributes:
        filter: Tuned or with its usual settings.
        online: Whether it looks at no later frame.
    """

    filter: Optional[SequenceFilter] = None
    online: bool = False
    kind = 'filter'

    def run(self, sequences: PoseSequences) -> np.ndarray:
        """See :meth:`Method.run`."""
        scores = np.where(sequences.valid, sequences.scores, 0)
        return self.filter.smooth(
            filled_input(sequences), sequences.seq_len, scores
        )


@dataclass
class RefinerMethod(Method):
    """A refiner, called as ``hanet-mm refine`` calls it.

    Attributes:
        refiner: On its device.
        plan: Which keypoints it gets.
        others: Filter for the keypoints that it does not know; None: they
            stay as they are.
    """

    refiner: Optional[Refiner] = None
    plan: Optional[KeypointPlan] = None
    others: Optional[SequenceFilter] = None
    kind = 'refiner'

    def run(self, sequences: PoseSequences) -> np.ndarray:
        """See :meth:`Method.run`."""
        tracks = make_tracks(sequences)
        inputs = [self.plan.to_refiner(track) for track in tracks]
        results = self._refine(tracks, inputs)
        final = [
            self.plan.from_refiner(track, result, others=self.others)
            for track, result in zip(tracks, results)
        ]
        return np.concatenate([x.keypoints for x in final])

    def refined_keypoints(self, num_keypoints: int) -> np.ndarray:
        """Keypoints of the data that the refiner refines, bool (K,)."""
        if self.plan.mapping is None:
            return np.ones(num_keypoints, bool)
        return ~self.plan.mapping.untouched

    def _refine(
        self,
        tracks: List[PersonTrack],
        inputs: List[Tuple[np.ndarray, Optional[np.ndarray]]],
    ) -> List[Optional[RefineResult]]:
        """Refined keypoints, None of tracks with nothing to go by."""
        some = nonempty_indices(inputs)
        knowledge: Dict[str, Any] = {}
        if self.refiner.normalization == 'image':
            sizes = [tracks[i].image_size for i in some]
            knowledge['image_size'] = sizes
        if self.refiner.fps is not None:
            rates = [tracks[i].fps or self.refiner.fps for i in some]
            knowledge['fps'] = rates
        found: List[Optional[RefineResult]] = [None] * len(tracks)
        if not some:
            return found
        results = self.refiner.refine(
            [inputs[i][0] for i in some],
            [inputs[i][1] for i in some],
            **knowledge,
        )
        for index, result in zip(some, results):
            found[index] = result
        return found


def make_tracks(sequences: PoseSequences) -> List[PersonTrack]:
    """Sequences as the tracks of a file."""
    rates, sizes = sequences.fps, sequences.image_size
    return [
        PersonTrack(
            name=f'sequence {str(sequences.seq_name[i])!r} (index {i})',
            keypoints=sequences.keypoints_est[start : start + length],
            scores=sequences.scores[start : start + length],
            image_size=None if sizes is None else sizes[i],
            fps=None if rates is None else float(rates[i]),
        )
        for i, (start, length) in enumerate(
            zip(sequences.starts, sequences.seq_len)
        )
    ]


def filled_input(sequences: PoseSequences) -> np.ndarray:
    """Estimates with gaps filled, (N, K, D)."""
    return fill_missing(
        sequences.keypoints_est, ~sequences.valid, sequences.seq_len
    )
