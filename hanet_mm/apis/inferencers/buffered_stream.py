"""Whole-sequence refiners as streams, a buffer at a time."""

from collections import deque
from dataclasses import dataclass, field
from typing import Any, Deque, Dict, List, Mapping, Optional, Tuple

import numpy as np

from hanet_mm.core.data.gaps import long_gaps, missing_keypoints
from hanet_mm.core.stream.refiner import StreamedFrame

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
