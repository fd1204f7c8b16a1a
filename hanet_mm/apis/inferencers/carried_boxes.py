"""Boxes of the frames in which the detector does not run."""

from typing import Optional

import numpy as np

from .poses import Boxes, Poses, boxes_around, no_boxes

# By which a box around the last pose is enlarged, so that the person is
# still inside after a frame.
MARGIN = 0.25
# A pose counts as lost below this share of the score that it had when the
# person was detected. A share, because estimators score differently.
LOST = 0.5
# Two poses this near to each other, on average over the keypoints and
# relative to their size, are one person found twice.
TWIN = 0.1


class BoxCarrier:
    """Carries persons from frame to frame by their poses.

    After the detector ran, :meth:`start` with the poses of its frame; for
    each further frame :meth:`next_boxes` are the boxes in which the persons
    are looked for, and :meth:`update` takes the poses found there.
    """

    def __init__(self) -> None:
        self._poses: Optional[Poses] = None
        self._reference = np.zeros(0)

    def start(self, poses: Poses) -> None:
        """Take over the persons of a frame in which the detector ran."""
        self._poses = poses.take((poses.keypoint_scores > 0).any(1))
        self._reference = self._poses.keypoint_scores.mean(1)

    def next_boxes(self) -> Boxes:
        """Boxes of the next frame, around the poses of the last one."""
        poses = self._poses
        if poses is None or not len(poses):
            return no_boxes()
        present = poses.keypoint_scores > 0
        return Boxes(
            boxes_around(poses.keypoints, present, MARGIN),
            poses.bbox_scores,
        )

    def update(self, poses: Poses) -> Poses:
        """Leave out persons that were lost or found twice.

        Args:
            poses (Poses): Found in :meth:`next_boxes`.

        Returns:
            Poses: Those to go on with.
        """
        score = poses.keypoint_scores.mean(1)
        keep = score >= LOST * self._reference
        keep &= (poses.keypoint_scores > 0).any(1)
        keep &= ~_twins(poses.keypoints, score)
        self._reference = self._reference[keep]
        self._poses = poses.take(keep)
        return self._poses


def _twins(keypoints: np.ndarray, score: np.ndarray) -> np.ndarray:
    """Poses that lie on another one of a higher score, bool (N,)."""
    apart = keypoints[:, None] - keypoints[None]
    distance = np.linalg.norm(apart, axis=-1).mean(-1)
    everything = np.ones(keypoints.shape[:2], bool)
    boxes = boxes_around(keypoints, everything)
    size = np.linalg.norm(boxes[:, 2:] - boxes[:, :2], axis=1)
    near = distance < TWIN * np.minimum(size[:, None], size[None])
    order = np.lexsort((np.arange(len(score)), -score))
    rank = np.argsort(order)
    return (near & (rank[None] < rank[:, None])).any(1)
