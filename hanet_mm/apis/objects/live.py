# Copyright (c) hanet_mm contributors. All rights reserved.
"""Refine results of pose estimators as they come."""

from collections import deque
from types import ModuleType
from typing import (
    Any,
    Deque,
    Dict,
    Hashable,
    List,
    NamedTuple,
    Optional,
    Tuple,
)

import numpy as np

from hanet_mm.core.refine.trust import believed_scores
from hanet_mm.core.stream import refiner as core
from hanet_mm.core.stream.arguments import check_id

from ..formats.base import NOBODY
from ..tracking import PoseTracker
from ..video.adapter import SkeletonAdapter
from ..video.frames import Frame
from ..video.refine_stage import RefineStage
from .base import Read, ResultReader, is_empty
from .registry import find_kind


class StreamingRefiner(core.StreamingRefiner):
    """Use a refiner on a live stream, for any number of persons.

    Like :class:`hanet_mm.core.stream.refiner.StreamingRefiner`, and takes
    the results of pose estimators too, one for each frame, with
    :meth:`push` or :meth:`push_many`. Both then return the results that are
    done, in order: copies with refined keypoints. People are linked as by
    :func:`hanet_mm.refine`; who is missed for more than 10 frames begins
    anew. A stream takes either arrays or results of one kind; None and an
    empty list are results without people, also before the first person.

    Example:
        >>> stream = StreamingRefiner(load_refiner('coco17-2d'), lookahead=3)
        >>> for result in YOLO('yolo11n-pose.pt').track(0, stream=True):
        ...     for refined in stream.push(result):
        ...         refined.show()
        >>> rest = stream.flush()
    """

    _results: Optional['ResultStream'] = None
    _takes_arrays = False  # arrays have come, and no result
    _num_nobody = 0  # results without people before the first other one

    def push(
        self,
        keypoints: Any,
        scores: Optional[core.Array] = None,
        timestamp: Optional[float] = None,
        track_id: Hashable = 0,
        index: Optional[int] = None,
    ) -> List[Any]:
        """Take the next frame of one person, or the result of a frame.

        Args:
            keypoints: (K, D), see the class of the core; or a result, see
                :func:`hanet_mm.refine`, with no other argument but
                ``timestamp``.
            scores: (K, ), 0 where a keypoint was not found.
            timestamp: Seconds.
            track_id: Which person.
            index: Number of the frame in its video.

        Returns:
            list: Frames of this person that are done; or results that are.

        Raises:
            TypeError: If something is of a wrong type, or a result comes
                with another argument but ``timestamp``.
        """
        check_id(track_id)
        others = dict(scores=scores, track_id=track_id or None, index=index)
        done = self._push_result(keypoints, timestamp, others)
        if done is not None:
            return done
        frames = super().push(keypoints, scores, timestamp, track_id, index)
        self._takes_arrays = self._results is None
        return frames

    def push_many(
        self,
        people: Any,
        timestamp: Optional[float] = None,
        index: Optional[int] = None,
    ) -> Any:
        """Take the next frame of a video, with one network call.

        Args:
            people: Keypoints and scores (or None) of each person found, by
                track id; or a result, as for :meth:`push`.
            timestamp: Seconds of the frame.
            index: Number of the frame, not with results.

        Returns:
            dict: Frames that are done of each person; or a list of results.
        """
        done = self._push_result(people, timestamp, dict(index=index))
        if done is not None:
            return done
        frames = super().push_many(people, timestamp, index)
        self._takes_arrays = self._results is None
        return frames

    def flush(self, track_id: Optional[Hashable] = None) -> Any:
        """Hand out what is left of a person, or of all.

        Returns:
            list | dict: See the class of the core; of a stream of results a
            list of them.
        """
        if track_id is not None:
            return super().flush(track_id)
        only_nobody = self._num_nobody > 0 and not self._takes_arrays
        self._num_nobody = 0
        if self._results is None:
            return [] if only_nobody else super().flush()
        rest, self._results = self._results.flush(), None
        return rest

    def reset(self, track_id: Optional[Hashable] = None) -> None:
        """Forget a person, or (None) all and the number of the frame."""
        if track_id is None:
            self._results, self._takes_arrays = None, False
            self._num_nobody = 0
        super().reset(track_id)

    def _push_result(
        self, given: Any, timestamp: Optional[float], others: Dict[str, Any]
    ) -> Optional[List[Any]]:
        """Take a result, if it is one: no other argument may be given."""
        kind = None
        if self._results is None:
            kind = find_kind(given)
            is_nobody = is_empty(given) and not self._takes_arrays
            is_result = kind is not None or is_nobody
        else:
            # Arrays by the number of a person are those of the stage.
            is_other = isinstance(given, dict) and find_kind(given) is None
            is_result = not is_other
        if not is_result:
            return None
        for name, value in others.items():
            if value is not None:
                raise TypeError(
                    f'{name}: expected none with a result, found {value!r:.60}'
                )
        if kind is not None:
            self._begin_results(kind)
        if self._results is None:  # nobody has come yet
            self._num_nobody += 1
            return [given]
        return self._results.push(given, timestamp)

    def _begin_results(self, kind: ModuleType) -> None:
        """Take results from now on."""
        if self.track_ids:
            raise ValueError(
                f'{kind.TITLE}: expected arrays, as before, or a new stream'
            )
        reader = ResultReader(kind, self.image_size)
        self._results = ResultStream(self, reader, self._num_nobody)
        self._takes_arrays = False


