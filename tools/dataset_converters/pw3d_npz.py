# Copyright (c) hanet_mm contributors. All rights reserved.
"""Convert 3DPW in the ``.npz`` files of SPIN, DAPA or MMHuman3D.

python tools/dataset_converters/pw3d_npz.py \\
    3dpw_test.npz data/pw3d/pw3d_spin_smpl_test.npz --estimates spin.npz

SPIN's and DAPA's ``3dpw_test.npz`` has plain arrays: ``imgname`` (N,),
``pose`` (N, 72) axis-angle with the global rotation of the camera, ``shape``
(N, 10), ``gender`` (N,). MMHuman3D's has ``image_path`` (N,) and the
dictionaries ``smpl`` (``global_orient`` (N, 3), ``body_pose`` (N, 23, 3),
``betas`` (N, 10)) and ``meta`` (``gender``), which only pickle reads.

``--estimates`` is an ``.npz`` of plain arrays with the same rows: ``pose``
(N, 72), or matrices (N, 24, 3, 3), and ``betas`` (N, 10), as SPIN's ``eval.py
--result_file`` writes them; its ``camera`` (N, 3), ``transl`` (N, 3) in metres
and ``scores`` (N, 24) may be there too. The files have no joints: rotations
are written.
"""

from typing import Any, Dict, List, Optional

from hanet_mm.apis.errors import one_line_interrupts

with one_line_interrupts():
    import numpy as np
    from common import add_arguments, load_object_npz, make_parser, run
    from official_3d import Arrays, Track, describe, write_tracks
    from published_files import PUBLISHED_DATASETS
    from published_smpl import check_angles

    from hanet_mm.apis.annotations.pw3d import FPS, Pw3dPersons
    from hanet_mm.core.data.files import PathLike, npz_keys, read_npz

# Upright persons in front of a camera: its y axis points down.
_UPRIGHT = 0.3
# Least determinant of what is taken for a rotation: 1 but for rounding.
_TURNED = 0.5
# Further estimates of three numbers.
_MORE = ('transl', 'camera')


def convert_pw3d_npz(
    annotations: PathLike,
    out: PathLike,
    trust_pickle: bool = False,
    estimates: Optional[PathLike] = None,
    estimator: Optional[str] = None,
    fps: float = FPS,
) -> List[str]:
    """Convert SMPL parameters of 3DPW, one sequence a person of a video.

    Frames of a person without a row in the file are rows without truth and
    estimate, so that rows are consecutive in time.
    """
    read = _read_human_data
    if 'imgname' in npz_keys(annotations):
        read = _read_spin
    rows = read(annotations, trust_pickle)
    check_angles(rows['pose'], f'{annotations}: pose')
    persons = Pw3dPersons(rows['images'], rows['shape'], annotations)
    truth = persons.spread(rows['pose'])
    extras = {'betas_gt': persons.repeat(rows['shape'])}
    found = None
    if estimates is not None:
        found = _read_estimates(estimates, persons)
    ends = np.cumsum(persons.grid.seq_len)
    parts = [*map(slice, ends - persons.grid.seq_len, ends)]
    tracks = [
        Track(video, file, truth[own], {k: v[own] for k, v in extras.items()})
        for video, file, own in zip(persons.videos, persons.files, parts)
    ]
    meta = describe(
        'pw3d',
        estimator,
        smpl=True,
        protocol='all rows of the file, one sequence a person of a video; '
        'frames without a row have no truth',
        origin='camera',
        genders={
            file: str(rows['gender'][row])
            for file, row in zip(persons.files, persons.row)
        },
    )
    notes = [_compare(len(tracks), len(persons.places))]
    notes += _check_camera(rows['pose'], 'truth')
    if found is not None:
        notes += _check_camera(found['keypoints_est'], 'estimates')
        found = [{k: v[own] for k, v in found.items()} for own in parts]
    return notes + write_tracks(
        out, tracks, estimates, meta, fps, annotations, found
    )


def _read_spin(path: PathLike, trust_pickle: bool) -> Dict[str, Any]:
    need = ('imgname', 'pose', 'shape')
    arrays = load_object_npz(path, need, ('gender',), trust_pickle)
    images = arrays['imgname'].reshape(-1)
    return dict(
        images=images,
        pose=_rows(arrays['pose'], f'{path}: pose', len(images), 24, 3),
        shape=_rows(arrays['shape'], f'{path}: shape', len(images), 10),
        gender=_genders(arrays, len(images)),
    )


