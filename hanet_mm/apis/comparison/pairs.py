"""The same persons before and after, and their truth."""

from dataclasses import dataclass
from typing import List, Optional

import numpy as np

from .reading import Poses, Track


@dataclass
class TrackPair:
    """One person before and after.

    T: frames, K: keypoints, D: coordinates.

    Attributes:
        name: What to call the person.
        first_frame: Number of the first frame.
        before: (T, K, D) float64, NaN where there is none.
        after: (T, K, D).
        truth: (T, K, D); None: not given.
        boxes: True boxes, (T, 4); None: not given.
    """

    name: str
    first_frame: int
    before: np.ndarray
    after: np.ndarray
    truth: Optional[np.ndarray] = None
    boxes: Optional[np.ndarray] = None

    @property
    def both(self) -> np.ndarray:
        """Where there is a keypoint before and after, (T, K) bool."""
        return present(self.before) & present(self.after)


def present(keypoints: np.ndarray) -> np.ndarray:
    """Where there is a keypoint, (T, K, D) -> (T, K) bool."""
    return ~np.isnan(keypoints).any(-1)


def pair_up(
    before: Poses, after: Poses, truth: Optional[Poses] = None
) -> List[TrackPair]:
    """Find each person before, after and in the truth.

    A person alone in each of the files is the same; several go by their
    names.

    Args:
        before (Poses): Of the file before.
        after (Poses): Of the file after.
        truth (Poses, optional): Defaults to None.

    Returns:
        list[TrackPair]: In the order of the file before.

    Raises:
        ValueError: One line if persons, frames, keypoints or units are not
            the same.
    """
    changed = _same_persons(before, after)
    pairs = [
        TrackPair(a.name, a.first_frame, a.keypoints, b.keypoints)
        for a, b in zip(before.tracks, changed)
    ]
    if truth is not None:
        for pair, track in zip(pairs, _same_persons(before, truth)):
            pair.truth, pair.boxes = track.keypoints, track.boxes
    return pairs


def _same_persons(first: Poses, second: Poses) -> List[Track]:
    """Tracks of the second in the order of the first."""
    if None not in (first.unit, second.unit) and first.unit != second.unit:
        raise ValueError(
            f'{second.title}: unit: expected {first.unit} as in '
            f'{first.title}, found {second.unit}'
        )
    _check_names(first, second)
    found = {track.name: track for track in second.tracks}
    if len(first.tracks) == len(second.tracks) == 1:
        found = {first.tracks[0].name: second.tracks[0]}
    for track in first.tracks:
        if track.name not in found:
            raise ValueError(
                f'{second.title}: expected {track.name} as in {first.title}, '
                f'found {_list_names(second)}'
            )
        _check_track(track, found[track.name], first.title, second.title)
    names = {track.name for track in first.tracks}
    for track in second.tracks:
        if len(found) > 1 and track.name not in names:
            raise ValueError(
                f'{first.title}: expected {track.name} as in {second.title}, '
                f'found {_list_names(first)}'
            )
    return [found[track.name] for track in first.tracks]


def _check_track(
    first: Track, second: Track, first_title: str, second_title: str
) -> None:
    where = f'{second_title}: {second.name}'
    if first.keypoints.shape[1:] != second.keypoints.shape[1:]:
        raise ValueError(
            f'{where}: expected keypoints (K, D) = '
            f'{first.keypoints.shape[1:]} as in {first_title}, found '
            f'{second.keypoints.shape[1:]}'
        )
    frames = [
        (x.first_frame, x.first_frame + len(x.keypoints) - 1)
        for x in (first, second)
    ]
    if frames[0] != frames[1]:
        raise ValueError(
            f'{where}: expected frames {frames[0][0]} to {frames[0][1]} as '
            f'in {first_title}, found {frames[1][0]} to {frames[1][1]}'
        )


def _check_names(first: Poses, second: Poses) -> None:
    pairs = zip(first.keypoint_names or (), second.keypoint_names or ())
    for index, (expected, found) in enumerate(pairs):
        if expected != found:
            raise ValueError(
                f'{second.title}: keypoint {index}: expected {expected!r} as '
                f'in {first.title}, found {found!r}'
            )


def _list_names(poses: Poses, most: int = 3) -> str:
    names = [track.name for track in poses.tracks]
    rest = f' and {len(names) - most} more' if len(names) > most else ''
    return ', '.join(names[:most]) + rest
