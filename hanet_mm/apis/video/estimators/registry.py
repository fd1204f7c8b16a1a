# Copyright (c) hanet_mm contributors. All rights reserved.
"""Estimators of other libraries by name, and which one is the default."""

from importlib import import_module
from importlib.util import find_spec
from typing import Any, Optional

from hanet_mm.core.data.extras import pip_install

from .base import EstimatorRequest, PoseEstimator

# Class of each, in the module of its name.
ESTIMATORS = {
    'mediapipe': 'MediaPipeEstimator',
    'rtmlib': 'RTMLibEstimator',
    'ultralytics': 'UltralyticsEstimator',
}


def default_pose2d() -> str:
    """The estimator where none is named.

    MMPose's ``human`` where it is installed, else MediaPipe.

    Raises:
        ImportError: If neither is installed.
    """
    if find_spec('mmpose') is not None:
        return 'human'
    if find_spec('mediapipe') is not None:
        return 'mediapipe'
    raise ImportError(
        f'no pose estimator is installed: {pip_install("mediapipe")}; or, '
        'with --pose2d, the extras [rtmlib], [ultralytics] or [mm,video]'
    )


def is_mmpose(pose2d: str) -> bool:
    """Whether a name is one for MMPose."""
    return pose2d.partition(':')[0] not in ESTIMATORS


def make_estimator(
    pose2d: str,
    weights: Optional[str] = None,
    **options: Any,
) -> PoseEstimator:
    """Build an estimator of another library.

    Args:
        pose2d: ``NAME`` or ``NAME:MODEL`` with a key of :data:`ESTIMATORS`.
        weights: See :class:`EstimatorRequest`.
        **options: Likewise.

    Raises:
        ImportError: If the library is not installed; it names the extra.
        ValueError: If the model cannot be loaded.
    """
    name, _, model = pose2d.partition(':')
    request = EstimatorRequest(pose2d, model, weights, **options)
    module = import_module(f'{__package__}.{name}')
    return getattr(module, ESTIMATORS[name])(request)
