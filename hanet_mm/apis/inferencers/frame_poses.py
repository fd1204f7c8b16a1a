"""Frames of a source with the poses of their persons."""

from itertools import islice
from typing import Iterator, List, Optional, Tuple

from .carried_boxes import BoxCarrier
from .clock import StageClock
from .poses import Boxes, Detector, Estimator, Poses, no_boxes
from .sources import Frame

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
