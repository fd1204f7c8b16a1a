# Copyright (c) hanet_mm contributors. All rights reserved.
"""Which numbers can be keypoints.

- Coordinates beyond ``LARGEST`` are refused: from there on float32, in which
  networks compute, does not resolve whole pixels.
- Placeholders are what estimators write for keypoints that they did not find,
  with any score: (0, 0), as Ultralytics does below a confidence of 0.5, or
  a negative whole number twice, such as (-1, -1). They count as missing in 2D
  coordinates of a picture, which are hardly ever negative. Around another
  origin (0, 0) is a place like others.
- Outliers are so far away from a person that nobody can mean them. They count
  as missing too: otherwise they would determine the size of the person, and
  with it what is done to the other keypoints.
"""

import math
from typing import Any, Iterator, NamedTuple, Tuple

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from .blocks import row_blocks
from .lengths import lengths

LARGEST = 2.0**24

# Coordinates of pictures: the largest share of negative ones.
_NEGATIVE_SHARE = 0.25
# Distance in body sizes at which a placeholder is apart from the keypoint.
_NEAR = 0.1
# The median distance of keypoints from their middle, in body sizes.
_MEDIAN_DISTANCE = 0.25
# Distance in body sizes from the middle of the person at which a keypoint is
# an outlier, and at which a whole frame is, from the frames around it.
_FAR, _FAR_FRAME = 10.0, 100.0
# Frames around a frame, on each side, that tell where the person is.
_AROUND = 12
# Frames whose way stands for the size of people in one point.
_WAY = 100
# Fewer keypoints do not tell which of them is wrong.
_FEWEST = 3
# Where most keypoints are in one place, the least size of a person: a share
# of the coordinates, be they pixels or parts of the picture.
_LEAST_SIZE = 0.25


class Ignored(NamedTuple):
    """Given keypoints that count as missing, bool (T, K) each."""

    placeholders: np.ndarray
    outliers: np.ndarray

    @property
    def any(self) -> np.ndarray:
        """Both, bool (T, K)."""
        return self.placeholders | self.outliers


def beyond_float32(keypoints: np.ndarray) -> np.ndarray:
    """Coordinates that are infinite or beyond ``LARGEST``, same shape."""
    return np.abs(keypoints) > LARGEST


def check_range(
    keypoints: np.ndarray, name: str, first_frame: int = 0
) -> None:
    """Raise if a coordinate of keypoints (T, K, D) is :func:`beyond_float32`.

    The message begins with ``name`` and counts frames from ``first_frame``.
    """
    wrong = beyond_float32(keypoints)
    if not wrong.any():
        return
    frame, keypoint, axis = np.argwhere(wrong)[0]
    where = f'in frame {first_frame + frame}, keypoint {keypoint}'
    value = keypoints[frame, keypoint, axis]
    if np.isinf(value):
        raise ValueError(f'{name}: infinite coordinate {where}')
    raise ValueError(
        f'{name}: found coordinate {value:g} {where}; expected at most '
        f'{LARGEST:.0f}: beyond, float32 does not resolve whole pixels'
    )


def unmasked(values: Any, masked: float) -> np.ndarray:
    """Values as an array; those that a numpy mask hides become ``masked``."""
    if not isinstance(values, np.ma.MaskedArray):
        return np.asarray(values)
    kind = np.result_type(values.dtype, np.float32)
    return np.ma.filled(values.astype(kind), masked)


def ignored_keypoints(keypoints: np.ndarray, missing: np.ndarray) -> Ignored:
    """Find placeholders and outliers among keypoints (T, K, D).

    ``missing`` (T, K) keypoints are neither.
    """
    placeholders = _placeholders(keypoints, missing)
    outliers = _outliers(keypoints, ~(missing | placeholders))
    return Ignored(placeholders, outliers)


