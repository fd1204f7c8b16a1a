# Copyright (c) hanet_mm contributors. All rights reserved.
"""Convert 3DPW's own annotation to the flat layout.

python tools/dataset_converters/pw3d_official.py \\
    3DPW/sequenceFiles test data/pw3d/pw3d_pare_test.npz --trust-pickle \\
    --estimates pare

``sequenceFiles/{train,validation,test}/<sequence>.pkl`` holds, for one or two
persons, ``poses`` (T, 72) and ``trans`` (T, 3) of SMPL, ``betas`` (10,),
``jointPositions`` (T, 72) in metres, all in the world, and for the video
``cam_poses`` (T, 4, 4) from the world to the camera. ``campose_valid`` (T,)
says for each person where the camera is right; elsewhere nothing is known
about the person in camera coordinates.

The files give the 24 joints of SMPL and not those that were scored in the
paper: the 14 are picked from them, with SMPL's head joint, which is not the
top of the head, as ``head_top``.
"""

from pathlib import Path
from typing import Any, Dict, List, NamedTuple, Optional, Tuple

from hanet_mm.apis.errors import one_line_interrupts

with one_line_interrupts():
    import numpy as np
    from common import (
        add_arguments,
        add_smpl,
        load_pickle,
        make_parser,
        numbers,
        run,
    )
    from official_3d import (
        Arrays,
        Track,
        add_estimates,
        describe,
        turn,
        write_tracks,
    )
    from published_files import LSP_KEYPOINTS, PUBLISHED_DATASETS
    from published_smpl import SMPL_KEYPOINTS
    from sides import check_sides

    from hanet_mm.core.data.files import PathLike
    from hanet_mm.progress import track as show

SUBSETS = ('train', 'validation', 'test')
_PERSONS = ('poses', 'trans', 'betas', 'jointPositions', 'campose_valid')
# The 14 joints among SMPL's 24.
_PICKS = tuple(
    SMPL_KEYPOINTS.index('head' if name == 'head_top' else name)
    for name in LSP_KEYPOINTS
)


class _Person(NamedTuple):
    poses: np.ndarray
    trans: np.ndarray
    betas: np.ndarray
    joints: np.ndarray
    valid: np.ndarray


def convert_official_pw3d(
    sequence_files: PathLike,
    subset: str,
    out: PathLike,
    trust_pickle: bool = False,
    estimates: Optional[PathLike] = None,
    smpl: bool = False,
    estimator: Optional[str] = None,
    fps: float = 30.0,
) -> List[str]:
    """Convert 3DPW's annotation to the flat layout, in camera coordinates.

    Frames without a valid camera pose are kept, as rows without truth, so
    that rows are consecutive in time.
    """
    folder = Path(sequence_files) / subset
    files = sorted(folder.glob('*.pkl'))
    if not files:
        raise ValueError(f'{folder}: expected <sequence>.pkl, found none')
    tracks, genders = [], []
    for path in show(files, 'Videos'):
        more, who = _read_video(path, trust_pickle, smpl)
        tracks += more
        genders += who
    meta = describe(
        'pw3d',
        estimator,
        smpl,
        protocol=f'{subset} videos of the official annotation, one sequence '
        'a person; frames without a valid camera pose have no truth',
        origin='camera',
        genders=dict(zip((t.file for t in tracks), genders)),
    )
    if not smpl:
        meta['head_top'] = "SMPL's head joint, below the top of the head"
    notes = [_compare(subset, tracks)]
    if not smpl:
        truth = np.concatenate([t.truth for t in tracks])
        notes += check_sides(truth, LSP_KEYPOINTS, 'truth')
    return notes + write_tracks(out, tracks, estimates, meta, fps, folder)


