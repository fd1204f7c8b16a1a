# Copyright (c) hanet_mm contributors. All rights reserved.
"""MediaPipe Pose, whose package carries its model: one person, on the CPU."""

import os
from contextlib import contextmanager, nullcontext
from typing import Any, Iterator, List

import numpy as np

from hanet_mm.apis.objects import mediapipe as reader
from hanet_mm.core.data.extras import import_extra, pip_install
from hanet_mm.core.data.gaps import UNKNOWN_SCORE

from .base import EstimatorRequest, ResultEstimator


class MediaPipeEstimator(ResultEstimator):
    """Runs ``mediapipe.solutions.pose`` with its bundled model.

    In tracking mode: the detector runs where the person was lost. Its own
    smoothing is off, for it lags behind and the refiner smooths.

    Args:
        request (EstimatorRequest): Without a model, weights or device.

    Raises:
        ImportError: If MediaPipe is not installed, or without this model.
    """

    KIND = reader
    is_visibility = True

    def __init__(self, request: EstimatorRequest) -> None:
        super().__init__(reader.SKELETONS[33], request.bbox_thr)
        request.check_unused(
            model=request.model,
            weights=request.weights,
            detector=request.det_weights,
        )
        purpose = f'--pose2d {request.name}'
        package = import_extra('mediapipe', purpose)
        self._solutions: Any = getattr(package, 'solutions', None)
        if self._solutions is None:
            release = getattr(package, '__version__', '')
            raise ImportError(
                f'{purpose} needs mediapipe < 0.10.30, found {release}, which '
                f'has no model with it: {pip_install("mediapipe")}'
            )
        self._pose: Any = None
        self._has_found = False

    def start(self) -> None:
        """Forget the person of the video before."""
        if self._pose is not None:
            self._pose.reset()

    def predict(self, images: List[Any]) -> List[Any]:
        """One result for each picture."""
        return [self._process(image) for image in images]

    def find_boxes(self, result: Any, people: Any) -> Any:
        """Around the keypoints; MediaPipe's own threshold chose the person."""
        boxes, scores = super().find_boxes(result, people)
        return boxes, np.full_like(scores, UNKNOWN_SCORE)

    def _process(self, image: np.ndarray) -> Any:
        # It logs to stderr as it starts and as it first finds somebody.
        with nullcontext() if self._has_found else _silence():
            if self._pose is None:
                self._pose = self._solutions.pose.Pose(smooth_landmarks=False)
            result = self._pose.process(np.ascontiguousarray(image[..., ::-1]))
        self._has_found |= result.pose_landmarks is not None
        return result


@contextmanager
def _silence() -> Iterator[None]:
    """Nothing reaches stderr, of C++ code neither."""
    kept = os.dup(2)
    nowhere = os.open(os.devnull, os.O_WRONLY)
    try:
        os.dup2(nowhere, 2)
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)
        os.close(nowhere)
