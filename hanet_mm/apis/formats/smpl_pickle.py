# Copyright (c) hanet_mm contributors. All rights reserved.
"""Joint rotations of SMPL in pickles, read only if you trust the file.

``.pkl`` of VIBE, WHAM and the like: a dict of persons, each a dict with
``pose`` (T, 72) and ``frame_ids`` (T,); of 4D-Humans: a dict of frames, each
with ``tid``, the ids of the persons, and ``smpl``, their ``global_orient`` and
``body_pose`` as matrices; or a dict with ``poses`` of one person, as AIST++.
"""

import copy
import pickle
from typing import Any, Dict, List, Sequence, Tuple

import numpy as np
import torch

from hanet_mm.core.data.files import PathLike, atomic_path
from hanet_mm.core.poses.rotations import (
    axis_angle_to_matrix,
    matrix_to_axis_angle,
)
from hanet_mm.core.refine.refiner import RefineResult

from .base import MAX_GAP, PersonTrack, PoseFile, Source
from .frame_names import frame_numbers

_WHOLE = ('pose', 'poses', 'smpl_poses')
_PARTS = ('global_orient', 'body_pose')


def matches(source: Source) -> bool:
    """Any such file: :func:`read` says what was expected of it."""
    return source.kind == '.pkl'


class SmplPickle(PoseFile):
    """Rotations of persons over time. Refined rotations replace the given
    ones; all else is copied.
    """

    has_rotations = True
    # Each program calls it otherwise.
    translation_is = 'copied'
    keeps_input = False

    def __init__(self, source: Source):
        self.path = path = source.path
        self.content = _load(source)
        # Of each person: frames, rotations, and where these are.
        found: Dict[Any, List[Tuple[int, np.ndarray, Any]]] = {}
        if isinstance(self.content, dict):
            self._find(found)
        if not found:
            raise ValueError(
                f'{path}: expected persons with pose (T, 72) and frame_ids, '
                'frames with tid and smpl, or poses (T, 72), found '
                f'{type(self.content).__name__}'
            )
        self.tracks, self.places = [], []
        for person, entries in found.items():
            entries.sort(key=lambda entry: entry[0])
            frames = np.array([entry[0] for entry in entries])
            steps = np.diff(frames)
            if ((steps < 1) | (steps > MAX_GAP)).any():
                raise ValueError(
                    f'{path}: person {person}: expected each frame once and '
                    f'gaps of at most {MAX_GAP} frames'
                )
            first = int(frames[0])
            shape = (int(frames[-1]) - first + 1, *entries[0][1].shape)
            points = np.full(shape, np.nan)
            points[frames - first] = [entry[1] for entry in entries]
            name = f'person {person}'
            self.tracks.append(PersonTrack(name, points, None, first))
            self.places.append([(x[0] - first, x[2]) for x in entries])

    def save(self, out: PathLike, refined: Sequence[RefineResult]) -> None:
        """See :meth:`PoseFile.save`."""
        content = copy.deepcopy(self.content)
        for places, result in zip(self.places, refined):
            vectors = np.asarray(result.keypoints)
            for row, path in places:
                _put(content, path, vectors[row])
        with atomic_path(out) as temporary, open(temporary, 'wb') as file:
            pickle.dump(content, file)

    def count(self, refined: Sequence[RefineResult]) -> Tuple[int, int]:
        """See :meth:`PoseFile.count`; only frames that the file has."""
        flags = [
            np.asarray(result.filled)[[row for row, _ in places]]
            for places, result in zip(self.places, refined)
        ]
        return sum(x.size for x in flags), sum(int(x.sum()) for x in flags)

    def _find(
        self, found: Dict[Any, List[Tuple[int, np.ndarray, Any]]]
    ) -> None:
        content = self.content
        key = next((key for key in _WHOLE if key in content), None)
        if key is not None:
            poses = np.asarray(content[key])
            found['0'] = [
                (t, _vectors(pose, self.path), ((key,), t))
                for t, pose in enumerate(poses)
            ]
            return
        values = list(content.values())
        if all(isinstance(x, dict) and 'smpl' in x for x in values):
            numbers = frame_numbers(list(content), self.path, 'frame')
            for number, (name, frame) in zip(numbers, content.items()):
                for index, person in enumerate(frame.get('tid', ())):
                    smpl = frame['smpl'][index]
                    parts = [np.asarray(smpl[x]) for x in _PARTS]
                    parts = [x.reshape(-1, 3, 3) for x in parts]
                    pose = _vectors(np.concatenate(parts), self.path)
                    place = ((name, 'smpl', index), None)
                    entries = found.setdefault(int(person), [])
                    entries.append((int(number), pose, place))
            return
        for person, entry in content.items():
            if not isinstance(entry, dict) or 'pose' not in entry:
                continue
            poses = np.asarray(entry['pose'])
            frames = np.asarray(entry.get('frame_ids', np.arange(len(poses))))
            found[person] = [
                (int(frame), _vectors(pose, self.path), ((person, 'pose'), t))
                for t, (frame, pose) in enumerate(zip(frames, poses))
            ]


read = SmplPickle


def _load(source: Source) -> Any:
    if not source.trust_pickle:
        raise ValueError(
            f'{source.path}: is a pickle, which can run any code: expected '
            '--trust-pickle if you trust the file'
        )
    try:
        from joblib import load
    except ImportError:
        load = None
    try:
        if load is not None:
            return load(source.path)
        with open(source.path, 'rb') as file:
            return pickle.load(file)
    except ModuleNotFoundError as error:
        raise ValueError(
            f'{source.path}: needs {error.name}: pip install {error.name}'
        ) from None
    except Exception as error:  # whatever the code in the pickle raises
        raise ValueError(
            f'{source.path}: cannot be read, no pickle or damaged '
            f'({type(error).__name__}: {error})'
        ) from None


def _vectors(pose: np.ndarray, path: PathLike) -> np.ndarray:
    """Rotation vectors (K, 3) of a frame: (3K,), (K, 3) or (K, 3, 3)."""
    is_number = pose.dtype.kind in 'fiu'
    if is_number and pose.ndim == 3 and pose.shape[1:] == (3, 3):
        matrices = torch.from_numpy(pose.astype(np.float64))
        return matrix_to_axis_angle(matrices).numpy()
    if is_number and pose.size and pose.size % 3 == 0:
        return pose.reshape(-1, 3).astype(np.float64)
    raise ValueError(
        f'{path}: expected rotations of a frame (3K,), (K, 3) or (K, 3, 3), '
        f'found {pose.dtype} {pose.shape}'
    )


def _put(content: Any, place: Tuple[tuple, Any], vectors: np.ndarray) -> None:
    """Replace the rotations of a frame by vectors (K, 3)."""
    keys, row = place
    target = content
    for key in keys:
        target = target[key]
    if row is not None:
        pose = np.asarray(target)
        target[row] = _like(vectors, pose[row])
        return
    first = 0
    for part in _PARTS:
        given = np.asarray(target[part])
        count = given.size // 9
        target[part] = _like(vectors[first : first + count], given)
        first += count


def _like(vectors: np.ndarray, given: np.ndarray) -> np.ndarray:
    """Vectors (K, 3) in the form of the rotations given."""
    if given.shape[-2:] == (3, 3) and given.size == 3 * vectors.size:
        matrices = axis_angle_to_matrix(torch.from_numpy(vectors).double())
        vectors = matrices.numpy()
    return vectors.reshape(given.shape).astype(given.dtype)
