# Copyright (c) hanet_mm contributors. All rights reserved.
"""Refiners as they work on live video: with few frames to come."""

from collections import defaultdict
from typing import Any, Dict, List, Optional, Sequence

import numpy as np

from hanet_mm.apis.formats.base import PersonTrack
from hanet_mm.core.data.gaps import missing_keypoints
from hanet_mm.core.refine.inputs import RefineResult
from hanet_mm.core.refine.refiner import Refiner
from hanet_mm.core.stream.refiner import StreamingRefiner


def stream_tracks(
    refiner: Refiner,
    lookahead: int,
    tracks: Sequence[PersonTrack],
    keypoints: Sequence[np.ndarray],
    scores: Sequence[Optional[np.ndarray]],
) -> List[RefineResult]:
    """Refine tracks frame after frame, as the people of videos.

    Keypoints are (T, K, D) and scores (T, K) of each track. A person begins
    with the first frame in which a keypoint is found. Tracks of equal frame
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
