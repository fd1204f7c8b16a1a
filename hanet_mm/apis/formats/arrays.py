# Copyright (c) hanet_mm contributors. All rights reserved.
"""Keypoint arrays as ultralytics, ViTPose and others return them.

T: frames, P: persons, K: keypoints. ``.npy``, or an ``.npz`` archive with
``data`` (as in ultralytics' results) or ``keypoints``: (T, K, C) of one
person or (T, P, K, C) of several. C = 2: x, y; C = 3: x, y and a score or, as
3D poses are saved, x, y, z, see :func:`decide_dims`; C = 4: x, y, z and a
score. 3D poses may be in mm, cm or m, 2D ones in pixels or fractions of the
image. Archives may have ``conf`` or ``scores`` (T, P, K), ``ids``, (T, P) or
(P,), with -1 or NaN for nobody, and ``keypoint_names`` (K,).
"""

import io
from pathlib import Path
from typing import Dict, Optional, Sequence, Tuple

import numpy as np

from hanet_mm.core.data.files import (
    PathLike,
    atomic_path,
    read_npy,
    read_npz,
    write_npz,
)
from hanet_mm.core.refine.refiner import RefineResult

from .base import DetectionFile, Detections, Source
from .evidence import decide_dims, empty_places
from .marks import known_arrays
from .npz import read_fps, read_names

_POINTS = ('data', 'keypoints')
_SCORES = ('conf', 'scores', 'keypoint_scores')
_IDS = ('ids', 'track_ids')


def matches(source: Source) -> bool:
    """Whether a file looks like such arrays: any ``.npy``, some archives."""
    if source.kind == '.npy':
        return True
    shapes = source.content
    if 'keypoints_est' in shapes:
        return False
    if 'data' in shapes:
        return True
    has_ids = any(key in shapes for key in _IDS)
    return 'keypoints' in shapes and (len(shapes['keypoints']) == 4 or has_ids)


class PoseArrays(DetectionFile):
    """Keypoints in an array.

    Refined keypoints replace the given ones, with their scores. Archives keep
    the input as ``<key>_input``, and ``filled`` (T, P, K) marks the keypoints
    that were missing; in ``.npy`` their score 0 does.

    A place without a person is NaN, has scores 0 throughout, or is zero
    throughout; without scores, a keypoint at 0, 0 is missing.
    """

    def __init__(self, source: Source):
        self.path = path = source.path
        self.arrays, self.key = _read_arrays(path)
        value = self.arrays[self.key]
        if (
            value.dtype.kind not in 'fiu'
            or value.ndim not in (3, 4)
            or value.shape[-1] not in (2, 3, 4)
        ):
            raise ValueError(
                f'{path}: {self.key}: expected numbers (T, K, 3) or '
                '(T, P, K, 3), x, y and a score or z, or x and y only, found '
                f'{value.dtype} {value.shape}'
            )
        self.keeps_input = source.kind != '.npy'
        self.keypoint_names = read_names(self.arrays, path)
        # (T, P, K, C)
        self.values = value if value.ndim == 4 else value[:, None]
        dims = source.dims
        if any(key in self.arrays for key in _SCORES):
            dims = value.shape[-1]  # scores have a place of their own
        self.dims = decide_dims(self.values, f'{path}: {self.key}', dims)
        if self.dims == 3 and value.shape[-1] == 3 and dims is None:
            self.note = 'taken as x, y, z (--dims 2 for x, y, score)'
        points = self.values[..., : self.dims].astype(np.float64)
        scores = self._scores()
        points = empty_places(points, scores)
        there = ~np.isnan(points).any(-1)
        if scores is not None:
            there &= scores > 0
        there = there.any(-1)
        ids = self._ids(there)
        there &= ids != None  # noqa: E711, elementwise
        self.places = np.nonzero(there)
        found = Detections(
            self.places[0].astype(np.int64),
            points[self.places],
            None if scores is None else scores[self.places],
            [None if x == '' else x for x in ids[self.places]],
            image_size=self.arrays.get('image_size'),
            fps=read_fps(self.arrays, path),
        )
        super().__init__(source, found)

    def save(self, out: PathLike, refined: Sequence[RefineResult]) -> None:
        """See :meth:`PoseFile.save`."""
        keypoints, flags = self.collect(refined)
        given = self.arrays[self.key]
        kind = given.dtype if given.dtype.kind == 'f' else np.float32
        values = self.values.astype(kind)
        where = (*self.places, slice(None), slice(self.dims))
        values[where] = keypoints
        values = values.reshape(given.shape)
        filled = np.zeros(self.values.shape[:3], bool)
        filled[self.places] = flags
        if Path(self.path).suffix.lower() == '.npy':
            # Of a full disk numpy would not say it, nor name the file.
            buffer = io.BytesIO()
            np.save(buffer, values)
            with atomic_path(out) as temporary:
                temporary.write_bytes(buffer.getbuffer())
            return
        arrays = dict(self.arrays, filled=filled.reshape(given.shape[:-1]))
        known = known_arrays(self.tracks[:1])
        arrays.update({key: value[0] for key, value in known.items()})
        arrays[self.key] = values
        arrays[f'{self.key}_input'] = given
        if self.new_ids is not None:
            ids = np.full(self.values.shape[:2], -1)
            ids[self.places] = self.new_ids
            arrays['ids'] = ids
        write_npz(out, arrays)

    def _scores(self) -> Optional[np.ndarray]:
        """Scores (T, P, K), or None."""
        shape = self.values.shape[:3]
        key = next((key for key in _SCORES if key in self.arrays), None)
        if key is None:
            if self.values.shape[3] == self.dims:
                return None
            return self.values[..., -1].astype(np.float64)
        value = self.arrays[key]
        if value.dtype.kind not in 'fiu' or value.size != np.prod(shape):
            raise ValueError(
                f'{self.path}: {key}: expected numbers (T, P, K) = {shape}, '
                f'found {value.dtype} {value.shape}'
            )
        return value.reshape(shape).astype(np.float64)

    def _ids(self, there: np.ndarray) -> np.ndarray:
        """Person ids (T, P): '' unknown, None nobody."""
        key = next((key for key in _IDS if key in self.arrays), None)
        if key is None:
            return np.full(there.shape, '', object)
        ids = self.arrays[key]
        if ids.ndim == 1 and len(ids) == there.shape[1]:
            ids = np.broadcast_to(ids, there.shape)
        elif ids.ndim == 1 and there.shape[1] == 1:
            ids = ids[:, None]
        if ids.shape != there.shape or ids.dtype.kind not in 'fiu':
            raise ValueError(
                f'{self.path}: {key}: expected numbers (T, P) = '
                f'{there.shape}, found {ids.dtype} {ids.shape}'
            )
        nobody = np.isnan(ids) | (ids < 0)
        result = np.where(nobody, 0, ids).astype(np.int64).astype(object)
        result[nobody] = None
        return result


read = PoseArrays


def _read_arrays(path: PathLike) -> Tuple[Dict[str, np.ndarray], str]:
    """The arrays by key, and the key of the keypoints."""
    if Path(path).suffix.lower() == '.npy':
        return dict(array=read_npy(path)), 'array'
    arrays = read_npz(path, (), (), prefix='')
    key = next((key for key in _POINTS if key in arrays), None)
    if key is None:
        raise ValueError(
            f'{path}: expected {" or ".join(_POINTS)}, found '
            f'{", ".join(arrays) or "nothing"}'
        )
    return arrays, key
