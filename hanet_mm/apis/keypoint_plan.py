"""Which keypoints of a file a refiner gets, and what becomes of the others.

T: frames, Ks: keypoints of the file, Kt: keypoints of the refiner.
"""

from dataclasses import dataclass
from typing import Any, List, Optional, Sequence, Tuple

import numpy as np

from hanet_mm.core.data.files import PathLike
from hanet_mm.core.data.gaps import long_gaps, missing_keypoints
from hanet_mm.core.poses.keypoint_map import KeypointMap, match_skeletons
from hanet_mm.core.poses.skeleton import Skeleton
from hanet_mm.core.poses.skeleton_data import (
    find_skeleton,
    skeleton_of_names,
    skeletons_of_size,
)
from hanet_mm.core.refine.refiner import Refiner, RefineResult

from .pose_files import PoseFile, PoseTrack


@dataclass
class KeypointPlan:
    """How the keypoints of a file go to a refiner and come back.

    Attributes:
        mapping: None: they are those of the refiner.
        report: One line about it; '' if there is nothing to say.
    """

    mapping: Optional[KeypointMap] = None
    report: str = ''

    def to_refiner(
        self, track: PoseTrack
    ) -> Tuple[np.ndarray, Optional[np.ndarray]]:
        """Keypoints (T, Kt, D) and scores (T, Kt) for the refiner."""
        if self.mapping is None:
            return track.keypoints, track.scores
        return self.mapping.forward(track.keypoints, track.scores)

    def from_refiner(
        self,
        track: PoseTrack,
        result: Optional[RefineResult],
        max_gap: Optional[int] = None,
        others: Optional[Any] = None,
    ) -> RefineResult:
        """Put refined keypoints into a track.

        Args:
            track: As it came.
            result: Of the refiner; None: it had nothing to go by.
            max_gap: Longest gap of a keypoint that is filled, in frames;
                those in longer ones stay as they came. Defaults to None: any.
            others: A filter for keypoints that the refiner does not know.

        Returns:
            RefineResult: Keypoints (T, Ks, D), and which of them were missing
            and are filled now, bool (T, Ks).
        """
        given = track.keypoints
        untouched = np.zeros(given.shape[1], bool)
        if result is None:
            keypoints, filled = given.copy(), np.zeros(given.shape[:2], bool)
            untouched[:] = True
        elif self.mapping is None:
            keypoints, filled = result.keypoints, result.filled
        else:
            keypoints = self.mapping.backward(result.keypoints, given)
            filled = self.mapping.backward_flags(result.filled)
            untouched = self.mapping.untouched
        scores = track.scores
        if scores is None:
            scores = np.ones(given.shape[:2])
        missing = missing_keypoints(given, scores)
        empty = long_gaps(missing, max_gap) & filled
        keypoints = np.where(empty[..., None], given, keypoints)
        if others is not None and untouched.any():
            keypoints[:, untouched] = _filter_seen(
                others,
                given[:, untouched],
                scores[:, untouched],
                missing[:, untouched],
            )
        return RefineResult(keypoints, filled & ~empty)

    def check_known(self, poses: PoseFile) -> None:
        """Check that a refiner that nobody asked for fits the poses.

        Raises:
            ValueError: If the file has less than half of its keypoints.
        """
        if self.mapping is None:
            return
        known = (self.mapping.weights != 0).any(1)
        if 2 * known.sum() < len(known):
            raise ValueError(
                f'{poses.path}: has {known.sum()} of the {len(known)} '
                'keypoints of the default refiner: name one with --refiner, '
                'or a filter with --filter'
            )


def plan_keypoints(
    poses: PoseFile,
    refiner: Any,
    skeleton: Optional[PathLike] = None,
) -> KeypointPlan:
    """Match the keypoints of a file with those of a refiner.

    Args:
        poses: The file, with one person at least.
        refiner: What refines; filters take any keypoints.
        skeleton: Of the file, a name or a JSON file, see
            :func:`find_skeleton`; in place of the names that it has.

    Returns:
        KeypointPlan: Keypoints are matched by name where both sides have
        names; a file without is of the only skeleton with as many keypoints.

    Raises:
        ValueError: One line naming the file: keypoints that cannot be those
            of the skeleton, or of no skeleton for certain.
    """
    count = poses.tracks[0].keypoints.shape[1]
    source, note = None, ''
    if skeleton is not None:
        source = find_skeleton(skeleton)
        if len(source) != count:
            raise ValueError(
                f'{poses.path}: skeleton {source.name} has {len(source)} '
                f'keypoints, the file has {count}'
            )
    elif poses.keypoint_names:
        source = skeleton_of_names(poses.keypoint_names, 'the file')
        if poses.names_by:
            note = f' (taken for {source.name} {poses.names_by})'
    if not isinstance(refiner, Refiner) or not refiner.keypoint_names:
        return KeypointPlan()
    target = skeleton_of_names(refiner.keypoint_names, 'the refiner')
    if source is None:
        if count == len(target):
            return KeypointPlan(
                report='keypoints without names, taken in the order of the '
                'refiner'
            )
        source = _guess(poses, count, target)
        note = f' (taken for {source.name} by their number)'
    try:
        mapping = match_skeletons(source, target)
    except ValueError as error:
        raise ValueError(f'{poses.path}: {error}') from None
    if mapping.is_identity:
        return KeypointPlan(report=note.strip(' ()'))
    return KeypointPlan(mapping, mapping.report() + note)


def _guess(poses: PoseFile, count: int, target: Skeleton) -> Skeleton:
    choices = skeletons_of_size(count)
    if len(choices) == 1:
        return choices[0]
    names = ', '.join(x.name for x in choices)
    raise ValueError(
        f'{poses.path}: {count} keypoints without names, where the refiner '
        f'expects {len(target)}: '
        + (f'they may be {names}' if choices else 'of no known skeleton')
        + '; say it with --skeleton NAME or --skeleton FILE.json'
    )


def _filter_seen(
    others: Any,
    keypoints: np.ndarray,
    scores: np.ndarray,
    missing: np.ndarray,
) -> np.ndarray:
    """Filter keypoints (T, K, D); those that are missing stay as they are."""
    seen = ~missing.all(0)
    if not seen.any():
        return keypoints
    smooth = keypoints.copy()
    smooth[:, seen] = others.refine(
        keypoints[:, seen], scores[:, seen]
    ).keypoints
    return np.where(missing[..., None], keypoints, smooth)


def split_empty(
    inputs: Sequence[Tuple[np.ndarray, Optional[np.ndarray]]],
) -> List[int]:
    """Which of some poses (T, K, D), (T, K) have any keypoint at all."""
    return [
        index
        for index, (points, scores) in enumerate(inputs)
        if scores is None or not missing_keypoints(points, scores).all()
    ]
