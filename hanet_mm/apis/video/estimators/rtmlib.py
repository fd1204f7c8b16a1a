# Copyright (c) hanet_mm contributors. All rights reserved.
"""RTMPose without OpenMMLab, by rtmlib and ONNX Runtime."""

import sys
from contextlib import redirect_stdout
from typing import Any, Dict, List, Optional, Tuple

from hanet_mm.apis.objects import rtmlib as reader
from hanet_mm.core.data.extras import import_extra

from .base import EstimatorRequest, ModelError, ResultEstimator

# Class and number of keypoints of each model.
MODELS = {
    'body': ('Body', 17),
    'body_with_feet': ('BodyWithFeet', 26),
    'wholebody': ('Wholebody', 133),
}


class RTMLibEstimator(ResultEstimator):
    """Runs ``rtmlib.Body``, ``BodyWithFeet`` or ``Wholebody``.

    Args:
        request (EstimatorRequest): ``model`` is a key of ``MODELS``, ''
            is ``body``. Weights are ONNX files; without them rtmlib
            downloads its own.

    Raises:
        ImportError: If rtmlib or ONNX Runtime is not installed.
        ValueError: If there is no such model, or it cannot be loaded.
    """

    KIND = reader

    def __init__(self, request: EstimatorRequest) -> None:
        name = request.model or 'body'
        if name not in MODELS:
            raise ModelError(
                f'pose2d {request.name!r}: expected one of '
                f'{", ".join(f"rtmlib:{x}" for x in MODELS)}'
            )
        kind, count = MODELS[name]
        super().__init__(reader.SKELETONS[count], request.bbox_thr)
        purpose = f'--pose2d {request.name}'
        package = import_extra('rtmlib', purpose)
        runtime = import_extra('onnxruntime', purpose, 'rtmlib')
        files = dict(det=request.det_weights, pose=request.weights)
        with request.explain_errors(
            'pass local files with --pose2d-weights FILE.onnx and '
            '--det-weights FILE.onnx'
        ):
            options: Dict[str, Any] = {}
            for part, path in files.items():
                if path is not None:
                    options[part] = path
                    size = _input_size(runtime, path)
                    options[f'{part}_input_size'] = size
            # rtmlib prints which files it loads.
            with redirect_stdout(sys.stderr):
                self._model = getattr(package, kind)(
                    device=_device(runtime, request.device), **options
                )

    def predict(self, images: List[Any]) -> List[Any]:
        """Keypoints and scores for each picture."""
        return [self._model(image) for image in images]


def _input_size(runtime: Any, path: str) -> Tuple[int, int]:
    """The size of the pictures that a model takes, as rtmlib wants it."""
    session = runtime.InferenceSession(
        path, providers=['CPUExecutionProvider']
    )
    height, width = session.get_inputs()[0].shape[2:]
    return width, height


def _device(runtime: Any, device: Optional[str]) -> str:
    if device is not None:
        return device
    has_gpu = 'CUDAExecutionProvider' in runtime.get_available_providers()
    return 'cuda' if has_gpu else 'cpu'
