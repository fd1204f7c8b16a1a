# Copyright (c) hanet_mm contributors. All rights reserved.
"""The arrays of pose sequences, and their checks.

Checks work on whole arrays and raise a one-line ``ValueError`` that names the
field and, where there is one, the sequence and the frame in it.
"""

from dataclasses import dataclass, field
from typing import Any, Callable, Dict, Optional

import numpy as np

from .gaps import has_nan, missing_keypoints
from .mapped import frame_blocks

PER_FRAME = ('keypoints_est', 'scores', 'keypoints_gt', 'visible', 'bboxes')
PER_SEQUENCE = ('seq_len', 'seq_name', 'image_size', 'fps')


@dataclass(eq=False, repr=False)
class SequenceArrays:
    """The fields of :class:`PoseSequences`, which documents them."""

    keypoints_est: np.ndarray
    scores: np.ndarray
    seq_len: np.ndarray
    seq_name: np.ndarray
    keypoints_gt: Optional[np.ndarray] = None
    visible: Optional[np.ndarray] = None
    bboxes: Optional[np.ndarray] = None
    image_size: Optional[np.ndarray] = None
    fps: Optional[np.ndarray] = None
    meta: Dict[str, Any] = field(default_factory=dict)
    extras: Dict[str, np.ndarray] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.seq_len)

    @property
    def starts(self) -> np.ndarray:
        """First flat frame of each sequence, (S,) int64."""
        return np.cumsum(self.seq_len) - self.seq_len

    @property
    def valid(self) -> np.ndarray:
        """Estimates that are not missing, bool (N, K)."""
        return ~missing_keypoints(self.keypoints_est, self.scores)


def check_sequences(seqs: SequenceArrays) -> None:
    """Check number, names and lengths of the sequences."""
    length, name = seqs.seq_len, seqs.seq_name
    if length.ndim != 1 or not len(length):
        raise ValueError(
            f'seq_len: expected shape (S,) with S >= 1, found {length.shape}'
        )
    if name.shape != length.shape:
        raise ValueError(
            f'seq_name: expected {len(length)} names as in seq_len, '
            f'found shape {name.shape}'
        )
    if length.min() < 1:
        index = int(np.argmax(length < 1))
        raise ValueError(
            f'seq_len: {name_sequence(seqs, index)} is empty: expected '
            f'length >= 1, found {length[index]}'
        )


def check_shapes(seqs: SequenceArrays) -> None:
    """Check that all arrays have the same frames, keypoints, sequences."""
    shape = seqs.keypoints_est.shape
    if len(shape) != 3 or 0 in shape[1:]:
        raise ValueError(
            f'keypoints_est: expected shape (N, K, D), found {shape}'
        )
    if int(seqs.seq_len.sum()) != shape[0]:
        raise ValueError(
            f'seq_len: expected a sum of {shape[0]} (frames of '
            f'keypoints_est), found {int(seqs.seq_len.sum())}'
        )
    expected = {
        'scores': shape[:2],
        'keypoints_gt': shape,
        'visible': shape[:2],
        'bboxes': (shape[0], 4),
        'image_size': (len(seqs), 2),
        'fps': (len(seqs),),
    }
    for name, want in expected.items():
        value = getattr(seqs, name)
        if value is not None and value.shape != want:
            raise ValueError(
                f'{name}: expected shape {want}, found {value.shape}'
            )
    for name, value in seqs.extras.items():
        if value.shape[:1] != shape[:1] or value.dtype.kind not in 'fiubU':
            raise ValueError(
                f'extras[{name!r}]: expected numbers or strings, '
                f'({shape[0]}, ...), found {value.dtype} {value.shape}'
            )
    _check_meta(seqs.meta)
    names = seqs.meta.get('keypoint_names')
    if names is not None and len(names) != shape[1]:
        raise ValueError(
            f"meta['keypoint_names']: expected {shape[1]} names (K of "
            f'keypoints_est), found {len(names)}'
        )


def _check_meta(meta: Dict[str, Any]) -> None:
    names, unit = meta.get('keypoint_names'), meta.get('units')
    if names is not None and not (
        isinstance(names, (list, tuple))
        and all(isinstance(x, str) for x in names)
    ):
        raise ValueError(
            f"meta['keypoint_names']: expected strings, found {names!r:.60}"
        )
    if unit is not None and not isinstance(unit, str):
        raise ValueError(
            f"meta['units']: expected a string, found {unit!r:.60}"
        )


def check_values(seqs: SequenceArrays) -> None:
    """Check that values are finite and weights, sizes and boxes sensible."""
    _refuse(seqs, 'keypoints_est', np.isinf, 'finite or NaN (missing)')
    _refuse(seqs, 'keypoints_gt', np.isinf, 'finite or NaN (unknown)')
    _refuse(seqs, 'bboxes', np.isinf, 'finite')
    for name in ('scores', 'visible'):
        _refuse(seqs, name, _not_weight, 'finite and >= 0')
    for name in ('image_size', 'fps'):
        _refuse(seqs, name, _not_positive, 'finite and > 0')
    _check_annotation(seqs)
    _check_boxes(seqs)


