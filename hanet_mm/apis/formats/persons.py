"""From persons found in single frames to persons over time, and back.

N: persons found, in all frames together; T: frames of one person, K:
keypoints, D: coordinates.
"""

from dataclasses import dataclass
from typing import Any, Dict, Hashable, List, Optional, Sequence, Tuple

import numpy as np

from hanet_mm.apis.pose_files import PoseFile, PoseTrack
from hanet_mm.core.data.files import PathLike
from hanet_mm.core.refine.refiner import RefineResult

# A person who is away longer is not filled in: frame numbers are wrong, or
# two persons share an id.
MAX_GAP = 10_000
# The id of nobody: of persons that a tracker left out, who stay as they are,
# or, if it is the id of all, of persons that were not tracked.
NOBODY = -1


@dataclass
class Detections:
    """Persons as an estimator found them, in any order.

    Attributes:
        frames: Number of the frame of each, (N,) int64.
        keypoints: (N, K, D); NaN where there is none.
        scores: (N, K), 0 where there is none; None: not known.
        ids: Who each is, (N,); None where the file does not say it.
        id_field: What the file calls that.
        noun: What the file calls the persons of a frame.
    """

    frames: np.ndarray
    keypoints: np.ndarray
    scores: Optional[np.ndarray]
    ids: List[Optional[Hashable]]
    id_field: str
    noun: str


class DetectionFile(PoseFile):
    """A file that lists the persons of each frame.

    Persons are told apart by the ids in the file; without them there can be
    one person only, unless a tracker tells who is who. Frames in which a
    person is missing are filled for the network, and not written.

    Args:
        path: The file.
        detections: What it holds.
        tracker: :class:`hanet_mm.apis.tracking.PoseTracker`, or what is used
            like it, for a file without ids. Defaults to None.

    Raises:
        ValueError: One line naming the file, the frame and what is wrong.
    """

    def __init__(
        self,
        path: PathLike,
        detections: Detections,
        tracker: Optional[Any] = None,
    ):
        self.path = path
        self.detections = detections
        if all(person == NOBODY for person in detections.ids):
            detections.ids = [None] * len(detections.ids)
        ids = detections.ids
        if tracker is not None and None in ids:
            ids = _track(detections, tracker, path)
        else:
            _check_ids(detections, path)
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
        """Refined keypoints of the persons found, in their order.

        Args:
            refined: One result for each track.

        Returns:
            Keypoints (N, K, D), those that came for nobody's, and which were
            missing, bool (N, K).
        """
        keypoints = self.detections.keypoints.copy()
        filled = np.zeros(keypoints.shape[:2], bool)
        for track, rows, result in zip(self.tracks, self.rows, refined):
            places = self.detections.frames[rows] - track.first_frame
            keypoints[rows] = result.keypoints[places]
            filled[rows] = result.filled[places]
        return keypoints, filled

    def _make_track(self, person: Hashable, rows: np.ndarray) -> PoseTrack:
        """Put a person into consecutive frames, missing ones NaN."""
        found = self.detections
        name = f'{found.id_field} {person!r}'
        if person is None:
            name = 'person'
        elif isinstance(person, tuple):
            name = f'tracked person {person[0]}, segment {person[1]}'
        frames = found.frames[rows]
        gaps = np.diff(frames)
        if len(gaps) and gaps.max() > MAX_GAP:
            where = int(gaps.argmax())
            raise ValueError(
                f'{self.path}: {name}: expected gaps of at most {MAX_GAP} '
                f'frames, found {frames[where]} and then {frames[where + 1]}'
            )
        places = frames - frames[0]
        scores = None
        if found.scores is not None:
            scores = _spread(found.scores[rows], places, 0)
        return PoseTrack(
            name,
            _spread(found.keypoints[rows], places, np.nan),
            scores,
            int(frames[0]),
        )


def _check_ids(found: Detections, path: PathLike) -> None:
    """Check that each person is there once in a frame."""
    field, seen = found.id_field, {}
    for row, frame in enumerate(found.frames.tolist()):
        if found.ids[row] != NOBODY:
            seen.setdefault(frame, []).append(found.ids[row])
    for frame, ids in seen.items():
        where = f'{path}: frame {frame}: expected'
        if None in ids and len(ids) > 1:
            raise ValueError(
                f'{where} one person, or a {field} in each of its '
                f'{found.noun}, found {len(ids)} {found.noun} without it: '
                'link them over time with a tracker (--track)'
            )
        if len(set(ids)) < len(ids):
            raise ValueError(f'{where} each {field} once, found {ids}')
    if None in found.ids and len({*found.ids} - {NOBODY}) > 1:
        frame = found.frames[found.ids.index(None)]
        raise ValueError(
            f'{path}: frame {frame}: one of its {found.noun} has no {field}, '
            'others have: expected it in all or none'
        )


def _track(
    found: Detections, tracker: Any, path: PathLike
) -> List[Optional[Hashable]]:
    """Ids (person, segment) that a tracker gives; NOBODY for nobody's."""
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
            raise ValueError(f'{path}: {error}') from None
        for row, person, segment in zip(
            rows, who.track_ids.tolist(), who.segments.tolist()
        ):
            if person != NOBODY:
                ids[row] = (person, segment)
    return ids


def stack_numbers(
    values: Sequence[Any],
    key: str,
    letters: str,
    where: Sequence[str],
) -> np.ndarray:
    """Stack nested lists of numbers of one shape; null becomes NaN.

    Args:
        values: N nested lists.
        key: What the file calls them.
        letters: Their shape, such as '(K, D)'; for messages, and its commas
            tell how deep they are.
        where: N descriptions of where they are from.

    Returns:
        (N, ...) float64.

    Raises:
        ValueError: One line naming the first that is wrong.
    """
    ndim = letters.count(',') + (not letters.endswith(',)'))
    try:
        array = np.array(values, dtype=np.float64)
        if array.ndim == 1 + ndim:
            return array
    except (TypeError, ValueError, OverflowError):
        pass  # no array of numbers; now find the first that is wrong
    shapes = [_shape(value) for value in values]
    wrong = [len(x) != ndim or x != shapes[0] for x in shapes].index(True)
    raise ValueError(
        f'{where[wrong]}: {key}: expected numbers {letters}, as many as in '
        f'the other frames, found {shapes[wrong] or "none"}'
    )


def _shape(value: Any) -> tuple:
    try:
        return np.array(value, dtype=np.float64).shape
    except (TypeError, ValueError, OverflowError):
        return ()


def _spread(values: np.ndarray, rows: np.ndarray, empty: float) -> np.ndarray:
    shape = (rows[-1] + 1, *values.shape[1:])
    spread = np.full(shape, empty, values.dtype)
    spread[rows] = values
    return spread
