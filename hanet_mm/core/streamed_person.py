"""A person of a stream: from keypoints as given to results as given."""

from typing import List, NamedTuple, Optional, Tuple

import numpy as np
import torch
from torch import Tensor

from .refine_inputs import Array, read_sequence
from .rotation_inputs import follow_axis_angle, read_rotations
from .stream_clock import Elapsed, Moment
from .stream_track import (
    RefinedFrames,
    StreamFrame,
    StreamSettings,
    StreamTrack,
)


class StreamedFrame(NamedTuple):
    """A refined frame of a stream.

    Attributes:
        index (int): Number of the frame.
        keypoints (np.ndarray): Refined, (K, D) in the coordinates given;
            rotations in the shape given. NaN where they were left empty.
        filled (np.ndarray): Keypoints that the estimator had not found and
            that were filled, bool, (K, ).
        timestamp (float, optional): Seconds; None if not known.
    """

    index: int
    keypoints: np.ndarray
    filled: np.ndarray
    timestamp: Optional[float]


class GivenFrame(NamedTuple):
    """Keypoints of a person as they came, checked.

    Attributes:
        keypoints (np.ndarray): (K, D) float32.
        scores (np.ndarray): 0 = missing, (K, ) float32.
        shape (tuple[int, ...]): In which they came.
    """

    keypoints: np.ndarray
    scores: np.ndarray
    shape: Tuple[int, ...]


def read_frame(
    keypoints: Array,
    scores: Optional[Array],
    settings: StreamSettings,
    name: str,
) -> GivenFrame:
    """Check the keypoints of a person in a frame.

    Args:
        keypoints: (K, D), NaN where missing; rotations also axis-angle and
            flat.
        scores: Confidences, (K, ), 0 where missing; or None.
        settings: Of the stream.
        name: What to call the person in messages.

    Raises:
        ValueError: If a shape is wrong or a value infinite.
    """
    shape = tuple(np.shape(keypoints))
    expected = (settings.num_keypoints, settings.coord_dims)
    sequence = keypoints[None] if shape else keypoints
    if settings.normalization == 'rot6d':
        sequence = read_rotations(sequence, settings.num_keypoints)
    if tuple(np.shape(sequence))[1:] != expected:
        raise ValueError(
            f'{name}: expected keypoints of shape (K, D) = {expected}, found '
            f'{shape}'
        )
    if scores is not None and tuple(np.shape(scores)) != expected[:1]:
        raise ValueError(
            f'{name}: expected scores of shape (K,) = {expected[:1]}, found '
            f'{tuple(np.shape(scores))}'
        )
    points, known = read_sequence(
        sequence, None if scores is None else scores[None], expected, name
    )
    return GivenFrame(points[0], known[0], shape)


class StreamedPerson:
    """The track of a person, its clock and the form of its keypoints.

    Args:
        settings (StreamSettings): What all persons share.
        start (Moment): Time of the first frame.
        shape (tuple[int, ...]): In which the keypoints come.
    """

    def __init__(
        self, settings: StreamSettings, start: Moment, shape: Tuple[int, ...]
    ):
        self.settings = settings
        self.track = StreamTrack(settings)
        self.moment = start
        self.shape = shape
        self._vectors: Optional[Tensor] = None

    def begin(self, given: GivenFrame) -> None:
        """Add the first frame."""
        frame = StreamFrame(*self.moment, 0.0, given.keypoints, given.scores)
        self.track.add(frame)

    def follow(self, elapsed: Elapsed, given: Optional[GivenFrame]) -> None:
        """Add a frame after those that were missed.

        Args:
            elapsed (Elapsed): Their times.
            given (GivenFrame, optional): None if this one was missed too.
        """
        nothing = GivenFrame(
            np.zeros(
                (self.settings.num_keypoints, self.settings.coord_dims),
                np.float32,
            ),
            np.zeros(self.settings.num_keypoints, np.float32),
            self.shape,
        )
        last = len(elapsed.indices) - 1
        for number, moment in enumerate(
            zip(elapsed.indices.tolist(), elapsed.timestamps.tolist())
        ):
            frame = given if given is not None and number == last else nothing
            position = self.track.position + elapsed.step
            self.track.add(
                StreamFrame(*moment, position, frame.keypoints, frame.scores)
            )
            self.moment = Moment(*moment)
        if given is not None:
            self.shape = given.shape

    def results(self, frames: RefinedFrames) -> List[StreamedFrame]:
        """Refined frames in the form in which keypoints come."""
        hole = torch.from_numpy(frames.empty)
        known = ~frames.keypoints.isnan().any(-1) & ~hole
        filled = torch.from_numpy(frames.missing) & known
        results = []
        for number, poses in enumerate(frames.keypoints):
            poses = self._as_given(poses)
            joints = poses.reshape(len(hole[number]), -1)
            joints = joints.masked_fill(hole[number, :, None], float('nan'))
            timestamp = float(frames.timestamp[number])
            results.append(
                StreamedFrame(
                    int(frames.index[number]),
                    joints.reshape(poses.shape).numpy(),
                    filled[number].numpy(),
                    None if np.isnan(timestamp) else timestamp,
                )
            )
        return results

    def _as_given(self, poses: Tensor) -> Tensor:
        if self.settings.normalization != 'rot6d':
            return poses
        if np.prod(self.shape) == poses.numel():
            return poses.reshape(self.shape)
        if poses.isnan().any():
            return poses[:, :3].reshape(self.shape)
        self._vectors = follow_axis_angle(poses, self._vectors)
        return self._vectors.reshape(self.shape)
