"""Tracks of persons into the streaming refiner, and back into frames."""

from collections import deque
from dataclasses import dataclass, field
from typing import Any, Deque, Dict, List, Optional, Sequence, Set, Tuple

import numpy as np

from hanet_mm.core.data.gaps import check_max_gap

from .poses import Poses, boxes_around
from .skeleton_adapter import SkeletonAdapter


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
