"""Keypoints that MMPose wrote as JSON.

T: frames, K: keypoints, D: coordinates.
"""

import json
from pathlib import Path
from typing import Any, Dict, Hashable, List, Optional, Sequence, Tuple

import numpy as np

from hanet_mm.core.files import PathLike, atomic_path
from hanet_mm.core.refiner import RefineResult

from .pose_files import PoseFile, PoseTrack

# A person who is away longer is not filled in: frame numbers are wrong, or
# two persons share a track_id.
MAX_GAP = 10_000
# What numpy raises for lists that are no array of numbers.
_NOT_NUMBERS = (TypeError, ValueError, OverflowError)

Appearance = Tuple[int, Dict[str, Any]]  # frame, instance


class MMPosePredictions(PoseFile):
    """Predictions of a video.

    Either the list of ``{frame_id, instances}`` of an inferencer, or the
    ``{meta_info, instance_info}`` of MMPose's demo scripts. Persons are told
    apart by the ``track_id`` of their instances; without it there can be one
    person only. Frames in which a person is missing are filled for the
    network, and not written.

    Refined keypoints take the place of ``keypoints``; those that came are
    kept as ``keypoints_input``, and ``filled`` tells which of them were
    missing. A coordinate that is NaN is read as missing and written as null:
    JSON has no NaN.

    Args:
        path: The file.

    Raises:
        ValueError: One line naming the file, the frame and what is wrong.
    """

    def __init__(self, path: PathLike):
        self.path = path
        self.content = _read_json(path)
        self.frames = self.content
        if isinstance(self.content, dict):
            self.frames = self.content.get('instance_info')
            self.keypoint_names = self._read_names()
        persons = self._collect()
        self.tracks = []
        self.appearances: List[List[Appearance]] = []
        for track_id, appearances in persons.items():
            appearances.sort(key=lambda pair: pair[0])
            self.appearances.append(appearances)
            self.tracks.append(self._make_track(track_id, appearances))

    def save(self, out: PathLike, refined: Sequence[RefineResult]) -> None:
        """See :meth:`PoseFile.save`."""
        changes: Dict[int, Dict[str, Any]] = {}
        for track, appearances, result in zip(
            self.tracks, self.appearances, refined
        ):
            rows = [frame - track.first_frame for frame, _ in appearances]
            keypoints = result.keypoints[rows].tolist()
            filled = result.filled[rows].tolist()
            for i, (_, instance) in enumerate(appearances):
                changes[id(instance)] = dict(
                    keypoints=keypoints[i],
                    keypoints_input=instance['keypoints'],
                    filled=filled[i],
                )
        content: Any = [
            {
                **frame,
                'instances': [
                    {**x, **changes[id(x)]} for x in frame['instances']
                ],
            }
            for frame in self.frames
        ]
        if isinstance(self.content, dict):
            content = {**self.content, 'instance_info': content}
        try:
            text = json.dumps(content, allow_nan=False)
        except ValueError:
            raise ValueError(
                f'{self.path}: has an infinite number outside the keypoints, '
                'which JSON cannot hold'
            ) from None
        with atomic_path(out) as temporary:
            temporary.write_text(text, encoding='utf-8')

    def _read_names(self) -> Optional[List[str]]:
        meta = self.content.get('meta_info')
        names = meta.get('keypoint_id2name') if isinstance(meta, dict) else {}
        try:
            by_id = {int(index): str(name) for index, name in names.items()}
        except (AttributeError, ValueError):
            raise ValueError(
                f'{self.path}: meta_info: keypoint_id2name: expected names '
                f'by number, found {type(names).__name__}'
            ) from None
        return [by_id[index] for index in sorted(by_id)] or None

    def _collect(self) -> Dict[Hashable, List[Appearance]]:
        """Find the appearances of each person."""
        if not isinstance(self.frames, list):
            raise ValueError(
                f"{self.path}: expected a list of frames, or 'instance_info' "
                f'with one, found {type(self.frames).__name__}'
            )
        seen = set()
        persons: Dict[Hashable, List[Appearance]] = {}
        for position, item in enumerate(self.frames):
            frame, instances = _read_frame(
                item, f'{self.path}: entry {position}'
            )
            where = f'{self.path}: frame {frame}'
            if frame in seen:
                raise ValueError(f'{where}: expected once, found twice')
            seen.add(frame)
            for track_id, instance in _name_persons(instances, where):
                persons.setdefault(track_id, []).append((frame, instance))
        if None in persons and len(persons) > 1:
            frame = persons[None][0][0]
            raise ValueError(
                f'{self.path}: frame {frame}: an instance has no track_id, '
                'others have: expected it in all or none'
            )
        return persons

    def _make_track(
        self, track_id: Hashable, appearances: List[Appearance]
    ) -> PoseTrack:
        """Put a person into consecutive frames, missing ones NaN."""
        name = 'person' if track_id is None else f'track_id {track_id!r}'
        frames = np.array([frame for frame, _ in appearances])
        gaps = np.diff(frames)
        if len(gaps) and gaps.max() > MAX_GAP:
            where = int(gaps.argmax())
            raise ValueError(
                f'{self.path}: {name}: expected gaps of at most {MAX_GAP} '
                f'frames, found {frames[where]} and then {frames[where + 1]}'
            )
        keypoints = self._stack(name, 'keypoints', 2, appearances)
        scores = None
        if any('keypoint_scores' in x for _, x in appearances):
            scores = self._stack(name, 'keypoint_scores', 1, appearances)
        rows = frames - frames[0]
        return PoseTrack(
            name,
            _spread(keypoints, rows, np.nan),
            None if scores is None else _spread(scores, rows, 0),
            int(frames[0]),
        )

    def _stack(
        self, name: str, key: str, ndim: int, appearances: List[Appearance]
    ) -> np.ndarray:
        """Stack a list of numbers of each appearance; null becomes NaN."""
        values = [instance.get(key) for _, instance in appearances]
        try:
            array = np.array(values, dtype=np.float64)
            if array.ndim == 1 + ndim:
                return array
        except _NOT_NUMBERS:
            pass
        # Something is wrong: find the first frame where it is.
        shapes = [_shape(value) for value in values]
        wrong = [len(x) != ndim or x != shapes[0] for x in shapes].index(True)
        letters = '(K, D)' if ndim == 2 else '(K,)'
        raise ValueError(
            f'{self.path}: frame {appearances[wrong][0]}: {name}: {key}: '
            f'expected numbers {letters}, as many as in its other frames, '
            f'found {shapes[wrong] or "none"}'
        )


