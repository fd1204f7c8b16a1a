# Copyright (c) hanet_mm contributors. All rights reserved.
"""Methods to measure: the input, filters and refiners, online or not.

Letters: N frames of all sequences, T frames of one, K keypoints, D
coordinates.
"""

import copy
from collections import defaultdict
from dataclasses import dataclass, field, replace
from typing import (
    Any,
    Dict,
    List,
    Optional,
    Sequence,
    Tuple,
    Union,
)

import numpy as np

from hanet_mm.apis.formats.base import PersonTrack
from hanet_mm.apis.keypoint_plan import KeypointPlan, nonempty_indices
from hanet_mm.core.data.checks import name_sequence
from hanet_mm.core.data.gaps import fill_missing, missing_keypoints
from hanet_mm.core.data.sequences import PoseSequences
from hanet_mm.core.poses.units import LENGTHS
from hanet_mm.core.refine.frame_rate import USUAL_RATE
from hanet_mm.core.refine.inputs import RefineResult
from hanet_mm.core.refine.refiner import Refiner
from hanet_mm.core.refine.swap_chains import SwapChains
from hanet_mm.core.refine.unswap import unswap
from hanet_mm.core.stream.refiner import StreamingRefiner
from hanet_mm.filters import OneEuroFilter, SequenceFilter

INPUT = 'input'
Inputs = Sequence[Tuple[np.ndarray, Optional[np.ndarray]]]


@dataclass
class Method:
    """A method under test; the only path of the bench to a refiner.

    Attributes:
        name: In tables and legends.
        tool: A refiner or a filter; None: the input as it is, gaps filled.
        settings: What else a table says of it.
        plan: Which keypoints a refiner gets.
        others: Filter for the keypoints that a refiner does not know; None:
            they stay as they are.
        lookahead: Frames, at the refiner's rate, that the result of a
            stream waits for; None: all frames are known.
        chains: Pairs of which swaps are undone first; None: of none.
        details: What else there is to say of it, for the JSON.
    """

    name: str
    tool: Union[Refiner, SequenceFilter, None] = None
    settings: str = ''
    plan: KeypointPlan = field(default_factory=KeypointPlan)
    others: Optional[SequenceFilter] = None
    lookahead: Optional[int] = None
    chains: Optional[SwapChains] = None
    details: Dict[str, Any] = field(default_factory=dict)

    @property
    def kind(self) -> str:
        """'input', 'filter' or 'refiner'."""
        if self.tool is None:
            return INPUT
        return 'refiner' if isinstance(self.tool, Refiner) else 'filter'

    @property
    def online(self) -> bool:
        """Whether the method needs no later frame."""
        causal = self.tool is None or isinstance(self.tool, OneEuroFilter)
        return causal and self.chains is None

    def run(
        self, sequences: PoseSequences, stride: Optional[int] = None
    ) -> np.ndarray:
        """Poses of all frames, (N, K, D), NaN where they are left empty;
        sequences in which nothing was found are as they came, and ``stride``
        stands in for that of the refiner.
        """
        if self.chains is not None:
            sequences = unswap_sequences(sequences, self.chains)
        if self.tool is None:
            return filled_input(sequences)
        tracks = make_tracks(sequences)
        inputs = [self.plan.to_refiner(track) for track in tracks]
        some = nonempty_indices(inputs)
        found: List[Optional[RefineResult]] = [None] * len(tracks)
        if some:
            results = self._refine(
                [tracks[i] for i in some],
                [inputs[i] for i in some],
                stride,
                LENGTHS.get(sequences.meta.get('units'), 1),
            )
            for index, result in zip(some, results):
                found[index] = result
        final = [
            self.plan.from_refiner(track, result, others=self.others)
            for track, result in zip(tracks, found)
        ]
        return np.concatenate([x.keypoints for x in final])

    def refined_keypoints(self, num_keypoints: int) -> np.ndarray:
        """Keypoints of the data that the refiner refines, bool (K,)."""
        if self.plan.mapping is None:
            return np.ones(num_keypoints, bool)
        return ~self.plan.mapping.untouched

    def _refine(
        self,
        tracks: Sequence[PersonTrack],
        inputs: Inputs,
        stride: Optional[int],
        metres: float,
    ) -> Sequence[RefineResult]:
        """Refine tracks that each have a keypoint."""
        keypoints, scores = [x for x, _ in inputs], [x for _, x in inputs]
        if isinstance(self.tool, SequenceFilter):
            return self.tool.refine(keypoints, scores)
        # Lengths go to a refiner in metres.
        keypoints = [np.float32(metres) * x for x in keypoints]
        refiner = copy.copy(self.tool)
        refiner.stride = stride or refiner.stride
        if self.lookahead is not None:
            results = stream_tracks(
                refiner, self.lookahead, tracks, keypoints, scores
            )
        else:
            results = refiner.refine(
                keypoints, scores, **_knowledge(refiner, tracks)
            )
        for result in results:
            result.keypoints = result.keypoints / np.float32(metres)
        return results


