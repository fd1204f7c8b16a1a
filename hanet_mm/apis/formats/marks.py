# Copyright (c) hanet_mm contributors. All rights reserved.
"""What refined files say besides keypoints and ``filled``.

``fps`` and ``image_size`` are those that the user gave, or those of the input.
``swapped`` (bool) marks those that changed places with the other side, and
``reason`` (uint8) is an index of :data:`hanet_mm.core.refine.trust.REASONS`.

T: frames, K: keypoints, N: rows of all sequences, or detections.
"""

from typing import Any, Dict, Iterable, List, Optional, Sequence

import numpy as np

from hanet_mm.core.refine.refiner import RefineResult

from .base import DetectionFile, PersonTrack

# Fields of RefineResult, of the type of :data:`TYPES`.
TYPES: Dict[str, Any] = dict(swapped=bool, reason=np.uint8)


def known_arrays(tracks: Sequence[PersonTrack]) -> Dict[str, np.ndarray]:
    """``fps`` (S,) and ``image_size`` (S, 2), if all S tracks have them."""
    arrays: Dict[str, np.ndarray] = {}
    for key in ('fps', 'image_size'):
        values = [getattr(x, key) for x in tracks]
        if all(x is not None for x in values):
            arrays[key] = np.asarray(values, np.float32)
    return arrays


def mark_arrays(refined: Sequence[RefineResult]) -> Dict[str, np.ndarray]:
    """The marks of all results, one after the other, (N, K) by their keys.

    A mark that no result has is left out.
    """
    return {
        key: np.concatenate(values)
        for key, values in _marks_of(refined).items()
    }


def stack_marks(frames: Sequence[Any]) -> Dict[str, np.ndarray]:
    """The same of T refined frames of a stream, (T, K) by their keys."""
    return {key: np.stack(x) for key, x in _marks_of(frames).items()}


def detection_marks(
    poses: DetectionFile, refined: Sequence[RefineResult]
) -> Dict[str, np.ndarray]:
    """The same of the detections of a file, in their order."""
    arrays = {}
    for key, values in _marks_of(refined).items():
        shape = poses.detections.keypoints.shape[:2]
        arrays[key] = np.zeros(shape, TYPES[key])
        poses.put(values, arrays[key])
    return arrays


def _marks_of(refined: Sequence[Any]) -> Dict[str, List[np.ndarray]]:
    """The marks of each result, (T, K), or frame, (K,), by their keys."""
    marks = {}
    for key, kind in TYPES.items():
        values = [getattr(x, key, None) for x in refined]
        if any(x is not None for x in values):
            marks[key] = [
                np.asarray(y.filled * 0 if x is None else x, kind)
                for x, y in zip(values, refined)
            ]
    return marks


def split_marks(
    arrays: Dict[str, np.ndarray], lengths: Iterable[int], num_keypoints: int
) -> Dict[str, List[np.ndarray]]:
    """The marks in an archive for each sequence, (T, K) by their keys.

    Arrays of these names that are something else are left out.
    """
    sizes = list(lengths)
    marks = {}
    for key, kind in TYPES.items():
        value: Optional[np.ndarray] = arrays.get(key)
        shape = (sum(sizes), num_keypoints)
        if value is not None and value.shape == shape and value.dtype == kind:
            marks[key] = np.split(value, np.cumsum(sizes)[:-1])
    return marks
