# Copyright (c) hanet_mm contributors. All rights reserved.
"""Keypoints in ``.npz`` archives.

The flat layout of :class:`PoseSequences`; or ``keypoints`` (T, K, D) of one
person with optional ``scores`` or ``keypoint_scores`` (T, K), ``image_size``
(2,) and ``keypoint_names`` (K,); or SMPL's ``pose`` or ``poses`` (T, 3K).
"""

from importlib import import_module
from typing import Dict, List, Optional, Sequence

import numpy as np

from hanet_mm.core.data.checks import name_sequence
from hanet_mm.core.data.files import (
    ObjectArrayError,
    PathLike,
    read_npz,
    write_npz,
)
from hanet_mm.core.data.sequences import (
    flat_arrays,
    load_pose_sequences,
)
from hanet_mm.core.poses.units import LENGTHS
from hanet_mm.core.refine.refiner import RefineResult

from .base import PersonTrack, PoseFile, Source
from .evidence import decide_dims, pixel_scale
from .marks import TYPES, known_arrays, mark_arrays

FLAT_KEYS = ('keypoints_est', 'scores', 'seq_len', 'seq_name')
_NAMES = 'keypoint_names'
_FPS = 'fps'
_PLAIN_KEYS = (
    *('keypoints', 'scores', 'keypoint_scores', 'image_size', _FPS),
)


def matches(source: Source) -> bool:
    """Any archive: :func:`read` says what was expected of it."""
    return source.kind == '.npz'


def read(source: Source) -> PoseFile:
    """Read the flat layout, or the keypoints or rotations of one person."""
    path = source.path
    if 'keypoints_est' in source.content:
        return FlatPoses(path)
    if 'keypoints' in source.content:
        if _are_triples(source):
            return import_module('.arrays', __package__).read(source)
        return PlainPoses(source)
    smpl = import_module('.smpl', __package__)
    if smpl.SmplPoses.found_in(path):
        return smpl.SmplPoses(path)
    try:
        read_npz(path, FLAT_KEYS, ())
    except ObjectArrayError:
        raise
    except ValueError as error:
        raise ValueError(
            f'{error}; or keypoints (T, K, D), or pose (T, 72), of one person'
        ) from None
    raise AssertionError('unreachable: a needed key is missing')


def _are_triples(source: Source) -> bool:
    """Whether keypoints (T, K, 3) seem to be x, y, score: not documented, and
    not 3D.
    """
    shape = source.content['keypoints']
    if {'scores', 'keypoint_scores'} & {*source.content} or len(shape) != 3:
        return False
    points = read_npz(source.path, (), ('keypoints',))['keypoints']
    if shape[2] != 3 or not points.size or points.dtype.kind not in 'fiu':
        return False
    where = f'{source.path}: keypoints'
    return decide_dims(points, where, source.dims, usual=3) == 2


class FlatPoses(PoseFile):
    """The layout of :func:`load_pose_sequences`.

    Refined keypoints replace ``keypoints_est``; the input is kept as
    ``keypoints_input`` (N, K, D), and ``filled`` (N, K) marks the keypoints
    that were missing; ``swapped`` and ``reason`` (N, K) are
    :mod:`marks <hanet_mm.apis.formats.marks>`. Unknown keys are not copied. 3D
    joints in millimetres
    according to ``meta['units']`` are refined in metres and converted back.
    """

    def __init__(self, path: PathLike):
        self.path = path
        self.sequences = seqs = load_pose_sequences(path)
        self.metres = np.float32(LENGTHS.get(seqs.meta.get('units'), 1))
        self.keypoint_names = seqs.meta.get('keypoint_names')
        units = seqs.meta.get('units')
        self.has_rotations = units in ('axis-angle', 'rot6d')
        ends = np.cumsum(seqs.seq_len)[:-1]
        sizes = seqs.image_size
        self.tracks = [
            PersonTrack(
                f'keypoints_est: {name_sequence(seqs, i)}',
                keypoints,
                scores,
                image_size=None if sizes is None else sizes[i],
                fps=None if seqs.fps is None else float(seqs.fps[i]),
            )
            for i, (keypoints, scores) in enumerate(
                zip(
                    np.split(seqs.keypoints_est * self.metres, ends),
                    np.split(seqs.scores, ends),
                )
            )
        ]

    def save(self, out: PathLike, refined: Sequence[RefineResult]) -> None:
        """See :meth:`PoseFile.save`."""
        values = dict(
            {**flat_arrays(self.sequences), **known_arrays(self.tracks)},
            keypoints_est=np.concatenate([x.keypoints for x in refined])
            / self.metres,
            keypoints_input=self.sequences.keypoints_est,
            filled=np.concatenate([x.filled for x in refined]),
            **mark_arrays(refined),
        )
        save_npz(out, values)


