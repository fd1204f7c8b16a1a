# Copyright (c) hanet_mm contributors. All rights reserved.
"""Ids for the people of a video; see :mod:`hanet_mm.apis.video`."""

from typing import Any, List, Mapping, Optional, Sequence

import numpy as np

from .video.jumps import split_jumps
from .video.tracker import PoseTracker, TrackedFrame

__all__ = ['PoseTracker', 'TrackedFrame', 'assign_track_ids', 'split_jumps']


def assign_track_ids(
    frames: Sequence[Mapping[str, Any]],
    tracker: Optional[PoseTracker] = None,
) -> List[np.ndarray]:
    """Assign track ids to the people in the frames of a video.

    Args:
        frames (Sequence[Mapping]): The people of each frame: ``keypoints``
            and, if there are, ``keypoint_scores``, ``bboxes`` and
            ``bbox_scores``, see :meth:`PoseTracker.update`.
        tracker (PoseTracker, optional): It is reset first. Defaults to one
            with the default settings.

    Returns:
        List[np.ndarray]: Ids, (n, ) int64 for each frame.

    Raises:
        ValueError: Naming the frame and the shape.
    """
    if tracker is None:
        tracker = PoseTracker()
    tracker.reset()
    ids = []
    for index, frame in enumerate(frames):
        if 'keypoints' not in frame:
            found = sorted(frame) or 'nothing'
            raise ValueError(
                f"frame {index}: expected 'keypoints', found {found}"
            )
        names = 'bboxes', 'bbox_scores', 'keypoints', 'keypoint_scores'
        tracked = tracker.update(index, *map(frame.get, names))
        ids.append(tracked.track_ids)
    return ids
