"""Poses of files, as they are compared.

T: frames, K: keypoints, D: coordinates.
"""

import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import List, Optional, Sequence

import numpy as np

from hanet_mm.apis.formats import open_poses
from hanet_mm.apis.formats.base import PersonTrack, PoseFile
from hanet_mm.apis.formats.npz import FlatPoses
from hanet_mm.core.data.files import PathLike
from hanet_mm.core.data.gaps import missing_keypoints
from hanet_mm.core.poses.units import LENGTHS, ROTATIONS

from .unrefined import holds_input, restore_input


@dataclass
class Track:
    """One person over consecutive frames.

    Attributes:
        name: What to call it in a message.
        first_frame: Number of the first frame.
        keypoints: (T, K, D) float64; NaN where there is none.
        boxes: Boxes of the truth x1 y1 x2 y2, (T, 4); None: not known.
    """

    name: str
    first_frame: int
    keypoints: np.ndarray
    boxes: Optional[np.ndarray] = None


@dataclass
class Poses:
    """The persons of a file.

    Attributes:
        title: What to call it in a message.
        tracks: The persons.
        keypoint_names: Where the file or its format tells them.
        unit: Of the coordinates; None: the file does not say it.
    """

    title: str
    tracks: List[Track]
    keypoint_names: Optional[Sequence[str]]
    unit: Optional[str]


def read_poses(path: PathLike) -> Poses:
    """Read the poses in a file.

    Keypoints of score 0 are missing, but for those that a refiner filled.

    Args:
        path (PathLike): In any format that :func:`open_poses` takes.

    Raises:
        FileNotFoundError: If there is no such file.
        ValueError: One line naming the file and what is wrong with it.
    """
    poses = open_poses(path)
    return _make_poses(poses, str(path), holds_input(path))


def read_input(path: PathLike) -> Poses:
    """Read the poses that a refined file came from, see :func:`read_poses`.

    Raises:
        ValueError: Also if the file does not keep them.
    """
    path = Path(path)
    open_poses(path)  # what is wrong with the file itself is told first
    with tempfile.TemporaryDirectory() as folder:
        restored = Path(folder) / path.name
        restore_input(path, restored)
        try:
            poses = open_poses(restored)
            return _make_poses(poses, f'{path} (input)', refined=False)
        except ValueError as error:
            reason = str(error).replace(str(restored), str(path))
            raise ValueError(reason) from None


def read_truth(path: PathLike) -> Poses:
    """Read true poses.

    Args:
        path (PathLike): In the flat layout with ``keypoints_gt``, and
            ``visible`` and ``bboxes`` where there are any; or in any other
            format, its keypoints being the truth.

    Raises:
        FileNotFoundError: If there is no such file.
        ValueError: One line naming the file and what is wrong with it.
    """
    poses = open_poses(path)
    if not isinstance(poses, FlatPoses):
        return _make_poses(poses, str(path), refined=False)
    seqs = poses.sequences
    if seqs.keypoints_gt is None:
        raise ValueError(f'{path}: expected keypoints_gt, found none')
    truth = seqs.keypoints_gt.astype(np.float64) * poses.metres
    if seqs.visible is not None:
        truth[~(seqs.visible > 0)] = np.nan
    ends = np.cumsum(seqs.seq_len)[:-1]
    boxes = [None] * len(seqs)
    if seqs.bboxes is not None:
        boxes = np.split(seqs.bboxes.astype(np.float64), ends)
    result = _make_poses(poses, str(path), refined=False)
    for track, points, box in zip(result.tracks, np.split(truth, ends), boxes):
        track.keypoints, track.boxes = points, box
    return result


def _make_poses(poses: PoseFile, title: str, refined: bool) -> Poses:
    unit = _find_unit(poses)
    poses.check()
    return Poses(
        title,
        [_make_track(track, refined) for track in poses.tracks],
        poses.keypoint_names,
        unit,
    )


def _find_unit(poses: PoseFile) -> Optional[str]:
    given = None
    if isinstance(poses, FlatPoses):
        given = poses.sequences.meta.get('units')
    if poses.has_rotations or given in ROTATIONS:
        raise ValueError(
            f'{poses.path}: expected positions of keypoints, found rotations '
            'of joints'
        )
    # Readers give lengths in metres.
    return 'm' if given in LENGTHS else given


def _make_track(track: PersonTrack, refined: bool) -> Track:
    points = np.asarray(track.keypoints).astype(np.float64)
    if track.scores is not None:
        missing = missing_keypoints(points, track.scores)
        if refined:
            # What was filled keeps its score 0; what was left empty is NaN,
            # or 0, 0 where a format has no such thing.
            missing &= np.isnan(points).any(-1) | (points == 0).all(-1)
        points[missing] = np.nan
    points[np.isnan(points).any(-1)] = np.nan
    # The key in the file is of no interest here.
    name = track.name.rsplit('keypoints_est: ', 1)[-1]
    return Track(name, track.first_frame, points)
