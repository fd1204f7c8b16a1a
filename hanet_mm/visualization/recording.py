# Copyright (c) hanet_mm contributors. All rights reserved.
"""The people of a recording before and after refinement, to be shown.

T: frames, K: keypoints, D: coordinates.
"""

from dataclasses import dataclass, field
from typing import List, Optional, Sequence, Tuple

import numpy as np

from hanet_mm.core.metrics.measures import present


@dataclass
class ShownPerson:
    """A person over consecutive frames.

    Args:
        name: What to call it, such as a track id.
        first_frame: Number of its first frame in the video, from 0.
        poses: (T, K, D), NaN = missing.
        before: The same before refinement; None: not known.
        swapped: Keypoints that changed places with the other side, (T, K).
        outliers: Keypoints that were changed as outliers, (T, K).
    """

    name: str
    first_frame: int
    poses: np.ndarray
    before: Optional[np.ndarray] = None
    swapped: Optional[np.ndarray] = None
    outliers: Optional[np.ndarray] = None

    @property
    def filled(self) -> np.ndarray:
        """Keypoints that were missing before and are there now, (T, K)."""
        if self.before is None:
            return np.zeros(self.poses.shape[:2], bool)
        return present(self.poses) & ~present(self.before)


@dataclass
class Recording:
    """People and what is known of all of them.

    Args:
        title: Of the file.
        people: At least one.
        keypoint_names: K names.
        links: Pairs of keypoint numbers, the limbs.
        fps: Frames per second; None: unknown.
        image_size: Width and height in pixels; None: unknown.
        unit: Of coordinates; None: unknown.
        one_clock: Whether the people are in one video, so that a frame number
            means the same for all; else each is a sequence of its own.
    """

    title: str
    people: List[ShownPerson]
    keypoint_names: Sequence[str]
    links: Sequence[Tuple[int, int]] = field(default_factory=list)
    fps: Optional[float] = None
    image_size: Optional[Tuple[int, int]] = None
    unit: Optional[str] = None
    one_clock: bool = True

    @property
    def dims(self) -> int:
        """Number of coordinates."""
        return self.people[0].poses.shape[-1]

    @property
    def refined(self) -> bool:
        """Whether poses before refinement are known."""
        return any(x.before is not None for x in self.people)

    def describe(self) -> str:
        """People, frames, and what is shown, in a line."""
        count = len(self.people)
        frames = max(len(x.poses) for x in self.people)
        what = 'poses before and after' if self.refined else 'poses'
        noun = 'person' if count == 1 else 'people'
        if not self.one_clock:
            noun = 'sequences'
        return f'{count} {noun}, up to {frames} frames, {what}'
