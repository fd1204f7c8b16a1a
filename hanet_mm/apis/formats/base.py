# Copyright (c) hanet_mm contributors. All rights reserved.
"""Common interface of the pose-file readers.

T: frames, K: keypoints, D: coordinates.
"""

from abc import ABC, abstractmethod
from dataclasses import dataclass
from pathlib import Path
from typing import Any, List, Mapping, NamedTuple, Optional, Sequence

import numpy as np

from hanet_mm.core.data.files import PathLike
from hanet_mm.core.data.gaps import missing_keypoints, scores_or_default
from hanet_mm.core.refine.refiner import RefineResult


@dataclass
class PersonTrack:
    """One person over consecutive frames.

    Attributes:
        name: For messages.
        keypoints: (T, K, D); NaN = missing.
        scores: (T, K), 0 = missing; None: unknown.
        first_frame: Number of the first frame.
        image_size: W, H in pixels; None: unknown.
        fps: Frames per second; None: unknown.
    """

    name: str
    keypoints: np.ndarray
    scores: Optional[np.ndarray] = None
    first_frame: int = 0
    image_size: Optional[Sequence[float]] = None
    fps: Optional[float] = None

    @property
    def missing(self) -> np.ndarray:
        """Keypoints that are NaN or have score 0, bool (T, K)."""
        scores = scores_or_default(self.scores, self.keypoints.shape[:2])
        return missing_keypoints(self.keypoints, scores)

    def check(self) -> None:
        """Raise a ValueError unless there are poses to refine."""
        points, scores = self.keypoints, self.scores
        if points.ndim != 3:
            raise ValueError(
                f'expected keypoints (T, K, D), found {points.shape}'
            )
        if not len(points):
            raise ValueError('expected at least 1 frame, found 0')
        if points.dtype.kind not in 'fiu':
            raise ValueError(f'expected numbers, found {points.dtype}')
        if scores is not None and scores.shape != points.shape[:2]:
            raise ValueError(
                f'expected scores (T, K) = {points.shape[:2]}, found '
                f'{scores.shape}'
            )
        with np.errstate(over='ignore'):  # the network works in float32
            infinite = np.isinf(points.astype(np.float32)).any(-1)
        if infinite.any():
            frame, keypoint = np.argwhere(infinite)[0]
            raise ValueError(
                f'frame {self.first_frame + frame}, keypoint {keypoint}: '
                'expected finite or NaN, found '
                f'{points[frame, keypoint].tolist()}'
            )
        if self.missing.all():
            raise ValueError(
                'all keypoints are missing (NaN or score 0) in all '
                f'{len(points)} frames'
            )


class Source(NamedTuple):
    """A file to read.

    Attributes:
        path: Where it is.
        kind: Its ending, such as '.json'; 'folder' for a folder.
        content: Parsed JSON; the cells of a table; shapes of some arrays of an
            archive by name; None for others.
        image_size: W, H in pixels given by the caller, or None.
        tracker: Links persons over time; None: the file has to.
    """

    path: Path
    kind: str
    content: Any = None
    image_size: Optional[Sequence[float]] = None
    tracker: Optional[Any] = None


class PoseFile(ABC):
    """A file with the poses of one person or several.

    Attributes:
        path: The file.
        tracks: The persons.
        keypoint_names: K names, if the file or its format defines them.
        names_by: How the names are known, if they are not in the file.
        has_rotations: Whether the keypoints are joint rotations.
    """

    path: PathLike
    tracks: List[PersonTrack]
    keypoint_names: Optional[List[str]] = None
    names_by: str = ''
    has_rotations: bool = False

    @abstractmethod
    def save(self, out: PathLike, refined: Sequence[RefineResult]) -> None:
        """Write a file of the same layout, completely or not at all.

        Args:
            out: The file to write.
            refined: One result for each track.
        """

    def use_convention(
        self, skeletons: Mapping[int, Sequence[str]], num_keypoints: int
    ) -> None:
        """Name the keypoints by their number, as the format does."""
        if num_keypoints in skeletons:
            self.keypoint_names = list(skeletons[num_keypoints])
            self.names_by = 'by their number, as usual in this format'

    def check(self) -> None:
        """Raise a ValueError unless every track can be refined."""
        if not self.tracks:
            raise ValueError(f'{self.path}: expected a person, found none')
        for track in self.tracks:
            try:
                track.check()
            except ValueError as error:
                raise ValueError(
                    f'{self.path}: {track.name}: {error}'
                ) from None
