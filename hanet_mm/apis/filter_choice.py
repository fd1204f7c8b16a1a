# Copyright (c) hanet_mm contributors. All rights reserved.
"""Classical filters by name, with settings that suit most videos."""

import inspect
from typing import Any, Dict, List, Mapping, Optional

import numpy as np

from hanet_mm.core.poses.boxes import person_size
from hanet_mm.core.refine.frame_rate import USUAL_RATE
from hanet_mm.filters.rotations import RotationFilter
from hanet_mm.filters.tuning import find_filter

from .formats.base import PersonTrack

# In the units of the filters' grids: frames, cycles per frame, Hz, or Hz per
# body size per second. Mild smoothing of video at 25 to 30 frames a second.
_USUAL: Dict[str, Mapping[str, float]] = {
    'savgol': dict(window=9, polyorder=2),
    'butterworth': dict(order=2, cutoff=0.16),
    'gaussian': dict(sigma=1.5),
    'one_euro': dict(min_cutoff=2, beta=3),
    'median': dict(window=5),
    'kalman': dict(process_noise=0.15, measurement_noise=1, score_power=0.5),
    'median_butterworth': dict(window=5, cutoff=0.16),
}


def choose_filter(
    text: str,
    tracks: List[PersonTrack],
    fps: Optional[float] = None,
    rotations: bool = False,
) -> Any:
    """Make a filter from ``name`` or ``name:argument=number,...``.

    Names are the keys of :data:`hanet_mm.filters.FILTERS`, arguments those of
    the class, such as ``gaussian:sigma=3``. The tracks tell the size of a
    person and, unless ``fps`` is given, the frame rate. Of ``rotations`` see
    :class:`hanet_mm.filters.rotations.RotationFilter`.
    """
    name, _, settings = text.partition(':')
    kind = find_filter(name)
    fps = usual_rate(tracks, fps)
    size = 1.0 if rotations else _person_size(tracks)
    arguments = kind.in_units(_USUAL[name], size, fps)
    known = [x for x in inspect.signature(kind).parameters if x != 'rotations']
    for setting in filter(None, settings.split(',')):
        key, equals, value = setting.partition('=')
        key = key.strip()
        if key not in known or not equals:
            raise ValueError(
                f'filter {text!r}: expected settings argument=number of '
                f'{", ".join(known)}, found {setting!r}'
            )
        arguments[key] = _number(value, text)
    if rotations:
        return RotationFilter(kind(rotations=True, **arguments))
    return kind(**arguments)


def usual_rate(
    tracks: List[PersonTrack], fps: Optional[float] = None
) -> float:
    """The given rate, else the median one of the tracks, else 30."""
    if fps is not None:
        return fps
    return float(np.median([x.fps for x in tracks if x.fps] or [USUAL_RATE]))


def _number(text: str, where: str) -> float:
    try:
        value = float(text)
    except ValueError:
        raise ValueError(
            f'filter {where!r}: expected a number, found {text!r}'
        ) from None
    return int(value) if value.is_integer() else value


def _person_size(tracks: List[PersonTrack]) -> float:
    """Median over the frames of all tracks; 1 for points without extent."""
    if not tracks:
        return 1.0
    size = person_size(np.concatenate([x.keypoints for x in tracks]))
    return 1.0 if np.isnan(size) else size
