# Copyright (c) hanet_mm contributors. All rights reserved.
"""Common interface of the pose-file readers.

T: frames, K: keypoints, D: coordinates.
"""

from abc import ABC, abstractmethod
from dataclasses import dataclass
from pathlib import Path
from typing import (
    Any,
    Dict,
    Hashable,
    List,
    Literal,
    Mapping,
    NamedTuple,
    Optional,
    Sequence,
    Tuple,
)

import numpy as np

from hanet_mm.core.data.files import PathLike
from hanet_mm.core.data.gaps import missing_keypoints, scores_or_default
from hanet_mm.core.data.scores import ignored_scores
from hanet_mm.core.refine.refiner import RefineResult

from .evidence import empty_places, metre_scale, pixel_scale
from .track import PersonTrack


class Source(NamedTuple):
    """A file to read: its ending, such as '.json' ('folder' for a folder);
    parsed JSON, the cells of a table or shapes of some arrays of an archive by
    name; W, H in pixels if the caller gave them; a tracker that links persons
    over time (None: the file has to); the number of coordinates of a keypoint
    if the caller gave it; whether pickles may be loaded.
    """

    path: Path
    kind: str
    content: Any = None
    image_size: Optional[Sequence[float]] = None
    tracker: Optional[Any] = None
    dims: Optional[int] = None
    trust_pickle: bool = False


class PoseFile(ABC):
    """A file with the poses of one person or several: its tracks, K names if
    the file or its format defines them, how they are known if not from the
    file, whether keypoints are joint rotations, what becomes of a translation
    beside them (None: there is none), the unit of coordinates where it is
    known, whether refined files keep their input, and what was decided about
    the numbers by their values.
    """

    path: PathLike
    tracks: List[PersonTrack]
    keypoint_names: Optional[List[str]] = None
    names_by: str = ''
    has_rotations: bool = False
    translation_is: Optional[Literal['smoothed', 'copied']] = None
    unit: Optional[str] = None
    keeps_input: bool = True
    note: str = ''

    @abstractmethod
    def save(self, out: PathLike, refined: Sequence[RefineResult]) -> None:
        """Write a file of the same layout, completely or not at all, from one
        result for each track.
        """

    def count(self, refined: Sequence[RefineResult]) -> Tuple[int, int]:
        """Number of keypoints that are written, and of those filled."""
        flags = [np.asarray(x.filled) for x in refined]
        return sum(x.size for x in flags), sum(int(x.sum()) for x in flags)

    def use_convention(
        self, skeletons: Mapping[int, Sequence[str]], num_keypoints: int
    ) -> None:
        """Name the keypoints by their number, as the format does."""
        if num_keypoints in skeletons:
            self.keypoint_names = list(skeletons[num_keypoints])
            self.names_by = 'by their number, as usual in this format'

    def ignore_scores(self) -> None:
        """Let scores say no more than which keypoints are missing."""
        for track in self.tracks:
            if track.scores is not None:
                track.scores = ignored_scores(track.scores)
                track.is_visibility = False

    def ignore_impossible(self) -> Tuple[int, int]:
        """Let placeholders and outliers count as missing; how many there are.

        Rotations are neither.
        """
        if self.has_rotations:
            return 0, 0
        counts = [track.ignore_impossible() for track in self.tracks]
        return sum(x for x, _ in counts), sum(x for _, x in counts)

    def check(self) -> None:
        """Raise a ValueError unless every track is one of poses, and one of
        them at least has a keypoint: others stay as they are.
        """
        if not self.tracks:
            raise ValueError(f'{self.path}: expected a person, found none')
        names = self.keypoint_names or []
        twice = next((x for x in names if names.count(x) > 1), None)
        if twice is not None:
            raise ValueError(
                f'{self.path}: expected each keypoint name once, found '
                f'{twice!r:.60} more than once'
            )
        for track in self.tracks:
            try:
                track.check()
            except ValueError as error:
                raise ValueError(
                    f'{self.path}: {track.name}: {error}'
                ) from None
        if all(track.missing.all() for track in self.tracks):
            raise ValueError(
                f'{self.path}: {self.tracks[0].name}: all keypoints are '
                'missing (NaN or score 0) in all '
                f'{len(self.tracks[0].keypoints)} frames'
            )


