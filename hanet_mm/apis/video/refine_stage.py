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
from hanet_mm.core.data.gaps import check_max_gap, long_gaps, missing_keypoints
from hanet_mm.core.poses.keypoint_map import KeypointMap, match_skeletons
from hanet_mm.core.poses.skeleton_data import skeleton_of_names
from hanet_mm.core.refine.inputs import RefineResult
from hanet_mm.core.stream.refiner import StreamedFrame

from .frames import Poses, boxes_around


class SkeletonAdapter:
    """Matches keypoints by name.

    N: persons, Ks: keypoints of the estimator, Kt: of the refiner.

    Args:
        source_names (Sequence[str], optional): Of the estimator. Defaults to
            None: not known.
        target_names (Sequence[str], optional): Of the refiner. Defaults to
            None: not known, or it takes any keypoints. The keypoints then go
            to the refiner as they are.

    Raises:
        ValueError: If the skeletons have no keypoint in common.

    Attributes:
        report: What was mapped, computed or left as it was; '' if all
            keypoints are the same.
    """

    def __init__(
        self,
        source_names: Optional[Sequence[str]] = None,
        target_names: Optional[Sequence[str]] = None,
    ) -> None:
        self.map: Optional[KeypointMap] = None
        self.report = ''
        if not source_names or not target_names:
            return
        matched = match_skeletons(
            skeleton_of_names(source_names, 'estimator'),
            skeleton_of_names(target_names, 'refiner'),
        )
        if matched.is_identity and len(matched.source) == len(matched.target):
            return
        self.map, self.report = matched, matched.report()

    def to_refiner(
        self, keypoints: np.ndarray, scores: np.ndarray
    ) -> Tuple[np.ndarray, np.ndarray]:
        """(N, Ks, 2), (N, Ks) -> (N, Kt, 2), (N, Kt)."""
        if self.map is None:
            return keypoints, scores
        return self.map.forward(keypoints, scores)

    def from_refiner(
        self, refined: np.ndarray, filled: np.ndarray, keypoints: np.ndarray
    ) -> Tuple[np.ndarray, np.ndarray]:
        """Put refined keypoints in the place of those of the estimator.

        Args:
            refined: (N, Kt, 2).
            filled: Bool, (N, Kt).
            keypoints: Of the estimator, (N, Ks, 2); those that the refiner
                does not know pass through.

        Returns:
            The keypoints, (N, Ks, 2), and which were filled, bool (N, Ks).
        """
        if self.map is None:
            return refined, filled
        return (
            self.map.backward(refined, keypoints),
            self.map.backward_flags(filled),
        )


# Frames that are finished together, and those on either side that are looked
# at for them: beyond that, classical filters have next to no memory.
_CHUNK = 64
_CONTEXT = 32

Pose = Tuple[np.ndarray, np.ndarray]  # keypoints (K, D), scores (K,)


@dataclass
class _Buffer:
    """Frames of a track, oldest first; the first ``done`` are finished."""

    frames: Deque[Tuple[Pose, Optional[float]]] = field(default_factory=deque)
    done: int = 0
    index: int = 0


class BufferedStream:
    """Streams through anything with ``refine``, such as a filter.

    What :class:`hanet_mm.core.stream.refiner.StreamingRefiner` does for a
    refiner: the frames of a track are collected and refined together with
    those before and after them. Latency is up to 96 frames.

    Args:
        refiner (Any): With ``refine(keypoints, scores)``.
        max_gap (int, optional): Longer gaps stay empty. Defaults to None:
            all are filled.
    """

    def __init__(self, refiner: Any, max_gap: Optional[int] = None) -> None:
        self.refiner, self.max_gap = refiner, max_gap
        # A gap that is too long has to be known as such from the context.
        self.context = max(_CONTEXT, (max_gap or 0) + 1)
        self._buffers: Dict[int, _Buffer] = {}

    def push_many(
        self, poses: Mapping[int, Pose], timestamp: Optional[float] = None
    ) -> Dict[int, List[StreamedFrame]]:
        """Take the next frame of some tracks; give what is finished."""
        finished = {}
        for track_id, pose in poses.items():
            buffer = self._buffers.setdefault(track_id, _Buffer())
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
        return self._finish(buffer, count) if count else []

    def _finish(self, buffer: _Buffer, count: int) -> List[StreamedFrame]:
        """Refine the buffer and give the next frames of it."""
        keypoints = np.stack([pose[0] for pose, _ in buffer.frames])
        scores = np.stack([pose[1] for pose, _ in buffer.frames])
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
            frames.append(
                StreamedFrame(buffer.index, refined[row], filled[row], time)
            )
            buffer.index += 1
        buffer.done += count
        while buffer.done > self.context:
            buffer.frames.popleft()
            buffer.done -= 1
        return frames


