# Copyright (c) hanet_mm contributors. All rights reserved.
"""What numbers in a file mean, by their values: z or score, pixels or
fractions, metres or millimetres. What they do not tell is asked for.
"""

from typing import Optional, Sequence, Tuple

import numpy as np

from hanet_mm.core.data.files import PathLike
from hanet_mm.core.data.scores import HIGHEST, LOWEST
from hanet_mm.core.poses.boxes import person_size
from hanet_mm.core.poses.units import LENGTHS, suspect_unit

# No person in a picture is smaller, and none in metres is larger.
SMALLEST_PERSON = 20.0
# Fractions of an image may leave it, but not often and not by far.
_FRACTIONS = (-0.5, 1.5)
_OUTSIDE = 0.1
# No percentage is larger.
_PERCENT = 101.0
# Extent in z of a motion, in sizes of the person in x and y.
_DEPTH = (0.2, 8.0)


def decide_dims(
    values: np.ndarray,
    where: str,
    dims: Optional[int] = None,
    usual: Optional[int] = None,
) -> int:
    """Tell coordinates of keypoints (..., K, C) from scores.

    Args:
        values: C = 2: x, y; C = 4: x, y, z, score; C = 3: x, y, score or
            x, y, z.
        where: Names the file and the field in a message.
        dims: Number of coordinates where the user says it.
        usual: What they are in doubt. Defaults to None: an error.

    Returns:
        2 or 3.

    Raises:
        ValueError: If the user says 3 of C = 2; or, if neither the user nor
            the values say it, one line that names the option.
    """
    count = values.shape[-1]
    if count == 2 and dims == 3:
        raise ValueError(
            f'{where}: expected x, y and z of each keypoint, found 2 numbers'
        )
    if count != 3:
        return 2 if count == 2 else 3
    if dims is not None:
        return dims
    points = values.reshape(-1, *values.shape[-2:]).astype(np.float64)
    points = np.where((points == 0).all(-1, keepdims=True), np.nan, points)
    known = points[np.isfinite(points).all(-1)]
    size = person_size(points[..., :2])
    if not len(known) or not size > 0:
        return usual or 2
    third = known[:, 2]
    if (third >= LOWEST).all() and (third <= HIGHEST).all():
        # Scores are usual, and a person in pixels is large.
        if size > SMALLEST_PERSON:
            return 2
    elif third.min() >= LOWEST:
        if third.max() > _PERCENT:
            return 3
    elif _DEPTH[0] * size < np.ptp(third) < _DEPTH[1] * size:
        # On both sides of 0, and a body in proportion: no logits.
        return 3
    if usual is not None:
        return usual
    raise ValueError(
        f'{where}: the third number of each keypoint (from '
        f'{third.min():.4g} to {third.max():.4g}) may be a score or z: '
        'expected --dims 2 for x, y, score or --dims 3 for x, y, z'
    )


def are_fractions(points: np.ndarray) -> bool:
    """Whether 2D keypoints (..., 2) are fractions of an image."""
    known = points[np.isfinite(points).all(-1)]
    known = known[(known != 0).any(-1)]
    if not len(known) or not np.ptp(known, axis=0).max() > 0:
        return False
    low, high = _FRACTIONS
    inside = (known >= low) & (known <= high)
    return bool(
        inside.mean() > 1 - _OUTSIDE
        and (known < 0).mean() < _OUTSIDE
        and np.abs(known).max() < SMALLEST_PERSON / 2
    )


def empty_places(
    points: np.ndarray, scores: Optional[np.ndarray] = None
) -> np.ndarray:
    """Keypoints (..., K, D) with NaN where zeros mean nothing: 0, 0 in 2D; in
    3D a joint may lie there, but not all of a person. Those of score
    (..., K) 0 are missing anyway and stay.
    """
    axes = -1 if points.shape[-1] == 2 else (-2, -1)
    nothing = (points == 0).all(axes, keepdims=True)
    if scores is not None:
        nothing = nothing & (scores > 0)[..., None]
    return np.where(nothing, np.nan, points)


def pixel_scale(
    points: np.ndarray,
    path: PathLike,
    image_size: Optional[Sequence[float]],
    fractions: Optional[bool] = None,
) -> np.ndarray:
    """What 2D keypoints (..., 2) are multiplied by to be pixels, (2,).

    ``fractions`` of None: as they seem to be; True: as is usual in the
    format, unless they are clearly pixels. Raises a ValueError if they are
    fractions of an image of unknown size.
    """
    if fractions:
        size = person_size(points.reshape(-1, *points.shape[-2:]))
        # Nobody there, or a person of twenty pictures.
        if not np.isfinite(points).any() or size > SMALLEST_PERSON:
            return np.ones(2)
    if not (are_fractions(points) if fractions is None else fractions):
        return np.ones(2)
    if image_size is None:
        if fractions:
            raise ValueError(
                f'{path}: the coordinates are fractions of the image size, '
                'which is not in the file: give it with --image-size W H'
            )
        raise ValueError(
            f'{path}: the coordinates seem to be fractions of the image '
            'size, which is not in the file: give it with --image-size W H '
            '(1 1 if they are no fractions)'
        )
    return np.array(image_size, np.float64)


def metre_scale(points: np.ndarray) -> Tuple[float, Optional[str]]:
    """What 3D keypoints (..., K, 3) are multiplied by to be metres, and
    'm'; 1 and None if no unit gives the size of a person.
    """
    size = person_size(points.reshape(-1, *points.shape[-2:]))
    unit = None if np.isnan(size) else suspect_unit(size)
    return (1.0, None) if unit is None else (LENGTHS[unit], 'm')