def glance_at(keypoints: np.ndarray, missing: np.ndarray) -> np.ndarray:
    """Numbers (T, 2D + 3) of frames (T, K, D) for :func:`nothing_ignored`.

    Minus the middle and the middle (D each), the longest and minus the median
    distance to it, and whether a keypoint is like a placeholder: the largest
    of all frames bounds each. Of each frame alone: what a stream knows of
    frames before stays.
    """
    seen = ~missing
    numbers = []
    for rows, known in _frames(keypoints, seen):
        middle = _median(known.swapaxes(1, 2))
        apart = lengths(known - middle[:, None])
        own = np.empty((len(known), 2 * known.shape[-1] + 3))
        own[:, :-3] = np.concatenate([-middle, middle], axis=1)
        own[:, -3] = np.fmax.reduce(apart, axis=1)
        own[:, -2] = -_median(apart)
        own[seen[rows].sum(1) < _FEWEST, -2] = np.nan
        odd = _like_placeholders(keypoints[rows], missing[rows])
        own[:, -1] = odd.any(1)
        # Of what is not known the least.
        numbers.append(np.fmax(own, -np.inf))
    return np.concatenate(numbers)


def nothing_ignored(glances: np.ndarray) -> bool:
    """Whether it is clear at a glance that no keypoint is ignored, as usual.

    ``glances`` (T, 2D + 3) are those of :func:`glance_at`, of all frames. If
    False :func:`ignored_keypoints` may find some.
    """
    *ends, far, usual, odd = glances.max(axis=0).tolist()
    dims = len(ends) // 2
    # The size of the person is no less, see _size; but for rounding.
    limit = 0.999 * _FAR * -usual / _MEDIAN_DISTANCE
    # From the least middle to the largest of each axis.
    steps = [low + high for low, high in zip(ends[:dims], ends[dims:])]
    return not odd and math.inf > limit >= max(far, math.hypot(*steps))


def _placeholders(keypoints: np.ndarray, missing: np.ndarray) -> np.ndarray:
    none = np.zeros_like(missing)
    found = _like_placeholders(keypoints, missing)
    if not found.any():
        return none
    x = keypoints[..., 0]
    found &= x == np.round(x)
    others = np.where((found | missing)[..., None], np.nan, keypoints)
    known = others[np.isfinite(others)]
    if not len(known) or (known < 0).mean() > _NEGATIVE_SHARE:
        return none
    # Near the places of the same keypoint it may be one, and does no harm.
    near = _NEAR * _extent(others)
    for value in np.unique(x[found]):
        apart = np.fmin.reduce(np.abs(others - value).max(-1), axis=0)
        found &= (x != value) | ~(apart <= near)
    return found


def _like_placeholders(
    keypoints: np.ndarray, missing: np.ndarray
) -> np.ndarray:
    """Keypoints (T, K) with numbers that placeholders may have."""
    if keypoints.shape[-1] != 2:
        return np.zeros_like(missing)
    x, y = keypoints[..., 0], keypoints[..., 1]
    # NaN equals nothing, and missing keypoints are none anyway.
    return (x == y) & (x <= 0) & ~missing


def _extent(keypoints: np.ndarray) -> float:
    """Median longest side of the boxes around frames (T, K, D).

    NaN counts not. Of people in one point it is their way, inf if nothing is
    known of that either.
    """
    low = np.fmin.reduce(keypoints, axis=1)
    sizes = (np.fmax.reduce(keypoints, axis=1) - low).max(-1)
    sizes = sizes[np.isfinite(sizes)]
    size = float(np.median(sizes)) if len(sizes) else 0.0
    if size > 0:
        return size
    return _way(low, np.inf)


def _way(places: np.ndarray, unknown: float) -> float:
    """Way of ``_WAY`` frames at the median speed of places (T, D)."""
    places = places[np.isfinite(places).all(-1)]
    steps = np.abs(np.diff(places, axis=0)).max(-1)
    return _WAY * float(np.median(steps)) if len(steps) else unknown


