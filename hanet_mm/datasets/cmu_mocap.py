# Copyright (c) hanet_mm contributors. All rights reserved.
"""Recordings of the CMU motion capture database: their file and parts."""

import json
import re
from typing import Dict, NamedTuple, Optional, Sequence, Tuple

import numpy as np

from hanet_mm.core.data.files import PathLike, read_npz

RECORDING_PARTS = ('train', 'val', 'test')
_PERIOD = 6
_HELD_OUT = {1: 'val', 4: 'test'}


class Recordings(NamedTuple):
    """Motion of S recordings, one after the other."""

    joints: np.ndarray  # metres, y up, (N, J, 3) float32
    names: Tuple[str, ...]  # of the J joints
    clean: np.ndarray  # frames whose joints can be trusted, (N,) bool
    seq_len: np.ndarray  # frames of each recording, (S,) int64
    seq_name: np.ndarray  # (S,) str
    fps: Optional[np.ndarray]  # frame rates, (S,) float32

    def select(self, chosen: np.ndarray) -> 'Recordings':
        """Select recordings, (S,) bool."""
        frames = np.repeat(chosen, self.seq_len)
        return self._replace(
            joints=self.joints[frames],
            clean=self.clean[frames],
            seq_len=self.seq_len[chosen],
            seq_name=self.seq_name[chosen],
            fps=None if self.fps is None else self.fps[chosen],
        )


def load_recordings(path: PathLike, skeleton: str) -> Recordings:
    """Read joints, those of the key ``skeleton``, of a pickle-free ``.npz``.

    Its keys: ``joints_3d`` (N, J, 3) with ``joint_names`` (J,), keypoints
    derived from them such as ``h36m17`` (N, K, 3) with ``h36m17_names`` (K,),
    all in metres and y up; ``clean`` (N,); ``seq_len``, ``seq_name`` and
    ``fps`` (S,); ``meta``, JSON. Raises a ValueError of one line naming the
    file and the key.
    """
    names = f'{skeleton}_names'
    if skeleton == 'joints_3d':
        names = 'joint_names'
    need = (skeleton, names, 'clean', 'seq_len', 'seq_name')
    values = read_npz(path, need, (*need, 'fps', 'meta'))
    try:
        _check(values, skeleton, names)
    except ValueError as error:
        raise ValueError(f'{path}: {error}') from None
    return Recordings(
        joints=values[skeleton].astype(np.float32, copy=False),
        names=tuple(map(str, values[names])),
        clean=values['clean'].astype(bool, copy=False),
        seq_len=values['seq_len'].astype(np.int64, copy=False),
        seq_name=values['seq_name'],
        fps=values.get('fps'),
    )


def _check(values: Dict[str, np.ndarray], skeleton: str, names: str) -> None:
    joints, length = values[skeleton], values['seq_len']
    if joints.ndim != 3 or joints.shape[2] != 3 or joints.dtype.kind != 'f':
        raise ValueError(
            f'{skeleton}: expected real numbers (N, K, 3), found '
            f'{joints.dtype} {joints.shape}'
        )
    if length.ndim != 1 or length.dtype.kind not in 'iu' or (length < 1).any():
        raise ValueError('seq_len: expected whole numbers >= 1, (S,)')
    frames, count = len(joints), len(length)
    if length.sum() != frames:
        raise ValueError(
            f'seq_len: expected a sum of {frames} (frames of {skeleton}), '
            f'found {length.sum()}'
        )
    sizes = {
        names: joints.shape[1],
        'clean': frames,
        'seq_name': count,
        'fps': count,
    }
    for key, size in sizes.items():
        if key in values and values[key].shape != (size,):
            raise ValueError(
                f'{key}: expected shape ({size},), found {values[key].shape}'
            )
    known = np.isfinite(joints).all(axis=(1, 2))
    if not known.all():
        frame = int(np.argmin(known))
        index = int(np.searchsorted(np.cumsum(length), frame, 'right'))
        raise ValueError(
            f'{skeleton}: not a finite number in frame '
            f'{frame - int(length[:index].sum())} of sequence {index} '
            f'({values["seq_name"][index]})'
        )
    meta = json.loads(str(values.get('meta', '{}')))
    for key, wanted in (('units', 'm'), ('up', 'y')):
        if meta.get(key, wanted) != wanted:
            raise ValueError(
                f'meta[{key!r}]: expected {wanted!r}, found {meta[key]!r}'
            )


def recording_parts(names: Sequence[str]) -> np.ndarray:
    """Part of each of S recordings, 'train', 'val' or 'test', (S,).

    Recordings whose names differ in the last number only, such as
    ``walking_2`` and ``walking_3``, are of one kind. Of each kind, in the
    order given, the 2nd, 8th, 14th ... is for validation, the 5th, 11th, 17th
    ... for testing; the others are for training: whole recordings, all kinds
    in all parts.
    """
    seen: Dict[str, int] = {}
    parts = []
    for name in map(str, names):
        kind = re.sub(r'_?\d+$', '', name)
        place = seen.get(kind, 0)
        seen[kind] = place + 1
        parts.append(_HELD_OUT.get(place % _PERIOD, 'train'))
    return np.array(parts)


def check_recording_part(part: Optional[str]) -> Optional[str]:
    """Raise a ValueError unless ``part`` is one of the recordings' parts."""
    if part is not None and part not in RECORDING_PARTS:
        raise ValueError(
            f'part has to be one of {RECORDING_PARTS}, got {part!r}'
        )
    return part


def load_recordings_of_part(
    path: PathLike, skeleton: str, part: Optional[str]
) -> Tuple[Recordings, np.ndarray]:
    """Load the recordings of a part (None: all) and their numbers, (S,).

    Raises a ValueError if the file does not fit or the part is empty.
    """
    recordings = load_recordings(path, skeleton)
    parts = recording_parts(recordings.seq_name)
    chosen = np.ones(len(parts), bool) if part is None else parts == part
    if not chosen.any():
        raise ValueError(
            f'{path}: no recording for the part {part!r} among '
            f'{len(parts)}: every kind of recording needs at least 5'
        )
    return recordings.select(chosen), np.flatnonzero(chosen)