def _knowledge(
    refiner: Refiner, tracks: Sequence[PersonTrack]
) -> Dict[str, list]:
    """Image sizes and frame rates, of which a refiner takes what it needs."""
    knowledge: Dict[str, list] = {}
    if refiner.normalization == 'image':
        knowledge['image_size'] = [track.image_size for track in tracks]
    if refiner.fps is not None:
        knowledge['fps'] = [track.fps or refiner.fps for track in tracks]
    return knowledge


def make_tracks(sequences: PoseSequences) -> List[PersonTrack]:
    """Sequences as the tracks of a file."""
    rates, sizes = sequences.fps, sequences.image_size
    ends = np.cumsum(sequences.seq_len)[:-1]
    return [
        PersonTrack(
            name_sequence(sequences, i),
            keypoints,
            scores,
            image_size=None if sizes is None else sizes[i],
            fps=None if rates is None else float(rates[i]),
        )
        for i, (keypoints, scores) in enumerate(
            zip(
                np.split(sequences.keypoints_est, ends),
                np.split(sequences.scores, ends),
            )
        )
    ]


def filled_input(sequences: PoseSequences) -> np.ndarray:
    """Estimates with gaps filled, (N, K, D); sequences without any keypoint
    are unchanged.
    """
    found = np.logical_or.reduceat(sequences.valid.any(1), sequences.starts)
    missing = ~sequences.valid & np.repeat(found, sequences.seq_len)[:, None]
    return fill_missing(sequences.keypoints_est, missing, sequences.seq_len)


def unswap_sequences(
    sequences: PoseSequences, chains: SwapChains
) -> PoseSequences:
    """Estimates and scores with swaps of left and right undone, decided over
    each sequence as before a filter in use.
    """
    found = [
        unswap(x.keypoints, chains, x.scores, fps=x.fps or USUAL_RATE)
        for x in make_tracks(sequences)
    ]
    return replace(
        sequences,
        keypoints_est=np.concatenate([x.keypoints for x in found]),
        scores=np.concatenate([x.scores for x in found]),
    )


def stream_tracks(
    refiner: Refiner,
    lookahead: int,
    tracks: Sequence[PersonTrack],
    keypoints: Sequence[np.ndarray],
    scores: Sequence[Optional[np.ndarray]],
) -> List[RefineResult]:
    """Refine keypoints (T, K, D) and scores (T, K) of tracks frame after
    frame; a person begins with the first keypoint, and tracks of equal frame
    rate and image size share a stream.
    """
    groups: Dict[Any, List[int]] = defaultdict(list)
    for number, track in enumerate(tracks):
        size = track.image_size if refiner.normalization == 'image' else None
        size = None if size is None else tuple(np.asarray(size).tolist())
        groups[track.fps, size].append(number)
    found: Dict[int, RefineResult] = {}
    for (fps, size), numbers in groups.items():
        stream = StreamingRefiner(refiner, lookahead, fps=fps, image_size=size)
        chosen = {i: (keypoints[i], scores[i]) for i in numbers}
        found.update(_stream(stream, chosen))
    return [found[number] for number in range(len(tracks))]


def _stream(
    stream: StreamingRefiner, tracks: Dict[int, Any]
) -> Dict[int, RefineResult]:
    missing = {i: missing_keypoints(*track) for i, track in tracks.items()}
    first = {i: int((~x).any(1).argmax()) for i, x in missing.items()}
    out = {
        i: np.full(points.shape, np.nan, np.float32)
        for i, (points, _) in tracks.items()
    }
    for frame in range(max(map(len, out.values()))):
        present = [i for i in out if first[i] <= frame < len(out[i])]
        found = stream.push_many(
            {i: [x[frame] for x in tracks[i]] for i in present}, index=frame
        )
        for i in present:
            if frame == len(out[i]) - 1:
                found[i] = found[i] + stream.flush(i)
        for i, results in found.items():
            for result in results:
                out[i][result.index] = result.keypoints
    return {i: RefineResult(x, missing[i]) for i, x in out.items()}
