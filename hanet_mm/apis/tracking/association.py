"""Which detection of a frame is whom.

M known persons, N detections.
"""

from typing import Sequence

import numpy as np

from .similarity import Persons, keypoint_similarity
from .split_jumps import body_sizes
from .track import Track

# In place of the number of a track.
FREE = -1
REPEATED = -2

# As alike as this, two detections of a frame are the same person twice.
_DUPLICATE = 0.7
# Recovery: farthest away, in body sizes, and least likeness of the poses
# wherever they are, after a miss and in the very next frame.
_REACH_LOST, _REACH_NEXT = 0.5, 1.0
_POSE_RECOVERED = 0.5
# The same of a jump, by someone seen this often.
_REACH_JUMP, _POSE_JUMP, _HITS_JUMP = 2.0, 0.85, 10
# How much larger one body may be than the other.
_SIZE_RATIO = 1.3


def assign_free(
    similarity: np.ndarray, assigned: np.ndarray, allowed: np.ndarray
) -> None:
    """Assign free detections to free persons, in place.

    The sum of the similarities is the largest that there is (Hungarian
    method).

    Args:
        similarity: (M, N), 0 where it cannot be.
        assigned: Number of the person of each detection, ``FREE`` or
            ``REPEATED``, (N, ).
        allowed: Detections that take part, (N, ) bool.
    """
    # Here, for split_jumps needs numpy only.
    from scipy.optimize import linear_sum_assignment

    columns = np.flatnonzero(allowed & (assigned == FREE))
    rows = np.setdiff1d(np.arange(len(similarity)), assigned)
    values = similarity[np.ix_(rows, columns)]
    row, column = linear_sum_assignment(values, maximize=True)
    chosen = values[row, column] > 0
    assigned[columns[column[chosen]]] = rows[row[chosen]]


def find_repeated(similarity: np.ndarray) -> np.ndarray:
    """Which detections are someone found a second time.

    Args:
        similarity: Of the detections with each other, best first, (N, N).

    Returns:
        (N, ) bool.
    """
    alike = np.tril(similarity >= _DUPLICATE, -1)
    repeated = np.zeros(len(alike), bool)
    for index in np.flatnonzero(alike.any(1)):
        repeated[index] = (alike[index] & ~repeated).any()
    return repeated


def recovery(
    tracks: Sequence[Track],
    predicted: Persons,
    persons: Persons,
    sigmas: np.ndarray,
) -> np.ndarray:
    """How well detections fit persons that did not move as predicted.

    Args:
        tracks: The known persons.
        predicted: Where they should be.
        persons: The detections.
        sigmas: Of the keypoints.

    Returns:
        (M, N) from 0 to 1, 0 where it cannot be.
    """
    fresh = np.array([[track.missed == 0] for track in tracks])
    steady = np.array([[track.hits >= _HITS_JUMP] for track in tracks])
    last_seen = np.stack([track.box for track in tracks])
    sizes, found = body_sizes(last_seen)[:, None], body_sizes(persons.boxes)
    away = np.minimum(
        _distances(last_seen, persons.boxes),
        _distances(predicted.boxes, persons.boxes),
    ) / np.maximum(sizes, found)
    pose = keypoint_similarity(predicted, persons, sigmas, align=True)
    reach = np.where(fresh, _REACH_NEXT, _REACH_LOST)
    fits = (away < reach) & (pose >= _POSE_RECOVERED)
    jumps = (away < _REACH_JUMP) & (pose >= _POSE_JUMP)
    fits |= fresh & steady & jumps
    fits &= np.maximum(sizes / found, found / sizes) <= _SIZE_RATIO
    return np.where(fits, (1 - away / _REACH_JUMP) * pose, 0)


def _distances(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """Between the middles of boxes (M, 4) and (N, 4), (M, N)."""
    first, second = ((x[:, :2] + x[:, 2:]) / 2 for x in (first, second))
    return np.linalg.norm(first[:, None] - second[None], axis=-1)
