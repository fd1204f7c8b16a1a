# Copyright (c) hanet_mm contributors. All rights reserved.
"""Pose models of Ultralytics."""

from typing import Any, Dict, List

from hanet_mm.apis.objects import ultralytics as reader
from hanet_mm.apis.objects.base import to_numpy
from hanet_mm.core.data.extras import import_extra

from .base import EstimatorRequest, ModelError, ResultEstimator


class UltralyticsEstimator(ResultEstimator):
    """Runs a pose model of Ultralytics, with its own detection of people.

    Args:
        request (EstimatorRequest): ``model`` is a file, or a name that
            Ultralytics downloads, such as ``yolo11n-pose.pt``.

    Raises:
        ImportError: If Ultralytics is not installed.
        ValueError: If no model is named, it cannot be loaded, or it is none
            of poses of 17 keypoints.
    """

    KIND = reader

    def __init__(self, request: EstimatorRequest) -> None:
        super().__init__(reader.SKELETONS[17], request.bbox_thr)
        request.check_unused(
            weights=request.weights, detector=request.det_weights
        )
        if not request.model:
            raise ModelError(
                f'pose2d {request.name!r}: expected ultralytics:MODEL, such '
                'as ultralytics:yolo11n-pose.pt'
            )
        purpose = f'--pose2d {request.name}'
        package = import_extra('ultralytics', purpose)
        with request.explain_errors(
            'pass a local file: --pose2d ultralytics:FILE.pt'
        ):
            self._model = package.YOLO(request.model)
            task = self._model.task
            shape = getattr(self._model.model, 'kpt_shape', None)
        count = len(self.keypoint_names)
        if task != 'pose' or (shape and shape[0] != count):
            found = f'{shape[0]} keypoints' if shape else f'task {task!r}'
            raise ModelError(
                f'pose2d {request.name!r}: expected a pose model of {count} '
                f'keypoints, found {found}'
            )
        self._options: Dict[str, Any] = dict(
            conf=request.bbox_thr, verbose=False
        )
        if request.device is not None:
            self._options['device'] = request.device

    def predict(self, images: List[Any]) -> List[Any]:
        """One result for each picture, computed together."""
        return self._model.predict(images, **self._options)

    def find_boxes(self, result: Any, people: Any) -> Any:
        """Those of its detection."""
        if not len(people):
            return super().find_boxes(result, people)
        return to_numpy(result.boxes.xyxy), to_numpy(result.boxes.conf)
