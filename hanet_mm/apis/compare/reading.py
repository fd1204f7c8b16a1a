# Copyright (c) hanet_mm contributors. All rights reserved.
"""The same persons before and after, and their truth, from files.

T: frames, K: keypoints, D: coordinates.
"""

import csv
import json
import tempfile
import warnings
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Dict, Iterator, List, NamedTuple, Optional, Sequence

import numpy as np

from hanet_mm.apis.formats import open_poses
from hanet_mm.apis.formats.base import PersonTrack, PoseFile
from hanet_mm.apis.formats.csv import read_table
from hanet_mm.apis.formats.npz import FlatPoses
from hanet_mm.apis.keypoint_plan import known_names
from hanet_mm.core.data.files import (
    ObjectArrayError,
    PathLike,
    read_json,
    read_npz,
)
from hanet_mm.core.metrics.measures import present
from hanet_mm.core.poses.units import LENGTHS, ROTATIONS

from .truth import find_truth, rename_keypoints


class Poses(NamedTuple):
    """The persons of a file, (T, K, D) float64, NaN where there is none, with
    its title for messages, the unit (None: unknown) and the true boxes (T, 4).
    """

    title: str
    tracks: List[PersonTrack]
    keypoint_names: Optional[Sequence[str]]
    unit: Optional[str]
    boxes: Optional[List[np.ndarray]] = None


@dataclass
class TrackPair:
    """One person before and after, (T, K, D) float64, NaN where there is none,
    with truth and true boxes (T, 4) if given.
    """

    name: str
    first_frame: int
    before: np.ndarray
    after: np.ndarray
    truth: Optional[np.ndarray] = None
    boxes: Optional[np.ndarray] = None

    @property
    def both(self) -> np.ndarray:
        """Keypoints that are present before and after, bool (T, K)."""
        return present(self.before) & present(self.after)


def read_poses(
    path: PathLike,
    skeleton: Optional[PathLike] = None,
    after: bool = False,
    **reading: Any,
) -> Poses:
    """Poses of a file; keypoints of score 0 are missing unless filled, as they
    are taken for in files ``after`` refinement that cannot tell.

    ``skeleton``, a name or file, names keypoints; ``reading`` are arguments of
    :func:`open_poses`.
    """
    poses = open_poses(path, **reading)
    holds = holds_input(path)
    refined = holds or (after and not poses.keeps_input)
    given = None
    if holds and any(_may_be_filled(x).any() for x in poses.tracks):
        with _restored_input(Path(path)) as restored:
            tracks = open_poses(restored, **reading).tracks
            given = [np.array(x.keypoints, np.float64) for x in tracks]
    return _make_poses(poses, str(path), refined, skeleton, given)


def read_input(
    path: PathLike, skeleton: Optional[PathLike] = None, **reading: Any
) -> Poses:
    """The poses that a refined file came from."""
    path = Path(path)
    # What is wrong with the file itself is told first.
    open_poses(path, **reading)
    with _restored_input(path) as restored:
        poses = open_poses(restored, **reading)
        return _make_poses(poses, f'{path} (input)', skeleton=skeleton)


@contextmanager
def _restored_input(path: Path) -> Iterator[Path]:
    """A file of what a refined one came from; errors name the latter, and
    warnings were of it already.
    """
    with (
        tempfile.TemporaryDirectory() as folder,
        warnings.catch_warnings(),
    ):
        warnings.simplefilter('ignore')
        restored = Path(folder) / path.name
        restore_input(path, restored)
        try:
            yield restored
        except ValueError as error:
            reason = str(error).replace(str(restored), str(path))
            raise ValueError(reason) from None


def read_truth(path: PathLike, **reading: Any) -> Poses:
    """True poses: ``keypoints_gt`` of the flat layout, else the keypoints."""
    poses = open_poses(path, **reading)
    result = _make_poses(poses, str(path))
    if not isinstance(poses, FlatPoses):
        return result
    seqs = poses.sequences
    if seqs.keypoints_gt is None:
        raise ValueError(f'{path}: expected keypoints_gt, found none')
    truth = seqs.keypoints_gt.astype(np.float64) * poses.metres
    if seqs.visible is not None:
        truth[~(seqs.visible > 0)] = np.nan
    ends = np.cumsum(seqs.seq_len)[:-1]
    for track, points in zip(result.tracks, np.split(truth, ends)):
        track.keypoints = points
    if seqs.bboxes is None:
        return result
    boxes = np.split(seqs.bboxes.astype(np.float64), ends)
    return result._replace(boxes=boxes)


