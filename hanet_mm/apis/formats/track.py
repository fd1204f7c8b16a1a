# Copyright (c) hanet_mm contributors. All rights reserved.
"""One person of a pose file."""

from dataclasses import dataclass
from typing import Optional, Sequence, Tuple

import numpy as np

from hanet_mm.core.data.gaps import missing_keypoints, scores_or_default
from hanet_mm.core.data.plausible import check_range, ignored_keypoints
from hanet_mm.core.data.scores import usual_scores
from hanet_mm.core.refine.trust import believed_scores


@dataclass
class PersonTrack:
    """One person over consecutive frames: keypoints (T, K, D), NaN = missing;
    scores (T, K), 0 = missing, None: unknown; the number of the first frame;
    W, H in pixels and frames per second, None: unknown; whether scores tell
    which keypoints are visible, not how well they are placed; with rotations
    the translation in metres, (T, 3), if known; outliers that were ignored,
    bool (T, K), None: nobody looked.
    """

    name: str
    keypoints: np.ndarray
    scores: Optional[np.ndarray] = None
    first_frame: int = 0
    image_size: Optional[Sequence[float]] = None
    fps: Optional[float] = None
    is_visibility: bool = False
    translation: Optional[np.ndarray] = None
    outliers: Optional[np.ndarray] = None

    def ignore_impossible(self) -> Tuple[int, int]:
        """Let placeholders and outliers count as missing; how many there are.

        See :mod:`hanet_mm.core.data.plausible`; the keypoints stay.
        """
        if self.keypoints.shape[-1] > 3:
            return 0, 0
        ignored = ignored_keypoints(self.keypoints, self.missing)
        self.outliers = ignored.outliers
        if ignored.any.any():
            scores = scores_or_default(self.scores, self.keypoints.shape[:2])
            self.scores = np.where(ignored.any, 0, scores)
        return int(ignored.placeholders.sum()), int(ignored.outliers.sum())

    @property
    def believed(self) -> Optional[np.ndarray]:
        """Scores as a refiner may believe them: visibility by a quarter."""
        if self.scores is None or not self.is_visibility:
            return self.scores
        return believed_scores(self.scores, 0)

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
        check_range(points, 'keypoints', self.first_frame)
        if scores is not None:
            usual_scores(scores, lambda x: f'frame {self.first_frame + x}')
