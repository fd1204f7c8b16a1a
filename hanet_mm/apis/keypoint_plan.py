# Copyright (c) hanet_mm contributors. All rights reserved.
"""Map the keypoints of a file to those of a refiner and back.

T: frames, Ks: keypoints of the file, Kt: keypoints of the refiner.
"""

from dataclasses import dataclass
from typing import Any, Iterable, List, Optional, Sequence, Tuple

import numpy as np

from hanet_mm.core.data.files import PathLike
from hanet_mm.core.data.gaps import (
    long_gaps,
    missing_keypoints,
    scores_or_default,
)
from hanet_mm.core.poses.keypoint_map import KeypointMap, match_skeletons
from hanet_mm.core.poses.skeleton import Skeleton
from hanet_mm.core.poses.skeleton_data import (
    find_skeleton,
    skeleton_of_names,
    skeletons_of_size,
)
from hanet_mm.core.refine.followers import Followers
from hanet_mm.core.refine.refiner import Refiner, RefineResult
from hanet_mm.core.refine.swap_chains import SwapChains, swap_chains
from hanet_mm.core.refine.trust import OUTLIER

from .formats.base import PersonTrack, PoseFile

Poses = Tuple[np.ndarray, Optional[np.ndarray]]


@dataclass
class KeypointPlan:
    """Map the keypoints of a file to those of a refiner and back."""

    mapping: Optional[KeypointMap] = None  # None: those of the refiner
    report: str = ''  # one line for the user
    # Keypoint of the other side of each one of the file, (Ks,), if known.
    flip: Optional[np.ndarray] = None

    def to_refiner(self, track: PersonTrack) -> Poses:
        """Keypoints (T, Kt, D) and scores (T, Kt) or None."""
        if self.mapping is None:
            return track.keypoints, track.believed
        return self.mapping.forward(track.keypoints, track.believed)

    def from_refiner(
        self,
        track: PersonTrack,
        result: Optional[RefineResult],
        max_gap: Optional[int] = None,
        others: Optional[Any] = None,
        cuts: Iterable[int] = (),
    ) -> RefineResult:
        """Put refined keypoints (T, Kt, D) into a track (T, Ks, D): gaps
        longer than ``max_gap`` frames stay, as do all keypoints if the result
        is None. Keypoints unknown to the refiner move along with those that
        it knows, see :class:`Followers`, or are smoothed by ``others``, each
        part between ``cuts`` by itself.
        """
        given, missing = track.keypoints, track.missing
        untouched = np.zeros(given.shape[1], bool)
        swapped = None if result is None else result.swapped
        reason = None if result is None else result.reason
        if result is None:
            keypoints, filled = given.copy(), np.zeros(given.shape[:2], bool)
            untouched[:] = True
        elif self.mapping is None:
            keypoints, filled = result.keypoints, result.filled
        else:
            keypoints, swapped = Followers(self.mapping).move(
                given, result.keypoints, track.scores, swapped
            )
            filled = self.mapping.backward_flags(result.filled)
            untouched = self.mapping.untouched
            if reason is not None:
                reason = self.mapping.backward_flags(reason)
        if reason is not None:
            outliers = self._outliers(track, swapped) & filled
            reason = np.where(outliers, OUTLIER, reason).astype(np.uint8)
        if swapped is not None:
            # Keypoints were missing on the side that they are on now, and
            # what was given there is the other side's.
            missing = np.where(untouched, missing, filled)
            given = np.where(swapped[..., None], np.nan, given)
        empty = long_gaps(missing, max_gap) & filled
        keypoints = np.where(empty[..., None], given, keypoints)
        seen = untouched & ~missing.all(0)
        if others is not None and seen.any():
            scores = track.believed
            scores = None if scores is None else scores[:, seen]
            smooth = _smooth_parts(others, given[:, seen], scores, cuts)
            stays = missing[:, seen, None]
            keypoints[:, seen] = np.where(stays, given[:, seen], smooth)
        return RefineResult(
            keypoints, filled & ~empty, swapped=swapped, reason=reason
        )

    def _outliers(
        self, track: PersonTrack, swapped: Optional[np.ndarray]
    ) -> np.ndarray:
        """Keypoints of a file that were outliers, on the side of now."""
        if track.outliers is None:
            return np.zeros(track.keypoints.shape[:2], bool)
        if swapped is None or self.flip is None:
            return track.outliers
        return np.where(swapped, track.outliers[:, self.flip], track.outliers)

    def check_known(self, poses: PoseFile) -> None:
        """Raise unless half of the default refiner's keypoints are known."""
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
    poses: PoseFile, refiner: Any, skeleton: Optional[PathLike] = None
) -> KeypointPlan:
    """Match the keypoints of a file to those of a refiner by name;
    ``skeleton``, a name or JSON file, replaces the names in the file, and
    without names the only skeleton with as many keypoints is taken. Filters
    accept any keypoints.
    """
    count = poses.tracks[0].keypoints.shape[1]
    source, note = _known_skeleton(poses, skeleton), ''
    if source is not None and skeleton is None and poses.names_by:
        note = f' (taken for {source.name} {poses.names_by})'
    if not isinstance(refiner, Refiner) or not refiner.keypoint_names:
        return KeypointPlan()
    target = skeleton_of_names(refiner.keypoint_names, 'the refiner')
    if source is None:
        if count == len(target):
            return KeypointPlan(
                report='keypoints without names, taken in the order of the '
                'refiner',
                flip=_flip(refiner.keypoint_names),
            )
        source = _guess(poses, f'where the refiner expects {len(target)}')
        note = f' (taken for {source.name} by their number)'
    try:
        mapping = match_skeletons(source, target)
    except ValueError as error:
        raise ValueError(f'{poses.path}: {error}') from None
    flip = _flip(source.keypoint_names)
    if mapping.is_identity:
        return KeypointPlan(None, note.strip(' ()'), flip)
    return KeypointPlan(mapping, Followers(mapping).report() + note, flip)


