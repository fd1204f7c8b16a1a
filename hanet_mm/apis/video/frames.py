"""What the stages hand to each other.

N: persons of a frame, K: keypoints.
"""

from dataclasses import dataclass
from typing import Callable, List, Sequence

import numpy as np


@dataclass
class Boxes:
    """Persons that were detected in a frame.

    Attributes:
        bboxes: x1 y1 x2 y2, (N, 4) px.
        scores: (N,).
    """

    bboxes: np.ndarray
    scores: np.ndarray

    def __len__(self) -> int:
        return len(self.bboxes)


@dataclass
class Poses:
    """Persons of a frame with their keypoints.

    Attributes:
        bboxes: x1 y1 x2 y2, (N, 4) px.
        bbox_scores: (N,).
        keypoints: (N, K, 2) px.
        keypoint_scores: (N, K).
    """

    bboxes: np.ndarray
    bbox_scores: np.ndarray
    keypoints: np.ndarray
    keypoint_scores: np.ndarray

    def __len__(self) -> int:
        return len(self.keypoints)

    def take(self, rows: np.ndarray) -> 'Poses':
        """Some of the persons, by number or mask."""
        return Poses(
            self.bboxes[rows],
            self.bbox_scores[rows],
            self.keypoints[rows],
            self.keypoint_scores[rows],
        )


# Pictures (H, W, 3) uint8 BGR -> the persons in each.
Detector = Callable[[Sequence[np.ndarray]], List[Boxes]]
# Pictures and the persons in each -> their poses. An estimator that needs no
# boxes finds the persons by itself.
Estimator = Callable[[Sequence[np.ndarray], Sequence[Boxes]], List[Poses]]


def no_boxes() -> Boxes:
    """A frame with nobody."""
    return Boxes(np.zeros((0, 4), np.float32), np.zeros(0, np.float32))


def boxes_around(
    keypoints: np.ndarray, present: np.ndarray, margin: float = 0.0
) -> np.ndarray:
    """Boxes around keypoints.

    Args:
        keypoints (np.ndarray): (N, K, 2).
        present (np.ndarray): Keypoints that count, bool (N, K).
        margin (float): By which width and height are enlarged, as a share.
            Defaults to 0.

    Returns:
        np.ndarray: x1 y1 x2 y2, (N, 4) float32; NaN without a keypoint.
    """
    present = (present & np.isfinite(keypoints).all(-1))[..., None]
    low = np.where(present, keypoints, np.inf).min(1, initial=np.inf)
    high = np.where(present, keypoints, -np.inf).max(1, initial=-np.inf)
    boxes = np.full((len(keypoints), 4), np.nan, np.float32)
    some = present.any((1, 2))
    grow = margin / 2 * (high[some] - low[some])
    boxes[some, :2], boxes[some, 2:] = low[some] - grow, high[some] + grow
    return boxes
