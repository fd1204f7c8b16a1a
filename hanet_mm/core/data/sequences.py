# Copyright (c) hanet_mm contributors. All rights reserved.
"""Pose sequences in memory and on disk.

Letters: N frames of all sequences (flat), S sequences, K keypoints,
D coordinates. All arrays of frames lie one sequence after the other; where a
sequence begins follows from ``seq_len`` alone.
"""

import json
import os
from dataclasses import dataclass, fields, replace
from typing import Any, Dict, List, Optional, Sequence, Union

import numpy as np

from .checks import (
    PER_FRAME,
    PER_SEQUENCE,
    SequenceArrays,
    check_estimates,
    check_sequences,
    check_shapes,
    check_values,
    name_frame,
    unknown_truth,
)
from .files import PathLike, read_npz, write_npz
from .folders import EXTRAS, read_folder, write_folder
from .mapped import frame_blocks
from .plausible import unmasked
from .scores import ignored_scores, usual_scores

# What a numpy mask hides is of weight 0, or NaN.
_MASKED = {'scores': 0.0, 'visible': 0.0}
_ALWAYS = ('keypoints_est', 'scores', 'seq_len', 'seq_name')


@dataclass(eq=False, repr=False)
class PoseSequences(SequenceArrays):
    """Many pose sequences as flat arrays.

    The arrays are checked and converted to the types below on construction;
    an array that already has its type is kept, not copied.

    A keypoint is missing from the estimate where a coordinate is NaN or its
    score is 0 (see ``valid``). A keypoint that nobody annotated is NaN in
    ``keypoints_gt`` and 0 in ``visible``; where ``visible`` is not given and
    ``keypoints_gt`` has NaN, ``visible`` is made from it.

    Args:
        keypoints_est: Estimates, (N, K, D) float32, px or m; NaN = missing.
        scores: Their confidences >= 0, (N, K) float32; 0 = missing.
        seq_len: Frames of each sequence, (S,) int64, all >= 1.
        seq_name: Names, (S,) str; two persons may share one.
        keypoints_gt: Ground truth, (N, K, D) float32, px or m.
        visible: Weights >= 0 of the ground truth, (N, K) float32.
        bboxes: Boxes x1 y1 x2 y2, (N, 4) float32, px; NaN only in frames
            without any visible keypoint.
        image_size: Width and height, (S, 2) float32, px.
        fps: Frame rates, (S,) float32, 1/s.
        meta: What JSON can hold: ``dataset``, ``estimator``, ``units``,
            ``keypoint_names`` (K names), ...
        extras: Further arrays of frames by name, (N, ...) each, numbers or
            strings. ``*_est`` belongs to the estimate (``betas_est``), all
            others to the truth (``betas_gt``, ``frame_number``).

    Raises:
        ValueError: If a shape, a length or a value is wrong; the message
            names the field and, where there is one, the sequence and frame.
    """

    def __post_init__(self) -> None:
        self._convert()
        check_sequences(self)
        check_shapes(self)
        if self.keypoints_gt is not None and self.visible is None:
            self.visible = self._known_truth()
        check_values(self)

    def __repr__(self) -> str:
        shapes = ', '.join(
            f'{name}={getattr(self, name).shape}'
            for name in (*PER_FRAME, *PER_SEQUENCE)
            if getattr(self, name) is not None
        )
        return f'PoseSequences({shapes}, meta={sorted(self.meta)})'

    def select(
        self, indices: Union[Sequence[int], np.ndarray, slice]
    ) -> 'PoseSequences':
        """Copy some of the sequences, by positions or a bool mask (S,)."""
        if not isinstance(indices, slice) and not np.size(indices):
            indices = slice(0)  # an empty list has no integer type
        chosen = np.arange(len(self))[indices].reshape(-1)
        if not len(chosen):
            raise ValueError('select: expected at least 1 sequence, found 0')
        length = self.seq_len[chosen]
        ends = np.cumsum(length)
        # Flat source frame = its place in the output + the sequence's shift.
        shift = self.starts[chosen] - (ends - length)
        frames = np.arange(ends[-1]) + np.repeat(shift, length)
        picked: Dict[str, Any] = {'meta': dict(self.meta)}
        for names, index in ((PER_FRAME, frames), (PER_SEQUENCE, chosen)):
            for name in names:
                value = getattr(self, name)
                picked[name] = None if value is None else value[index]
        picked['extras'] = {k: v[frames] for k, v in self.extras.items()}
        return PoseSequences(**picked)

    @staticmethod
    def concatenate(parts: Sequence['PoseSequences']) -> 'PoseSequences':
        """Concatenate sequences of equal K, D, units, names and extras.

        Optional fields have to be given in all parts or none (``visible``
        counts as 1 where a part lacks it). Entries of ``meta`` that disagree
        are left out.
        """
        if not len(parts):
            raise ValueError('concatenate: expected at least 1 part, found 0')
        for key in ('units', 'keypoint_names'):
            found = {json.dumps(p.meta[key]) for p in parts if key in p.meta}
            if len(found) > 1:
                raise ValueError(
                    f'concatenate: meta[{key!r}] differs between the parts: '
                    + ' and '.join(sorted(found))
                )
        meta = {
            key: value
            for key, value in parts[0].meta.items()
            if all(key in p.meta and p.meta[key] == value for p in parts)
        }
        columns: Dict[str, Any] = {
            name: _join(name, parts) for name in (*PER_FRAME, *PER_SEQUENCE)
        }
        return PoseSequences(meta=meta, extras=_join_extras(parts), **columns)

    def limit_scores(self, ignore: bool = False) -> 'PoseSequences':
        """Sequences with scores in 0..1, see :mod:`hanet_mm.core.data.scores`.

        Args:
            ignore: Whether all that are not 0 become unknown instead.

        Raises:
            ValueError: If a score is of another quantity, such as percent.
        """
        if ignore:
            scores = ignored_scores(self.scores)
        else:
            scores = usual_scores(self.scores, lambda x: name_frame(self, x))
        return self if scores is self.scores else replace(self, scores=scores)

    def check_estimates(self) -> None:
        """Raise a ValueError if all estimates of a sequence are missing."""
        check_estimates(self)

    def _known_truth(self) -> Optional[np.ndarray]:
        """Weights (N, K) of the truth; None if all of it is known."""
        known = None
        for rows in frame_blocks(self.keypoints_gt):
            unknown = unknown_truth(self, rows)
            if known is None and unknown.any():
                known = np.ones(self.scores.shape, np.float32)
            if known is not None:
                known[rows] = ~unknown
        return known

    def _convert(self) -> None:
        length = np.asarray(self.seq_len)
        if length.dtype.kind not in 'iu':
            raise ValueError(
                f'seq_len: expected integers, found {length.dtype}'
            )
        self.seq_len = length.astype(np.int64, copy=False)
        self.seq_name = np.asarray(self.seq_name, dtype=np.str_)
        for name in (*PER_FRAME, 'image_size', 'fps'):
            value = getattr(self, name)
            if value is None:
                continue
            try:
                # What float32 cannot hold becomes inf and is refused below.
                with np.errstate(over='ignore'):
                    value = unmasked(value, _MASKED.get(name, np.nan))
                    value = np.asarray(value, dtype=np.float32)
            except (TypeError, ValueError):
                raise ValueError(f'{name}: expected numbers') from None
            setattr(self, name, value)
        self.extras = {k: np.asarray(v) for k, v in self.extras.items()}