def _read_json(path: PathLike) -> Any:
    try:
        return json.loads(
            Path(path).read_text(encoding='utf-8'),
            parse_constant={
                'NaN': None,
                'Infinity': float('inf'),
                '-Infinity': -float('inf'),
            }.get,
        )
    except (ValueError, RecursionError) as error:
        raise ValueError(f'{path}: expected JSON, found {error}') from None


def _read_frame(item: Any, where: str) -> Tuple[int, List[dict]]:
    if not isinstance(item, dict) or not {'frame_id', 'instances'} <= {*item}:
        raise ValueError(
            f'{where}: expected a frame {{frame_id, instances}}, as MMPose '
            'writes of a video'
        )
    frame, instances = item['frame_id'], item['instances']
    if type(frame) is not int or not 0 <= frame < 2**31:
        raise ValueError(
            f'{where}: frame_id: expected an integer >= 0, found {frame!r}'
        )
    if not isinstance(instances, list) or not all(
        isinstance(instance, dict) for instance in instances
    ):
        raise ValueError(
            f'{where}: instances: expected a list of {{keypoints, ...}}'
        )
    return frame, instances


def _name_persons(
    instances: List[dict], where: str
) -> List[Tuple[Hashable, dict]]:
    """Pair the instances of a frame with the persons they are of."""
    names = [instance.get('track_id') for instance in instances]
    if None in names and len(names) > 1:
        raise ValueError(
            f'{where}: expected one person, or a track_id in each instance, '
            f'found {len(names)} instances without it'
        )
    if any(type(name) not in (int, str, type(None)) for name in names):
        raise ValueError(
            f'{where}: track_id: expected integers or strings, found {names}'
        )
    if len(set(names)) < len(names):
        raise ValueError(
            f'{where}: expected each track_id once, found {names}'
        )
    return list(zip(names, instances))


def _shape(value: Any) -> tuple:
    try:
        return np.array(value, dtype=np.float64).shape
    except _NOT_NUMBERS:
        return ()


def _spread(values: np.ndarray, rows: np.ndarray, empty: float) -> np.ndarray:
    shape = (rows[-1] + 1, *values.shape[1:])
    spread = np.full(shape, empty, values.dtype)
    spread[rows] = values
    return spread