def pair_up(
    before: Poses, after: Poses, truth: Optional[Poses] = None
) -> List[TrackPair]:
    """Find each person of the file before in the others, by name unless alone
    in each; for the truth see :func:`find_truth`.
    """
    pairs = [
        TrackPair(
            a.name, a.first_frame, a.keypoints, after.tracks[i].keypoints
        )
        for a, i in zip(before.tracks, _same_persons(before, after))
    ]
    if truth is not None:
        _check_units(before, truth)
        names = truth.keypoint_names, before.keypoint_names
        rename_keypoints(truth.tracks, *names, truth.title)
        found = find_truth(
            before.tracks, truth.tracks, truth.boxes, truth.title
        )
        for pair, person in zip(pairs, found):
            pair.truth, pair.boxes = person
    return pairs


def _make_poses(
    poses: PoseFile,
    title: str,
    refined: bool = False,
    skeleton: Optional[PathLike] = None,
    given: Optional[List[np.ndarray]] = None,
) -> Poses:
    unit = poses.unit
    if isinstance(poses, FlatPoses):
        unit = poses.sequences.meta.get('units')
    if poses.has_rotations or unit in ROTATIONS:
        raise ValueError(
            f'{poses.path}: expected positions of keypoints, found rotations '
            'of joints'
        )
    poses.check()
    names = poses.keypoint_names
    if skeleton is not None:
        names = list(known_names(poses, skeleton))
    return Poses(
        title,
        [
            _make_track(track, refined, own)
            for track, own in zip(
                poses.tracks, given or [None] * len(poses.tracks)
            )
        ],
        names,
        # Readers give lengths in metres.
        'm' if unit in LENGTHS else unit,
    )


def _may_be_filled(track: PersonTrack) -> np.ndarray:
    """Keypoints (T, K) of a refined file that are somewhere in spite of their
    score 0; what was left empty is NaN, or 0, 0 where a format has no such
    thing.
    """
    points = track.keypoints
    return track.missing & present(points) & (points != 0).any(-1)


def _make_track(
    track: PersonTrack, refined: bool, given: Optional[np.ndarray]
) -> PersonTrack:
    points, missing = track.keypoints.astype(np.float64), track.missing
    if refined:
        filled = _may_be_filled(track)
        if given is not None and given.shape == points.shape:
            # Where it was given with score 0 it was left as it came.
            filled &= ~np.isclose(points, given, 1e-6, 0).all(-1)
        missing = missing & ~filled
    points[missing] = np.nan
    # The key in the file is of no interest here.
    name = track.name.rsplit('keypoints_est: ', 1)[-1]
    return PersonTrack(name, points, first_frame=track.first_frame)


def _same_persons(first: Poses, second: Poses) -> List[int]:
    """Indices of the tracks of the second in the order of the first."""
    _check_units(first, second)
    _check_names(first, second)
    place = {track.name: i for i, track in enumerate(second.tracks)}
    if len(first.tracks) == len(second.tracks) == 1:
        place = {first.tracks[0].name: 0}
    names = {track.name for track in first.tracks}
    for track in first.tracks:
        if track.name not in place:
            raise _unknown_person(track, first, second)
    for track in second.tracks:
        if len(place) > 1 and track.name not in names:
            raise _unknown_person(track, second, first)
    for track in first.tracks:
        found = second.tracks[place[track.name]]
        _check_track(track, found, first.title, second.title)
    return [place[track.name] for track in first.tracks]


def _check_units(first: Poses, second: Poses) -> None:
    if None not in (first.unit, second.unit) and first.unit != second.unit:
        raise ValueError(
            f'{second.title}: unit: expected {first.unit} as in '
            f'{first.title}, found {second.unit}'
        )


def _unknown_person(
    track: PersonTrack, has: Poses, lacks: Poses
) -> ValueError:
    names = [track.name for track in lacks.tracks]
    rest = f' and {len(names) - 3} more' if len(names) > 3 else ''
    return ValueError(
        f'{lacks.title}: expected {track.name} as in {has.title}, found '
        f'{", ".join(names[:3])}{rest}'
    )


