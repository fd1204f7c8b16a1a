# Copyright (c) hanet_mm contributors. All rights reserved.
"""Source, detector, estimator, tracker and refiner as one lazy pipeline."""

import time
from collections import deque
from contextlib import contextmanager
from itertools import islice
from typing import (
    Any,
    Callable,
    Deque,
    Dict,
    Iterator,
    List,
    Optional,
    Sequence,
    Tuple,
)

import numpy as np

from hanet_mm.core.poses.boxes import boxes_around

from .frames import Frame
from .refine_stage import RefineStage
from .sources import FrameSource

Keep = Callable[[np.ndarray], np.ndarray]

STAGES = ('reading', 'detector', 'estimator', 'tracker', 'refiner', 'writing')

# Sets boxes and their scores in frames.
Detector = Callable[[Sequence[Frame]], None]
# Sets keypoints and their scores, for the boxes of the frames; an estimator
# that needs no detector sets the boxes, too.
Estimator = Callable[[Sequence[Frame]], None]

# By which a box around the last pose is enlarged, so that the person is
# still inside after a frame.
_MARGIN = 0.25
# A pose counts as lost below this share of the score that it had when the
# person was detected. A share, because estimators score differently.
_LOST = 0.5
# Two poses this near to each other, on average over the keypoints and
# relative to the diagonal of the smaller, are one person found twice.
_TWIN = 0.1


class StageClock:
    """Seconds that each stage takes; inner stages count for themselves."""

    def __init__(self) -> None:
        self.seconds: Dict[str, float] = dict.fromkeys(STAGES, 0.0)
        self._inner: List[float] = []

    @contextmanager
    def __call__(self, stage: str) -> Iterator[None]:
        """Count the time of the block for a stage."""
        start = time.perf_counter()
        self._inner.append(0.0)
        try:
            yield
        finally:
            spent = time.perf_counter() - start
            self.seconds[stage] += spent - self._inner.pop()
            if self._inner:
                self._inner[-1] += spent

    def shares(self) -> str:
        """The share of each stage in the time of all, as text."""
        total = sum(self.seconds.values()) or 1.0
        return ', '.join(
            f'{stage} {100 * spent / total:.0f} %'
            for stage, spent in self.seconds.items()
            if spent
        )


class BoxCarrier:
    """Boxes for frames in which the detector does not run.

    After the detector ran, :meth:`start` takes its people; for each further
    frame :meth:`place_boxes` says where to look for them, and
    :meth:`update` drops those who were lost or found twice.
    """

    def __init__(self) -> None:
        self._boxes = np.zeros((0, 4), np.float32)
        self._box_scores = np.zeros(0, np.float32)
        self._reference = np.zeros(0)  # mean keypoint score when detected

    def start(self, frame: Frame) -> None:
        """Take over the people of a frame in which the detector ran."""
        there = (frame.keypoint_scores > 0).any(1)
        self._reference = frame.keypoint_scores[there].mean(1)
        self._follow(frame, there)

    def place_boxes(self, frame: Frame) -> None:
        """Set the boxes of the next frame, around the poses of the last."""
        frame.bboxes, frame.bbox_scores = self._boxes, self._box_scores

    def update(self, frame: Frame) -> None:
        """Keep the people who were found in the boxes, each once."""
        score = frame.keypoint_scores.mean(1)
        there = score >= _LOST * self._reference
        there &= (frame.keypoint_scores > 0).any(1)
        there &= ~_twins(frame.keypoints, score)
        self._reference = self._reference[there]
        frame.keep(there)
        self._follow(frame, np.ones(len(frame), bool))

    def _follow(self, frame: Frame, rows: np.ndarray) -> None:
        keypoints = frame.keypoints[rows]
        present = frame.keypoint_scores[rows] > 0
        self._boxes = boxes_around(keypoints, present, _MARGIN)
        self._box_scores = frame.bbox_scores[rows]


def _twins(keypoints: np.ndarray, score: np.ndarray) -> np.ndarray:
    """Poses that lie on another one of a higher score, bool (N,)."""
    apart = keypoints[:, None] - keypoints[None]
    distance = np.linalg.norm(apart, axis=-1).mean(-1)
    boxes = boxes_around(keypoints)
    size = np.linalg.norm(boxes[:, 2:] - boxes[:, :2], axis=1)
    near = distance < _TWIN * np.minimum(size[:, None], size[None])
    order = np.lexsort((np.arange(len(score)), -score))
    rank = np.argsort(order)
    return (near & (rank[None] < rank[:, None])).any(1)


def check_counts(**counts: int) -> None:
    """Refuse numbers below 1, by name."""
    for name, value in counts.items():
        if value < 1:
            raise ValueError(f'{name}: expected at least 1, found {value}')


