# Copyright (c) hanet_mm contributors. All rights reserved.
"""Read what is shown of a pose file.

T: frames, K: keypoints, D: coordinates.
"""

from typing import Any, Dict, List, Optional, Sequence, Tuple

import numpy as np

from hanet_mm.apis.compare.reading import (
    Poses,
    holds_input,
    pair_up,
    read_input,
    read_poses,
)
from hanet_mm.apis.formats import PoseFile, open_poses
from hanet_mm.apis.formats.base import DetectionFile
from hanet_mm.apis.formats.marks import TYPES, split_marks
from hanet_mm.apis.formats.npz import FlatPoses, PlainPoses
from hanet_mm.core.data.files import PathLike, read_npz
from hanet_mm.core.data.plausible import ignored_keypoints
from hanet_mm.core.metrics.measures import present
from hanet_mm.core.poses.boxes import person_size
from hanet_mm.core.poses.skeleton import Skeleton
from hanet_mm.core.poses.skeleton_data import (
    SKELETONS,
    find_skeleton,
    skeleton_of_names,
    skeletons_of_size,
)
from hanet_mm.core.refine.frame_rate import check_fps
from hanet_mm.core.refine.swap_chains import swap_chains
from hanet_mm.core.refine.trust import OUTLIER
from hanet_mm.core.refine.weights_file import DEFAULTS
from hanet_mm.visualization.recording import Recording, ShownPerson

# Sides nearer to each other than this, in sizes of the person, are not told
# apart by where they went.
_APART = 0.05
# How many times nearer to where the other side was a swapped pair is.
_CLEARLY = 3.0


def read_recording(
    path: PathLike,
    before: Optional[PathLike] = None,
    skeleton: Optional[PathLike] = None,
    fps: Optional[float] = None,
    **reading: Any,
) -> Recording:
    """Read the poses of a file, with those before refinement if known.

    Args:
        path (PathLike): In any format that
            :func:`hanet_mm.apis.formats.open_poses` takes.
        before (PathLike, optional): The poses before refinement. Defaults to
            None: those that a refined file keeps, if it does.
        skeleton (PathLike, optional): Names and limbs, where the file has
            none: a known skeleton or a JSON file.
        fps (float, optional): Frame rate, in place of that of the file.
        **reading: Other arguments of :func:`open_poses`.

    Returns:
        Recording: What to show.

    Raises:
        FileNotFoundError: If a file is not there.
        ValueError: One line naming the file and what is wrong.
    """
    if fps is not None:
        check_fps(fps)
    opened = open_poses(path, **reading)
    after = read_poses(path, skeleton, before is not None, **reading)
    first: Optional[Poses] = None
    if before is not None:
        first = read_poses(before, skeleton, **reading)
    elif holds_input(path):
        first = read_input(path, skeleton, **reading)
    count, dims = after.tracks[0].keypoints.shape[1:]
    if dims not in (2, 3):
        raise ValueError(
            f'{path}: expected 2 or 3 coordinates of a keypoint, found {dims}'
        )
    known = _find_skeleton(after.keypoint_names, skeleton, count, dims)
    names = [f'keypoint {i}' for i in range(count)]
    if known is not None:
        names = list(known.keypoint_names)
    people = _pair(first, after)
    _add_marks(people, opened, known)
    starts = _first_frames(opened)
    for person, start in zip(people, starts or ()):
        person.first_frame = start
    tracks = opened.tracks
    size = next((x.image_size for x in tracks if x.image_size is not None), ())
    flat = isinstance(opened, DetectionFile) or len(people) == 1
    return Recording(
        title=str(path),
        people=people,
        keypoint_names=names,
        links=find_links(known),
        fps=fps or next((x.fps for x in tracks if x.fps), None),
        image_size=(int(size[0]), int(size[1])) if len(size) else None,
        unit=after.unit or ('px' if dims == 2 else None),
        one_clock=flat or starts is not None,
    )


