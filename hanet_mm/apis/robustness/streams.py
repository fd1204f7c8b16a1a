"""Refiners as they work on live video: with few frames to come."""

from collections import defaultdict
from dataclasses import dataclass
from typing import Any, Dict, List, Optional, Sequence, Tuple

import numpy as np

from hanet_mm.apis.formats.base import PersonTrack
from hanet_mm.core.data.gaps import missing_keypoints
from hanet_mm.core.refine.refiner import RefineResult
from hanet_mm.core.stream.refiner import StreamingRefiner

from .methods import RefinerMethod

Inputs = List[Tuple[np.ndarray, Optional[np.ndarray]]]


@dataclass
class StreamMethod(RefinerMethod):
    """A refiner that gets the frames one after the other.

    A person begins with the first frame in which a keypoint is found.

    Attributes:
        lookahead: Frames that a result waits for, at the refiner's rate.
    """

    lookahead: int = 0

    def _refine(
        self, tracks: List[PersonTrack], inputs: Inputs
    ) -> List[Optional[RefineResult]]:
        results: List[Optional[RefineResult]] = [None] * len(tracks)
        for numbers in _alike(tracks):
            track = tracks[numbers[0]]
            by_image = self.refiner.normalization == 'image'
            stream = StreamingRefiner(
                self.refiner,
                self.lookahead,
                fps=track.fps,
                image_size=track.image_size if by_image else None,
            )
            for number, result in _stream(stream, inputs, numbers).items():
                results[number] = result
        return results


def _alike(tracks: Sequence[PersonTrack]) -> List[List[int]]:
    """Tracks of equal frame rate and image size, which share a stream."""
    groups: Dict[Any, List[int]] = defaultdict(list)
    for number, track in enumerate(tracks):
        size = track.image_size
        size = None if size is None else tuple(np.asarray(size).tolist())
        groups[track.fps, size].append(number)
    return list(groups.values())


def _stream(
    stream: StreamingRefiner, inputs: Inputs, numbers: Sequence[int]
) -> Dict[int, RefineResult]:
    """Refine sequences as the persons of one video."""
    points = {i: inputs[i][0] for i in numbers}
    scores = {i: inputs[i][1] for i in numbers}
    # Who is not found in any frame is never a person.
    first = {i: _first_seen(points[i], scores[i]) for i in numbers}
    out = {
        i: np.full(points[i].shape, np.nan, np.float32)
        for i in numbers
        if first[i] < len(points[i])
    }
    for frame in range(max(len(x) for x in points.values())):
        present = [i for i in out if first[i] <= frame < len(points[i])]
        found = stream.push_many(
            {i: (points[i][frame], scores[i][frame]) for i in present},
            index=frame,
        )
        for i in present:
            if frame == len(points[i]) - 1:
                found[i] = found[i] + stream.flush(i)
        for i, frames in found.items():
            for result in frames:
                out[i][result.index] = result.keypoints
    return {
        i: RefineResult(keypoints, missing_keypoints(points[i], scores[i]))
        for i, keypoints in out.items()
    }


def _first_seen(points: np.ndarray, scores: np.ndarray) -> int:
    """First frame with a keypoint, the number of frames if there is none."""
    seen = ~missing_keypoints(points, scores).all(1)
    return int(seen.argmax()) if seen.any() else len(seen)
