"""A video of PoseTrack while its poses are given to tracks."""

from collections import Counter
from dataclasses import dataclass, field
from typing import Dict, List, Tuple

import numpy as np

from hanet_mm.datasets.converters.posetrack_detections import (
    Detections,
    no_detections,
)
from hanet_mm.datasets.converters.posetrack_matching import (
    match_poses,
    stack_poses,
)
from hanet_mm.datasets.converters.posetrack_video import Person, Video

# A person is followed over at most so many frames without a pose: 0.2 s.
MAX_LOST = 5
# Track id of poses that belong to no annotated person.
UNKNOWN = -1

Pose = Tuple[np.ndarray, np.ndarray]  # keypoints (15, 2), box (4,)


@dataclass(eq=False)
class Track:
    """One person of a video.

    Args:
        track_id: As annotated; ``UNKNOWN`` for poses of no annotated person.
        truth: Frame number -> annotation.
        found: Frame number -> index of the pose in that frame's detections.
    """

    track_id: int
    truth: Dict[int, Person] = field(default_factory=dict)
    found: Dict[int, int] = field(default_factory=dict)

    def span(self) -> range:
        """From the first to the last frame with annotation or pose."""
        frames = [*self.truth, *self.found]
        return range(min(frames), max(frames) + 1)


class Scene:
    """A video while its poses are given to tracks."""

    def __init__(
        self, video: Video, detections: Dict[int, Detections]
    ) -> None:
        self.video = video
        self.numbers = sorted(video.frames)
        self.detections = detections
        self.persons: Dict[Tuple[int, int], Track] = {}
        self.owners: Dict[Tuple[int, int], Track] = {}
        self.counts: Counter = Counter()

    def labelled(self, number: int) -> bool:
        return self.video.frames[number].labelled

    def found(self, number: int) -> Detections:
        return self.detections.get(number) or no_detections()

    def pose(self, number: int, index: int) -> Pose:
        found = self.detections[number]
        return found.keypoints[index], found.bboxes[index]

    def free(self, number: int) -> List[int]:
        """Poses of a frame that belong to no track yet."""
        total = len(self.found(number).scores)
        return [i for i in range(total) if (number, i) not in self.owners]

    def claim(self, track: Track, number: int, index: int) -> None:
        track.found[number] = index
        self.owners[number, index] = track

    def link(self, known: Dict[Track, Pose], number: int) -> Dict[Track, Pose]:
        """Give the free poses of a frame to known tracks, where alike.

        Returns:
            The poses that were given, by track.
        """
        free = self.free(number)
        if not known or not free:
            return {}
        tracks = list(known)
        poses = [self.pose(number, index) for index in free]
        matches = match_poses(
            stack_poses(list(known.values())), stack_poses(poses)
        )
        for match in matches:
            self.claim(tracks[match.first], number, free[match.second])
        return {tracks[m.first]: poses[m.second] for m in matches}
