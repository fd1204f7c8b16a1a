"""What all readers of keypoint files give."""

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import List, Mapping, Optional, Sequence

import numpy as np

from hanet_mm.core.data.files import PathLike
from hanet_mm.core.data.gaps import missing_keypoints
from hanet_mm.core.refine.refiner import RefineResult


@dataclass
class PoseTrack:
    """One person over consecutive frames.

    Attributes:
        name: What to call it in a message.
        keypoints: (T, K, D); NaN where there is none.
        scores: (T, K), 0 where there is none; None: not known.
        first_frame: Number of the first frame, for messages.
        image_size: W, H in pixels; None: not known.
        fps: Frames per second; None: not known.
    """

    name: str
    keypoints: np.ndarray
    scores: Optional[np.ndarray] = None
    first_frame: int = 0
    image_size: Optional[Sequence[float]] = None
    fps: Optional[float] = None


class PoseFile(ABC):
    """A file with the poses of one person or more.

    Attributes:
        path: The file.
        tracks: The persons.
        keypoint_names: Of the K keypoints, where the file or its format
            tells them.
        names_by: How the names are known, if the file does not have them.
        has_rotations: Whether the keypoints are rotations of joints.
    """

    path: PathLike
    tracks: List[PoseTrack]
    keypoint_names: Optional[List[str]] = None
    names_by: str = ''
    has_rotations: bool = False

    @abstractmethod
    def save(self, out: PathLike, refined: Sequence[RefineResult]) -> None:
        """Write a file of the same layout with refined keypoints.

        Args:
            out: Written whole or not at all.
            refined: One result for each track.
        """

    def use_convention(
        self, skeletons: Mapping[int, Sequence[str]], num_keypoints: int
    ) -> None:
        """Name the keypoints as the format does, by their number.

        Args:
            skeletons: Names by the number of keypoints.
            num_keypoints: K of the file.
        """
        if num_keypoints in skeletons:
            self.keypoint_names = list(skeletons[num_keypoints])
            self.names_by = 'by their number, as usual in this format'

    def check(self) -> None:
        """Check that there are poses which can be refined.

        Raises:
            ValueError: One line naming the file, the person and the frame.
        """
        if not self.tracks:
            raise ValueError(f'{self.path}: expected a person, found none')
        for track in self.tracks:
            try:
                _check_track(track)
            except ValueError as error:
                raise ValueError(
                    f'{self.path}: {track.name}: {error}'
                ) from None


def _check_track(track: PoseTrack) -> None:
    points, scores = track.keypoints, track.scores
    if points.ndim != 3:
        raise ValueError(f'expected keypoints (T, K, D), found {points.shape}')
    if not len(points):
        raise ValueError('expected at least 1 frame, found 0')
    if points.dtype.kind not in 'fiu':
        raise ValueError(f'expected numbers, found {points.dtype}')
    if scores is None:
        scores = np.ones(points.shape[:2])
    if scores.shape != points.shape[:2]:
        raise ValueError(
            f'expected scores (T, K) = {points.shape[:2]}, found '
            f'{scores.shape}'
        )
    with np.errstate(over='ignore'):  # the network works in float32
        infinite = np.isinf(points.astype(np.float32)).any(-1)
    if infinite.any():
        frame, keypoint = np.argwhere(infinite)[0]
        raise ValueError(
            f'frame {track.first_frame + frame}, keypoint {keypoint}: '
            f'expected finite or NaN, found {points[frame, keypoint].tolist()}'
        )
    if missing_keypoints(points, scores).all():
        raise ValueError(
            f'all keypoints are missing (NaN or score 0) in all {len(points)} '
            'frames'
        )