def load_pose_sequences(
    path: PathLike, require: Sequence[str] = (), allow_empty: bool = False
) -> PoseSequences:
    """Read a flat pickle-free ``.npz``; keys it does not know are ignored.

    Args:
        path: The file. Its keys are the fields of :class:`PoseSequences`;
            ``meta`` is a JSON string, extras are ``extras/<name>``. Or a
            folder with an ``.npy`` file a key, of which arrays of frames are
            mapped: they take no memory and are not to be written to.
        require: Optional fields that have to be there, such as
            ``('keypoints_gt',)``.
        allow_empty: Whether the estimates of a sequence may all be missing:
            a person who was annotated but never found.

    Raises:
        ValueError: One line naming the file, the key and, where there is
            one, the sequence and frame: damaged or foreign file, object
            array, missing key, wrong shape or value, or a sequence whose
            estimates are all missing.
    """
    known = {item.name for item in fields(PoseSequences)} - {'extras'}
    need = (*_ALWAYS, *require)
    values: Dict[str, Any] = (
        read_folder(path, need, known)
        if os.path.isdir(path)
        else read_npz(path, need, known, prefix=EXTRAS)
    )
    extras = {
        key[len(EXTRAS) :]: values.pop(key)
        for key in list(values)
        if key.startswith(EXTRAS)
    }
    try:
        values['meta'] = _parse_meta(values.get('meta'))
        sequences = PoseSequences(extras=extras, **values)
        if not allow_empty:
            sequences.check_estimates()
    except ValueError as error:
        raise ValueError(f'{path}: {error}') from None
    return sequences


