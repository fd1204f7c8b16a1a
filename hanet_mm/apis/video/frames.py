# Copyright (c) hanet_mm contributors. All rights reserved.
"""The frame that goes from a source through all stages into the files."""

from dataclasses import dataclass, field
from typing import Any, Dict, Optional, Tuple

import numpy as np

from hanet_mm.apis.formats import marks
from hanet_mm.core.poses.boxes import boxes_around

# Arrays with a row for each person.
_PER_PERSON = (
    'bboxes',
    'bbox_scores',
    'keypoints',
    'keypoint_scores',
    'track_ids',
    'segments',
)


@dataclass(eq=False)
class Frame:
    """A picture of a video and the N people in it, with K keypoints.

    The source gives picture and time; detector, estimator, tracker and
    refiner each add their part. Missing keypoints are NaN with score 0.

    Attributes:
        index: Number of the frame, from 0.
        image: (H, W, 3) uint8 BGR; None when it is no longer needed.
        timestamp: Seconds since the first frame; None: unknown.
        bboxes: x1, y1, x2, y2, (N, 4) px; NaN for a person missed here.
        bbox_scores: (N,).
        keypoints: Of the estimator, (N, K, 2) px.
        keypoint_scores: (N, K).
        track_ids: (N,) int64.
        segments: Part of the track refined as one sequence, (N,) int64.
        refined: (N, K, 2) px.
        filled: Keypoints that were missing and were filled, bool (N, K).
        swapped: Keypoints that changed places with the other side, bool
            (N, K); None: nobody looked.
        reason: Why each keypoint was changed, uint8 (N, K), see
            :class:`hanet_mm.core.refine.inputs.RefineResult`; None: not
            known.
        reported: People that the result names, bool (N,).
        num_waiting: People whose refined pose is not there yet.
        size: Width and height of the picture, px.
        scale: Size relative to the first frame of the video, (2,).
    """

    index: int
    image: Optional[np.ndarray]
    timestamp: Optional[float] = None
    bboxes: np.ndarray = field(
        default_factory=lambda: np.zeros((0, 4), np.float32)
    )
    bbox_scores: np.ndarray = field(
        default_factory=lambda: np.zeros(0, np.float32)
    )
    keypoints: np.ndarray = field(
        default_factory=lambda: np.zeros((0, 0, 2), np.float32)
    )
    keypoint_scores: np.ndarray = field(
        default_factory=lambda: np.zeros((0, 0), np.float32)
    )
    track_ids: Optional[np.ndarray] = None
    segments: Optional[np.ndarray] = None
    refined: Optional[np.ndarray] = None
    filled: Optional[np.ndarray] = None
    swapped: Optional[np.ndarray] = None
    reason: Optional[np.ndarray] = None
    reported: Optional[np.ndarray] = None
    num_waiting: int = 0
    size: Tuple[int, int] = (0, 0)
    scale: Optional[np.ndarray] = None

    def __post_init__(self) -> None:
        if self.image is not None:
            self.size = self.image.shape[1], self.image.shape[0]

    def __len__(self) -> int:
        return len(self.bboxes)

    def keep(self, rows: np.ndarray) -> None:
        """Keep some of the people, by number or mask (before refinement)."""
        for name in _PER_PERSON:
            values = getattr(self, name)
            if values is not None:
                setattr(self, name, values[rows])

    def add_missed(self, track_ids: list, segments: list) -> None:
        """Append tracked people who were not found in this frame."""
        count, num_keypoints = len(track_ids), self.keypoints.shape[1]
        for name, rows in zip(
            _PER_PERSON,
            (
                np.full((count, 4), np.nan, np.float32),
                np.zeros(count, np.float32),
                np.full((count, num_keypoints, 2), np.nan, np.float32),
                np.zeros((count, num_keypoints), np.float32),
                np.array(track_ids, np.int64),
                np.array(segments, np.int64),
            ),
        ):
            setattr(self, name, np.concatenate([getattr(self, name), rows]))

    def scale_to(self, size: Tuple[int, int]) -> None:
        """Bring boxes and keypoints to pixels of the first frame."""
        if self.size == size:
            return
        self.scale = np.divide(self.size, size, dtype=np.float32)
        self.bboxes = self.bboxes / np.tile(self.scale, 2)
        self.keypoints = self.keypoints / self.scale

    def finish(self) -> None:
        """Drop people who are not reported; go back to own pixels."""
        present = np.isfinite(self.refined).all(-1)
        missed = np.isnan(self.bboxes).any(1)
        rows = self.reported & ~(missed & ~present.any(1))
        around = boxes_around(self.refined, present)
        self.bboxes = np.where(missed[:, None], around, self.bboxes)
        if not rows.all():
            self.keep(rows)
            self.refined, self.filled = self.refined[rows], self.filled[rows]
            for key, values in self.marks().items():
                setattr(self, key, values[rows])
        if self.scale is not None:
            self.bboxes = self.bboxes * np.tile(self.scale, 2)
            self.keypoints = self.keypoints * self.scale
            self.refined = self.refined * self.scale

    def mark(self, row: int, key: str, values: np.ndarray) -> None:
        """Set ``swapped`` or ``reason`` (K,) of a person."""
        if getattr(self, key) is None:
            shape = self.keypoint_scores.shape
            setattr(self, key, np.zeros(shape, marks.TYPES[key]))
        getattr(self, key)[row] = values

    def marks(self) -> Dict[str, np.ndarray]:
        """``swapped`` and ``reason``, (N, K), as far as they are known."""
        found = {key: getattr(self, key) for key in marks.TYPES}
        return {key: x for key, x in found.items() if x is not None}

    def result(self) -> Dict[str, Any]:
        """The finished frame as the inferencer gives it to its user."""
        instances = [
            dict(
                track_id=int(self.track_ids[row]),
                segment=int(self.segments[row]),
                bbox=self.bboxes[row],
                bbox_score=float(self.bbox_scores[row]),
                keypoints=self.refined[row],
                keypoint_scores=self.keypoint_scores[row],
                keypoints_input=self.keypoints[row],
                filled=self.filled[row],
                **{key: x[row] for key, x in self.marks().items()},
            )
            for row in range(len(self))
        ]
        result = dict(
            frame_id=self.index,
            timestamp=self.timestamp,
            image_size=self.size,
            instances=instances,
        )
        if self.image is not None:
            result['image'] = self.image
        return result
