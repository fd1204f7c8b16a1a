# Copyright (c) hanet_mm contributors. All rights reserved.
"""Tracks of people into the streaming refiner, and back into frames."""

from collections import deque
from dataclasses import dataclass, field, replace
from typing import (
    Any,
    Deque,
    Dict,
    List,
    Mapping,
    Optional,
    Sequence,
    Set,
    Tuple,
)

import numpy as np

from hanet_mm.apis.filter_choice import choose_filter
from hanet_mm.apis.formats import PersonTrack
from hanet_mm.apis.formats.marks import stack_marks
from hanet_mm.core.data.gaps import check_max_gap, long_gaps, missing_keypoints
from hanet_mm.core.data.scores import ignored_scores
from hanet_mm.core.refine.frame_rate import USUAL_RATE
from hanet_mm.core.refine.inputs import RefineResult
from hanet_mm.core.refine.swap_chains import SwapChains
from hanet_mm.core.refine.trust import believed_scores
from hanet_mm.core.refine.unswap import swap_sides
from hanet_mm.core.stream.refiner import StreamedFrame
from hanet_mm.core.stream.sides import StreamSides

from .adapter import SkeletonAdapter
from .frames import Frame

# Frames that are finished together, and those on either side that are looked
# at for them: beyond that, classical filters have next to no memory.
_CHUNK = 64
_CONTEXT = 32

Pose = Tuple[np.ndarray, np.ndarray]  # keypoints (K, D), scores (K,)


@dataclass
class _Segment:
    """A part of a track that is refined as one sequence.

    Attributes:
        key: Its name in the refiner.
        number: Its number within the track.
        tracker_number: The number that the tracker gave.
        waiting: Rows of frames that are in the refiner.
        missed: Rows of frames since the person was last found.
    """

    key: int
    number: int
    tracker_number: int
    waiting: Deque[Tuple[Frame, int]] = field(default_factory=deque)
    missed: List[Tuple[Frame, int]] = field(default_factory=list)


