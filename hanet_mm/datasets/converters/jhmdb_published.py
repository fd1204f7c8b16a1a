"""The pose files that the authors of DeciWatch and HANet publish for JHMDB.

A pair of ``.npz`` files holds object arrays with one entry a sequence, in the
same order: the ground truth has ``imgname``, ``joints_2d`` (px), ``bbox``
(x1 y1 x2 y2, px) and ``imgshape`` (H, W, ..), the estimates have ``imgname``
and ``joints_2d``. Image names are ``action/clip/image``. Neither file has
scores or visibility: all are taken as 1, and as 0 where a coordinate is NaN.

The files seem to hold all three splits of Sub-JHMDB one after the other, so
that clips repeat and most test clips are train clips of another split. What
was chosen is written to ``meta['protocol']``.
"""

from pathlib import Path
from typing import Any, Dict, List, NamedTuple, Optional, Sequence, Tuple

import numpy as np

from hanet_mm.core.data.files import PathLike
from hanet_mm.core.data.sequences import PoseSequences, save_pose_sequences
from hanet_mm.datasets.converters.jhmdb_clips import (
    ClipChoice,
    find_repetitions,
    jhmdb_keypoint_names,
)
from hanet_mm.datasets.converters.pickled import load_object_npz
from hanet_mm.datasets.converters.published import (
    check_entries,
    compare_counts,
    compare_images,
    image_names,
    name_where,
    numbers,
    sequence_of,
)

# Sequences and frames of the files as published.
PUBLISHED_COUNTS = {'test': (261, 9228), 'train': (687, 24372)}


class _Sequence(NamedTuple):
    clip: str
    images: Tuple[str, ...]
    keypoints_est: np.ndarray
    keypoints_gt: np.ndarray
    bboxes: np.ndarray
    image_size: np.ndarray


def convert_published_jhmdb(
    gt_path: PathLike,
    det_path: PathLike,
    out: PathLike,
    trust_pickle: bool = False,
    clips: Optional[ClipChoice] = None,
    keep_repeated: bool = False,
    estimator: Optional[str] = None,
    fps: float = 25.0,
) -> List[str]:
    """Convert a published pair of files for JHMDB to the flat layout.

    Args:
        gt_path: Ground truth, ``jhmdb_gt_{train,test}.npz``.
        det_path: Estimates, ``jhmdb_<estimator>_{train,test}.npz``.
        out: Flat ``.npz`` to write.
        trust_pickle: Whether to unpickle the object arrays.
        clips: Clips to take; all where not given.
        keep_repeated: Whether to keep sequences that repeat a clip, as the
            published figures do; otherwise the first of them is taken. Not
            with ``clips``.
        estimator: What to call the estimator; by default the name of its
            file.
        fps: Frame rate to note, 1/s; the files have none.

    Returns:
        What was read, left out and found odd, a line each.

    Raises:
        ValueError: One line naming file, key, sequence and frame.
    """
    if keep_repeated and clips is not None:
        raise ValueError(
            'keep_repeated: expected False with a choice of clips, found True'
        )
    sequences, note = _read_pair(gt_path, det_path, trust_pickle)
    frames = sum(len(item.images) for item in sequences)
    notes = [compare_counts(len(sequences), frames, PUBLISHED_COUNTS)]
    sequences, repeated = _drop_repeated(sequences, keep_repeated)
    notes += repeated
    whole = 'all sequences of the file' + (
        ', clips repeat' if keep_repeated else ', each clip once'
    )
    if clips is not None:
        chosen = clips.mask([item.clip for item in sequences])
        sequences = [item for item, yes in zip(sequences, chosen) if yes]
        notes.append(clips.count([item.clip for item in sequences]))
        if not sequences:
            raise ValueError(
                f'{gt_path}: imgname: expected clips of {clips.protocol}, '
                'found none of them'
            )
    meta = {
        'dataset': 'jhmdb',
        'estimator': estimator or Path(det_path).stem,
        'units': 'px',
        'coords': '2d',
        'keypoint_names': list(jhmdb_keypoint_names()),
        'protocol': clips.protocol if clips else whole,
        'scores': 'not in the source: 1 everywhere',
        'bboxes': 'as published',
        **note,
    }
    try:
        flat = _flatten(sequences, fps, meta)
        flat.check_estimates()
    except ValueError as error:
        raise ValueError(f'{gt_path}, {det_path}: {error}') from None
    save_pose_sequences(out, flat)
    notes.append(f'{len(flat)} sequences, {len(flat.scores)} frames -> {out}')
    return notes


