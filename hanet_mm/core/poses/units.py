# Copyright (c) hanet_mm contributors. All rights reserved.
"""Units of 3D poses and rotations, and checks of declared units."""

from dataclasses import replace
from typing import List, Optional, Sequence

import numpy as np
import torch

from ..data.checks import name_sequence
from ..data.files import PathLike
from ..data.gaps import fill_missing
from ..data.sequences import PoseSequences
from .boxes import person_size
from .rotations import axis_angle_to_rot6d, project_rot6d

LENGTHS = {'m': 1.0, 'mm': 1e-3, 'cm': 1e-2}
ROTATIONS = {'axis-angle': 3, 'rot6d': 6}
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
    unit = seqs.meta.get('units')
    names = ('keypoints_est', 'keypoints_gt')
    if unit not in LENGTHS:
        unit = suspect_unit(person_size(seqs.keypoints_est, seqs.valid))
        guess = f'; they seem to be in {unit!r}' if unit else ''
        raise ValueError(
            f"{where}: meta['units']: expected one of {[*LENGTHS]} for 3D "
            f'joints, found {seqs.meta.get("units")!r}{guess}'
        )
    _check_each(seqs, names, unit, where)
    if unit == 'm':
        return seqs
    scaled = {
        name: getattr(seqs, name) * np.float32(LENGTHS[unit])
        for name in names
        if getattr(seqs, name) is not None
    }
    return replace(seqs, meta={**seqs.meta, 'units': 'm'}, **scaled)


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


def to_rot6d(seqs: PoseSequences, where: PathLike) -> PoseSequences:
    """Convert joint rotations, ``meta['units']`` axis-angle or 6D, to 6D."""
    unit = seqs.meta.get('units')
    dims = seqs.keypoints_est.shape[-1]
    if ROTATIONS.get(str(unit)) != dims:
        raise ValueError(
            f"{where}: meta['units']: expected 'axis-angle' for 3 or 'rot6d' "
            f'for 6 coordinates of joint rotations, found {unit!r} for {dims}'
        )
    truth = seqs.keypoints_gt
    return replace(
        seqs,
        keypoints_est=as_rot6d(seqs.keypoints_est),
        keypoints_gt=None if truth is None else as_rot6d(truth),
        meta={**seqs.meta, 'units': 'rot6d'},
    )


def fill_rotations(
    rotations: np.ndarray, missing: np.ndarray, seq_len: np.ndarray
) -> np.ndarray:
    """Fill missing rotations in 6D as :func:`fill_missing` does."""
    filled = fill_missing(rotations, missing, seq_len)
    return as_rot6d(filled) if missing.any() else filled


def _check_each(
    seqs: PoseSequences, names: Sequence[str], unit: str, where: PathLike
) -> None:
    ends = np.cumsum(seqs.seq_len)[:-1]
    for name in names:
        value = getattr(seqs, name)
        if value is None:
            continue
        valid = seqs.valid if name == 'keypoints_est' else seqs.visible
        parts = np.split(value, ends)
        masks: List[Optional[np.ndarray]] = [None] * len(parts)
        if valid is not None:
            masks = list(np.split(valid > 0, ends))
        for index, (points, mask) in enumerate(zip(parts, masks)):
            text = f'{where}: {name} of {name_sequence(seqs, index)}'
            check_metres(points, text, mask, unit)