def _outliers(keypoints: np.ndarray, seen: np.ndarray) -> np.ndarray:
    none = np.zeros_like(seen)
    if seen.sum() < _FEWEST:
        return none
    middle = _middles(keypoints, seen)
    count = seen.sum(1)
    enough = count >= min(_FEWEST, count.max())
    center = _around(middle) if count.max() < _FEWEST else middle
    apart = _distances(keypoints, seen, center)
    size = _size(apart[enough], middle)
    if _within(apart, middle, _FAR * size):
        return none
    around = _around(np.where(enough[:, None], middle, np.nan))
    from_around = _distances(keypoints, seen, around)
    # Frames of few keypoints do not tell where the person is.
    outliers = (apart > _FAR * size) | (count < _FEWEST)[:, None]
    outliers &= from_around > _FAR * size
    if min(enough.sum(), count.max()) >= _FEWEST:
        jump = lengths(middle - around)
        outliers |= seen & (jump > _FAR_FRAME * size)[:, None]
    return none if outliers[seen].all() else outliers


def _frames(
    keypoints: np.ndarray, seen: np.ndarray
) -> Iterator[Tuple[slice, np.ndarray]]:
    """Blocks of frames, float64, NaN where nothing is seen."""
    for rows in row_blocks(len(keypoints)):
        points = keypoints[rows].astype(np.float64)
        points[~seen[rows]] = np.nan
        yield rows, points


def _middles(keypoints: np.ndarray, seen: np.ndarray) -> np.ndarray:
    """Median over the keypoints of each frame, (T, D)."""
    middle = np.empty((len(seen), keypoints.shape[-1]))
    for rows, known in _frames(keypoints, seen):
        middle[rows] = _median(known.swapaxes(1, 2))
    return middle


def _distances(
    keypoints: np.ndarray, seen: np.ndarray, center: np.ndarray
) -> np.ndarray:
    """Distances of keypoints (T, K, D) from centres (T, D), (T, K)."""
    apart = np.empty(seen.shape)
    for rows, known in _frames(keypoints, seen):
        steps = known - center[rows, None]
        apart[rows] = lengths(steps)
    return apart


def _within(apart: np.ndarray, middle: np.ndarray, limit: float) -> bool:
    """Whether all is so near that there is nothing to look for, as usual."""
    steps = np.nanmax(middle, axis=0) - np.nanmin(middle, axis=0)
    return bool(np.nanmax(apart) <= limit >= np.linalg.norm(steps))


def _size(apart: np.ndarray, middle: np.ndarray) -> float:
    """Body size, from the distances (n, K) of keypoints from the middles."""
    least = _LEAST_SIZE * float(_median(np.abs(middle).T).max())
    values = apart[np.isfinite(apart)]
    values.sort()
    for quantile in (0.5, 0.75, 0.9):
        size = values[int(quantile * (len(values) - 1))] / _MEDIAN_DISTANCE
        if size > least:
            return float(size)
    return max(least, _way(middle, 0.0))


def _around(middle: np.ndarray) -> np.ndarray:
    """Median (T, D) of the middles of the frames around each; NaN counts not.

    Where there are none it is that of all frames.
    """
    half = min(_AROUND, len(middle))
    padded = np.pad(middle, ((half, half), (0, 0)), constant_values=np.nan)
    local = _median(sliding_window_view(padded, 2 * half + 1, axis=0))
    return np.where(np.isnan(local), _median(middle.T), local)


def _median(values: np.ndarray) -> np.ndarray:
    """Median along the last axis, an element; NaN counts not."""
    ordered = np.sort(values, axis=-1)
    known = np.isfinite(ordered)
    # NaN comes last: everything is known, as usual.
    if known[..., -1].all():
        return ordered[..., (ordered.shape[-1] - 1) // 2]
    middle = np.maximum((known.sum(-1, keepdims=True) - 1) // 2, 0)
    return np.take_along_axis(ordered, middle, -1)[..., 0]
