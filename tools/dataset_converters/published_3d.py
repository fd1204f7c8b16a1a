# Copyright (c) hanet_mm contributors. All rights reserved.
"""Convert the published pose files of Human3.6M, 3DPW or AIST++.

python tools/dataset_converters/published_3d.py h36m \\
    h36m_gt_test.npz h36m_fcn_test.npz data/h36m/h36m_fcn_test.npz \\
    --trust-pickle

``joints_3d`` are in metres, root-relative or in camera coordinates, and are
kept as they are; with ``--smpl`` the SMPL parameters of the same files are
written.
"""

from pathlib import Path
from typing import Any, Dict, List, Optional

from hanet_mm.apis.errors import one_line_interrupts

with one_line_interrupts():
    import numpy as np
    from common import (
        add_arguments,
        add_smpl,
        add_units,
        make_parser,
        run,
        save,
    )
    from published_files import (
        H36M_KEYPOINTS,
        LSP_KEYPOINTS,
        PublishedDataset,
        PublishedPair,
    )
    from published_smpl import convert_published_smpl
    from sides import check_sides

    from hanet_mm.core.data.files import PathLike
    from hanet_mm.core.poses.units import to_metres

_LEFT_LEG = ('left_hip', 'left_knee', 'left_ankle')
_RIGHT_LEG = ('right_hip', 'right_knee', 'right_ankle')
_ARMS = (
    *('left_shoulder', 'left_elbow', 'left_wrist'),
    *('right_shoulder', 'right_elbow', 'right_wrist'),
)
_TRUNK = ('spine', 'neck', 'head', 'head_top')
# MMPose's names for Human3.6M's joints where the published names differ.
_PUBLISHED_NAMES = {
    'root': 'hip',
    'right_foot': 'right_ankle',
    'left_foot': 'left_ankle',
    'thorax': 'neck',
    'neck_base': 'head',
    'head': 'head_top',
}


def convert_published_3d(
    dataset: str,
    gt_path: PathLike,
    det_path: PathLike,
    out: PathLike,
    trust_pickle: bool = False,
    units: str = 'm',
    right_leg_first: bool = False,
    estimator: Optional[str] = None,
    fps: Optional[float] = None,
) -> List[str]:
    """Convert the joints of a published pair to metres in the flat layout.

    ``right_leg_first``: the 17 joints have the right leg before the left one,
    as Human3.6M itself has, and not as described for the published files.
    """
    pair = PublishedPair(dataset, gt_path, det_path, trust_pickle)
    known = pair.known
    columns = _columns(known, right_leg_first)
    expected = (
        f'{" or ".join(map(str, columns))} numbers a frame '
        f'({" or ".join(map(str, known.joints))} joints of a known order)'
    )

    def read(path: PathLike) -> np.ndarray:
        flat = pair.read(path, 'joints_3d', columns, expected)
        return flat.reshape(len(flat), -1, 3)

    truth, estimate = read(gt_path), read(det_path)
    meta = pair.describe(estimator or Path(det_path).stem)
    meta.update(
        units=units,
        coords='3d',
        keypoint_names=list(known.keypoints),
        origin='joints as published: relative to a root or to the camera',
    )
    flat = pair.assemble(estimate, truth, meta, fps)
    try:
        flat = to_metres(flat, f'{gt_path}, {det_path}')
    except ValueError as error:
        raise ValueError(f'{error} (--units declares another unit)') from None
    notes = [
        *pair.notes(),
        *check_sides(truth, known.keypoints, 'truth'),
        *check_sides(estimate, known.keypoints, 'estimates'),
    ]
    if any('wrong side' in note for note in notes):
        notes.append('--right-leg-first reads the other order of the legs')
    return [*notes, save(out, flat)]


def _columns(
    known: PublishedDataset, right_leg_first: bool
) -> Dict[int, np.ndarray]:
    """Numbers of a frame -> which of them make up the keypoints."""
    legs = (_LEFT_LEG, _RIGHT_LEG)[:: -1 if right_leg_first else 1]
    orders = {
        17: ('hip', *legs[0], *legs[1], *_TRUNK, *_ARMS),
        14: LSP_KEYPOINTS,
    }
    human36m = known.keypoints == H36M_KEYPOINTS
    names = [
        _PUBLISHED_NAMES.get(name, name) if human36m else name
        for name in known.keypoints
    ]
    return {
        3 * count: (
            3
            * np.array([orders[count].index(name) for name in names])[:, None]
            + np.arange(3)
        ).reshape(-1)
        for count in known.joints
    }


def convert(smpl: bool, right_leg_first: bool, **more: Any) -> List[str]:
    """Convert joints or SMPL parameters."""
    if smpl and right_leg_first:
        raise ValueError('--right-leg-first: not with --smpl')
    if smpl:
        return convert_published_smpl(**more)
    return convert_published_3d(right_leg_first=right_leg_first, **more)


def main() -> None:
    """Run the converter on the command line's arguments."""
    parser = make_parser(__doc__)
    parser.add_argument('dataset', choices=('h36m', 'pw3d', 'aist'))
    parser.add_argument(
        'gt_path', metavar='gt', help='<dataset>_gt_{train,test}.npz'
    )
    parser.add_argument(
        'det_path', metavar='det', help='<dataset>_<estimator>_{...}.npz'
    )
    add_arguments(parser, fps=None)
    add_units(parser, 'm')
    add_smpl(parser)
    parser.add_argument(
        '--right-leg-first',
        action='store_true',
        help='of 17 joints 1 to 3 are the right leg, not the left one',
    )
    run(convert, parser)


if __name__ == '__main__':
    main()
