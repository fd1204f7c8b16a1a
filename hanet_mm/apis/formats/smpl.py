# Copyright (c) hanet_mm contributors. All rights reserved.
"""Joint rotations of SMPL, SMPL-H and SMPL-X in ``.npz`` archives."""

from typing import Dict, Optional, Sequence

import numpy as np
import torch

from hanet_mm.core.data.files import PathLike, read_npz
from hanet_mm.core.poses.rotations import (
    axis_angle_to_matrix,
    matrix_to_axis_angle,
)
from hanet_mm.core.refine.refiner import RefineResult

from .base import PersonTrack, PoseFile
from .npz import read_fps, save_npz

_WHOLE = ('pose', 'poses', 'smpl_poses', 'fullpose')
# In the order of the joints.
_PARTS = (
    *('global_orient', 'root_orient', 'root_pose'),
    *('body_pose', 'pose_body', 'smpl_body_pose'),
    *('jaw_pose', 'pose_jaw', 'leye_pose', 'reye_pose', 'pose_eye'),
    *('left_hand_pose', 'right_hand_pose', 'pose_hand'),
)
# Numbers of 21 to 24 joints and of all of SMPL-H and SMPL-X in 6D form.
_SIX_EACH = tuple(6 * joints for joints in (21, 22, 23, 24, 52, 55))
_TRANSLATIONS = ('trans', 'transl', 'translation')
_RATES = ('mocap_frame_rate', 'fps', 'frame_rate')


class SmplPoses(PoseFile):
    """The joint rotations of one person, as SMPL, SMPL-H and SMPL-X fits are
    stored: all joints in ``pose`` or ``poses`` (AMASS), or their parts, such
    as ``global_orient`` and ``body_pose``. Each is (T, 3K) or (T, K, 3), in
    rad about an axis, or (T, K, 3, 3), matrices.

    Refined rotations replace these; the input is kept as ``<key>_input``, and
    ``filled`` (T, K) marks the joints that were missing. Parts that repeat
    joints of ``poses`` are refined with them, and so is the translation
    (``trans``, ``transl`` or ``translation``, (T, 3) in metres). Other arrays
    (shape, ...) are copied.
    """

    has_rotations = True
    translation = ''  # its key, if there is one

    def __init__(self, path: PathLike):
        self.path = path
        self.arrays = arrays = read_npz(path, (), (), prefix='')
        whole = [key for key in _WHOLE if key in arrays][:1]
        self.keys = whole or [key for key in _PARTS if key in arrays]
        values = [_read_rotations(arrays[x], x, path) for x in self.keys]
        if len({len(value) for value in values}) != 1:
            raise ValueError(
                f'{path}: {", ".join(self.keys)}: expected as many frames, '
                f'found {", ".join(str(len(x)) for x in values)}'
            )
        self.joints = [value.shape[1] for value in values]
        rate = read_fps(arrays, path, ('mocap_framerate', *_RATES))
        track = PersonTrack(
            ' + '.join(self.keys), np.concatenate(values, 1), fps=rate
        )
        self.tracks = [track]
        self._find_translation(track)

    @classmethod
    def found_in(cls, path: PathLike) -> bool:
        """Whether an archive has such rotations."""
        return bool(read_npz(path, (), (*_WHOLE, *_PARTS)))

    def save(self, out: PathLike, refined: Sequence[RefineResult]) -> None:
        """See :meth:`PoseFile.save`."""
        values = dict(self.arrays, filled=refined[0].filled)
        ends = np.cumsum(self.joints)[:-1]
        refined_parts = np.split(np.asarray(refined[0].keypoints), ends, 1)
        for key, part in zip(self.keys, refined_parts):
            self._replace(values, key, part)
        if self.keys[0] in _WHOLE:
            given = self.tracks[0].keypoints
            for key in _PARTS:
                where = self._find_part(key, given)
                if where is not None:
                    self._replace(values, key, refined_parts[0][:, where])
        if self.translation:
            given = self.arrays[self.translation]
            values[f'{self.translation}_input'] = given
            values[self.translation] = np.asarray(
                refined[0].translation, given.dtype
            )
        save_npz(out, values)

    def _find_translation(self, track: PersonTrack) -> None:
        """Take the first translation that has a place for each frame."""
        shape = (len(track.keypoints), 3)
        for key in _TRANSLATIONS:
            if key not in self.arrays:
                continue
            self.translation_is = 'copied'
            found = self.arrays[key]
            if found.dtype.kind == 'f' and found.shape == shape:
                self.translation, track.translation = key, found
                self.translation_is = 'smoothed'
                return

    def _replace(
        self, values: Dict[str, np.ndarray], key: str, part: np.ndarray
    ) -> None:
        given = self.arrays[key]
        if _are_matrices(given):
            vectors = torch.from_numpy(part.astype(np.float64))
            part = axis_angle_to_matrix(vectors).numpy()
        kind = given.dtype if given.dtype.kind == 'f' else np.float32
        values[f'{key}_input'] = given
        values[key] = part.reshape(given.shape).astype(kind)

    def _find_part(self, key: str, whole: np.ndarray) -> Optional[slice]:
        """Where the joints of a part are in all of them."""
        if key not in self.arrays or self.arrays[key].size % len(whole):
            return None
        part = _read_rotations(self.arrays[key], key, self.path)
        count = part.shape[1]
        for first in range(whole.shape[1] - count + 1):
            where = slice(first, first + count)
            if np.array_equal(part, whole[:, where], equal_nan=True):
                return where
        return None


def _read_rotations(value: np.ndarray, key: str, path: PathLike) -> np.ndarray:
    """Rotation vectors (T, K, 3)."""
    if value.dtype.kind in 'fiu' and value.ndim >= 2:
        if _are_matrices(value):
            matrices = torch.from_numpy(value.astype(np.float64))
            vectors = matrix_to_axis_angle(matrices).numpy()
            return vectors.reshape(len(value), -1, 3)
        # As many as 3 for each joint may be 6 for half of them.
        is_6d = value.ndim == 2 and value.shape[1] in _SIX_EACH
        flat = value.ndim == 2 and value.shape[1] % 3 == 0 and not is_6d
        if value[:1].size and (flat or value.shape[2:] == (3,)):
            return value.reshape(len(value), -1, 3)
    raise ValueError(
        f'{path}: {key}: expected rotations as vectors (T, 3K), (T, K, 3) or '
        f'matrices (T, K, 3, 3), found {value.dtype} {value.shape}'
    )


def _are_matrices(value: np.ndarray) -> bool:
    """Whether values are matrices (T, K, 3, 3) or (T, 3, 3), not vectors of
    3 joints.
    """
    if value.shape[-2:] != (3, 3) or value.ndim not in (3, 4):
        return False
    products = np.swapaxes(value, -1, -2) @ value
    known = products[np.isfinite(products).all((-1, -2))]
    return value.ndim == 4 or (
        len(known) > 0 and bool((np.abs(known - np.eye(3)) < 0.01).all())
    )
