"""What was found in a frame, checked and put in order."""

from typing import NamedTuple, Optional

import numpy as np
from numpy.typing import ArrayLike

from .similarity import MIN_KEYPOINTS, Persons
from .split_jumps import enclosing_boxes, valid_keypoints

# Top-down estimators see a person with this much around the keypoints.
_PADDING = 1.25


class Detections(NamedTuple):
    """The persons of a frame that can be tracked, best first."""

    persons: Persons
    scores: np.ndarray  # (N, ) float64
    index: np.ndarray  # (N, ) their places in what came
    num_given: int


def read_detections(
    frame_index: int,
    bboxes: Optional[ArrayLike],
    bbox_scores: Optional[ArrayLike],
    keypoints: ArrayLike,
    keypoint_scores: Optional[ArrayLike],
    keypoint_thr: float,
) -> Detections:
    """Check the persons of a frame and leave out those that say nothing.

    A person without a finite box of a positive size gets the one around its
    keypoints; with fewer than three of these it is left out. The order is
    one of the persons, not of the arguments: by score, then by box.

    Args:
        frame_index: For messages.
        bboxes: (N, 4) x1, y1, x2, y2 px; None: around the keypoints.
        bbox_scores: (N, ); None or NaN: 1.
        keypoints: (N, K, 2) px; anything empty: nobody.
        keypoint_scores: (N, K); None: 1.
        keypoint_thr: Lowest score of a keypoint that counts.

    Raises:
        ValueError: One line naming the frame and the shape.
    """
    points = np.asarray(keypoints, np.float64)
    if points.ndim and not len(points):
        # Readers have no K for a frame without anybody.
        nobody = Persons(
            np.zeros((0, 4)), np.zeros((0, 0, 2)), np.zeros((0, 0), bool)
        )
        return Detections(nobody, np.zeros(0), np.zeros(0, np.int64), 0)
    try:
        if points.ndim != 3 or points.shape[2] != 2:
            raise ValueError(
                f'keypoints must have shape (N, K, 2), got {points.shape}'
            )
        valid = valid_keypoints(points, keypoint_scores, keypoint_thr)
        boxes = _read_boxes(bboxes, points, valid)
        scores = np.ones(len(points))
        if bbox_scores is not None:
            scores = _shaped('bbox_scores', bbox_scores, scores.shape)
            scores = np.where(np.isnan(scores), 1, scores)
    except ValueError as error:
        raise ValueError(f'frame {frame_index}: {error}') from None
    order = np.lexsort([*boxes.T[::-1], -scores])
    order = order[np.isfinite(boxes[order]).all(1)]
    persons = Persons(boxes, points, valid).take(order)
    return Detections(persons, scores[order], order, len(points))


def _read_boxes(
    bboxes: Optional[ArrayLike], points: np.ndarray, valid: np.ndarray
) -> np.ndarray:
    around = enclosing_boxes(points, valid)
    around[valid.sum(1) < MIN_KEYPOINTS] = np.nan
    middle = (around[:, :2] + around[:, 2:]) / 2
    # Keypoints in a line have a box, too.
    half = np.maximum((around[:, 2:] - around[:, :2]) * _PADDING / 2, 0.5)
    around = np.concatenate([middle - half, middle + half], 1)
    if bboxes is None:
        return around
    boxes = _shaped('bboxes', bboxes, (len(points), 4))
    usable = np.isfinite(boxes).all(1)
    usable &= (boxes[:, 2:] > boxes[:, :2]).all(1)
    return np.where(usable[:, None], boxes, around)


def _shaped(name: str, value: ArrayLike, shape: tuple) -> np.ndarray:
    array = np.asarray(value, np.float64)
    if array.shape != shape:
        raise ValueError(f'{name} must have shape {shape}, got {array.shape}')
    return array
