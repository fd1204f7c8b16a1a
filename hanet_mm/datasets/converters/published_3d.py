"""The pose files that the authors of DeciWatch and HANet publish in 3D.

A pair of ``.npz`` files for Human3.6M, 3DPW or AIST++ holds ``joints_3d`` in
metres, root-relative or in camera coordinates; they are kept as they are.
Neither file has scores or visibility: all are 1, and 0 where a coordinate is
NaN. :mod:`.published_smpl` reads the SMPL parameters of the same files.
"""

from pathlib import Path
from typing import Any, Dict, List, NamedTuple, Optional, Tuple

import numpy as np

from hanet_mm.core.data.files import PathLike
from hanet_mm.core.data.sequences import PoseSequences, save_pose_sequences
from hanet_mm.core.poses.units import to_metres
from hanet_mm.datasets.converters.published import compare_counts
from hanet_mm.datasets.converters.published_pair import PublishedPair
from hanet_mm.datasets.converters.sides import check_sides
from hanet_mm.datasets.metainfo.lsp14 import lsp14
from hanet_mm.datasets.metainfo.skeleton import keypoint_names

H36M_KEYPOINTS = (
    *('root', 'right_hip', 'right_knee', 'right_foot'),
    *('left_hip', 'left_knee', 'left_foot'),
    *('spine', 'thorax', 'neck_base', 'head'),
    *('left_shoulder', 'left_elbow', 'left_wrist'),
    *('right_shoulder', 'right_elbow', 'right_wrist'),
)
LSP_KEYPOINTS = keypoint_names(lsp14)
_LEFT_LEG = ('left_hip', 'left_knee', 'left_ankle')
_RIGHT_LEG = ('right_hip', 'right_knee', 'right_ankle')
_ARMS = (
    *('left_shoulder', 'left_elbow', 'left_wrist'),
    *('right_shoulder', 'right_elbow', 'right_wrist'),
)
_TRUNK = ('spine', 'neck', 'head', 'head_top')
# What MMPose's Human3.6M calls joints that the published order names else.
_PUBLISHED_NAMES = {
    'root': 'hip',
    'right_foot': 'right_ankle',
    'left_foot': 'left_ankle',
    'thorax': 'neck',
    'neck_base': 'head',
    'head': 'head_top',
}


class PublishedDataset(NamedTuple):
    """What is known about the published files of a data set.

    Args:
        form: What image names look like.
        keypoints: Joints that are written, in order.
        joints: Numbers of joints that the files may have.
        fps: Frame rate of the videos, 1/s; the files have none.
        counts: Sequences and frames as published, by subset.
        protocol: What the file leaves open.
    """

    form: str
    keypoints: Tuple[str, ...]
    joints: Tuple[int, ...]
    fps: float
    counts: Dict[str, Tuple[int, int]]
    protocol: str


PUBLISHED_DATASETS = {
    'h36m': PublishedDataset(
        'subject/action/camera/image',
        H36M_KEYPOINTS,
        (17,),
        50.0,
        {'test': (236, 543344), 'train': (600, 1559752)},
        'a sequence is one video of one camera',
    ),
    'pw3d': PublishedDataset(
        'sequence/image',
        LSP_KEYPOINTS,
        (17, 14),
        30.0,
        {'test': (37, 35515), 'train': (34, 22735)},
        'a sequence is one person; frames without a valid camera pose are '
        'left out, so that rows need not be consecutive in time',
    ),
    'aist': PublishedDataset(
        'sequence/image',
        LSP_KEYPOINTS,
        (14,),
        60.0,
        {'test': (3840, 2882640), 'train': (7292, 5916474)},
        'a sequence is one video of one camera',
    ),
}
_H36M_SUBJECTS = {
    'train': {'S1', 'S5', 'S6', 'S7', 'S8'},
    'test': {'S9', 'S11'},
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
    progress: bool = False,
) -> List[str]:
    """Convert the joints of a published pair of files to the flat layout.

    Args:
        dataset: 'h36m', 'pw3d' or 'aist'.
        gt_path: Ground truth, ``<dataset>_gt_{train,test}.npz``.
        det_path: Estimates, ``<dataset>_<estimator>_{train,test}.npz``.
        out: Flat ``.npz`` to write, in metres.
        trust_pickle: Whether to unpickle the object arrays.
        units: Unit of the files: 'm', 'mm' or 'cm'.
        right_leg_first: Whether the 17 joints have the right leg before the
            left one, as Human3.6M itself has, and not as described for the
            published files.
        estimator: What to call the estimator; by default the name of its
            file.
        fps: Frame rate to note, 1/s; by default that of the data set.
        progress: Whether to show progress bars on stderr.

    Returns:
        What was read and found odd, a line each.

    Raises:
        ValueError: One line naming file, key and sequence: lengths that
            differ, an unknown joint order, or coordinates that are not in
            the declared unit.
    """
    known = PUBLISHED_DATASETS[dataset]
    pair = PublishedPair(gt_path, det_path, known.form, trust_pickle, progress)
    columns = _columns(known, right_leg_first)

    def read(path: PathLike) -> np.ndarray:
        flat = pair.read(path, 'joints_3d', columns, known_orders)
        return flat.reshape(len(flat), -1, 3)

    def known_orders(width: int) -> str:
        return (
            f'unknown joint order: {width / 3:g} joints, expected '
            + ' or '.join(map(str, known.joints))
        )

    truth, estimate = read(gt_path), read(det_path)
    meta = describe(dataset, pair, estimator or Path(det_path).stem)
    meta.update(
        units=units,
        coords='3d',
        keypoint_names=list(known.keypoints),
        origin='joints as published: relative to a root or to the camera',
    )
    flat = assemble(pair, estimate, truth, meta, fps or known.fps)
    try:
        flat = to_metres(flat, f'{gt_path}, {det_path}')
    except ValueError as error:
        raise ValueError(f'{error} (--units declares another unit)') from None
    notes = [
        *count_notes(dataset, pair),
        *check_sides(truth, known.keypoints, 'truth'),
        *check_sides(estimate, known.keypoints, 'estimates'),
    ]
    if any('wrong side' in note for note in notes):
        notes.append('--right-leg-first reads the other order of the legs')
    save_pose_sequences(out, flat)
    return [*notes, f'{len(flat)} sequences, {len(truth)} frames -> {out}']