class PlainPoses(PoseFile):
    """The keypoints of one person.

    Refined keypoints replace ``keypoints``; the input is kept as
    ``keypoints_input`` (T, K, D), and ``filled`` (T, K) marks the keypoints
    that were missing; ``swapped`` and ``reason`` as in :class:`FlatPoses`.
    """

    def __init__(self, source: Source):
        self.path = path = source.path
        self.arrays = arrays = read_npz(path, (), (), prefix='')
        self.keypoint_names = read_names(arrays, path)
        for key, value in arrays.items():
            if key in _PLAIN_KEYS and value.dtype.kind not in 'fiu':
                raise ValueError(
                    f'{path}: {key}: expected numbers, found {value.dtype}'
                )
        size = arrays.get('image_size')
        if size is not None and (size.shape != (2,) or not (size > 0).all()):
            raise ValueError(
                f'{path}: image_size: expected W, H > 0, found '
                f'{size.tolist()!r:.60}'
            )
        scores = arrays.get('scores', arrays.get('keypoint_scores'))
        size = size if source.image_size is None else source.image_size
        points, self.scale = arrays['keypoints'], np.ones(1)
        if points.shape[-1:] == (2,):
            self.scale = pixel_scale(points, path, size)
        if (self.scale != 1).any():
            points = points * self.scale
        self.tracks = [
            PersonTrack(
                'keypoints',
                points,
                scores,
                image_size=size,
                fps=read_fps(arrays, path),
            )
        ]

    def save(self, out: PathLike, refined: Sequence[RefineResult]) -> None:
        """See :meth:`PoseFile.save`."""
        values = dict(
            {x: y for x, y in self.arrays.items() if x not in TYPES},
            **{x: y[0] for x, y in known_arrays(self.tracks).items()},
            keypoints=refined[0].keypoints / self.scale,
            keypoints_input=self.arrays['keypoints'],
            filled=refined[0].filled,
            **mark_arrays(refined),
        )
        save_npz(out, values)


def read_names(
    arrays: Dict[str, np.ndarray], path: PathLike
) -> Optional[List[str]]:
    """``keypoint_names`` of an archive, or None."""
    if _NAMES not in arrays:
        return None
    names = arrays[_NAMES]
    if names.dtype.kind != 'U' or names.ndim != 1:
        raise ValueError(
            f'{path}: {_NAMES}: expected an array of K strings, found '
            f'{names.dtype} {names.shape}'
        )
    return names.tolist()


def read_fps(
    arrays: Dict[str, np.ndarray],
    path: PathLike,
    keys: Sequence[str] = (_FPS,),
) -> Optional[float]:
    """Frames per second of an archive, or None."""
    key = next((key for key in keys if key in arrays), None)
    if key is None:
        return None
    rate = arrays[key]
    if rate.dtype.kind not in 'fiu' or rate.size != 1 or not rate > 0:
        raise ValueError(
            f'{path}: {key}: expected one number above 0, found '
            f'{rate.dtype} {rate.shape}'
        )
    return float(rate.reshape(()))


def save_npz(out: PathLike, values: Dict[str, Optional[np.ndarray]]) -> None:
    arrays = {key: value for key, value in values.items() if value is not None}
    write_npz(out, arrays)