# A longer absence is an error: frame numbers are wrong, or two persons share
# an id.
MAX_GAP = 10_000
# Id of detections that a tracker ignores, which stay unchanged; the id of all
# detections means that persons were not tracked.
NOBODY = -1


@dataclass
class Detections:
    """Persons found in single frames, in any order."""

    frames: np.ndarray  # frame numbers, (N,) int64
    keypoints: np.ndarray  # (N, K, D), NaN = missing
    scores: Optional[np.ndarray]  # (N, K), 0 = missing; None: unknown
    ids: List[Optional[Hashable]]  # (N,), None: unknown
    id_field: str = 'track id'  # name of the ids in the file
    is_visibility: bool = False  # see PersonTrack
    image_size: Optional[Sequence[float]] = None
    fps: Optional[float] = None
    # Whether they usually are fractions of the image in such files; None: as
    # they seem to be.
    fractions: Optional[bool] = None


class DetectionFile(PoseFile):
    """A file that lists the persons of each frame, linked by their ids, by the
    tracker of the source or, if there is one at most, by being alone; frames
    without a person are filled for the network, not written and not counted.

    Tracks are in pixels or, where their size tells the unit, in metres;
    ``scale`` is what those of the file are multiplied by.

    ``new_ids`` (N,) are the numbers of persons that the tracker found, to be
    written with them, -1 for nobody; None if it was not needed.
    """

    def __init__(self, source: Source, detections: Detections):
        self.path = source.path
        self.detections = detections
        self.new_ids: Optional[List[int]] = None
        points = empty_places(detections.keypoints, detections.scores)
        size = source.image_size
        size = detections.image_size if size is None else size
        detections.image_size = size
        self.scale: Any
        if points.shape[-1] == 2:
            self.scale = pixel_scale(
                points, source.path, size, detections.fractions
            )
            if detections.fractions and (self.scale == 1).all():
                self._add_note(
                    'taken as pixels, not as fractions of the image'
                )
        else:
            self.scale, self.unit = metre_scale(points)
        detections.keypoints = points * self.scale
        if all(person == NOBODY for person in detections.ids):
            detections.ids = [None] * len(detections.ids)
        ids = detections.ids
        if source.tracker is not None and None in ids:
            ids = self._track(source.tracker)
            numbers: Dict[Hashable, int] = {NOBODY: NOBODY}
            for person in ids:
                numbers.setdefault(person, len(numbers) - 1)
            self.new_ids = [numbers[person] for person in ids]
            ids = [*self.new_ids]
        else:
            ids = self._leave_out_strangers(self._leave_out_empty(ids))
            self._check_ids(ids)
        persons: Dict[Hashable, List[int]] = {}
        for row, person in enumerate(ids):
            if person != NOBODY:
                persons.setdefault(person, []).append(row)
        self.rows: List[np.ndarray] = []
        self.tracks = []
        for person, members in persons.items():
            rows = np.array(members)
            rows = rows[np.argsort(detections.frames[rows], kind='stable')]
            self.rows.append(rows)
            self.tracks.append(self._make_track(person, rows))

    def collect(
        self, refined: Sequence[RefineResult]
    ) -> Tuple[np.ndarray, np.ndarray]:
        """Bring results to detections: keypoints (N, K, D) in the unit of the
        file, filled (N, K).
        """
        keypoints = self.detections.keypoints.copy()
        self.put([x.keypoints for x in refined], keypoints)
        filled = np.zeros(keypoints.shape[:2], bool)
        self.put([x.filled for x in refined], filled)
        return keypoints / self.scale, filled

    def put(self, values: Sequence[Any], target: np.ndarray) -> None:
        """Put values of tracks (T, ...) into those of detections (N, ...)."""
        for track, rows, own in zip(self.tracks, self.rows, values):
            places = self.detections.frames[rows] - track.first_frame
            target[rows] = own[places]

    def count(self, refined: Sequence[RefineResult]) -> Tuple[int, int]:
        """See :meth:`PoseFile.count`."""
        rows = np.concatenate([np.zeros(0, int), *self.rows])
        filled = self.collect(refined)[1][rows]
        return filled.size, int(filled.sum())

    def _leave_out_empty(
        self, ids: List[Optional[Hashable]]
    ) -> List[Optional[Hashable]]:
        """Ids with NOBODY for places without id and any keypoint that are not
        alone in their frame.
        """
        if None not in ids or not len(ids):
            return ids
        found = self.detections
        where = np.unique(found.frames, return_inverse=True)[1]
        several = np.bincount(where)[where] > 1
        scores = scores_or_default(found.scores, found.keypoints.shape[:2])
        empty = missing_keypoints(found.keypoints, scores).all(1) & several
        return [
            NOBODY if person is None and out else person
            for person, out in zip(ids, empty.tolist())
        ]

    def _leave_out_strangers(
        self, ids: List[Optional[Hashable]]
    ) -> List[Optional[Hashable]]:
        """Ids with NOBODY for those without one among others who have one:
        whom the tracker of the estimator did not follow, or not yet.
        """
        count = ids.count(None)
        if not count or not {*ids} - {None, NOBODY}:
            return ids
        field = self.detections.id_field
        self._add_note(
            f'{count} of {len(ids)} detections have no {field} and are '
            'unchanged (--track to link all)'
        )
        return [NOBODY if person is None else person for person in ids]

    def _add_note(self, text: str) -> None:
        self.note = '; '.join(filter(None, [self.note, text]))

    def _make_track(self, person: Hashable, rows: np.ndarray) -> PersonTrack:
        """Put a person into consecutive frames; absent ones are NaN."""
        found = self.detections
        name = f'{found.id_field} {person!r:.60}'
        if person is None:
            name = 'person'
        frames = found.frames[rows]
        check_gaps(frames, f'{self.path}: {name}')
        places = frames - frames[0]
        scores = None
        if found.scores is not None:
            scores = spread_rows(found.scores[rows], places, 0)
        keypoints = spread_rows(found.keypoints[rows], places, np.nan)
        return PersonTrack(
            name,
            keypoints,
            scores,
            int(frames[0]),
            found.image_size,
            found.fps,
            found.is_visibility,
        )

    def _check_ids(self, given: List[Optional[Hashable]]) -> None:
        """Raise unless each person occurs once in a frame."""
        found = self.detections
        field = found.id_field
        seen: Dict[int, List[Optional[Hashable]]] = {}
        for row, frame in enumerate(found.frames.tolist()):
            if given[row] != NOBODY:
                seen.setdefault(frame, []).append(given[row])
        for frame, ids in seen.items():
            where = f'{self.path}: frame {frame}: expected'
            if None in ids and len(ids) > 1:
                raise ValueError(
                    f'{where} one person, or a {field} value for each, found '
                    f'{len(ids)} persons without one: link them over time '
                    'with a tracker (--track)'
                )
            if len(set(ids)) < len(ids):
                raise ValueError(f'{where} each {field} once, found {ids}')

    def _track(self, tracker: Any) -> List[Optional[Hashable]]:
        """Ids (person, segment) from a tracker; NOBODY for ignored ones."""
        found = self.detections
        ids: List[Any] = [NOBODY] * len(found.ids)
        order = np.argsort(found.frames, kind='stable')
        frames, starts = np.unique(found.frames[order], return_index=True)
        tracker.reset()
        for frame, rows in zip(frames.tolist(), np.split(order, starts[1:])):
            scores = None if found.scores is None else found.scores[rows]
            points = found.keypoints[rows][..., :2]
            try:
                who = tracker.update(frame, None, None, points, scores)
            except ValueError as error:
                raise ValueError(f'{self.path}: {error}') from None
            for row, person, segment in zip(
                rows, who.track_ids.tolist(), who.segments.tolist()
            ):
                if person != NOBODY:
                    ids[row] = (person, segment)
        return ids


def check_gaps(frames: np.ndarray, name: str) -> None:
    """Raise if numbers of frames, which rise, are more than ``MAX_GAP`` apart;
    the message begins with ``name``.
    """
    gaps = np.diff(frames)
    if len(gaps) and gaps.max() > MAX_GAP:
        where = int(gaps.argmax())
        raise ValueError(
            f'{name}: expected gaps of at most {MAX_GAP} frames, found '
            f'{frames[where]} and then {frames[where + 1]}'
        )


def spread_rows(
    values: np.ndarray, rows: np.ndarray, empty: float
) -> np.ndarray:
    """Values (R, ...) as rows that rise of an array, others are ``empty``."""
    shape = (rows[-1] + 1, *values.shape[1:])
    spread = np.full(shape, empty, values.dtype)
    spread[rows] = values
    return spread
