# Copyright (c) hanet_mm contributors. All rights reserved.
"""Numbers in pose files, and changes to parsed JSON.

N: detections in all frames, K: keypoints.
"""

from typing import Any, Dict, List, Optional, Sequence, Tuple

import numpy as np


def stack_numbers(
    values: Sequence[Any], key: str, letters: str, where: Sequence[str]
) -> np.ndarray:
    """Stack N nested lists of one shape, such as '(K, D)'; null is NaN.

    The first value of another shape is named in the error by ``where``.
    """
    ndim = letters.count(',') + (not letters.endswith(',)'))
    try:
        array = np.array(values, dtype=np.float64)
        if array.ndim == 1 + ndim:
            return array
    except (TypeError, ValueError, OverflowError):
        pass  # not an array of numbers: find the first that is wrong
    shapes = [_shape(value) for value in values]
    wrong = [len(x) != ndim or x != shapes[0] for x in shapes].index(True)
    raise ValueError(
        f'{where[wrong]}: {key}: expected numbers {letters}, as many as in '
        f'the other frames, found {shapes[wrong] or "none"}'
    )


def read_triples(
    values: Sequence[Any], key: str, where: Sequence[str]
) -> Tuple[np.ndarray, np.ndarray]:
    """Split N lists ``x1, y1, score1, x2, ...``: (N, K, 2) and (N, K)."""
    if not len(values):
        return np.zeros((0, 0, 2)), np.zeros((0, 0))
    flat = stack_numbers(values, key, '(3K,)', where)
    if flat.shape[1] % 3 or not flat.shape[1]:
        raise ValueError(
            f'{where[0]}: {key}: expected x, y and score of each keypoint, '
            f'found {flat.shape[1]} numbers'
        )
    triples = flat.reshape(len(flat), -1, 3)
    return triples[..., :2], triples[..., 2]


def write_triples(
    keypoints: np.ndarray, given: Sequence[List[float]]
) -> List[List[float]]:
    """Put keypoints (N, K, 2) into the lists given; NaN becomes 0, 0, 0."""
    flat = np.array(given, np.float64).reshape(*keypoints.shape[:2], 3)
    flat[..., :2] = keypoints
    flat[np.isnan(flat).any(-1)] = 0
    return flat.reshape(len(flat), -1).tolist()


def changed_triples(
    people: Sequence[Tuple[Dict[str, Any], str]],
    keypoints: np.ndarray,
    filled: np.ndarray,
) -> Dict[int, Dict[str, Any]]:
    """Changes to N dicts of parsed JSON, by ``id``, each with the field of its
    triples: these get keypoints (N, K, 2), ``<field>_input`` keeps those
    given, and ``filled`` (N, K) marks those that were missing.
    """
    given = [person[field] for person, field in people]
    return {
        id(person): {
            field: points,
            f'{field}_input': person[field],
            'filled': flags,
        }
        for (person, field), points, flags in zip(
            people, write_triples(keypoints, given), filled.tolist()
        )
    }


def merge_changes(
    content: Any, changes: Dict[int, Dict[str, Any]], keys: Sequence[str]
) -> Any:
    """Copy JSON with changes to dicts, by ``id``, in lists and below keys."""
    if isinstance(content, list):
        return [merge_changes(x, changes, keys) for x in content]
    if not isinstance(content, dict):
        return content
    copy = {
        key: merge_changes(value, changes, keys) if key in keys else value
        for key, value in content.items()
    }
    copy.update(changes.get(id(content), {}))
    return copy


def add_ids(
    changes: Dict[int, Dict[str, Any]],
    people: Sequence[Any],
    field: str,
    ids: Optional[Sequence[Any]],
) -> None:
    """Add the ids of people, dicts of parsed JSON, to their changes."""
    for person, value in zip(people, ids or ()):
        changes[id(person)][field] = value


def is_absent(value: Any) -> bool:
    """Whether keypoints are those of nobody: null or empty. A list of null is
    somebody whose keypoints are missing.
    """
    if isinstance(value, list):
        return all(isinstance(x, list) and is_absent(x) for x in value)
    return value is None or value == {}


def _shape(value: Any) -> tuple:
    try:
        return np.array(value, dtype=np.float64).shape
    except (TypeError, ValueError, OverflowError):
        return ()
