"""Keypoints as one list ``x1, y1, score1, x2, ...``."""

from typing import Any, List, Sequence, Tuple

import numpy as np

from .persons import stack_numbers

LETTERS = '(3K,)'


def read_triples(
    values: Sequence[Any], key: str, where: Sequence[str]
) -> Tuple[np.ndarray, np.ndarray]:
    """Read the keypoints of N persons.

    Args:
        values: N lists of 3K numbers.
        key: What the file calls them.
        where: N descriptions of where they are from.

    Returns:
        Keypoints (N, K, 2) and scores (N, K).

    Raises:
        ValueError: One line naming the first that is wrong.
    """
    if not len(values):
        return np.zeros((0, 0, 2)), np.zeros((0, 0))
    flat = stack_numbers(values, key, LETTERS, where)
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
    """Put keypoints (N, K, 2) into lists; the scores are those given.

    A keypoint that is empty is 0, 0 with score 0, as in these formats.
    """
    flat = np.array(given, np.float64).reshape(*keypoints.shape[:2], 3)
    flat[..., :2] = keypoints
    flat[np.isnan(flat).any(-1)] = 0
    return flat.reshape(len(flat), -1).tolist()