class RefineStage:
    """Refines all people of a frame together as the frames come.

    Args:
        stream (Any, optional): A streaming refiner, with ``push_many`` and
            ``flush``. Defaults to None: keypoints stay as they are.
        adapter (SkeletonAdapter, optional): Between the keypoints of
            estimator and refiner. Defaults to None: they are the same.
        max_gap (int): Frames that a person may be missed for and still be
            refined as one sequence, with the gap filled. Defaults to 10.
        kpt_thr (float): Keypoints of a lower score count as missing.
            Defaults to 0.
        ignore_scores (bool): Whether the refiner learns from the scores only
            which keypoints are missing. Defaults to False.
        is_visibility (bool): Whether scores tell what is hidden, not what is
            right, see :func:`believed_scores`. Defaults to False.
    """

    def __init__(
        self,
        stream: Optional[Any] = None,
        adapter: Optional[SkeletonAdapter] = None,
        max_gap: int = 10,
        kpt_thr: float = 0.0,
        ignore_scores: bool = False,
        is_visibility: bool = False,
    ) -> None:
        check_max_gap(max_gap)
        self.stream, self.max_gap, self.kpt_thr = stream, max_gap, kpt_thr
        self.ignore_scores = ignore_scores
        self.is_visibility = is_visibility
        self.adapter = adapter or SkeletonAdapter()
        self._current: Dict[int, _Segment] = {}
        self._numbers: Dict[int, int] = {}
        self._keys = 0

    def push(self, frame: Frame) -> None:
        """Take the tracked people of the next frame.

        Their refined poses come into the frame by this call or a later one.
        People who are missed get a row of their own, which is reported if
        they come back: the end of a track is not made longer.
        """
        self._mark_missing(frame)
        found = len(frame)
        for row in range(found):
            self._enter(frame, row)
        self._add_missed(frame, set(frame.track_ids.tolist()))
        frame.reported = np.arange(len(frame)) < found
        frame.refined = np.full_like(frame.keypoints, np.nan)
        frame.filled = np.zeros(frame.keypoint_scores.shape, bool)
        if self.stream is None:
            frame.refined[:] = frame.keypoints
            for segment in self._current.values():
                segment.waiting.clear()
        elif len(frame):
            frame.num_waiting = len(frame)
            self._refine(frame)

    def flush(self) -> None:
        """Finish everybody who is still waiting."""
        for track_id in list(self._current):
            self._close(track_id)

    def _mark_missing(self, frame: Frame) -> None:
        missing = ~(frame.keypoint_scores > 0)
        missing |= frame.keypoint_scores < self.kpt_thr
        missing |= ~np.isfinite(frame.keypoints).all(-1)
        points = np.where(missing[..., None], np.nan, frame.keypoints)
        scores = np.where(missing, 0, frame.keypoint_scores)
        frame.keypoints = points.astype(np.float32)
        frame.keypoint_scores = scores.astype(np.float32)

    def _enter(self, frame: Frame, row: int) -> None:
        """Put a person who was found into the segment of the track."""
        track_id = int(frame.track_ids[row])
        tracker_number = int(frame.segments[row])
        segment = self._current.get(track_id)
        if segment is not None and segment.tracker_number != tracker_number:
            self._close(track_id)
            segment = None
        if segment is None:
            number = self._numbers.get(track_id, -1) + 1
            self._numbers[track_id] = number
            self._keys += 1
            segment = _Segment(self._keys, number, tracker_number)
            self._current[track_id] = segment
        for earlier, place in segment.missed:
            earlier.reported[place] = True
        segment.missed.clear()
        frame.segments[row] = segment.number
        segment.waiting.append((frame, row))

    def _add_missed(self, frame: Frame, here: Set[int]) -> None:
        """Add rows of people who were missed; end those missed too long."""
        missed: Dict[int, _Segment] = {}
        for track_id in [x for x in self._current if x not in here]:
            if len(self._current[track_id].missed) >= self.max_gap:
                self._close(track_id)
            else:
                missed[track_id] = self._current[track_id]
        for row, segment in enumerate(missed.values(), len(frame)):
            segment.missed.append((frame, row))
            segment.waiting.append((frame, row))
        numbers = [segment.number for segment in missed.values()]
        frame.add_missed(list(missed), numbers)

    def _refine(self, frame: Frame) -> None:
        """Hand the people of a frame to the refiner, take what is ready."""
        segments = [self._current[x] for x in frame.track_ids.tolist()]
        scores = frame.keypoint_scores
        if self.ignore_scores:
            scores = ignored_scores(scores)
        elif self.is_visibility:
            scores = believed_scores(scores, 0)
        poses = zip(*self.adapter.to_refiner(frame.keypoints, scores))
        refined = self.stream.push_many(
            dict(zip([segment.key for segment in segments], poses)),
            frame.timestamp,
        )
        for segment in segments:
            self._receive(segment, refined.get(segment.key, ()))

    def _close(self, track_id: int) -> None:
        """End a segment: nothing more comes of it."""
        segment = self._current.pop(track_id)
        if segment.waiting:
            self._receive(segment, self.stream.flush(segment.key))

    def _receive(self, segment: _Segment, results: Sequence[Any]) -> None:
        """Write refined keypoints into the frames, oldest first."""
        if not results:
            return
        places = [segment.waiting.popleft() for _ in results]
        marks = stack_marks(results)
        refined, filled = self.adapter.from_refiner(
            np.stack([result.keypoints for result in results]),
            np.stack([result.filled for result in results]),
            np.stack([frame.keypoints[row] for frame, row in places]),
            marks.get('swapped'),
        )
        filled = filled & np.isfinite(refined).all(-1)
        for (frame, row), points, flags in zip(places, refined, filled):
            frame.refined[row], frame.filled[row] = points, flags
            frame.num_waiting -= 1
        for key, values in self.adapter.marks_from_refiner(marks).items():
            for (frame, row), own in zip(places, values):
                frame.mark(row, key, own)


@dataclass
class _Buffer:
    """Frames of a track, oldest first; the first ``done`` are finished."""

    frames: Deque[Tuple[Pose, Optional[float]]] = field(default_factory=deque)
    done: int = 0
    index: int = 0
    sides: Optional[StreamSides] = None