def _check_track(
    first: PersonTrack, second: PersonTrack, title: str, where: str
) -> None:
    where = f'{where}: {second.name}'
    shapes = [x.keypoints.shape[1:] for x in (first, second)]
    if shapes[0] != shapes[1]:
        raise ValueError(
            f'{where}: expected keypoints (K, D) = {shapes[0]} as in {title}, '
            f'found {shapes[1]}'
        )
    frames = [
        (x.first_frame, x.first_frame + len(x.keypoints) - 1)
        for x in (first, second)
    ]
    if frames[0] != frames[1]:
        raise ValueError(
            f'{where}: expected frames {frames[0][0]} to {frames[0][1]} as '
            f'in {title}, found {frames[1][0]} to {frames[1][1]}'
        )


def _check_names(first: Poses, second: Poses) -> None:
    pairs = zip(first.keypoint_names or (), second.keypoint_names or ())
    for index, (expected, found) in enumerate(pairs):
        if expected != found:
            raise ValueError(
                f'{second.title}: keypoint {index}: expected {expected!r} as '
                f'in {first.title}, found {found!r}'
            )


_KEPT = '_input'
_FLAT = 'keypoints_est'


def holds_input(path: PathLike) -> bool:
    """Whether a file or folder keeps the keypoints it was refined from."""
    return _is_refined(_read(Path(path)))


def restore_input(path: PathLike, out: PathLike) -> None:
    """Write the keypoints that a refined file came from, with its ending."""
    path, out = Path(path), Path(out)
    content = _read(path)
    if not _is_refined(content):
        raise ValueError(
            f'{path}: expected keypoints_input, as in files refined by '
            'hanet-mm, found none: give the file to compare with too'
        )
    content = _restore(content)
    if path.is_dir():
        out.mkdir()
        for name, frame in content.items():
            (out / name).write_text(json.dumps(frame), encoding='utf-8')
    elif path.suffix.lower() == '.npz':
        with open(out, 'wb') as file:
            np.savez(file, **content)
    elif path.suffix.lower() == '.csv':
        with open(out, 'w', newline='', encoding='utf-8') as file:
            csv.writer(file).writerows([content, *zip(*content.values())])
    else:
        out.write_text(json.dumps(content), encoding='utf-8')


def _read(path: Path) -> Any:
    """Describe the content of a file by its keys."""
    if path.is_dir():
        return {x.name: read_json(x) for x in sorted(path.glob('*.json'))}
    kind = path.suffix.lower()
    if kind == '.npz':
        try:
            return read_npz(path, (), (), prefix='')
        except ObjectArrayError:
            return None
    if kind == '.csv':
        return _read_table(path)
    if kind != '.json':
        return None
    content = read_json(path)
    # Results of ultralytics may be the text of each frame.
    if isinstance(content, list) and all(isinstance(x, str) for x in content):
        content = list(map(_parse_text, content))
    return content


def _parse_text(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        return text


def _read_table(path: Path) -> Dict[str, List[str]]:
    """Cells of each column."""
    table = read_table(path)
    return dict(zip(table.columns, map(list, zip(*table.rows))))


def _is_refined(content: Any) -> bool:
    if isinstance(content, dict):
        return any(
            _kept(key) in content or _is_refined(value)
            for key, value in content.items()
        )
    if _is_nested(content):
        return any(map(_is_refined, content))
    return False


def _restore(content: Any) -> Any:
    if isinstance(content, dict):
        kept = {key: _kept(key) for key in content if _kept(key) in content}
        return {
            key: content[kept[key]] if key in kept else _restore(value)
            for key, value in content.items()
            if key not in kept.values()
        }
    if _is_nested(content):
        return list(map(_restore, content))
    return content


def _kept(key: str) -> str:
    """Name the field that holds the input."""
    return ('keypoints' if key == _FLAT else key) + _KEPT


def _is_nested(content: Any) -> bool:
    """Whether the content is a list of anything but numbers."""
    if not isinstance(content, list):
        return False
    # The first frame may be null: without people.
    first = next((x for x in content if x is not None), None)
    return isinstance(first, (dict, list))