def save_pose_sequences(path: PathLike, seqs: PoseSequences) -> None:
    """Write a flat pickle-free ``.npz``, whole or not at all.

    Args:
        path: The file to write; missing folders are made. A name without an
            ending is that of a folder with an ``.npy`` file a key.
        seqs: What to write; fields that are None are left out.

    Raises:
        TypeError: If ``seqs.meta`` holds what JSON cannot.
    """
    # Not compressed: noisy float32 shrinks little and loads much slower.
    write = write_npz if os.path.splitext(path)[1] else write_folder
    write(path, flat_arrays(seqs))


def flat_arrays(seqs: PoseSequences) -> Dict[str, np.ndarray]:
    """The arrays of the flat layout by their keys in the ``.npz``."""
    arrays = {
        name: getattr(seqs, name)
        for name in (*PER_FRAME, *PER_SEQUENCE)
        if getattr(seqs, name) is not None
    }
    arrays.update({EXTRAS + k: v for k, v in seqs.extras.items()})
    arrays['meta'] = np.asarray(json.dumps(seqs.meta))
    return arrays


def _parse_meta(value: Optional[np.ndarray]) -> Dict[str, Any]:
    if value is None:
        return {}
    try:
        meta = json.loads(str(value))
    except (ValueError, RecursionError) as error:
        raise ValueError(f'meta: expected JSON, found {error}') from None
    if not isinstance(meta, dict):
        raise ValueError(
            f'meta: expected a JSON object, found {type(meta).__name__}'
        )
    return meta


def _join(name: str, parts: Sequence[PoseSequences]) -> Optional[np.ndarray]:
    values: List[Optional[np.ndarray]] = [getattr(p, name) for p in parts]
    lacking = [i for i, value in enumerate(values) if value is None]
    if len(lacking) == len(values):
        return None
    if lacking and name != 'visible':
        raise ValueError(
            f'concatenate: {name} is missing from part {lacking[0]} of '
            f'{len(parts)}; expected in all parts or none'
        )
    arrays = [
        np.ones_like(p.scores) if v is None else v
        for p, v in zip(parts, values)
    ]
    if name in ('keypoints_est', 'keypoints_gt'):
        shapes = {value.shape[1:] for value in arrays}
        if len(shapes) > 1:
            raise ValueError(
                f'concatenate: {name}: expected one (K, D), found '
                + ' and '.join(map(str, sorted(shapes)))
            )
    return np.concatenate(arrays)


def _join_extras(parts: Sequence[PoseSequences]) -> Dict[str, np.ndarray]:
    names = set(parts[0].extras)
    for index, part in enumerate(parts):
        if set(part.extras) != names:
            raise ValueError(
                f'concatenate: extras: part {index} of {len(parts)} has '
                f'{sorted(part.extras)}; expected {sorted(names)} as part 0'
            )
    return {n: np.concatenate([p.extras[n] for p in parts]) for n in names}