def _smooth_parts(
    others: Any,
    points: np.ndarray,
    scores: Optional[np.ndarray],
    cuts: Iterable[int],
) -> np.ndarray:
    """Keypoints (T, K, D) smoothed between cuts; parts without any stay."""
    smooth = points.copy()
    for first, end in zip([0, *cuts], [*cuts, len(points)]):
        part = points[first:end], None if scores is None else scores[first:end]
        if nonempty_indices([part]):
            smooth[first:end] = others.refine(*part).keypoints
    return smooth


def _flip(names: Sequence[str]) -> np.ndarray:
    """Keypoint of the other side of each, by the names."""
    return swap_chains(names).flip_indices


def find_chains(
    poses: PoseFile, skeleton: Optional[PathLike] = None
) -> SwapChains:
    """The pairs of a file's keypoints; ``skeleton`` as for
    :func:`plan_keypoints`.
    """
    source = _known_skeleton(poses, skeleton)
    if source is None:
        source = _guess(poses, 'whose left and right are not known')
    chains = swap_chains(source.keypoint_names)
    if (chains.chains < 0).all():
        raise ValueError(
            f'{poses.path}: unswap: expected keypoints of a left and a right '
            f'side, found {", ".join(source.keypoint_names)}'
        )
    return chains


def known_names(
    poses: PoseFile, skeleton: Optional[PathLike] = None
) -> Sequence[str]:
    """Keypoint names of a file or of ``skeleton``; () if unknown."""
    source = _known_skeleton(poses, skeleton)
    return () if source is None else source.keypoint_names


def guessed_names(poses: PoseFile) -> Sequence[str]:
    """Names of the only known skeleton with as many keypoints, or ()."""
    choices = skeletons_of_size(poses.tracks[0].keypoints.shape[1])
    return choices[0].keypoint_names if len(choices) == 1 else ()


def nonempty_indices(inputs: Sequence[Poses]) -> List[int]:
    """Indices of poses (T, K, D), (T, K) with at least one keypoint."""
    missing = [
        missing_keypoints(points, scores_or_default(scores, points.shape[:2]))
        for points, scores in inputs
    ]
    return [index for index, x in enumerate(missing) if not x.all()]


def _known_skeleton(
    poses: PoseFile, skeleton: Optional[PathLike]
) -> Optional[Skeleton]:
    """The skeleton that the user or the file names."""
    count = poses.tracks[0].keypoints.shape[1]
    if skeleton is None:
        names = poses.keypoint_names
        return skeleton_of_names(names, 'the file') if names else None
    source = find_skeleton(skeleton)
    if len(source) != count:
        raise ValueError(
            f'{poses.path}: skeleton {source.name} has {len(source)} '
            f'keypoints, the file has {count}'
        )
    return source


def _guess(poses: PoseFile, why: str) -> Skeleton:
    count = poses.tracks[0].keypoints.shape[1]
    choices = skeletons_of_size(count)
    if len(choices) == 1:
        return choices[0]
    names = ', '.join(x.name for x in choices)
    raise ValueError(
        f'{poses.path}: {count} keypoints without names, {why}: '
        + (f'they may be {names}' if choices else 'of no known skeleton')
        + '; give it with --skeleton NAME or --skeleton FILE.json'
    )
