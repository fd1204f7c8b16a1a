# Copyright (c) hanet_mm contributors. All rights reserved.
"""The frames of one source of sequences, as items show them.

N: frames of all sequences (flat), S: sequences, n: frames of an item, K:
keypoints, D: coordinates.
"""

from typing import Any, Dict, Optional, Tuple, Union

import numpy as np
import torch

from hanet_mm.core.data.checks import PER_FRAME, found_keypoints
from hanet_mm.core.data.gaps import fill_missing, missing_keypoints
from hanet_mm.core.data.mapped import (
    FrameFile,
    frame_blocks,
    source_map,
)
from hanet_mm.core.data.sequences import PoseSequences
from hanet_mm.core.poses.units import (
    LENGTHS,
    as_rot6d,
    check_lengths,
    check_rotation_unit,
    fill_rotations,
)

Arrays = Dict[str, np.ndarray]
# Frames that are looked at first for those beside a gap.
_FIRST_LOOK = 32


class SequenceFrames:
    """Frames with filled estimates, in the units of a data set.

    What is in memory is prepared once, and shared by worker processes; what
    is mapped is prepared when it is read. Nothing is written to: copies are
    the same object.

    Args:
        seqs (PoseSequences): The sequences.
        where (str): How messages call them.
        units (str): 'px', 'm' or 'rot6d'; files that declare another unit of
            the same kind are converted.

    Raises:
        ValueError: If the declared unit is of another kind or implausible.
    """

    def __init__(self, seqs: PoseSequences, where: str, units: str):
        self._rotations = units == 'rot6d'
        self._scale: Optional[np.float32] = None
        if self._rotations:
            check_rotation_unit(seqs, where)
        elif units == 'm':
            check_lengths(seqs, where)
            self._scale = np.float32(LENGTHS[seqs.meta['units']])
        self.seq_len, self._starts = seqs.seq_len, seqs.starts
        self._found = found_keypoints(seqs)
        given = {name: getattr(seqs, name) for name in PER_FRAME}
        given = {key: x for key, x in given.items() if x is not None}
        self._mapped = source_map(seqs.keypoints_est) is not None
        arrays = given if self._mapped else self._prepare(given)
        self._arrays = {key: _shared(x) for key, x in arrays.items()}
        self._extras = {
            key: _shared(value)
            for key, value in seqs.extras.items()
            if value.dtype.kind != 'U'
        }

    @property
    def seen(self) -> np.ndarray:
        """Sequences in which anything was found, bool (S, )."""
        return self._found.any(1)

    @property
    def keys(self) -> Tuple[str, ...]:
        """What items may have or not: optional arrays and extras."""
        optional = ['bboxes'] if 'bboxes' in self._arrays else []
        return (*optional, *(f'extras/{key}' for key in sorted(self._extras)))

    def annotated(self) -> np.ndarray:
        """Frames with any annotated keypoint, bool (N, )."""
        known = np.ones(int(self.seq_len.sum()), bool)
        visible = self._visible
        if visible is not None:
            for rows in frame_blocks(known):
                known[rows] = (_read(visible, rows) > 0).any(-1)
        return known

    def has_truth(self, sequence: int) -> bool:
        """Whether any keypoint of a sequence is annotated."""
        visible, start = self._visible, int(self._starts[sequence])
        rows = slice(start, start + int(self.seq_len[sequence]))
        return visible is None or bool((_read(visible, rows) > 0).any())

    @property
    def _visible(self) -> Optional[Union[FrameFile, torch.Tensor]]:
        """Weights of the truth (N, K); None if all is known."""
        key = 'visible' if self._mapped else 'keypoints_visible'
        return self._arrays.get(key)

    def read(self, sequence: int, first: int, stop: int) -> dict:
        """Read frames of a sequence.

        Returns:
            dict: As :meth:`PoseSequenceDataset.get_data_info`; arrays may be
            views.
        """
        start = int(self._starts[sequence])
        rows = slice(start + first, start + stop)
        arrays: Dict[str, Any] = {
            key: _read(value, rows) for key, value in self._arrays.items()
        }
        if self._mapped:
            arrays = self._prepare_some(arrays, sequence, first)
        arrays['extras'] = {
            key: _read(value, rows) for key, value in self._extras.items()
        }
        return arrays

    def _prepare(self, given: Arrays) -> Arrays:
        """Prepare all frames at once."""
        # A person who was annotated but never found: there is nothing to
        # fill from. Such a sequence counts in tests only.
        unseen = np.repeat(~self.seen, self.seq_len)[:, None]
        missing = missing_keypoints(given['keypoints_est'], given['scores'])
        estimates = self._convert(given['keypoints_est'])
        estimates = np.where(unseen[..., None], np.float32(0), estimates)
        filled = self._fill(estimates, missing & ~unseen, self.seq_len)
        return self._name(given, filled, missing)

    def _prepare_some(
        self, given: Arrays, sequence: int, first: int
    ) -> Arrays:
        """Prepare frames of a sequence, as if all were prepared at once."""
        points, scores = given['keypoints_est'], given['scores']
        missing = missing_keypoints(points, scores)
        estimates = self._convert(points)
        if not self._found[sequence].any():
            return self._name(given, np.zeros_like(estimates), missing)
        if missing.any():
            count = len(points)
            before, after = (
                self._around(sequence, edge, step, missing[at])
                for edge, step, at in ((first, -1, 0), (first + count, 1, -1))
            )
            parts = [before, (points, scores), after]
            points, scores = map(np.concatenate, zip(*parts))
            gaps = missing_keypoints(points, scores)
            filled = self._fill(
                self._convert(points), gaps, np.array([len(points)])
            )
            begin = len(before[0])
            estimates = filled[begin : begin + count]
        return self._name(given, estimates, missing)

    def _around(
        self, sequence: int, edge: int, step: int, missing: np.ndarray
    ) -> Tuple[np.ndarray, np.ndarray]:
        """Estimates and scores from an edge on, to one way or the other.

        As many frames as have all keypoints (K, ) that are missing at the
        edge, unless the sequence has not.
        """
        wanted = missing & self._found[sequence]
        start, length = self._starts[sequence], self.seq_len[sequence]
        count = _FIRST_LOOK if wanted.any() else 0
        while True:
            low = max(edge - count, 0) if step < 0 else edge
            high = edge if step < 0 else min(edge + count, length)
            rows = slice(int(start + low), int(start + high))
            points, scores = (
                _read(self._arrays[key], rows)
                for key in ('keypoints_est', 'scores')
            )
            lacking = missing_keypoints(points, scores).all(0)
            if not (wanted & lacking).any() or high - low < count:
                return points, scores
            count *= 4

    def _convert(self, estimates: np.ndarray) -> np.ndarray:
        if self._rotations:
            return as_rot6d(estimates)
        if self._scale is None or self._scale == 1:
            return estimates
        return estimates * self._scale

    def _fill(
        self, keypoints: np.ndarray, missing: np.ndarray, seq_len: np.ndarray
    ) -> np.ndarray:
        fill = fill_rotations if self._rotations else fill_missing
        return fill(keypoints, missing, seq_len)

    def _name(
        self, given: Arrays, filled: np.ndarray, missing: np.ndarray
    ) -> Arrays:
        """The arrays of items by their names there."""
        visible = given.get('visible')
        if visible is None:
            visible = np.ones(missing.shape, np.float32)
        arrays = dict(
            keypoints=filled,
            keypoint_scores=np.where(missing, np.float32(0), given['scores']),
            keypoints_valid=~missing,
            keypoints_gt=self._convert(given['keypoints_gt']),
            keypoints_visible=visible,
        )
        if 'bboxes' in given:
            arrays['bboxes'] = given['bboxes']
        return arrays

    def __deepcopy__(self, memo: Dict[int, Any]) -> 'SequenceFrames':
        return self


def _shared(array: np.ndarray) -> Union[FrameFile, torch.Tensor]:
    """An array that worker processes share, however they are started."""
    source = source_map(array)
    if source is not None:
        return FrameFile(str(source.filename))
    return torch.from_numpy(np.ascontiguousarray(array))


def _read(array: Union[FrameFile, torch.Tensor], rows: slice) -> np.ndarray:
    found = array[rows]
    return found.numpy() if isinstance(found, torch.Tensor) else found
