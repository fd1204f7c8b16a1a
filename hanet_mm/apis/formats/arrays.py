"""Arrays as ultralytics, ViTPose and others hand them out.

T: frames, P: persons, K: keypoints. ``.npy``, or an ``.npz`` archive with
``data`` (as in ultralytics' results) or ``keypoints``: (T, K, C) of one
person or (T, P, K, C) of several, C = 3 for x, y and score, C = 2 for x and y.
Archives may have ``conf`` or ``scores`` (T, P, K), and ``ids``, (T, P) or
(P,), with -1 or NaN for nobody, and ``keypoint_names`` (K,).
"""

from pathlib import Path
from typing import Any, Dict, List, Optional, Sequence, Tuple

import numpy as np

from hanet_mm.apis.npz_files import read_names
from hanet_mm.core.data.files import PathLike, atomic_path, read_npz
from hanet_mm.core.refine.refiner import RefineResult

from .persons import DetectionFile, Detections

_POINTS = ('data', 'keypoints')
_SCORES = ('conf', 'scores', 'keypoint_scores')
_IDS = ('ids', 'track_ids')


class PoseArrays(DetectionFile):
    """Keypoints in an array.

    Refined keypoints take the place of those that came, with their scores.
    In archives these are kept as ``<key>_input``, and ``filled`` (T, P, K)
    tells which of them were missing; in ``.npy`` their score 0 does.

    A place without anybody is NaN, or has scores 0 throughout, or zeros
    throughout; without scores, a keypoint at 0, 0 is missing.

    Args:
        path: The file.
        tracker: See :class:`DetectionFile`.

    Raises:
        ValueError: One line naming the file and the key.
    """

    def __init__(self, path: PathLike, tracker: Optional[Any] = None):
        self.path = path
        self.arrays, self.key = _read_arrays(path)
        value = self.arrays[self.key]
        if (
            value.dtype.kind not in 'fiu'
            or value.ndim not in (3, 4)
            or value.shape[-1] not in (2, 3)
        ):
            raise ValueError(
                f'{path}: {self.key}: expected numbers (T, K, 3) or '
                '(T, P, K, 3), x, y and score, or x and y only, found '
                f'{value.dtype} {value.shape}'
            )
        size = self.arrays.get('image_size')
        self.keypoint_names = read_names(self.arrays, path)
        # (T, P, K, C)
        self.values = value if value.ndim == 4 else value[:, None]
        points = self.values[..., :2].astype(np.float64)
        scores = self._scores()
        if scores is None:
            points = np.where((points == 0).all(-1)[..., None], np.nan, points)
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
            'track id',
            'persons',
        )
        super().__init__(path, found, tracker)
        if size is not None:
            for track in self.tracks:
                track.image_size = size

    def save(self, out: PathLike, refined: Sequence[RefineResult]) -> None:
        """See :meth:`PoseFile.save`."""
        keypoints, flags = self.collect(refined)
        given = self.arrays[self.key]
        kind = given.dtype if given.dtype.kind == 'f' else np.float32
        values = self.values.astype(kind)
        values[(*self.places, slice(None), slice(2))] = keypoints
        values = values.reshape(given.shape)
        filled = np.zeros(self.values.shape[:3], bool)
        filled[self.places] = flags
        with atomic_path(out) as temporary, open(temporary, 'wb') as file:
            if Path(self.path).suffix.lower() == '.npy':
                np.save(file, values)
                return
            arrays = dict(self.arrays, filled=filled.reshape(given.shape[:-1]))
            arrays[self.key] = values
            arrays[f'{self.key}_input'] = given
            np.savez(file, **arrays)

    def _scores(self) -> Optional[np.ndarray]:
        """(T, P, K); None where there are none."""
        shape = self.values.shape[:3]
        for key in _SCORES:
            if key in self.arrays:
                return self._numbers(key, shape)
        if self.values.shape[3] == 3:
            return self.values[..., 2].astype(np.float64)
        return None

    def _ids(self, there: np.ndarray) -> np.ndarray:
        """Who is at each place (T, P): '' not said, None nobody."""
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

    def _numbers(self, key: str, shape: Tuple[int, ...]) -> np.ndarray:
        value = self.arrays[key]
        if value.dtype.kind not in 'fiu' or value.size != np.prod(shape):
            raise ValueError(
                f'{self.path}: {key}: expected numbers (T, P, K) = {shape}, '
                f'found {value.dtype} {value.shape}'
            )
        return value.reshape(shape).astype(np.float64)


def is_pose_archive(shapes: Dict[str, Tuple[int, ...]]) -> bool:
    """Whether an archive with arrays of these shapes seems to be of these."""
    key = next((key for key in _POINTS if key in shapes), None)
    if key is None:
        return False
    has_ids = any(name in shapes for name in _IDS)
    return key == 'data' or len(shapes[key]) == 4 or has_ids


def _read_arrays(path: PathLike) -> Tuple[Dict[str, np.ndarray], str]:
    if Path(path).suffix.lower() == '.npy':
        try:
            return dict(array=np.load(path, allow_pickle=False)), 'array'
        except (ValueError, EOFError, OSError) as error:
            reason = ' '.join(str(error).split())
            raise ValueError(
                f'{path}: cannot be read, truncated or not an .npy file of '
                f'numbers ({reason})'
            ) from None
    arrays = read_npz(path, (), (), prefix='')
    keys: List[str] = [key for key in _POINTS if key in arrays]
    if not keys:
        raise ValueError(
            f'{path}: expected {" or ".join(_POINTS)}, found '
            f'{", ".join(arrays) or "nothing"}'
        )
    return arrays, keys[0]