def find_links(skeleton: Optional[Skeleton]) -> List[Tuple[int, int]]:
    """Limbs as pairs of keypoint numbers; of a skeleton without links those
    of the known one that has most of its keypoints.
    """
    if skeleton is None:
        return []
    if skeleton.links:
        return list(skeleton.link_indices)
    place = {point: i for i, point in enumerate(skeleton.points)}
    choices = []
    for other in SKELETONS.values():
        pairs = [
            (place.get(other.points[a]), place.get(other.points[b]))
            for a, b in other.link_indices
        ]
        choices.append([(a, b) for a, b in pairs if None not in (a, b)])
    return max(choices, key=len)  # type: ignore[return-value]


def find_swaps(
    before: np.ndarray, after: np.ndarray, flip: Sequence[int]
) -> np.ndarray:
    """Keypoints that went to where the other side was, bool (T, K).

    Args:
        before (np.ndarray): (T, K, D), NaN = missing.
        after (np.ndarray): The same after refinement.
        flip (Sequence[int]): Keypoint of the other side of each, (K,).
    """
    flip = np.asarray(flip)
    mirrored = before[:, flip]
    stayed = _of_pairs(np.linalg.norm(after - before, axis=-1), flip)
    crossed = _of_pairs(np.linalg.norm(after - mirrored, axis=-1), flip)
    apart = np.linalg.norm(before - mirrored, axis=-1)
    wide = apart > _APART * person_size(before, present(before))
    return wide & (_CLEARLY * crossed < stayed)


def _of_pairs(values: np.ndarray, flip: np.ndarray) -> np.ndarray:
    """Mean of both sides, (T, K), or that of the side that is there."""
    other = values[:, flip]
    mean = (values + other) / 2
    mean = np.where(np.isnan(values), other, mean)
    return np.where(np.isnan(other), values, mean)


def _pair(first: Optional[Poses], after: Poses) -> List[ShownPerson]:
    for track in (after if first is None else first).tracks:
        found = ignored_keypoints(track.keypoints, track.missing)
        track.keypoints[found.placeholders] = np.nan
    if first is None:
        return [
            ShownPerson(x.name, x.first_frame, x.keypoints)
            for x in after.tracks
        ]
    return [
        ShownPerson(x.name, x.first_frame, x.after, x.before)
        for x in pair_up(first, after)
    ]


def _find_skeleton(
    names: Optional[Sequence[str]],
    skeleton: Optional[PathLike],
    count: int,
    dims: int,
) -> Optional[Skeleton]:
    """The given skeleton, that of the names, or the usual one of so many
    keypoints.
    """
    if skeleton is not None:
        return find_skeleton(skeleton)
    if names:
        return skeleton_of_names(names, 'the file')
    choices = {x.name: x for x in skeletons_of_size(count)}
    usual = DEFAULTS[dims].split('-')[0]
    if usual in choices:
        return choices[usual]
    return next(iter(choices.values())) if len(choices) == 1 else None


def _add_marks(
    people: List[ShownPerson], opened: PoseFile, known: Optional[Skeleton]
) -> None:
    """Set what was swapped and what was an outlier: as the file says, else
    what can be seen.
    """
    marks = _read_marks(opened)
    swapped, reason = marks.get('swapped'), marks.get('reason')
    flip = None
    if known is not None:
        flip = swap_chains(known.keypoint_names).flip_indices
    for index, person in enumerate(people):
        if reason is not None:
            person.outliers = reason[index] == OUTLIER
        if swapped is not None:
            person.swapped = swapped[index]
        elif flip is not None and person.before is not None:
            person.swapped = find_swaps(person.before, person.poses, flip)


def _read_marks(opened: PoseFile) -> Dict[str, List[np.ndarray]]:
    """The marks that an archive keeps, by sequence."""
    if not isinstance(opened, (FlatPoses, PlainPoses)):
        return {}
    arrays = read_npz(opened.path, (), TYPES)
    shapes = [x.keypoints.shape for x in opened.tracks]
    return split_marks(arrays, [x[0] for x in shapes], shapes[0][1])


def _first_frames(opened: PoseFile) -> Optional[List[int]]:
    """First frames of sequences that say their frame numbers."""
    if not isinstance(opened, FlatPoses):
        return None
    seqs = opened.sequences
    numbers = seqs.extras.get('frame_number')
    if numbers is None or numbers.dtype.kind not in 'iu':
        return None
    return [int(x) for x in numbers[seqs.starts]]