def describe(
    dataset: str, pair: PublishedPair, estimator: str
) -> Dict[str, Any]:
    """The part of ``meta`` that joints and SMPL have in common."""
    protocol = PUBLISHED_DATASETS[dataset].protocol
    if dataset == 'h36m':
        protocol = f'{_subjects(pair)[0]}; {protocol}'
    return {
        'dataset': dataset,
        'estimator': estimator,
        'protocol': f'all sequences of the published file; {protocol}',
        'scores': 'not in the source: 1 everywhere',
    }


def count_notes(dataset: str, pair: PublishedPair) -> List[str]:
    """Compare with what is published about a data set, a line each."""
    counts = PUBLISHED_DATASETS[dataset].counts
    notes = [compare_counts(len(pair.names), int(pair.lengths.sum()), counts)]
    repeated = len(pair.names) - len({*pair.names})
    if repeated:
        notes.append(
            f'{repeated} sequences have the name of one before: several '
            'persons in a video'
        )
    if pair.gaps.any():
        notes.append(
            f'{int(pair.gaps.sum())} rows of {int((pair.gaps > 0).sum())} '
            'sequences do not follow the row before in time (by the numbers '
            'of their images)'
        )
    if dataset == 'h36m':
        found, odd = _subjects(pair)
        notes.append(f'WARNING: {found}' if odd else found)
    return notes


def assemble(
    pair: PublishedPair,
    estimate: np.ndarray,
    truth: np.ndarray,
    meta: Dict[str, Any],
    fps: float,
    extras: Optional[Dict[str, np.ndarray]] = None,
) -> PoseSequences:
    """Put flat arrays together and check them.

    Args:
        pair: The files that they are of.
        estimate: (N, K, D).
        truth: (N, K, D).
        meta: See :class:`PoseSequences`.
        fps: Frame rate of all sequences, 1/s.
        extras: See :class:`PoseSequences`.

    Raises:
        ValueError: One line naming files, field, sequence and frame.
    """
    try:
        flat = PoseSequences(
            keypoints_est=estimate,
            scores=~np.isnan(estimate).any(-1),
            seq_len=pair.lengths,
            seq_name=np.array(pair.names),
            keypoints_gt=truth,
            visible=~np.isnan(truth).any(-1),
            fps=np.full(len(pair.names), fps),
            meta=meta,
            extras=extras or {},
        )
        flat.check_estimates()
    except ValueError as error:
        raise ValueError(f'{pair.gt_path}, {pair.det_path}: {error}') from None
    return flat


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


def _subjects(pair: PublishedPair) -> Tuple[str, bool]:
    """Who is in the file, and whether that is not one of the splits."""
    found = {name.split('/')[0] for name in pair.names}
    text = ', '.join(sorted(found, key=lambda name: (len(name), name)))
    for subset, subjects in _H36M_SUBJECTS.items():
        if found <= subjects:
            return f'subjects {text} ({subset} subjects)', False
    return f'subjects {text}: neither only train nor only test subjects', True
