"""One person that the tracker remembers."""

from typing import Any

import numpy as np

from .similarity import Persons
from .split_jumps import relative_moves

# A box that shrinks while its person is hidden must not vanish, px.
_MIN_HEIGHT = 1.0
_MIN_ASPECT = 1e-2


class Track:
    """Last sight of a person, and the motion of its box.

    The motion is MMDet's Kalman filter of the box, with constant velocity;
    the pose is carried along with the middle of the box.

    Args:
        track_id: Of the person.
        motion: MMDet's ``KalmanFilter``.

    Attributes:
        segment: How often the track was torn.
        last_frame: Number of the frame where the person was seen last.
        hits: In how many frames it was seen.
        missed: In how many frames since then it was not.
        box: Last seen, (4, ) x1, y1, x2, y2.
        keypoints: Last seen, (K, 2).
        valid: Which of them there were, (K, ) bool.
    """

    def __init__(self, track_id: int, motion: Any) -> None:
        self.track_id = track_id
        self.motion = motion
        self.segment = 0
        self.hits = 0

    def predict(self, num_frames: int) -> None:
        """Move the box on by some frames."""
        for _ in range(num_frames):
            if self.missed:
                self.mean[7] = 0  # what hides a person shrinks its box first
            self.mean, self.covariance = self.motion.predict(
                self.mean, self.covariance
            )
        self.mean[2] = max(self.mean[2], _MIN_ASPECT)
        self.mean[3] = max(self.mean[3], _MIN_HEIGHT)

    @property
    def predicted_box(self) -> np.ndarray:
        """Where the box should be, (4, )."""
        width = self.mean[2] * self.mean[3]
        half = np.array([width, self.mean[3]]) / 2
        return np.concatenate([self.mean[:2] - half, self.mean[:2] + half])

    @property
    def predicted_keypoints(self) -> np.ndarray:
        """Where the keypoints should be, (K, 2)."""
        return self.keypoints + (self.mean[:2] - self._anchor)

    def see(self, person: Persons, frame_index: int, max_jump: float) -> None:
        """Take the place of a detection.

        Args:
            person: One person.
            frame_index: Of the frame.
            max_jump: Body sizes for each frame. Beyond it, a segment begins.
        """
        (box,), (keypoints,), (valid,) = person
        size = np.maximum(box[2:] - box[:2], _MIN_HEIGHT)
        measured = np.concatenate(
            [(box[:2] + box[2:]) / 2, [size[0] / size[1], size[1]]]
        )
        jumped = bool(self.hits) and self._jumps(
            person, max_jump * (frame_index - self.last_frame)
        )
        if jumped or not self.hits:
            self.mean, self.covariance = self.motion.initiate(measured)
        else:
            self.mean, self.covariance = self.motion.update(
                self.mean, self.covariance, measured
            )
        self.segment += jumped
        self.box, self.keypoints, self.valid = box, keypoints, valid
        self._anchor = self.mean[:2].copy()
        self.last_frame = frame_index
        self.hits += 1
        self.missed = 0

    def _jumps(self, person: Persons, allowance: float) -> bool:
        last = (self.keypoints[None], self.valid[None], self.box[None])
        boxes, keypoints, valid = person
        (move,) = relative_moves(last, (keypoints, valid, boxes))
        return bool(move > allowance)