# Numbers of the people of a frame, NOBODY if not followed, and segments.
Linked = Tuple[np.ndarray, np.ndarray]


class _Pending(NamedTuple):
    """A result in the refiner: its frames, and the people of each of them."""

    read: Read
    frames: List[Frame]
    rows: List[np.ndarray]


class ResultStream:
    """Results into a streaming refiner, by way of the stage of a video.

    ``count``: results without people that came before.
    """

    def __init__(
        self, stream: StreamingRefiner, reader: ResultReader, count: int = 0
    ) -> None:
        self.stream, self.reader = stream, reader
        self._stage: Optional[RefineStage] = None
        self._tracker: Optional[PoseTracker] = None
        self._pending: Deque[_Pending] = deque()
        self._numbers: Dict[Hashable, int] = {}
        self._count, self._frames = count, 0
        self._last: Optional[Frame] = None  # of a person who was alone

    def push(self, result: Any, timestamp: Optional[float]) -> List[Any]:
        """Take the next result; the copies that are done."""
        read = self.reader.read(result, self._count)
        people = read.people
        if len(people) and people.keypoints.shape[2] != 2:
            raise ValueError(
                f'{self.reader.kind.TITLE}: expected 2D keypoints in a '
                f'stream, found {people.keypoints.shape[1:]}'
            )
        self._count += 1
        within = people.frames
        if within is None:
            within = np.zeros(len(people), np.int64)
        pending = _Pending(read, [], [])
        for number in range(people.num_frames):
            frame, rows = self._make(read, np.flatnonzero(within == number))
            frame.timestamp = timestamp
            pending.frames.append(frame)
            pending.rows.append(rows)
            if self._stage is None and len(rows):
                self._stage = self._make_stage(people.names)
            if self._stage is not None:
                self._stage.push(frame)
        self._pending.append(pending)
        return self._take_done()

    def flush(self) -> List[Any]:
        """The copies of what is left."""
        if self._stage is not None:
            self._stage.flush()
        return self._take_done()

    def _make_stage(self, names: Any) -> RefineStage:
        target = self.stream.refiner.keypoint_names
        return RefineStage(self.stream, SkeletonAdapter(names, target))

    def _make(self, read: Read, rows: np.ndarray) -> Tuple[Frame, np.ndarray]:
        """A frame of the people in some rows, and the rows it took."""
        people = read.people
        frame = Frame(self._frames, None)
        self._frames += 1
        count = self.reader.num_keypoints or 0
        scores = people.scores_or_default[rows]
        if people.is_visibility:
            scores = believed_scores(scores, 0)
        # Someone is missed in a frame without people, with as many keypoints.
        shape = (len(rows), count)
        frame.keypoints = people.keypoints[rows].reshape(*shape, 2)
        frame.keypoint_scores = scores.reshape(shape)
        frame.bboxes = np.full((len(rows), 4), np.nan, np.float32)
        frame.bbox_scores = np.ones(len(rows), np.float32)
        known_ids = people.known_ids
        ids = [known_ids[row] for row in rows]
        frame.track_ids, frame.segments = self._link(frame, ids)
        known = np.asarray(frame.track_ids >= 0)
        frame.keep(known)
        return frame, rows[known]

    def _link(self, frame: Frame, ids: List[Optional[Hashable]]) -> Linked:
        """Number the people of a frame."""
        alone = np.zeros(len(ids), np.int64)
        if any(x is not None for x in ids) or self._numbers:
            numbers = [
                NOBODY
                if person is None
                else self._numbers.setdefault(person, len(self._numbers))
                for person in ids
            ]
            return np.array(numbers, np.int64), alone
        if self._tracker is None and len(ids) < 2:
            # Who is alone needs no tracker.
            if len(ids):
                self._last = frame
            return alone, alone
        if self._tracker is None:
            self._tracker = PoseTracker()
            if self._last is not None:  # whose number is 0 there, too
                _track(self._tracker, self._last)
        return _track(self._tracker, frame)

    def _take_done(self) -> List[Any]:
        done = []
        while self._pending and not any(
            x.num_waiting for x in self._pending[0].frames
        ):
            read, frames, rows = self._pending.popleft()
            keypoints = np.array(read.people.keypoints)
            missing = read.people.missing
            for frame, own in zip(frames, rows):
                if len(own) and frame.refined is not None:
                    refined = frame.refined[: len(own)]
                    empty = missing[own] & np.isnan(refined).any(-1)
                    given = keypoints[own]
                    keypoints[own] = np.where(empty[..., None], given, refined)
            done.append(self.reader.write(read, keypoints))
        return done


def _track(tracker: PoseTracker, frame: Frame) -> Linked:
    return tracker.update(
        frame.index, None, None, frame.keypoints, frame.keypoint_scores
    )
