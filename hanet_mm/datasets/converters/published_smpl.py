"""SMPL parameters of the published files for 3DPW and AIST++.

``pose`` (24 rotations, axis-angle, the global one first) becomes the pose
sequence; shape, translation, scale and camera travel beside it as extras.
AIST++'s truth has a scale and no shape.
"""

from pathlib import Path
from typing import Callable, Dict, List, Optional

import numpy as np

from hanet_mm.core.data.files import PathLike
from hanet_mm.core.data.sequences import save_pose_sequences
from hanet_mm.datasets.converters.published_3d import (
    PUBLISHED_DATASETS,
    assemble,
    count_notes,
    describe,
)
from hanet_mm.datasets.converters.published_pair import PublishedPair
from hanet_mm.datasets.metainfo.skeleton import keypoint_names
from hanet_mm.datasets.metainfo.smpl24 import smpl24

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
    progress: bool = False,
) -> List[str]:
    """Convert the SMPL parameters of a published pair to the flat layout.

    Args:
        dataset: 'pw3d' or 'aist'.
        gt_path: Ground truth, ``<dataset>_gt_{train,test}.npz``.
        det_path: Estimates, ``<dataset>_<estimator>_{train,test}.npz``.
        out: Flat ``.npz`` to write.
        trust_pickle: Whether to unpickle the object arrays.
        units: Unit of AIST++'s ``trans`` and of what ``scaling`` makes of
            the body model: 'm', 'mm' or 'cm'. They are written in metres.
        estimator: What to call the estimator; by default the name of its
            file.
        fps: Frame rate to note, 1/s; by default that of the data set.
        progress: Whether to show progress bars on stderr.

    Returns:
        What was read and found odd, a line each.

    Raises:
        ValueError: One line naming file, key and sequence.
    """
    known = PUBLISHED_DATASETS[dataset]
    pair = PublishedPair(gt_path, det_path, known.form, trust_pickle, progress)
    estimate, truth = (
        _read_rotations(pair, path) for path in (det_path, gt_path)
    )
    extras = _read_extras(pair, dataset)
    to_metre(extras, f'{gt_path}: scaling', units)
    meta = describe(dataset, pair, estimator or Path(det_path).stem)
    meta.update(
        units='axis-angle',
        keypoint_names=list(SMPL_KEYPOINTS),
        truth='with shape'
        if 'betas_gt' in extras
        else 'without shape: the mean shape of the body model, times scale_gt',
    )
    flat = assemble(pair, estimate, truth, meta, fps or known.fps, extras)
    save_pose_sequences(out, flat)
    return [
        *count_notes(dataset, pair),
        f'beside the rotations: {", ".join(sorted(extras))}',
        f'{len(flat)} sequences, {len(truth)} frames -> {out}',
    ]


def to_metre(
    extras: Dict[str, np.ndarray], where: str, units: str = 'm'
) -> None:
    """Bring the truth's scale and translation to metres, in place.

    Args:
        extras: With or without ``scale_gt`` and ``transl_gt``.
        where: File and key of the scale, for messages.
        units: Unit of both: 'm', 'mm' or 'cm'.

    Raises:
        ValueError: If the scale makes no person of the body model.
    """
    if 'scale_gt' not in extras:
        return
    found = float(np.median(extras['scale_gt']))
    factors = {'m': 1.0, 'cm': 1e-2, 'mm': 1e-3}
    low, high = _SCALES
    if not low <= found * factors[units] <= high:
        fits = [u for u, f in factors.items() if low <= found * f <= high]
        guess = f'seems to be in {fits[0]!r}' if fits else 'is no size'
        raise ValueError(
            f'{where}: expected a scale of {low:g} to {high:g} for the body '
            f'model in metres, found a median of {found:.4g} {units!r}: it '
            f'{guess} (--units declares another unit)'
        )
    for name in ('scale_gt', 'transl_gt'):
        if name in extras:
            extras[name] *= np.float32(factors[units])


def check_angles(rotations: np.ndarray, where: str) -> None:
    """Refuse rotations that can hardly be axis-angle in radians.

    Args:
        rotations: (N, 24, 3) rad; NaN = missing.
        where: File and key, for messages.

    Raises:
        ValueError: Naming the suspected unit.
    """
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
    rotations = pair.read(
        path, 'pose', {72: range(72)}, _expected('axis-angle rotations', 72)
    ).reshape(-1, 24, 3)
    check_angles(rotations, f'{path}: pose')
    return rotations


def _expected(what: str, count: int) -> Callable[[int], str]:
    return lambda found: (
        f'expected {count} numbers a frame ({what}), found {found}'
    )


def _read_extras(pair: PublishedPair, dataset: str) -> Dict[str, np.ndarray]:
    extras = {}
    for side, path, known in (
        ('gt', pair.gt_path, _GT_EXTRAS),
        ('det', pair.det_path, _DET_EXTRAS),
    ):
        for key, (name, count) in known.items():
            if key in _NEEDED[dataset][side] or pair.has(path, key):
                extras[name] = pair.read(
                    path, key, {count: range(count)}, _expected(name, count)
                )
    if 'scaling' in _NEEDED[dataset]['gt'] or pair.has(
        pair.gt_path, 'scaling'
    ):
        extras['scale_gt'] = pair.read_scalars(pair.gt_path, 'scaling')
    return extras