def _read_human_data(path: PathLike, trust_pickle: bool) -> Dict[str, Any]:
    arrays = load_object_npz(
        path, ('image_path', 'smpl'), ('meta',), trust_pickle
    )
    images = np.asarray(arrays['image_path']).reshape(-1)
    smpl = _dictionary(arrays['smpl'])
    keys = ('global_orient', 'body_pose', 'betas')
    missing = [key for key in keys if key not in smpl]
    if missing:
        raise ValueError(
            f'{path}: smpl: key {missing[0]!r} is missing; expected '
            f'{", ".join(keys)}, found {", ".join(map(str, smpl)) or "none"}'
        )
    root, body, shape = (
        _rows(smpl[key], f'{path}: smpl: {key}', len(images), *dims)
        for key, dims in zip(keys, ((1, 3), (23, 3), (10,)))
    )
    return dict(
        images=images,
        pose=np.concatenate([root, body], 1),
        shape=shape,
        gender=_genders(_dictionary(arrays.get('meta')), len(images)),
    )


def _dictionary(value: Any) -> Dict[str, Any]:
    """A dictionary that an object array holds; {} if it is another thing."""
    if isinstance(value, np.ndarray) and value.size == 1:
        value = value.reshape(-1)[0]
    return value if isinstance(value, dict) else {}


def _genders(values: Dict[str, Any], count: int) -> np.ndarray:
    found = np.asarray(values.get('gender', [])).reshape(-1)
    return found if len(found) == count else np.full(count, 'unknown')


def _rows(value: Any, where: str, count: int, *dims: int) -> np.ndarray:
    """Numbers of ``count`` rows, in whatever form these were stored."""
    array = np.asarray(value)
    shape = (count, *dims)
    if array.dtype.kind not in 'fiu' or array.size != np.prod(shape):
        raise ValueError(
            f'{where}: expected numbers {shape}, a row for each of {count} '
            f'images, found {array.dtype} {array.shape}'
        )
    return array.reshape(shape).astype(np.float32)


def _read_estimates(path: PathLike, persons: Pw3dPersons) -> Arrays:
    """Estimates of the rows, in the flat frames."""
    need = ('pose', 'betas')
    arrays = read_npz(path, need, (*need, 'scores', *_MORE))
    count = len(persons.places)
    pose = arrays['pose']
    if pose.shape == (count, 24, 3, 3):
        pose = _vectors(pose, f'{path}: pose')
    pose = _rows(pose, f'{path}: pose', count, 24, 3)
    check_angles(pose, f'{path}: pose')
    scores = (~np.isnan(pose).any(-1)).astype(np.float32)
    if not scores.any():
        raise ValueError(f'{path}: pose: expected rotations, found only NaN')
    if 'scores' in arrays:
        scores *= _rows(arrays['scores'], f'{path}: scores', count, 24)
    betas = _rows(arrays['betas'], f'{path}: betas', count, 10)
    found = dict(
        keypoints_est=persons.spread(pose),
        scores=np.nan_to_num(persons.spread(scores)),
        betas_est=persons.repeat(betas),
    )
    for key in _MORE:
        if key in arrays:
            value = _rows(arrays[key], f'{path}: {key}', count, 3)
            found[f'{key}_est'] = persons.spread(value)
    return found


def _vectors(matrices: np.ndarray, where: str) -> np.ndarray:
    """Rotation vectors (..., 3) of matrices (..., 3, 3); NaN stays NaN."""
    from scipy.spatial.transform import Rotation

    known = np.isfinite(matrices).all((-1, -2))
    vectors = np.full(matrices.shape[:-1], np.nan)
    if not known.any():
        return vectors
    worst = float(np.linalg.det(matrices[known]).min())
    if worst < _TURNED:
        raise ValueError(
            f'{where}: expected rotation matrices, found a determinant of '
            f'{worst:.3g}'
        )
    vectors[known] = Rotation.from_matrix(matrices[known]).as_rotvec()
    return vectors


def _compare(persons: int, rows: int) -> str:
    text = f'read {persons} persons, {rows} rows'
    for subset, counts in PUBLISHED_DATASETS['pw3d'].counts.items():
        if counts == (persons, rows):
            return f'{text}; as the published {subset} file'
    return text


def _check_camera(poses: np.ndarray, what: str) -> List[str]:
    """Check the orientation: persons stand upright in front of a camera."""
    from scipy.spatial.transform import Rotation

    known = poses[~np.isnan(poses[:, 0]).any(-1), 0]
    if not len(known):
        return [f'WARNING: {what}: no rotation of a root']
    up = Rotation.from_rotvec(known).apply([0, 1, 0])
    down = float(np.median(up[:, 1]))
    text = f'{what}: the spine points to y = {down:+.2f} (median)'
    if down > -_UPRIGHT:
        return [
            f'WARNING: {text}; expected about -1, upright in front of a '
            'camera whose y axis points down: are they in the world?'
        ]
    return [f'{text}, as in front of a camera']


def main() -> None:
    """Run the converter on the command line's arguments."""
    parser = make_parser(__doc__)
    parser.add_argument('annotations', help='3dpw_{train,test}.npz')
    add_arguments(parser, fps=FPS)
    parser.add_argument(
        '--estimates',
        help='.npz with pose and betas of the same rows; without it the '
        'truth is written as the estimate',
    )
    run(convert_pw3d_npz, parser)


if __name__ == '__main__':
    main()
