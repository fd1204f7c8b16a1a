# Copyright (c) hanet_mm contributors. All rights reserved.
"""Convert AIST++'s own annotation to the flat layout.

python tools/dataset_converters/aist_official.py \\
    AIST++/annotations pose_test data/aist/aist_spin_test.npz \\
    --trust-pickle --views c01 --estimates spin

``motions/<sequence>.pkl`` holds ``smpl_poses`` (T, 72), ``smpl_trans`` (T, 3)
and ``smpl_scaling`` (1,); ``keypoints3d/<sequence>.pkl`` holds COCO's 17
keypoints, reconstructed frame by frame (``keypoints3d``) and smoothed in time
(``keypoints3d_optim``). Lengths are in centimetres, as those of the cameras.
``splits/<split>.txt`` lists sequences, ``ignore_list.txt`` those to avoid.

Everything is in the coordinates of the studio; with views, each sequence is
written once for each of these cameras, in its coordinates.
"""

import json
import re
from pathlib import Path
from typing import Any, Dict, List, NamedTuple, Optional, Sequence, Tuple

from hanet_mm.apis.errors import one_line_interrupts

with one_line_interrupts():
    import numpy as np
    from common import (
        add_arguments,
        add_smpl,
        add_units,
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
    from published_files import LSP_KEYPOINTS
    from published_smpl import check_angles, convert_scale
    from sides import check_sides

    from hanet_mm.core.data.files import PathLike
    from hanet_mm.core.poses.skeleton_data import SKELETONS
    from hanet_mm.core.poses.units import LENGTHS
    from hanet_mm.progress import track as show

VIEWS = tuple(f'c{number:02d}' for number in range(1, 10))
KEYPOINTS = ('keypoints3d_optim', 'keypoints3d')
_VIEW = re.compile(r'_c(All|\d\d)_')
_COCO = SKELETONS['coco17'].keypoint_names


class _Camera(NamedTuple):
    """From the studio to a camera: ``x -> rotation @ x + translation``."""

    rotation: np.ndarray
    translation: np.ndarray


def convert_official_aist(
    annotations: PathLike,
    split: str,
    out: PathLike,
    trust_pickle: bool = False,
    estimates: Optional[PathLike] = None,
    smpl: bool = False,
    views: Sequence[str] = (),
    keypoints: str = 'keypoints3d_optim',
    units: str = 'cm',
    estimator: Optional[str] = None,
    fps: float = 60.0,
) -> List[str]:
    """Convert AIST++'s annotation to the flat layout.

    ``split`` is the name of a list in ``splits``; estimates have the view in
    place of 'cAll' in their names where views are given.
    """
    root = Path(annotations)
    names, notes = _choose(root, split)
    tracks: List[Track] = []
    for name in show(names, 'Dances'):
        path = root / ('motions' if smpl else 'keypoints3d') / f'{name}.pkl'
        content = load_pickle(path, trust_pickle)
        if smpl:
            truth, extras = _read_motion(path, content)
            convert_scale(extras, f'{path}: smpl_scaling', units)
        else:
            truth = _read_keypoints(path, content, keypoints) * LENGTHS[units]
            extras = {}
        cameras = _cameras(root, name, views, LENGTHS[units])
        tracks += _tracks(name, truth, extras, cameras, smpl)
    known = keypoints
    if smpl:
        known = 'without shape: the mean body of the model, times scale_gt'
    else:
        both = np.concatenate([track.truth for track in tracks])
        notes += check_sides(both, LSP_KEYPOINTS, 'truth')
        known += '; neck: middle of the shoulders; head_top: unknown'
    meta = describe(
        'aist',
        estimator,
        smpl,
        protocol=f'{split} of the official annotation without its '
        f'ignore_list; {"views " + ", ".join(views) if views else "studio"}',
        origin='camera' if views else 'studio',
        truth=known,
    )
    return notes + write_tracks(out, tracks, estimates, meta, fps, root)


def _choose(root: Path, split: str) -> Tuple[List[str], List[str]]:
    """Sequences of a split that are not to be ignored."""
    path = root / 'splits' / f'{split}.txt'
    # Some lists name videos, others sequences: a sequence is all its views.
    listed = [_VIEW.sub('_cAll_', name) for name in path.read_text().split()]
    names = list(dict.fromkeys(listed))
    ignore = root / 'ignore_list.txt'
    ignored = set(ignore.read_text().split()) if ignore.is_file() else set()
    kept = [name for name in names if name not in ignored]
    if not kept:
        raise ValueError(
            f'{path}: expected sequences that {ignore.name} does not name, '
            f'found {len(names)} sequences, all of them in it'
        )
    note = f'{split}: {len(names)} sequences, {len(names) - len(kept)} ignored'
    if not ignore.is_file():
        note = f'WARNING: {split}: no {ignore.name} in {root}'
    return kept, [note]


def _read_keypoints(path: Path, content: Any, key: str) -> np.ndarray:
    """The 14 joints in the annotation's unit, (T, 14, 3); NaN = unknown."""
    coco = _get(path, content, key, (-1, 17, 3))
    joints = np.full((len(coco), len(LSP_KEYPOINTS), 3), np.nan)
    for index, name in enumerate(LSP_KEYPOINTS):
        if name in _COCO:
            joints[:, index] = coco[:, _COCO.index(name)]
    shoulders = [_COCO.index(f'{side}_shoulder') for side in ('left', 'right')]
    joints[:, LSP_KEYPOINTS.index('neck')] = coco[:, shoulders].mean(1)
    return joints


def _read_motion(path: Path, content: Any) -> Tuple[np.ndarray, Arrays]:
    poses = _get(path, content, 'smpl_poses', (-1, 24, 3))
    check_angles(poses, f'{path}: smpl_poses')
    trans = _get(path, content, 'smpl_trans', (len(poses), 3))
    scale = _get(path, content, 'smpl_scaling', (1,))
    return poses, {
        'transl_gt': trans.astype(np.float32),
        'scale_gt': np.full(len(poses), scale[0], np.float32),
    }


def _tracks(
    name: str,
    truth: np.ndarray,
    extras: Arrays,
    cameras: Dict[str, _Camera],
    smpl: bool,
) -> List[Track]:
    """The sequence in the studio, or once for each camera."""
    if not cameras:
        return [Track(name, name, truth.astype(np.float32), extras)]
    tracks = []
    for view, camera in cameras.items():
        if smpl:
            seen = turn(truth, camera.rotation)
        else:
            seen = truth @ camera.rotation.T + camera.translation
        # SMPL turns the body about its pelvis, at an offset that only the
        # model knows: the translation in front of a camera is unknown here.
        kept = {k: v for k, v in extras.items() if k != 'transl_gt'}
        video = name.replace('_cAll_', f'_{view}_')
        tracks.append(Track(video, video, seen.astype(np.float32), kept))
    return tracks


def _cameras(
    root: Path, name: str, views: Sequence[str], metres: float
) -> Dict[str, _Camera]:
    """The cameras of a sequence, translations in metres."""
    if not views:
        return {}
    from scipy.spatial.transform import Rotation

    mapping = root / 'cameras' / 'mapping.txt'
    settings = dict(line.split() for line in mapping.read_text().splitlines())
    if name not in settings:
        raise ValueError(f'{mapping}: expected sequence {name!r}, found none')
    path = root / 'cameras' / f'{settings[name]}.json'
    known = {item['name']: item for item in json.loads(path.read_text())}
    missing = [view for view in views if view not in known]
    if missing:
        raise ValueError(
            f'{path}: expected camera {missing[0]!r}, found '
            f'{", ".join(known) or "none"}'
        )
    return {
        view: _Camera(
            Rotation.from_rotvec(known[view]['rotation']).as_matrix(),
            np.array(known[view]['translation']) * metres,
        )
        for view in views
    }


def _get(
    path: Path, content: Any, key: str, shape: Tuple[int, ...]
) -> np.ndarray:
    if not isinstance(content, dict) or key not in content:
        found = ', '.join(content) if isinstance(content, dict) else 'none'
        raise ValueError(f'{path}: key {key!r} is missing; found {found}')
    return numbers(content[key], f'{path}: {key}', shape)


def main() -> None:
    """Run the converter on the command line's arguments."""
    parser = make_parser(__doc__)
    parser.add_argument(
        'annotations', help='folder of splits, keypoints3d, motions, cameras'
    )
    parser.add_argument('split', help='a list in splits, such as pose_test')
    add_arguments(parser, fps=60.0)
    add_units(parser, 'cm')
    add_smpl(parser)
    parser.add_argument(
        '--views',
        nargs='+',
        choices=VIEWS,
        default=(),
        help='cameras, each gives a sequence; without them one sequence in '
        "the studio's coordinates",
    )
    parser.add_argument('--keypoints', choices=KEYPOINTS, default=KEYPOINTS[0])
    add_estimates(parser, '<sequence>')
    run(convert_official_aist, parser)


if __name__ == '__main__':
    main()