def _read_pair(
    gt_path: PathLike, det_path: PathLike, trust_pickle: bool
) -> Tuple[List[_Sequence], Dict[str, str]]:
    gt_keys = ('imgname', 'joints_2d', 'bbox', 'imgshape')
    gt = load_object_npz(gt_path, gt_keys, trust_pickle=trust_pickle)
    det = load_object_npz(
        det_path, ('imgname', 'joints_2d'), ('note',), trust_pickle
    )
    note = {'note': str(det.pop('note'))} if 'note' in det else {}
    count = gt['imgname'].size and len(np.atleast_1d(gt['imgname']))
    for path, arrays in ((gt_path, gt), (det_path, det)):
        for key, value in arrays.items():
            check_entries(path, key, value, count, gt_path)
    return [
        _read_sequence(index, gt_path, gt, det_path, det)
        for index in range(count)
    ], note


def _read_sequence(
    index: int,
    gt_path: PathLike,
    gt: Dict[str, np.ndarray],
    det_path: PathLike,
    det: Dict[str, np.ndarray],
) -> _Sequence:
    images = image_names(gt['imgname'][index])
    clip = sequence_of(gt_path, index, images, 'action/clip/image')
    where = name_where(clip, index)
    compare_images(det_path, where, images, det['imgname'][index])
    frames = len(images)
    joints = (frames, len(jhmdb_keypoint_names()), 2)
    shape = numbers(gt_path, 'imgshape', where, gt['imgshape'][index])
    if shape.size < 2:
        raise ValueError(
            f'{gt_path}: imgshape of {where}: expected H, W, '
            f'found {shape.tolist()}'
        )
    return _Sequence(
        clip,
        images,
        _array(det_path, 'joints_2d', where, det['joints_2d'][index], joints),
        _array(gt_path, 'joints_2d', where, gt['joints_2d'][index], joints),
        _array(gt_path, 'bbox', where, gt['bbox'][index], (frames, 4)),
        shape.reshape(-1)[1::-1],
    )


def _array(
    path: PathLike, key: str, where: str, entry: Any, shape: Tuple[int, ...]
) -> np.ndarray:
    value = numbers(path, key, where, entry)
    if value.size != np.prod(shape) or value.shape[:1] != shape[:1]:
        raise ValueError(
            f'{path}: {key} of {where}: expected shape {shape}, flat or not, '
            f'found {value.shape}'
        )
    return value.reshape(shape)


def _drop_repeated(
    sequences: Sequence[_Sequence], keep: bool
) -> Tuple[List[_Sequence], List[str]]:
    # The same clip with other images is another track, not a repetition.
    repeated = find_repetitions([(s.clip, s.images) for s in sequences])
    if not repeated:
        return list(sequences), []
    differ = sum(
        not np.array_equal(
            sequences[index].keypoints_est,
            sequences[first].keypoints_est,
            equal_nan=True,
        )
        for index, first in repeated.items()
    )
    done = 'kept' if keep else 'left out'
    note = (
        f'{len(repeated)} sequences repeat a clip ({done}), {differ} of them '
        'with other estimates; the file seems to hold several splits'
    )
    return [
        item
        for index, item in enumerate(sequences)
        if keep or index not in repeated
    ], [note]


def _flatten(
    sequences: Sequence[_Sequence], fps: float, meta: Dict[str, Any]
) -> PoseSequences:
    estimate = np.concatenate([s.keypoints_est for s in sequences])
    truth = np.concatenate([s.keypoints_gt for s in sequences])
    return PoseSequences(
        keypoints_est=estimate,
        scores=~np.isnan(estimate).any(-1),
        seq_len=np.array([len(s.images) for s in sequences]),
        seq_name=np.array([s.clip for s in sequences]),
        keypoints_gt=truth,
        visible=~np.isnan(truth).any(-1),
        bboxes=np.concatenate([s.bboxes for s in sequences]),
        image_size=np.stack([s.image_size for s in sequences]),
        fps=np.full(len(sequences), fps),
        meta=meta,
    )