def check_estimates(seqs: SequenceArrays) -> None:
    """Refuse sequences whose estimates are all missing."""
    per_sequence = found_keypoints(seqs).any(-1)
    if not per_sequence.all():
        index = int(np.argmin(per_sequence))
        raise ValueError(
            'keypoints_est: all keypoints are missing (NaN or score 0) in '
            f'all {seqs.seq_len[index]} frames of '
            f'{name_sequence(seqs, index)}; expected at least 1 estimate'
        )


def found_keypoints(seqs: SequenceArrays) -> np.ndarray:
    """Keypoints that are not missing throughout a sequence, bool (S, K)."""
    starts, ends = seqs.starts, np.cumsum(seqs.seq_len)
    found = np.zeros((len(seqs), seqs.scores.shape[1]), bool)
    for rows in frame_blocks(seqs.keypoints_est, seqs.scores):
        missing = missing_keypoints(
            seqs.keypoints_est[rows], seqs.scores[rows]
        )
        first, last = np.searchsorted(
            ends, (rows.start, rows.stop - 1), 'right'
        )
        own = slice(first, last + 1)
        begin = np.maximum(starts[own] - rows.start, 0)
        found[own] |= np.logical_or.reduceat(~missing, begin)
    return found


def name_sequence(seqs: SequenceArrays, index: int) -> str:
    """Name a sequence in a message."""
    return f'sequence {str(seqs.seq_name[index])!r} (index {index})'


def name_frame(seqs: SequenceArrays, flat: int) -> str:
    """Name a flat frame by its sequence and its place in that."""
    index = int(np.searchsorted(np.cumsum(seqs.seq_len), flat, 'right'))
    frame = flat - int(seqs.starts[index])
    return f'{name_sequence(seqs, index)}, frame {frame}'


def _refuse(
    seqs: SequenceArrays,
    name: str,
    wrong: Callable[[np.ndarray], np.ndarray],
    expected: str,
) -> None:
    """Raise where ``wrong`` holds for the array called ``name``."""
    value = getattr(seqs, name)
    if value is None:
        return
    for rows in frame_blocks(value):
        bad = wrong(value[rows])
        if bad.any():
            break
    else:
        return
    index = np.unravel_index(int(np.argmax(bad)), bad.shape)
    row = rows.start + int(index[0])
    if name in PER_SEQUENCE:
        where = name_sequence(seqs, row)
    else:
        where = name_frame(seqs, row)
        if name != 'bboxes':
            where += f', keypoint {index[1]}'
    raise ValueError(
        f'{name}: found {value[rows][index]} in {where}; expected {expected}'
    )


def unknown_truth(seqs: SequenceArrays, rows: slice) -> np.ndarray:
    """Keypoints of some frames that nobody annotated, bool (n, K)."""
    return has_nan(np.asarray(seqs.keypoints_gt)[rows])


def _check_annotation(seqs: SequenceArrays) -> None:
    if seqs.keypoints_gt is None or seqs.visible is None:
        return
    for rows in frame_blocks(seqs.keypoints_gt, seqs.visible):
        bad = unknown_truth(seqs, rows) & (seqs.visible[rows] > 0)
        if bad.any():
            frame, keypoint = np.unravel_index(int(np.argmax(bad)), bad.shape)
            frame = rows.start + int(frame)
            raise ValueError(
                f'keypoints_gt: found NaN in {name_frame(seqs, frame)}, '
                f'keypoint {keypoint}; expected visible 0 there, found '
                f'{seqs.visible[frame, keypoint]}'
            )


def _check_boxes(seqs: SequenceArrays) -> None:
    if seqs.bboxes is None:
        return
    for rows in frame_blocks(seqs.bboxes, seqs.visible):
        boxes = seqs.bboxes[rows]
        annotated = np.full(len(boxes), seqs.keypoints_gt is not None)
        if seqs.visible is not None:
            annotated &= (seqs.visible[rows] > 0).any(-1)
        for bad, expected in (
            (
                np.isnan(boxes).any(-1) & annotated,
                'a box, for the frame has annotated keypoints',
            ),
            (
                (boxes[:, 2:] < boxes[:, :2]).any(-1),
                'x1 y1 x2 y2 with x1 <= x2 and y1 <= y2',
            ),
        ):
            if bad.any():
                frame = int(np.argmax(bad))
                raise ValueError(
                    f'bboxes: found {boxes[frame].tolist()} in '
                    f'{name_frame(seqs, rows.start + frame)}; expected '
                    f'{expected}'
                )


def _not_weight(value: np.ndarray) -> np.ndarray:
    return ~(np.isfinite(value) & (value >= 0))


def _not_positive(value: np.ndarray) -> np.ndarray:
    return ~(np.isfinite(value) & (value > 0))
