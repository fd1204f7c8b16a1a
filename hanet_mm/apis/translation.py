# Copyright (c) hanet_mm contributors. All rights reserved.
"""Smooth the translation of a body whose rotations are refined."""

from typing import Any

import numpy as np

from hanet_mm.core.data.gaps import fill_missing
from hanet_mm.core.refine.frame_rate import USUAL_RATE
from hanet_mm.core.refine.root_path import root_path
from hanet_mm.filters.rotations import RotationFilter

from .formats.base import PersonTrack

# Of SMPL's mean body, in metres.
_SIZE = 1.7


def refine_translation(track: PersonTrack, refiner: Any) -> np.ndarray:
    """The translation of a track in metres, (T, 3) float32.

    By the filter that smooths the rotations; with any other refiner along
    :func:`root_path`. Frames without a translation stay without.
    """
    given = np.asarray(track.translation, np.float64)
    missing = ~np.isfinite(given).all(1)
    if missing.all():
        return given.astype(np.float32)
    points = np.where(missing[:, None], 0, given)
    if isinstance(refiner, RotationFilter):
        frames = np.array([len(points)])
        points = fill_missing(points[:, None], missing[:, None], frames)
        smooth = refiner.smoother.smooth_all(
            points, frames, np.where(missing, 0, 1.0)[:, None]
        )[:, 0]
    else:
        fps = track.fps or getattr(refiner, 'fps', None) or USUAL_RATE
        smooth = root_path(points, missing, fps, _SIZE).keypoints
    return np.where(missing[:, None], np.nan, smooth).astype(np.float32)