@dataclass(frozen=True)
class NamedFilter:
    """Chosen anew for each sequence, as its settings depend on that.

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


@dataclass(eq=False)
class Instance:
    """A person in a frame, on the way through the refiner.

    Attributes:
        track_id: Of the person.
        segment: Part of the track that is refined as one sequence.
        bbox: (4,); None: the person was not found in this frame.
        bbox_score: Of the detector.
        keypoints: (K, 2), NaN where missing.
        scores: (K,), 0 where missing.
        refined: (K, 2); None: not there yet.
        filled: Bool, (K,).
        returned: Whether the person was found again later.
    """

    track_id: int
    segment: int
    bbox: Optional[np.ndarray]
    bbox_score: float
    keypoints: np.ndarray
    scores: np.ndarray
    refined: Optional[np.ndarray] = None
    filled: Optional[np.ndarray] = None
    returned: bool = False

    @property
    def seen(self) -> bool:
        """Whether the person was found in this frame."""
        return self.bbox is not None

    def result(self) -> Optional[Dict[str, Any]]:
        """What is told of the person; None: nothing is known.

        A frame in which the person was missed is told only if the person is
        known to have come back: the end of a track is not made longer.
        """
        present = np.isfinite(self.refined).all(-1)
        if not self.seen and not (self.returned and present.any()):
            return None
        bbox = self.bbox
        if bbox is None:
            bbox = boxes_around(self.refined[None], present[None])[0]
        return dict(
            track_id=self.track_id,
            segment=self.segment,
            bbox=bbox,
            bbox_score=float(self.bbox_score),
            keypoints=self.refined,
            keypoint_scores=self.scores,
            keypoints_input=self.keypoints,
            filled=self.filled,
        )


@dataclass
class _Stretch:
    """A part of a track that is refined as one sequence.

    Attributes:
        key: Its name in the refiner.
        segment: Its number within the track.
        source_segment: The number that the tracker gave.
        waiting: Instances that went into the refiner and are not out yet.
        away: Frames since the person was found, as instances.
    """

    key: int
    segment: int
    source_segment: int
    waiting: Deque[Instance] = field(default_factory=deque)
    away: List[Instance] = field(default_factory=list)


class RefineStage:
    """Refines all persons of a frame together as the frames come.

    Args:
        stream (Any, optional): A streaming refiner, with ``push_many`` and
            ``flush``. Defaults to None: keypoints stay as they are.
        adapter (SkeletonAdapter, optional): Between the keypoints of
            estimator and refiner. Defaults to None: they are the same.
        max_gap (int): Frames that a person may be missed for and still be
            refined as one sequence, with the gap filled. Defaults to 10.
        kpt_thr (float): Keypoints of a lower score count as missing.
            Defaults to 0.
    """

    def __init__(
        self,
        stream: Optional[Any] = None,
        adapter: Optional[SkeletonAdapter] = None,
        max_gap: int = 10,
        kpt_thr: float = 0.0,
    ) -> None:
        check_max_gap(max_gap)
        self.stream, self.max_gap, self.kpt_thr = stream, max_gap, kpt_thr
        self.adapter = adapter or SkeletonAdapter()
        self._stretches: Dict[int, _Stretch] = {}
        self._segments: Dict[int, int] = {}
        self._keys = 0

    def push(
        self,
        poses: Poses,
        track_ids: np.ndarray,
        segments: np.ndarray,
        timestamp: Optional[float] = None,
    ) -> List[Instance]:
        """Take the persons of the next frame.

        Args:
            poses (Poses): N persons.
            track_ids (np.ndarray): (N,) int64.
            segments (np.ndarray): Segment of each track, (N,) int64.
            timestamp (float, optional): In seconds.

        Returns:
            list[Instance]: Of this frame, persons who are away included;
            each gets its ``refined`` by this call or a later one.
        """
        found = self._instances(poses, track_ids, segments)
        for instance in found:
            self._enter(instance)
        here = {instance.track_id for instance in found}
        shape = poses.keypoints.shape[1:]
        found.extend(self._away(here, shape))
        if found:
            self._refine(found, timestamp)
        return found

    def flush(self) -> None:
        """Finish all that are still waiting; the stage starts anew."""
        for track_id in list(self._stretches):
            self._close(track_id)
        self._segments.clear()

    def _instances(
        self, poses: Poses, track_ids: np.ndarray, segments: np.ndarray
    ) -> List[Instance]:
        missing = ~(poses.keypoint_scores > 0)
        missing |= poses.keypoint_scores < self.kpt_thr
        missing |= ~np.isfinite(poses.keypoints).all(-1)
        keypoints = np.where(missing[..., None], np.nan, poses.keypoints)
        scores = np.where(missing, 0, poses.keypoint_scores)
        return [
            Instance(
                track_id=int(track_id),
                segment=int(segment),
                bbox=bbox,
                bbox_score=bbox_score,
                keypoints=points,
                scores=weights,
            )
            for track_id, segment, bbox, bbox_score, points, weights in zip(
                track_ids,
                segments,
                poses.bboxes,
                poses.bbox_scores,
                keypoints.astype(np.float32),
                scores.astype(np.float32),
            )
        ]

    def _enter(self, instance: Instance) -> None:
        """Put a person who was found into the stretch of the track."""
        track_id, segment = instance.track_id, instance.segment
        stretch = self._stretches.get(track_id)
        if stretch is not None and stretch.source_segment != segment:
            self._close(track_id)
            stretch = None
        if stretch is None:
            number = self._segments.get(track_id, -1) + 1
            self._segments[track_id] = number
            self._keys += 1
            stretch = _Stretch(self._keys, number, segment)
            self._stretches[track_id] = stretch
        for missed in stretch.away:
            missed.returned = True
        stretch.away.clear()
        instance.segment = stretch.segment
        stretch.waiting.append(instance)

    def _away(self, here: Set[int], shape: Tuple[int, int]) -> List[Instance]:
        """Empty instances of persons who are away; end those away too long."""
        instances = []
        for track_id in [x for x in self._stretches if x not in here]:
            stretch = self._stretches[track_id]
            if len(stretch.away) >= self.max_gap:
                self._close(track_id)
                continue
            instance = Instance(
                track_id=track_id,
                segment=stretch.segment,
                bbox=None,
                bbox_score=0.0,
                keypoints=np.full(shape, np.nan, np.float32),
                scores=np.zeros(shape[0], np.float32),
            )
            stretch.away.append(instance)
            stretch.waiting.append(instance)
            instances.append(instance)
        return instances

    def _refine(
        self, found: List[Instance], timestamp: Optional[float]
    ) -> None:
        """Hand the persons of a frame to the refiner."""
        stretches = [self._stretches[x.track_id] for x in found]
        if self.stream is None:
            for stretch, instance in zip(stretches, found):
                stretch.waiting.clear()
                instance.refined = instance.keypoints
                instance.filled = np.zeros(len(instance.scores), bool)
            return
        keypoints, scores = self.adapter.to_refiner(
            np.stack([x.keypoints for x in found]),
            np.stack([x.scores for x in found]),
        )
        poses = {
            stretch.key: (keypoints[i], scores[i])
            for i, stretch in enumerate(stretches)
        }
        refined = self.stream.push_many(poses, timestamp)
        for stretch in stretches:
            self._receive(stretch, refined.get(stretch.key, ()))

    def _close(self, track_id: int) -> None:
        """End a stretch: nothing more is known of the person."""
        stretch = self._stretches.pop(track_id)
        if stretch.waiting:
            self._receive(stretch, self.stream.flush(stretch.key))

    def _receive(self, stretch: _Stretch, frames: Sequence[Any]) -> None:
        """Give refined keypoints to the instances, oldest first."""
        if not frames:
            return
        instances = [stretch.waiting.popleft() for _ in frames]
        refined, filled = self.adapter.from_refiner(
            np.stack([frame.keypoints for frame in frames]),
            np.stack([frame.filled for frame in frames]),
            np.stack([instance.keypoints for instance in instances]),
        )
        filled = filled & np.isfinite(refined).all(-1)
        for row, instance in enumerate(instances):
            instance.refined, instance.filled = refined[row], filled[row]