class PoseReader:
    """Runs detector and estimator over frames, a batch at a time.

    Args:
        detector (Callable, optional): See :data:`Detector`. None: the
            estimator finds the people by itself.
        estimator (Callable): See :data:`Estimator`.
        det_interval (int): The detector runs every so many frames; between
            them people are looked for around their last pose, frame after
            frame. Defaults to 1.
        batch_size (int): Frames that are read and worked on together.
            Defaults to 8.

    Raises:
        ValueError: If a number is below 1.
    """

    def __init__(
        self,
        detector: Optional[Detector],
        estimator: Estimator,
        det_interval: int = 1,
        batch_size: int = 8,
    ) -> None:
        check_counts(det_interval=det_interval, batch_size=batch_size)
        self.detector, self.estimator = detector, estimator
        self.det_interval = det_interval if detector else 1
        self.batch_size = batch_size

    def read(
        self, frames: Iterator[Frame], batch_size: int, clock: StageClock
    ) -> Iterator[Frame]:
        """Give the frames with poses, in order, reading a batch at a time.

        A live source has ``batch_size`` 1, so that no frame waits for others.
        """
        carrier = BoxCarrier()
        while True:
            with clock('reading'):
                batch = list(islice(frames, batch_size))
            if not batch:
                return
            if self.det_interval == 1:
                self._estimate(batch, clock)
            else:
                self._follow(batch, carrier, clock)
            # Frames are let go one by one: the batch keeps none of them.
            batch.reverse()
            while batch:
                yield batch.pop()

    def _estimate(self, batch: List[Frame], clock: StageClock) -> None:
        """Detect and estimate in all frames at once."""
        if self.detector is not None:
            with clock('detector'):
                self.detector(batch)
        with clock('estimator'):
            self.estimator(batch)

    def _follow(
        self, batch: List[Frame], carrier: BoxCarrier, clock: StageClock
    ) -> None:
        """Go frame by frame, with boxes of the detector or the carrier."""
        for frame in batch:
            if frame.index % self.det_interval == 0:
                self._estimate([frame], clock)
                carrier.start(frame)
                continue
            carrier.place_boxes(frame)
            with clock('estimator'):
                self.estimator([frame])
            carrier.update(frame)


class VideoPipeline:
    """Gives the frames with refined poses, in order, as they get ready.

    Memory holds the frames of one batch, and the keypoints (not the
    pictures) of as many frames as the refiner looks ahead or a person is
    missed for. If the source fails, all frames that it gave come first and
    the error after them.

    Frames may differ in size, as in streams that change their resolution:
    tracker and refiner then work in pixels of the first frame.

    Args:
        reader (PoseReader): Detector and estimator.
        tracker (Any): With ``update`` and ``reset``, see
            :class:`hanet_mm.apis.tracking.PoseTracker`.
        make_refine (Callable): Gives the :class:`RefineStage` of a video for
            the size (W, H) of its first frame.
    """

    def __init__(
        self,
        reader: PoseReader,
        tracker: Any,
        make_refine: Callable[[Tuple[int, int]], RefineStage],
    ) -> None:
        self.reader, self.tracker = reader, tracker
        self.make_refine = make_refine

    def run(
        self,
        source: FrameSource,
        clock: Optional[StageClock] = None,
        keep: Optional[Keep] = None,
    ) -> Iterator[Frame]:
        """Run over the frames of a source.

        Args:
            source (FrameSource): The frames.
            clock (StageClock, optional): Counts the time of the stages.
            keep (Callable, optional): What to keep of each picture while its
                poses are refined. Defaults to None: nothing.

        Yields:
            Frame: Finished.

        Raises:
            ValueError: If the source gives something that is not a frame.
            SourceStopped: If the source fails.
        """
        clock = clock or StageClock()
        self.tracker.reset()
        guard = _Guard(source)
        batch_size = 1 if source.live else self.reader.batch_size
        waiting: Deque[Frame] = deque()
        refine: Optional[RefineStage] = None
        size = (0, 0)
        for frame in self.reader.read(iter(guard), batch_size, clock):
            if refine is None:
                size = frame.size
                refine = self.make_refine(size)
            self._keep(frame, keep, clock)
            frame.scale_to(size)
            with clock('tracker'):
                self._track(frame)
            with clock('refiner'):
                refine.push(frame)
            waiting.append(frame)
            del frame
            yield from _ready(waiting)
        if refine is not None:
            with clock('refiner'):
                refine.flush()
        yield from _ready(waiting)
        if guard.error is not None:
            raise guard.error

    def _keep(
        self, frame: Frame, keep: Optional[Keep], clock: StageClock
    ) -> None:
        """Replace the picture of a frame by what is to be kept of it."""
        if keep is None:
            frame.image = None
        else:
            with clock('writing'):
                frame.image = keep(frame.image)

    def _track(self, frame: Frame) -> None:
        """Set the ids and segments of a frame; drop duplicates (id -1)."""
        tracked = self.tracker.update(
            frame.index,
            frame.bboxes,
            frame.bbox_scores,
            frame.keypoints,
            frame.keypoint_scores,
        )
        frame.track_ids, frame.segments = tracked
        frame.keep(np.flatnonzero(frame.track_ids >= 0))


class _Guard:
    """Ends where the source fails, and keeps the error for later.

    Earlier frames are finished first, also after Ctrl-C.
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


def _ready(waiting: Deque[Frame]) -> Iterator[Frame]:
    """Finish and take out the frames from the front that are complete."""
    while waiting and not waiting[0].num_waiting:
        frame = waiting.popleft()
        frame.finish()
        yield frame
