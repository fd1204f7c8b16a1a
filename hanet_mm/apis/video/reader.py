"""Frames with the poses of their people: detector and estimator in batches."""

import time
from contextlib import contextmanager
from itertools import islice
from typing import Dict, Iterator, List, Optional, Tuple

import numpy as np

from .frames import Boxes, Detector, Estimator, Poses, boxes_around, no_boxes
from .sources import Frame

STAGES = ('reading', 'detector', 'estimator', 'tracker', 'refiner', 'writing')


class StageClock:
    """Adds up the seconds of each stage.

    The time of a stage that runs inside of another one counts for the inner
    one only.

    Attributes:
        seconds: By name of the stage.
    """

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


# By which a box around the last pose is enlarged, so that the person is
# still inside after a frame.
MARGIN = 0.25
# A pose counts as lost below this share of the score that it had when the
# person was detected. A share, because estimators score differently.
LOST = 0.5
# Two poses this near to each other, on average over the keypoints and
# relative to their size, are one person found twice.
TWIN = 0.1


class BoxCarrier:
    """Carries persons from frame to frame by their poses.

    After the detector ran, :meth:`start` with the poses of its frame; for
    each further frame :meth:`next_boxes` are the boxes in which the persons
    are looked for, and :meth:`update` takes the poses found there.
    """

    def __init__(self) -> None:
        self._poses: Optional[Poses] = None
        self._reference = np.zeros(0)

    def start(self, poses: Poses) -> None:
        """Take over the persons of a frame in which the detector ran."""
        self._poses = poses.take((poses.keypoint_scores > 0).any(1))
        self._reference = self._poses.keypoint_scores.mean(1)

    def next_boxes(self) -> Boxes:
        """Boxes of the next frame, around the poses of the last one."""
        poses = self._poses
        if poses is None or not len(poses):
            return no_boxes()
        present = poses.keypoint_scores > 0
        return Boxes(
            boxes_around(poses.keypoints, present, MARGIN),
            poses.bbox_scores,
        )

    def update(self, poses: Poses) -> Poses:
        """Leave out persons that were lost or found twice.

        Args:
            poses (Poses): Found in :meth:`next_boxes`.

        Returns:
            Poses: Those to go on with.
        """
        score = poses.keypoint_scores.mean(1)
        keep = score >= LOST * self._reference
        keep &= (poses.keypoint_scores > 0).any(1)
        keep &= ~_twins(poses.keypoints, score)
        self._reference = self._reference[keep]
        self._poses = poses.take(keep)
        return self._poses


def _twins(keypoints: np.ndarray, score: np.ndarray) -> np.ndarray:
    """Poses that lie on another one of a higher score, bool (N,)."""
    apart = keypoints[:, None] - keypoints[None]
    distance = np.linalg.norm(apart, axis=-1).mean(-1)
    everything = np.ones(keypoints.shape[:2], bool)
    boxes = boxes_around(keypoints, everything)
    size = np.linalg.norm(boxes[:, 2:] - boxes[:, :2], axis=1)
    near = distance < TWIN * np.minimum(size[:, None], size[None])
    order = np.lexsort((np.arange(len(score)), -score))
    rank = np.argsort(order)
    return (near & (rank[None] < rank[:, None])).any(1)


FramePoses = Tuple[Frame, Poses]


def check_counts(**counts: int) -> None:
    """Refuse numbers below 1, by name."""
    for name, value in counts.items():
        if value < 1:
            raise ValueError(f'{name}: expected at least 1, found {value}')


class PoseReader:
    """Runs detector and estimator over frames, a batch at a time.

    Args:
        detector (Callable, optional): See :data:`Detector`. None: the
            estimator finds the persons by itself.
        estimator (Callable): See :data:`Estimator`.
        det_interval (int): The detector runs every so many frames; between
            them persons are looked for around their last pose, frame after
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
    ) -> Iterator[FramePoses]:
        """Give frames with their poses, in order.

        Args:
            frames (Iterator[Frame]): Where they come from.
            batch_size (int): Frames of a batch, see :attr:`batch_size`; 1
                for a live source, which shall not wait for a batch.
            clock (StageClock): Counts the time of the stages.
        """
        carrier = BoxCarrier()
        while True:
            with clock('reading'):
                batch = list(islice(frames, batch_size))
            if not batch:
                return
            if self.det_interval == 1:
                poses = self._batch(batch, clock)
            else:
                poses = [self._single(x, carrier, clock) for x in batch]
            # Frames are let go one by one: the batch keeps none of them.
            batch.reverse()
            for found in poses:
                yield batch.pop(), found

    def _batch(self, batch: List[Frame], clock: StageClock) -> List[Poses]:
        """All frames of a batch at once."""
        images = [frame.image for frame in batch]
        with clock('detector'):
            boxes = self._detect(images)
        with clock('estimator'):
            return self.estimator(images, boxes)

    def _single(
        self, frame: Frame, carrier: BoxCarrier, clock: StageClock
    ) -> Poses:
        """One frame, in boxes of the detector or of the last frame."""
        detects = frame.index % self.det_interval == 0
        with clock('detector'):
            boxes = carrier.next_boxes()
            if detects:
                boxes = self._detect([frame.image])[0]
        with clock('estimator'):
            poses = self.estimator([frame.image], [boxes])[0]
        if not detects:
            return carrier.update(poses)
        carrier.start(poses)
        return poses

    def _detect(self, images: list) -> List[Boxes]:
        if self.detector is None:
            return [no_boxes() for _ in images]
        return self.detector(images)