def _read_video(
    path: Path, trust_pickle: bool, smpl: bool
) -> Tuple[List[Track], List[str]]:
    content = load_pickle(path, trust_pickle, encoding='latin1')
    if not isinstance(content, dict):
        raise ValueError(
            f'{path}: expected a dictionary, found {type(content).__name__}'
        )
    missing = [k for k in (*_PERSONS, 'cam_poses') if k not in content]
    if missing:
        raise ValueError(
            f'{path}: key {missing[0]!r} is missing; expected '
            f'{", ".join((*_PERSONS, "cam_poses"))}'
        )
    camera = numbers(content['cam_poses'], f'{path}: cam_poses', (-1, 4, 4))
    name = str(content.get('sequence', path.stem))
    tracks, genders = [], _genders(content)
    for index in range(len(content['poses'])):
        person = _read_person(path, content, index, len(camera))
        convert = _rotations if smpl else _joints
        truth, extras = convert(person, camera)
        tracks.append(Track(name, f'{path.stem}_{index}', truth, extras))
    return tracks, (genders + ['unknown'] * len(tracks))[: len(tracks)]


def _read_person(
    path: Path, content: Dict[str, Any], index: int, frames: int
) -> _Person:
    values = {}
    for key, shape in (
        ('poses', (frames, 24, 3)),
        ('trans', (frames, 3)),
        ('betas', (-1,)),
        ('jointPositions', (frames, 24, 3)),
        ('campose_valid', (frames,)),
    ):
        persons = content[key]
        if len(persons) != len(content['poses']):
            raise ValueError(
                f'{path}: {key}: expected {len(content["poses"])} persons as '
                f'in poses, found {len(persons)}'
            )
        where = f'{path}: {key} of person {index}'
        values[key] = numbers(persons[index], where, shape)
    poses, trans, betas, joints, valid = values.values()
    if len(betas) < 10:
        raise ValueError(
            f'{path}: betas of person {index}: expected 10 numbers, found '
            f'{len(betas)}'
        )
    return _Person(poses, trans, betas[:10], joints, valid > 0)


def _joints(person: _Person, camera: np.ndarray) -> Tuple[np.ndarray, Arrays]:
    """The 14 joints in camera coordinates, NaN where those are not known."""
    seen = _to_camera(person.joints[:, _PICKS], camera)
    seen[~person.valid] = np.nan
    return seen.astype(np.float32), {}


def _rotations(
    person: _Person, camera: np.ndarray
) -> Tuple[np.ndarray, Arrays]:
    """Rotations, shape and translation in camera coordinates.

    SMPL turns the body about its pelvis, which lies at ``trans`` plus an
    offset that only the model knows: it follows from the recorded pelvis.
    """
    rotations = turn(person.poses, camera[:, :3, :3])
    pelvis = person.joints[:, :1]
    rest = pelvis[:, 0] - person.trans
    trans = _to_camera(pelvis, camera)[:, 0] - rest
    for value in (rotations, trans):
        value[~person.valid] = np.nan
    betas = np.tile(person.betas, (len(rotations), 1))
    return rotations, {
        'betas_gt': betas.astype(np.float32),
        'transl_gt': trans.astype(np.float32),
    }


def _to_camera(points: np.ndarray, camera: np.ndarray) -> np.ndarray:
    """(T, K, 3) m in the world and (T, 4, 4) -> (T, K, 3) m."""
    turned = np.einsum('tij,tkj->tki', camera[:, :3, :3], points)
    return turned + camera[:, None, :3, 3]


def _compare(subset: str, tracks: List[Track]) -> str:
    valid = sum(int((~np.isnan(t.truth[:, 0, 0])).sum()) for t in tracks)
    text = f'read {len(tracks)} persons, {valid} frames with truth'
    published = PUBLISHED_DATASETS['pw3d'].counts.get(subset)
    if published is None:
        return text
    same = 'as' if published == (len(tracks), valid) else 'differs from'
    return f'{text}; {same} the published {published[0]} / {published[1]}'


def _genders(content: Dict[str, Any]) -> List[str]:
    found = content.get('genders', content.get('gender', []))
    return [str(gender) for gender in found]


def main() -> None:
    """Run the converter on the command line's arguments."""
    parser = make_parser(__doc__)
    parser.add_argument(
        'sequence_files', help='folder of {train,validation,test}/*.pkl'
    )
    parser.add_argument('subset', choices=SUBSETS)
    add_arguments(parser, fps=30.0)
    add_smpl(parser)
    add_estimates(parser, '<sequence>_<person>')
    run(convert_official_pw3d, parser)


if __name__ == '__main__':
    main()