class BufferedStream:
    """Streams through anything with ``refine``, such as a filter.

    Like :class:`hanet_mm.StreamingRefiner`, but the frames of a track are
    collected and refined together with those before and after them. Latency
    is up to 96 frames.

    Args:
        refiner (Any): With ``refine(keypoints, scores)``.
        max_gap (int, optional): Longer gaps stay empty. Defaults to None:
            all are filled.
        chains (SwapChains, optional): Pairs of the skeleton: swaps of left
            and right are undone first. Defaults to None: they stay.
        fps (float, optional): Frames per second, for this. Defaults to None:
            30.
    """

    def __init__(
        self,
        refiner: Any,
        max_gap: Optional[int] = None,
        chains: Optional[SwapChains] = None,
        fps: Optional[float] = None,
    ) -> None:
        self.refiner, self.max_gap = refiner, max_gap
        self.chains, self.fps = chains, fps or USUAL_RATE
        # A gap that is too long has to be known as such from the context.
        self.context = max(_CONTEXT, (max_gap or 0) + 1)
        self._buffers: Dict[int, _Buffer] = {}

    def push_many(
        self, poses: Mapping[int, Pose], timestamp: Optional[float] = None
    ) -> Dict[int, List[StreamedFrame]]:
        """Take the next frame of some tracks; give what is finished."""
        finished = {}
        for track_id, pose in poses.items():
            if track_id not in self._buffers:
                self._buffers[track_id] = _Buffer()
                if self.chains is not None:
                    sides = StreamSides(self.chains, None, self.fps)
                    self._buffers[track_id].sides = sides
            buffer = self._buffers[track_id]
            buffer.frames.append((pose, timestamp))
            ready = len(buffer.frames) - buffer.done
            finished[track_id] = []
            if ready == _CHUNK + self.context:
                finished[track_id] = self._finish(buffer, _CHUNK)
        return finished

    def flush(self, track_id: int) -> List[StreamedFrame]:
        """Finish a track and forget it."""
        buffer = self._buffers.pop(track_id, _Buffer())
        count = len(buffer.frames) - buffer.done
        return self._finish(buffer, count, True) if count else []

    def _finish(
        self, buffer: _Buffer, count: int, last: bool = False
    ) -> List[StreamedFrame]:
        """Refine the buffer and give the next frames of it."""
        keypoints = np.stack([pose[0] for pose, _ in buffer.frames])
        scores = np.stack([pose[1] for pose, _ in buffer.frames])
        missing = missing_keypoints(keypoints, scores)
        swapped = None
        if buffer.sides is not None:
            position = np.arange(len(keypoints))
            found = buffer.sides.decide(keypoints, ~missing, position, last)
            keypoints, scores, swapped = swap_sides(
                keypoints, scores, found, buffer.sides.chains
            )
            missing = missing_keypoints(keypoints, scores)
        refined = np.full_like(keypoints, np.nan)
        if not missing.all():
            refined = self.refiner.refine(keypoints, scores).keypoints
        empty = long_gaps(missing, self.max_gap)
        refined = np.where(empty[..., None], np.nan, refined)
        filled = missing & ~empty
        frames = []
        for row in range(buffer.done, buffer.done + count):
            time = buffer.frames[row][1]
            own = None if swapped is None else swapped[row]
            frames.append(
                StreamedFrame(
                    buffer.index, refined[row], filled[row], time, own
                )
            )
            buffer.index += 1
        buffer.done += count
        past = max(buffer.done - self.context, 0)
        for _ in range(past):
            buffer.frames.popleft()
        buffer.done -= past
        if buffer.sides is not None:
            buffer.sides.drop(past)
        return frames


@dataclass(frozen=True)
class NamedFilter:
    """A filter by name; its settings are chosen anew for each sequence.

    Args:
        text (str): ``NAME`` or ``NAME:argument=number,...``, see
            :func:`hanet_mm.apis.filter_choice.choose_filter`.
        fps (float, optional): Frames per second. Defaults to None: 30.

    Raises:
        ImportError: If scipy is not installed.
        ValueError: If there is no such filter or argument.
    """

    text: str
    fps: Optional[float] = None

    def __post_init__(self) -> None:
        choose_filter(self.text, [], self.fps)

    def at_rate(self, fps: Optional[float]) -> 'NamedFilter':
        """The same filter for another frame rate, if that is known."""
        return replace(self, fps=fps) if fps else self

    def refine(
        self,
        keypoints: np.ndarray,
        scores: Optional[np.ndarray] = None,
        image_size: Optional[Sequence[float]] = None,
    ) -> RefineResult:
        """Filter one sequence, (T, K, 2)."""
        track = PersonTrack('sequence', keypoints, scores)
        chosen = choose_filter(self.text, [track], self.fps)
        return chosen.refine(keypoints, scores, image_size)
