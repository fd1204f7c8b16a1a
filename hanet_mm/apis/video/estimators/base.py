# Copyright (c) hanet_mm contributors. All rights reserved.
"""What the video pipeline needs of a pose estimator.

N: people in a frame, K: keypoints.
"""

from abc import ABC, abstractmethod
from contextlib import contextmanager
from dataclasses import dataclass
from types import ModuleType
from typing import (
    Any,
    Iterator,
    List,
    Optional,
    Sequence,
    Tuple,
)

import numpy as np
import torch

from hanet_mm.apis.objects.base import People, ResultReader
from hanet_mm.core.poses.boxes import boxes_around
from hanet_mm.core.poses.skeleton_data import skeleton_of_names

from ..frames import Frame


class ModelError(ValueError):
    """A model could not be found, built or loaded."""


@dataclass(frozen=True)
class EstimatorRequest:
    """Which model of a library is wanted.

    Args:
        name: As the user wrote it, for messages.
        model: What follows the colon, '' for the default.
        weights: File of the estimator. Defaults to None: the library's.
        det_weights: File of the detector. Defaults to None: the library's.
        bbox_thr: Lowest score of a person. Defaults to 0.3.
        device: Defaults to None: the GPU if there is one.
    """

    name: str
    model: str = ''
    weights: Optional[str] = None
    det_weights: Optional[str] = None
    bbox_thr: float = 0.3
    device: Optional[str] = None

    def check_unused(self, **given: Optional[str]) -> None:
        """Raise a ModelError for what this estimator cannot be given."""
        for what, value in given.items():
            if value:
                raise ModelError(
                    f'pose2d {self.name!r}: takes no {what}, found {value!r}'
                )

    @contextmanager
    def explain_errors(self, remedy: str) -> Iterator[None]:
        """Turn any error of a library that loads a model into one line."""
        try:
            yield
        except Exception as error:  # networks, files, formats
            reason = ' '.join(str(error).split()) or 'no reason given'
            raise ModelError(
                f'pose2d {self.name!r}: cannot be loaded: '
                f'{type(error).__name__}: {reason}; {remedy}'
            ) from error


def check_device(device: Optional[str]) -> None:
    """Raise a ValueError if a device is not there."""
    if device is None:
        return
    try:
        torch.empty(0, device=device)
    except (RuntimeError, AssertionError, NotImplementedError) as error:
        reason = str(error).split('\n', 1)[0]
        raise ValueError(f'device {device!r}: {reason}') from None


class PoseEstimator(ABC):
    """Finds the poses in the frames of a video, in their order.

    Attributes:
        keypoint_names: Of the K keypoints.
        links: Pairs of keypoints that are drawn as a line.
        sigmas: Of the keypoints for OKS, (K,); None: unknown.
        is_visibility: Whether scores tell what is hidden, not what is right.
    """

    keypoint_names: Sequence[str]
    links: Sequence[Tuple[int, int]]
    sigmas: Optional[Sequence[float]] = None
    is_visibility: bool = False

    def start(self) -> None:  # noqa: B027
        """Forget earlier frames: another video follows."""

    @abstractmethod
    def __call__(self, frames: Sequence[Frame]) -> None:
        """Set ``keypoints`` (N, K, 2) px and ``keypoint_scores`` (N, K).

        Behind a detector they are those of the ``bboxes`` of each frame.
        Otherwise ``bboxes`` (N, 4) and ``bbox_scores`` (N,) are set, too.
        """


class ResultEstimator(PoseEstimator):
    """An estimator of another library, which needs no detector.

    Its results are read as :func:`hanet_mm.refine` reads them.

    Args:
        names (Sequence[str]): Of its keypoints.
        bbox_thr (float): Lowest score of a person.

    Attributes:
        KIND: The reader, a module of :mod:`hanet_mm.apis.objects`.
    """

    KIND: ModuleType

    def __init__(self, names: Sequence[str], bbox_thr: float) -> None:
        self.keypoint_names, self.bbox_thr = list(names), bbox_thr
        self.links = skeleton_of_names(names, 'estimator').link_indices

    @abstractmethod
    def predict(self, images: List[Any]) -> Sequence[Any]:
        """The results of pictures (H, W, 3) uint8 BGR."""

    def find_boxes(
        self, result: Any, people: People
    ) -> Tuple[np.ndarray, np.ndarray]:
        """Boxes (N, 4) px of a result and their scores (N,).

        Of what knows keypoints only: around them, with their mean score.
        """
        scores = people.scores_or_default
        boxes = boxes_around(people.keypoints, ~people.missing)
        return boxes, scores.mean(1) if len(people) else np.zeros(0)

    def __call__(self, frames: Sequence[Frame]) -> None:
        """See :meth:`PoseEstimator.__call__`."""
        results = self.predict([frame.image for frame in frames])
        for frame, result in zip(frames, results):
            people = ResultReader(self.KIND, frame.size).read(
                result, frame.index
            )[1]
            shape = len(people), len(self.keypoint_names)
            keypoints = people.keypoints.reshape(*shape, 2)
            boxes, scores = self.find_boxes(result, people)
            frame.keypoints = keypoints.astype(np.float32)
            frame.keypoint_scores = people.scores_or_default.reshape(
                shape
            ).astype(np.float32)
            frame.bboxes = boxes.reshape(-1, 4).astype(np.float32)
            frame.bbox_scores = scores.astype(np.float32)
            frame.keep(frame.bbox_scores >= self.bbox_thr)
