"""Truth of an official 3D annotation, with estimates from a folder.

Estimates are plain ``.npz`` files, one a track: ``joints_3d`` (T, 14, 3) in
metres, or ``pose`` (T, 24, 3) or (T, 72) in axis-angle with ``betas`` (T, 10)
or (10,); ``scores`` (T, K) and, with ``pose``, ``transl`` (T, 3) in metres
may be there too. NaN is a missing estimate.
"""

from pathlib import Path
from typing import Any, Dict, List, NamedTuple, Optional, Sequence, Tuple

import numpy as np

from hanet_mm.core.data.files import PathLike, read_npz
from hanet_mm.core.data.sequences import PoseSequences, save_pose_sequences
from hanet_mm.core.poses.units import to_metres
from hanet_mm.datasets.converters.published_smpl import check_angles

NO_ESTIMATOR = 'none: the truth, for use with SimulateEstimatorNoise'


class Track(NamedTuple):
    """One person of one video.

    Args:
        name: Of the video; two persons may share it.
        file: Name of its estimates without ``.npz``.
        truth: Joints in metres or rotations in axis-angle, (T, K, 3); NaN =
            unknown.
        extras: Further arrays of the truth, (T, ...) each.
    """

    name: str
    file: str
    truth: np.ndarray
    extras: Dict[str, np.ndarray]


class _Estimate(NamedTuple):
    keypoints: np.ndarray
    scores: np.ndarray
    extras: Dict[str, np.ndarray]


def write_tracks(
    out: PathLike,
    tracks: Sequence[Track],
    estimates: Optional[PathLike],
    meta: Dict[str, Any],
    fps: float,
    source: PathLike,
) -> List[str]:
    """Join the tracks with their estimates and write the flat layout.

    Args:
        out: Flat ``.npz`` to write.
        tracks: At least one.
        estimates: Folder of estimates, a file a track. None: the truth
            stands for them; tracks without any truth are left out then.
        meta: Of the result, with ``units`` 'm' or 'axis-angle';
            ``estimator`` is added where it is missing.
        fps: Frame rate, 1/s.
        source: The annotation, for messages.

    Returns:
        What was written and left out, a line each.

    Raises:
        ValueError: One line naming file, key and sequence.
    """
    tracks, notes = list(tracks), []
    smpl = meta['units'] == 'axis-angle'
    if estimates is None:
        tracks, notes = _with_truth(tracks, source)
        meta['estimator'] = NO_ESTIMATOR
        found = [_from_truth(track) for track in tracks]
    else:
        meta['estimator'] = meta.get('estimator') or Path(estimates).name
        found = [_read(Path(estimates), track, smpl) for track in tracks]
    flat = _flatten(tracks, found, meta, fps, source)
    if not smpl:
        flat = to_metres(flat, source)
    save_pose_sequences(out, flat)
    unknown = int((~(flat.visible > 0).any(-1)).sum())
    notes.append(f'{unknown} of {len(flat.scores)} frames without truth')
    notes.append(f'{len(flat)} sequences, {len(flat.scores)} frames -> {out}')
    return notes


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
        f'could stand for estimates: {", ".join(left[:3])}'
        + (', ..' if len(left) > 3 else '')
    ]


def _from_truth(track: Track) -> _Estimate:
    return _Estimate(
        track.truth,
        (~np.isnan(track.truth).any(-1)).astype(np.float32),
        {
            name.replace('_gt', '_est'): value
            for name, value in track.extras.items()
            if name in ('betas_gt', 'transl_gt')
        },
    )


def _read(folder: Path, track: Track, smpl: bool) -> _Estimate:
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
    extras = {}
    if smpl:
        check_angles(keypoints, f'{path}: pose of {where}')
        if arrays['betas'].shape == (10,):
            arrays['betas'] = np.tile(arrays['betas'], (frames, 1))
        extras['betas_est'] = read('betas', 10)
        if 'transl' in arrays:
            extras['transl_est'] = read('transl', 3)
    return _Estimate(keypoints, scores, extras)


def _flatten(
    tracks: Sequence[Track],
    found: Sequence[_Estimate],
    meta: Dict[str, Any],
    fps: float,
    source: PathLike,
) -> PoseSequences:
    truth = np.concatenate([track.truth for track in tracks])
    extras = {**_join(tracks), **_join(found)}
    try:
        return PoseSequences(
            keypoints_est=np.concatenate([e.keypoints for e in found]),
            scores=np.concatenate([e.scores for e in found]),
            seq_len=np.array([len(track.truth) for track in tracks]),
            seq_name=np.array([track.name for track in tracks]),
            keypoints_gt=truth,
            visible=~np.isnan(truth).any(-1),
            fps=np.full(len(tracks), fps),
            meta=meta,
            extras=extras,
        )
    except ValueError as error:
        raise ValueError(f'{source}: {error}') from None


def _join(items: Sequence[Any]) -> Dict[str, np.ndarray]:
    # What only some of the tracks have cannot be an array of all frames.
    names = set(items[0].extras).intersection(*(i.extras for i in items))
    return {
        name: np.concatenate([item.extras[name] for item in items]).astype(
            np.float32
        )
        for name in sorted(names)
    }
