"""Ids for the persons of a file that has none."""

from typing import Any, List, Mapping, Optional, Sequence

import numpy as np

from .pose_tracker import PoseTracker


def assign_track_ids(
    frames: Sequence[Mapping[str, Any]],
    tracker: Optional[PoseTracker] = None,
) -> List[np.ndarray]:
    """Tell who is who in the frames of a video.

    Args:
        frames (Sequence[Mapping]): The persons of each frame in order:
            ``keypoints`` (n, K, 2) px, and where there are any
            ``keypoint_scores`` (n, K), ``bboxes`` (n, 4) x1, y1, x2, y2 and
            ``bbox_scores`` (n, ).
        tracker (PoseTracker, optional): It is reset first. Defaults to one
            with the default settings.

    Returns:
        List[np.ndarray]: Id of each person, (n, ) int64 for each frame; -1
        for what is nobody's, see :meth:`PoseTracker.update`.

    Raises:
        ImportError: If MMDet is not installed.
        ValueError: One line naming the frame and the shape.
    """
    if tracker is None:
        tracker = PoseTracker()
    tracker.reset()
    ids = []
    for index, frame in enumerate(frames):
        if 'keypoints' not in frame:
            raise ValueError(
                f"frame {index}: expected 'keypoints', found "
                f'{sorted(frame) or "nothing"}'
            )
        tracked = tracker.update(
            index,
            frame.get('bboxes'),
            frame.get('bbox_scores'),
            frame['keypoints'],
            frame.get('keypoint_scores'),
        )
        ids.append(tracked.track_ids)
    return ids
