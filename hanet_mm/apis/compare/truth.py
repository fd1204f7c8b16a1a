# Copyright (c) hanet_mm contributors. All rights reserved.
"""Bring the truth to the persons, frames and keypoints of an estimate.

T: frames, K: keypoints, D: coordinates.
"""

from typing import List, NamedTuple, Optional, Sequence

import numpy as np

from hanet_mm.apis.formats.base import PersonTrack
from hanet_mm.core.metrics.errors import position_errors
from hanet_mm.core.poses.keypoint_map import match_skeletons
from hanet_mm.core.poses.skeleton_data import skeleton_of_names


class TruePerson(NamedTuple):
    """True keypoints (T, K, D), NaN where unknown, and boxes (T, 4)."""

    keypoints: np.ndarray
    boxes: Optional[np.ndarray]


def rename_keypoints(
    tracks: Sequence[PersonTrack],
    names: Optional[Sequence[str]],
    wanted: Optional[Sequence[str]],
    title: str,
) -> None:
    """Give tracks the keypoints of other names, in place: NaN where there is
    no such keypoint. Nothing changes where names are unknown or the same.
    """
    if not names or not wanted or list(names) == list(wanted):
        return
    source = skeleton_of_names(names, title)
    target = skeleton_of_names(wanted, 'the estimate')
    try:
        mapping = match_skeletons(source, target)
    except ValueError as error:
        raise ValueError(f'{title}: {error}') from None
    known = mapping.direct >= 0
    if not known.any():
        raise ValueError(
            f'{title}: expected keypoints of the estimate '
            f'({", ".join(wanted)}), found {", ".join(names)}'
        )
    for track in tracks:
        points = track.keypoints
        shape = (len(points), len(wanted), points.shape[2])
        track.keypoints = np.full(shape, np.nan)
        track.keypoints[:, known] = points[:, mapping.direct[known]]


def find_truth(
    estimates: Sequence[PersonTrack],
    truths: Sequence[PersonTrack],
    boxes: Optional[Sequence[np.ndarray]],
    title: str,
) -> List[TruePerson]:
    """The truth of each person, in the frames of the person.

    Persons have the same name, or are alone, or, as ids of an estimator and
    of an annotator are not the same, lie next to each other. Somebody without
    truth has NaN.

    Raises a ValueError if no person has a truth.
    """
    _check_shapes(estimates, truths, title)
    chosen: List[Optional[int]]
    places = {_id_of(track): i for i, track in enumerate(truths)}
    if len(estimates) == len(truths) == 1:
        chosen = [0]
    elif all(_id_of(track) in places for track in estimates):
        chosen = [places[_id_of(track)] for track in estimates]
    else:
        chosen = _nearest(estimates, truths)
    result = []
    for track, index in zip(estimates, chosen):
        points = np.full(track.keypoints.shape, np.nan)
        box = None if boxes is None else np.full((len(points), 4), np.nan)
        if index is not None:
            mine, other = _common_frames(track, truths[index])
            points[mine] = truths[index].keypoints[other]
            if box is not None and boxes is not None:
                box[mine] = boxes[index][other]
        result.append(TruePerson(points, box))
    if all(np.isnan(x.keypoints).all() for x in result):
        raise ValueError(
            f'{title}: expected persons in frames {_frames(estimates)} as in '
            f'the estimate, found {_frames(truths)}, or nobody near to one'
        )
    return result


def _id_of(track: PersonTrack) -> str:
    """What identifies a person: ``track_id 3`` and ``idx 3`` are the same."""
    field, _, value = track.name.partition(' ')
    return value if field in _ID_FIELDS else track.name


_ID_FIELDS = ('track_id', 'idx', 'person_id', 'person', 'track')


def _nearest(
    estimates: Sequence[PersonTrack], truths: Sequence[PersonTrack]
) -> List[Optional[int]]:
    """Assign persons one to one, the nearest pair first."""
    distances = np.full((len(estimates), len(truths)), np.inf)
    for i, estimate in enumerate(estimates):
        for j, truth in enumerate(truths):
            mine, other = _common_frames(estimate, truth)
            errors = position_errors(
                estimate.keypoints[mine], truth.keypoints[other]
            )
            if np.isfinite(errors).any():
                distances[i, j] = np.nanmedian(errors)
    chosen: List[Optional[int]] = [None] * len(estimates)
    while np.isfinite(distances).any():
        i, j = divmod(int(distances.argmin()), distances.shape[1])
        chosen[i] = j
        distances[i], distances[:, j] = np.inf, np.inf
    return chosen


def _common_frames(first: PersonTrack, second: PersonTrack) -> tuple:
    """Slices of the frames that both have."""
    begin = max(first.first_frame, second.first_frame)
    end = min(x.first_frame + len(x.keypoints) for x in (first, second))
    end = max(begin, end)
    return tuple(
        slice(begin - x.first_frame, end - x.first_frame)
        for x in (first, second)
    )


def _frames(tracks: Sequence[PersonTrack]) -> str:
    first = min(x.first_frame for x in tracks)
    last = max(x.first_frame + len(x.keypoints) - 1 for x in tracks)
    return f'{first} to {last}'


def _check_shapes(
    estimates: Sequence[PersonTrack],
    truths: Sequence[PersonTrack],
    title: str,
) -> None:
    expected = estimates[0].keypoints.shape[1:]
    for track in truths:
        if track.keypoints.shape[1:] != expected:
            raise ValueError(
                f'{title}: {track.name}: expected keypoints (K, D) = '
                f'{expected} as in the estimate, found '
                f'{track.keypoints.shape[1:]}'
            )
