"""Source, detector, estimator, tracker and refiner as one lazy pipeline."""

from collections import deque
from dataclasses import dataclass
from typing import Any, Callable, Deque, Dict, Iterator, List, Optional, Tuple

import numpy as np

from .frames import Poses
from .reader import PoseReader, StageClock
from .refine_stage import Instance, RefineStage
from .sources import Frame, FrameSource

Size = Tuple[int, int]
Result = Dict[str, Any]


@dataclass(eq=False)
class _Pending:
    """A frame whose persons are still in the refiner."""

    result: Result
    instances: List[Instance]
    scale: np.ndarray

    @property
    def complete(self) -> bool:
        return all(x.refined is not None for x in self.instances)

    def finish(self) -> Result:
        """Put the persons into the result, in pixels of their own frame."""
        known = [x.result() for x in self.instances]
        instances = [x for x in known if x is not None]
        if not (self.scale == 1).all():
            for instance in instances:
                _rescale(instance, self.scale)
        return dict(self.result, instances=instances)


class VideoPipeline:
    """Gives the refined poses of each frame, in order, as they get ready.

    Memory holds the frames of one batch, and the keypoints (not the
    pictures) of as many frames as the refiner looks ahead or a person is
    missed for. If the source fails, the results of all frames that it gave
    come first and the error after them.

    Frames may differ in size, as in streams that change their resolution:
    tracker and refiner then work in pixels of the first frame.

    Args:
        poses (PoseReader): Detector and estimator.
        tracker (Any): With ``update`` and ``reset``, see
            :class:`hanet_mm.apis.tracking.PoseTracker`.
        make_refine (Callable): Gives the :class:`RefineStage` of a video for
            the size (W, H) of its first frame.
        keep_images (bool): Whether results have the picture as ``image``,
            which makes memory grow with the look-ahead. Defaults to False.
    """

    def __init__(
        self,
        poses: PoseReader,
        tracker: Any,
        make_refine: Callable[[Size], RefineStage],
        keep_images: bool = False,
    ) -> None:
        self.poses, self.tracker = poses, tracker
        self.make_refine, self.keep_images = make_refine, keep_images

    def run(
        self, source: FrameSource, clock: Optional[StageClock] = None
    ) -> Iterator[Result]:
        """Run over the frames of a source.

        Args:
            source (FrameSource): The frames.
            clock (StageClock, optional): Counts the time of the stages.

        Yields:
            dict: ``frame_id``, ``timestamp`` (seconds or None),
            ``image_size`` (W, H) and ``instances``: dicts with ``track_id``,
            ``segment`` (part of the track that was refined as one
            sequence), ``bbox`` (4,), ``bbox_score``, ``keypoints`` (K, 2),
            ``keypoint_scores`` (K,), ``keypoints_input`` (K, 2) and
            ``filled`` (K,). NaN: missing.

        Raises:
            ValueError: If the source gives what is no frame.
            SourceStopped: If the source fails.
        """
        clock = clock or StageClock()
        self.tracker.reset()
        guard = _Guard(source)
        batch_size = 1 if source.live else self.poses.batch_size
        waiting: Deque[_Pending] = deque()
        refine: Optional[RefineStage] = None
        first = (0, 0)
        for frame, poses in self.poses.read(iter(guard), batch_size, clock):
            if refine is None:
                first = frame.size
                refine = self.make_refine(first)
            poses = _on_first_frame(poses, _scale(frame, first))
            with clock('tracker'):
                tracked = self._track(frame, poses)
            with clock('refiner'):
                found = refine.push(*tracked, frame.timestamp)
            result = self._result(frame)
            waiting.append(_Pending(result, found, _scale(frame, first)))
            del frame, result  # the picture is not needed any more
            yield from _ready(waiting)
        if refine is not None:
            with clock('refiner'):
                refine.flush()
        yield from _ready(waiting)
        if guard.error is not None:
            raise guard.error

    def _track(self, frame: Frame, poses: Poses) -> Tuple[Any, ...]:
        """Persons of a frame, their ids and their segments."""
        tracked = self.tracker.update(
            frame.index,
            poses.bboxes,
            poses.bbox_scores,
            poses.keypoints,
            poses.keypoint_scores,
        )
        # -1: nobody's, such as a person who was found twice.
        known = np.flatnonzero(tracked.track_ids >= 0)
        return (
            poses.take(known),
            tracked.track_ids[known],
            tracked.segments[known],
        )

    def _result(self, frame: Frame) -> Result:
        result = dict(
            frame_id=frame.index,
            timestamp=frame.timestamp,
            image_size=frame.size,
        )
        if self.keep_images:
            result['image'] = frame.image
        return result


class _Guard:
    """Ends where the source fails, and keeps the error for later.

    What came before shall be finished first, also after Ctrl-C.
    """

    def __init__(self, source: FrameSource) -> None:
        self.source = source
        self.error: Optional[BaseException] = None

    def __iter__(self) -> Iterator[Frame]:
        try:
            yield from self.source
        except GeneratorExit:
            raise
        except BaseException as error:  # KeyboardInterrupt too
            self.error = error


def _ready(waiting: Deque[_Pending]) -> Iterator[Result]:
    """Take out the frames from the front that are complete."""
    while waiting and waiting[0].complete:
        yield waiting.popleft().finish()


def _scale(frame: Frame, first: Size) -> np.ndarray:
    """Size of a frame relative to that of the first one, x and y."""
    return np.divide(frame.size, first, dtype=np.float32)


def _on_first_frame(poses: Poses, scale: np.ndarray) -> Poses:
    """Poses in pixels of the first frame."""
    if (scale == 1).all():
        return poses
    return Poses(
        poses.bboxes / np.tile(scale, 2),
        poses.bbox_scores,
        poses.keypoints / scale,
        poses.keypoint_scores,
    )


def _rescale(instance: Dict[str, Any], scale: np.ndarray) -> None:
    """Put a person back into pixels of the own frame, in place."""
    instance['bbox'] = instance['bbox'] * np.tile(scale, 2)
    for key in ('keypoints', 'keypoints_input'):
        instance[key] = instance[key] * scale
