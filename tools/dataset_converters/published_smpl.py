# Copyright (c) hanet_mm contributors. All rights reserved.
"""SMPL parameters of the published files of 3DPW and AIST++.

``pose`` (24 rotations, axis-angle, the global one first) becomes the pose
sequence; shape, translation, scale and camera are written as extras. AIST++'s
truth has a scale and no shape.
"""

from pathlib import Path
from typing import Dict, List, Optional

import numpy as np
from common import save
from published_files import PublishedPair, per_frame

from hanet_mm.core.data.files import PathLike
from hanet_mm.core.poses.units import LENGTHS
from hanet_mm.datasets.metainfo import keypoint_names, smpl24

SMPL_KEYPOINTS = keypoint_names(smpl24)
# Key of the file -> extra and its numbers a frame.
_GT_EXTRAS = {'shape': ('betas_gt', 10), 'trans': ('transl_gt', 3)}
_DET_EXTRAS = {'shape': ('betas_est', 10), 'camera': ('camera_est', 3)}
_NEEDED = {
    'pw3d': {'gt': ('shape',), 'det': ('shape',)},
    'aist': {'gt': ('trans', 'scaling'), 'det': ('shape',)},
}
# A body of the model's size times this is a person, in metres.
_SCALES = (0.3, 3.0)
# No joint turns further than twice around, in rad.
_LARGEST_ANGLE = 4 * np.pi


def convert_published_smpl(
    dataset: str,
    gt_path: PathLike,
    det_path: PathLike,
    out: PathLike,
    trust_pickle: bool = False,
    units: str = 'm',
    estimator: Optional[str] = None,
    fps: Optional[float] = None,
) -> List[str]:
    """Convert the SMPL parameters of a published pair to the flat layout.

    ``units`` is the unit of AIST++'s ``trans`` and of the body model times
    ``scaling``; metres are written.
    """
    if dataset not in _NEEDED:
        raise ValueError(
            f'{dataset}: the published files have no SMPL parameters'
        )
    pair = PublishedPair(dataset, gt_path, det_path, trust_pickle)
    estimate, truth = (
        _read_rotations(pair, path) for path in (det_path, gt_path)
    )
    extras = _read_extras(pair, dataset)
    convert_scale(extras, f'{gt_path}: scaling', units)
    meta = pair.describe(estimator or Path(det_path).stem)
    meta.update(
        units='axis-angle',
        keypoint_names=list(SMPL_KEYPOINTS),
        truth='with shape'
        if 'betas_gt' in extras
        else 'without shape: the mean shape of the body model, times scale_gt',
    )
    flat = pair.assemble(estimate, truth, meta, fps, extras=extras)
    return [
        *pair.notes(),
        f'beside the rotations: {", ".join(sorted(extras))}',
        save(out, flat),
    ]


def convert_scale(
    extras: Dict[str, np.ndarray], where: str, units: str
) -> None:
    """Convert ``scale_gt`` and ``transl_gt`` to metres, in place."""
    if 'scale_gt' not in extras:
        return
    found = float(np.median(extras['scale_gt']))
    low, high = _SCALES
    if not low <= found * LENGTHS[units] <= high:
        fits = [
            unit
            for unit in ('m', 'cm', 'mm')
            if low <= found * LENGTHS[unit] <= high
        ]
        guess = f'seems to be in {fits[0]!r}' if fits else 'is no size'
        raise ValueError(
            f'{where}: expected a scale of {low:g} to {high:g} for the body '
            f'model in metres, found a median of {found:.4g} {units!r}: it '
            f'{guess} (--units declares another unit)'
        )
    for name in ('scale_gt', 'transl_gt'):
        if name in extras:
            extras[name] *= np.float32(LENGTHS[units])


def check_angles(rotations: np.ndarray, where: str) -> None:
    """Refuse rotations (N, 24, 3) that can hardly be axis-angle in rad."""
    # Some frames of the whole file are enough to tell.
    some = rotations[:: max(1, len(rotations) // 10_000)]
    largest = np.linalg.norm(some, axis=-1).max(-1)
    largest = np.median(np.nan_to_num(largest))  # missing frames say no
    if largest > _LARGEST_ANGLE:
        raise ValueError(
            f'{where}: expected 24 axis-angle rotations in radians, found '
            f'angles of {largest:.4g} (median over frames of the largest '
            "joint's): they seem to be in degrees"
        )


def _read_rotations(pair: PublishedPair, path: PathLike) -> np.ndarray:
    expected = '72 numbers a frame (axis-angle rotations)'
    rotations = pair.read(path, 'pose', per_frame(72), expected)
    rotations = rotations.reshape(-1, 24, 3)
    check_angles(rotations, f'{path}: pose')
    return rotations


def _read_extras(pair: PublishedPair, dataset: str) -> Dict[str, np.ndarray]:
    extras = {}
    for side, path, known in (
        ('gt', pair.gt_path, _GT_EXTRAS),
        ('det', pair.det_path, _DET_EXTRAS),
    ):
        for key, (name, count) in known.items():
            if key in _NEEDED[dataset][side] or pair.has(path, key):
                expected = f'{count} numbers a frame ({name})'
                extras[name] = pair.read(path, key, per_frame(count), expected)
    if 'scaling' in _NEEDED[dataset]['gt'] or pair.has(
        pair.gt_path, 'scaling'
    ):
        extras['scale_gt'] = pair.read_scalars(pair.gt_path, 'scaling')
    return extras
