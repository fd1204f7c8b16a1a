# Copyright (c) hanet_mm contributors. All rights reserved.
"""Truth of an official 3D annotation, with estimates from a folder.

Estimates are plain ``.npz`` files, one a track: ``joints_3d`` (T, 14, 3) in
metres, or ``pose`` (T, 24, 3) or (T, 72) in axis-angle with ``betas`` (T, 10)
or (10,); ``scores`` (T, K) and, with ``pose``, ``transl`` (T, 3) in metres
may be there too. NaN is a missing estimate.
"""

import argparse
from pathlib import Path
from typing import Any, Dict, List, NamedTuple, Optional, Sequence, Tuple

import numpy as np
from common import examples, join_tracks, save
from published_files import LSP_KEYPOINTS
from published_smpl import SMPL_KEYPOINTS, check_angles

from hanet_mm.core.data.files import PathLike, read_npz
from hanet_mm.core.poses.units import to_metres

NO_ESTIMATOR = 'none: the truth, for use with SimulateEstimatorNoise'
Arrays = Dict[str, np.ndarray]


class Track(NamedTuple):
    """One person of one video."""

    name: str  # of the video; two persons may share it
    file: str  # name of its estimates without ``.npz``
    truth: np.ndarray  # metres or axis-angle, (T, K, 3) float32; NaN = unknown
    extras: Arrays  # further arrays of the truth, (T, ...) float32


def add_estimates(parser: argparse.ArgumentParser, names: str) -> None:
    """Add the option that names the folder of estimates."""
    parser.add_argument(
        '--estimates',
        help=f'folder of {names}.npz; without it the truth is written as the '
        'estimate',
    )


def describe(
    dataset: str, estimator: Optional[str], smpl: bool, **more: Any
) -> Dict[str, Any]:
    """Return the ``meta`` of joints or SMPL rotations."""
    return {
        'dataset': dataset,
        'estimator': estimator,
        'units': 'axis-angle' if smpl else 'm',
        'keypoint_names': list(SMPL_KEYPOINTS if smpl else LSP_KEYPOINTS),
        'coords': '3d',
        **more,
    }


def turn(poses: np.ndarray, rotation: np.ndarray) -> np.ndarray:
    """Turn the global one of SMPL's rotations (T, 24, 3), to float32.

    ``rotation`` is (3, 3) or (T, 3, 3), from the world to the camera.
    """
    from scipy.spatial.transform import Rotation

    turned = poses.astype(np.float32)
    first = Rotation.from_rotvec(poses[:, 0])
    turned[:, 0] = (Rotation.from_matrix(rotation) * first).as_rotvec()
    return turned


def write_tracks(
    out: PathLike,
    tracks: Sequence[Track],
    estimates: Optional[PathLike],
    meta: Dict[str, Any],
    fps: float,
    source: PathLike,
    read: Optional[Sequence[Arrays]] = None,
) -> List[str]:
    """Add the estimates to the tracks and write the flat layout.

    ``estimates`` is a folder with a file a track, or what was ``read``
    already; without it the truth stands for them, and tracks without any
    truth are left out.
    """
    tracks, notes = list(tracks), []
    smpl = meta['units'] == 'axis-angle'
    if estimates is None:
        tracks, notes = _with_truth(tracks, source)
        meta['estimator'] = NO_ESTIMATOR
        found = [_from_truth(track) for track in tracks]
    else:
        name = Path(estimates).name if read is None else Path(estimates).stem
        meta['estimator'] = meta['estimator'] or name
        found = list(read or [])
        if read is None:
            found = [_read(Path(estimates), track, smpl) for track in tracks]
    arrays = [
        {'keypoints_gt': track.truth, **track.extras, **estimate}
        for track, estimate in zip(tracks, found)
    ]
    try:
        flat = join_tracks([t.name for t in tracks], arrays, fps, meta)
    except ValueError as error:
        raise ValueError(f'{source}: {error}') from None
    if not smpl:
        flat = to_metres(flat, source)
    unknown = int((~(flat.visible > 0).any(-1)).sum())
    notes.append(f'{unknown} of {len(flat.scores)} frames without truth')
    return [*notes, save(out, flat)]


def _with_truth(
    tracks: List[Track], source: PathLike
) -> Tuple[List[Track], List[str]]:
    known = [not np.isnan(t.truth).any(-1).all() for t in tracks]
    left = [t.file for t, yes in zip(tracks, known) if not yes]
    kept = [t for t, yes in zip(tracks, known) if yes]
    if not kept:
        raise ValueError(f'{source}: expected some truth, found none')
    if not left:
        return kept, []
    return kept, [
        f'WARNING: {len(left)} tracks left out, they have no truth that '
        f'could stand for estimates: {examples(left)}'
    ]


def _from_truth(track: Track) -> Arrays:
    extras = {
        name.replace('_gt', '_est'): value
        for name, value in track.extras.items()
        if name in ('betas_gt', 'transl_gt')
    }
    known = ~np.isnan(track.truth).any(-1)
    return dict(
        extras, keypoints_est=track.truth, scores=known.astype(np.float32)
    )


def _read(folder: Path, track: Track, smpl: bool) -> Arrays:
    path = folder / f'{track.file}.npz'
    where = f'sequence {track.name!r}'
    if not path.is_file():
        raise ValueError(f'{path}: expected estimates of {where}, found none')
    key = 'pose' if smpl else 'joints_3d'
    need = (key, 'betas') if smpl else (key,)
    arrays = read_npz(path, need, (*need, 'scores', 'transl'))
    frames, joints = track.truth.shape[:2]

    def read(name: str, *shape: int) -> np.ndarray:
        value = arrays[name]
        whole = (frames, *shape)
        if value.dtype.kind not in 'fiu' or value.size != np.prod(whole):
            raise ValueError(
                f'{path}: {name} of {where}: expected shape {whole} as the '
                f'truth, found {value.shape}'
            )
        return value.reshape(whole).astype(np.float32)

    keypoints = read(key, joints, 3)
    scores = (~np.isnan(keypoints).any(-1)).astype(np.float32)
    if 'scores' in arrays:
        scores *= read('scores', joints)
    estimate = {'keypoints_est': keypoints, 'scores': scores}
    if smpl:
        check_angles(keypoints, f'{path}: pose of {where}')
        if arrays['betas'].shape == (10,):
            arrays['betas'] = np.tile(arrays['betas'], (frames, 1))
        estimate['betas_est'] = read('betas', 10)
        if 'transl' in arrays:
            estimate['transl_est'] = read('transl', 3)
    return estimate
