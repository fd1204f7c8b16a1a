# Copyright (c) hanet_mm contributors. All rights reserved.
"""Between the keypoints of an estimator and those of a refiner."""

from typing import Dict, Optional, Sequence, Tuple

import numpy as np

from hanet_mm.core.poses.keypoint_map import KeypointMap, match_skeletons
from hanet_mm.core.poses.skeleton_data import skeleton_of_names
from hanet_mm.core.refine.followers import Followers


class SkeletonAdapter:
    """Matches the keypoints of estimator and refiner by name.

    N: people, Ks: keypoints of the estimator, Kt: of the refiner.

    Args:
        source_names (Sequence[str], optional): Of the estimator. Defaults to
            None: unknown.
        target_names (Sequence[str], optional): Of the refiner. Defaults to
            None: unknown, or it takes any keypoints. The keypoints then go
            to the refiner as they are.

    Raises:
        ValueError: If the skeletons have no keypoint in common.

    Attributes:
        report: What was mapped, computed or left as it was; '' if all
            keypoints are the same.
    """

    def __init__(
        self,
        source_names: Optional[Sequence[str]] = None,
        target_names: Optional[Sequence[str]] = None,
    ) -> None:
        self.map: Optional[KeypointMap] = None
        self._followers: Optional[Followers] = None
        self.report = ''
        if not source_names or not target_names:
            return
        matched = match_skeletons(
            skeleton_of_names(source_names, 'estimator'),
            skeleton_of_names(target_names, 'refiner'),
        )
        if matched.is_identity and len(matched.source) == len(matched.target):
            return
        self.map, self._followers = matched, Followers(matched)
        self.report = self._followers.report()

    def to_refiner(
        self, keypoints: np.ndarray, scores: np.ndarray
    ) -> Tuple[np.ndarray, np.ndarray]:
        """(N, Ks, 2), (N, Ks) -> (N, Kt, 2), (N, Kt)."""
        if self.map is None:
            return keypoints, scores
        return self.map.forward(keypoints, scores)

    def from_refiner(
        self,
        refined: np.ndarray,
        filled: np.ndarray,
        keypoints: np.ndarray,
        swapped: Optional[np.ndarray] = None,
    ) -> Tuple[np.ndarray, np.ndarray]:
        """Put refined (N, Kt, 2) in the place of keypoints (N, Ks, 2).

        Keypoints that the refiner does not know move along with those that
        it does, see :class:`Followers`.
        """
        if self._followers is None or self.map is None:
            return refined, filled
        moved = self._followers.move(keypoints, refined, swapped=swapped)
        return moved.keypoints, self.map.backward_flags(filled)

    def marks_from_refiner(
        self, marks: Dict[str, np.ndarray]
    ) -> Dict[str, np.ndarray]:
        """Marks by their keys, (N, Kt) -> (N, Ks); sides are whole limbs'."""
        if self._followers is None or self.map is None:
            return marks
        return {
            key: self._followers.sides(flags)
            if key == 'swapped'
            else self.map.backward_flags(flags)
            for key, flags in marks.items()
        }
