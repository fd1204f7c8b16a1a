# Copyright (c) hanet_mm contributors. All rights reserved.
"""Units of 3D poses and rotations, and checks of declared units."""

from dataclasses import replace
from typing import Optional

import numpy as np
import torch

from ..data.checks import name_sequence
from ..data.files import PathLike
from ..data.gaps import fill_missing, missing_keypoints
from ..data.mapped import frame_blocks
from ..data.sequences import PoseSequences
from .boxes import person_size
from .rotations import axis_angle_to_rot6d, project_rot6d

LENGTHS = {'m': 1.0, 'mm': 1e-3, 'cm': 1e-2}
ROTATIONS = {'axis-angle': 3, 'rot6d': 6}
_COORDINATES = ('keypoints_est', 'keypoints_gt')
# Frames from which an unknown unit is guessed.
_SOME = 10_000
# Median size of a person, from a crouching child to arms stretched up.
_PERSON = (0.3, 4.0)


def suspect_unit(size: float) -> Optional[str]:
    """Guess the unit in which a size is plausible for a person, or None."""
    for unit, metres in LENGTHS.items():
        if _PERSON[0] <= size * metres <= _PERSON[1]:
            return unit
    return None


def check_metres(
    keypoints: np.ndarray,
    where: str,
    valid: Optional[np.ndarray] = None,
    declared: str = 'm',
) -> None:
    """Raise if the body size is implausible for the declared unit.

    Joints are (T, K, 3), ``valid`` (T, K). Absolute and root-relative
    coordinates are treated alike: only the size of the person counts.
    """
    size = person_size(keypoints, valid)
    if np.isnan(size):
        return
    if not _PERSON[0] <= size * LENGTHS[declared] <= _PERSON[1]:
        unit = suspect_unit(size)
        guess = f'in {unit!r}' if unit else 'no poses of a person'
        raise ValueError(
            f'{where}: a person of {size:.4g} {declared!r} (median longest '
            f'side of the box); expected {_PERSON[0]:g} to {_PERSON[1]:g} m: '
            f'the coordinates seem to be {guess}'
        )


def to_metres(seqs: PoseSequences, where: PathLike) -> PoseSequences:
    """Convert 3D joints to metres and check the declared ``meta['units']``."""
    check_lengths(seqs, where)
    unit = seqs.meta['units']
    if unit == 'm':
        return seqs
    scaled = {
        name: getattr(seqs, name) * np.float32(LENGTHS[unit])
        for name in _COORDINATES
        if getattr(seqs, name) is not None
    }
    return replace(seqs, meta={**seqs.meta, 'units': 'm'}, **scaled)


def check_lengths(seqs: PoseSequences, where: PathLike) -> None:
    """Raise unless 3D joints are in the unit of length that they declare."""
    unit = seqs.meta.get('units')
    if unit not in LENGTHS:
        some = slice(0, _SOME)
        valid = ~missing_keypoints(seqs.keypoints_est[some], seqs.scores[some])
        found = suspect_unit(person_size(seqs.keypoints_est[some], valid))
        guess = f'; they seem to be in {found!r}' if found else ''
        raise ValueError(
            f"{where}: meta['units']: expected one of {[*LENGTHS]} for 3D "
            f'joints, found {unit!r}{guess}'
        )
    _check_each(seqs, unit, where)


def as_rot6d(rotations: np.ndarray) -> np.ndarray:
    """Convert axis-angle (..., 3) or 6D (..., 6) to 6D rotations, float32.

    6D input is projected to a rotation. NaN stays NaN.
    """
    # In float64: the way through a quaternion costs half of the digits.
    given = torch.from_numpy(np.array(rotations, dtype=np.float64))
    convert = axis_angle_to_rot6d if given.shape[-1] == 3 else project_rot6d
    known = ~given.isnan().any(-1, keepdim=True)
    some = given.new_tensor([1, 0, 0, 1, 0, 0])[: given.shape[-1]]
    safe = torch.where(known, given, some)
    result = torch.where(known, convert(safe), float('nan'))
    return result.float().numpy()


def check_rotation_unit(seqs: PoseSequences, where: PathLike) -> None:
    """Raise unless joint rotations declare the unit that their shape has."""
    unit = seqs.meta.get('units')
    dims = seqs.keypoints_est.shape[-1]
    if ROTATIONS.get(str(unit)) != dims:
        raise ValueError(
            f"{where}: meta['units']: expected 'axis-angle' for 3 or 'rot6d' "
            f'for 6 coordinates of joint rotations, found {unit!r} for {dims}'
        )


def fill_rotations(
    rotations: np.ndarray, missing: np.ndarray, seq_len: np.ndarray
) -> np.ndarray:
    """Fill missing rotations in 6D as :func:`fill_missing` does."""
    filled = fill_missing(rotations, missing, seq_len)
    if missing.any():
        filled[missing] = as_rot6d(filled[missing])
    return filled


def _check_each(seqs: PoseSequences, unit: str, where: PathLike) -> None:
    for name in _COORDINATES:
        value = getattr(seqs, name)
        if value is None:
            continue
        known = seqs.scores if name == 'keypoints_est' else seqs.visible
        blocks = frame_blocks(value, known, seq_len=seqs.seq_len)
        for index, rows in enumerate(blocks):
            points = value[rows]
            mask = None if known is None else known[rows] > 0
            text = f'{where}: {name} of {name_sequence(seqs, index)}'
            check_metres(points, text, mask, unit)
