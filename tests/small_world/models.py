# Copyright (c) hanet_mm contributors. All rights reserved.
"""Where the models of the small world are: configs and trained weights.

``init_detector(detector_config(), DETECTOR_WEIGHTS, device='cpu')`` of MMDet
and ``init_model(estimator_config(), ESTIMATOR_WEIGHTS, device='cpu')`` of
MMPose make them; so do the inferencers.
"""

from pathlib import Path

_FOLDER = Path(__file__).resolve().parent

DETECTOR_WEIGHTS: str = str(_FOLDER / 'weights/detector.pth')
"""Of the detector: people, one class."""

ESTIMATOR_WEIGHTS: str = str(_FOLDER / 'weights/estimator.pth')
"""Of the top-down estimator: JHMDB-15 keypoints."""

REFINER_WEIGHTS: str = str(_FOLDER / 'weights/refiner.safetensors')
"""Of a refiner for this estimator, for ``hanet_mm.load_refiner``."""


def detector_config() -> str:
    """Path of the MMDet config."""
    return str(_FOLDER / 'configs/detector.py')


def estimator_config() -> str:
    """Path of the MMPose config."""
    return str(_FOLDER / 'configs/estimator.py')
