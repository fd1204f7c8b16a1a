"""Recordings of the CMU motion capture database: file, parts, cameras."""

import json
import re
from typing import Dict, NamedTuple, Optional, Sequence, Tuple

import numpy as np

from hanet_mm.core.data.files import PathLike, read_npz

RECORDING_PARTS = ('train', 'val', 'test')
_PERIOD = 6
_HELD_OUT = {1: 'val', 4: 'test'}
# Nobody comes nearer to the camera than this, in metres.
_NEAREST = 1.5


class Recordings(NamedTuple):
    """Motion of S recordings, one after the other.

    Args:
        joints (np.ndarray): Metres, y up, (N, J, 3) float32.
        names (Tuple[str, ...]): Of the J joints.
        clean (np.ndarray): Frames whose joints can be trusted, (N,) bool.
        seq_len (np.ndarray): Frames of each recording, (S,) int64.
        seq_name (np.ndarray): Their names, (S,) str.
        fps (np.ndarray, optional): Frame rates, (S,) float32.
        parents (np.ndarray, optional): Parent of each joint, -1 = none,
            (J,); of the full skeleton only.
    """

    joints: np.ndarray
    names: Tuple[str, ...]
    clean: np.ndarray
    seq_len: np.ndarray
    seq_name: np.ndarray
    fps: Optional[np.ndarray]
    parents: Optional[np.ndarray] = None

    def select(self, chosen: np.ndarray) -> 'Recordings':
        """Some of the recordings, (S,) bool."""
        frames = np.repeat(chosen, self.seq_len)
        return self._replace(
            joints=self.joints[frames],
            clean=self.clean[frames],
            seq_len=self.seq_len[chosen],
            seq_name=self.seq_name[chosen],
            fps=None if self.fps is None else self.fps[chosen],
        )


def load_recordings(path: PathLike, skeleton: str) -> Recordings:
    """Read joints of a pickle-free ``.npz``.

    Its keys: ``joints_3d`` (N, J, 3) with ``joint_names`` and
    ``joint_parents`` (J,), keypoints derived from them such as ``h36m17``
    (N, K, 3) with ``h36m17_names`` (K,), all in metres and y up; ``clean``
    (N,); ``seq_len``, ``seq_name`` and ``fps`` (S,); ``meta``, JSON.

    Args:
        path (PathLike): The file.
        skeleton (str): Key of the joints to read.

    Returns:
        Recordings: All of them.

    Raises:
        ValueError: One line naming the file and the key: damaged file,
            missing key, wrong shape or value, another unit or axis.
    """
    names, parents = f'{skeleton}_names', ()
    if skeleton == 'joints_3d':
        names, parents = 'joint_names', ('joint_parents',)
    need = (skeleton, names, *parents, 'clean', 'seq_len', 'seq_name')
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
        parents=values.get('joint_parents'),
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
    expected = {
        names: joints.shape[1],
        'joint_parents': joints.shape[1],
        'clean': frames,
        'seq_name': count,
        'fps': count,
    }
    for key, size in expected.items():
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
    """Part of each recording: whole recordings, all kinds in all parts.

    Recordings whose names differ in the last number only, such as
    ``walking_2`` and ``walking_3``, are of one kind. Of each kind, in the
    order given, the 2nd, 8th, 14th ... is for validation, the 5th, 11th,
    17th ... for testing; the others are for training.

    Args:
        names (Sequence[str]): Of the S recordings.

    Returns:
        np.ndarray: 'train', 'val' or 'test', (S,).
    """
    seen: Dict[str, int] = {}
    parts = []
    for name in map(str, names):
        kind = re.sub(r'_?\d+$', '', name)
        place = seen.get(kind, 0)
        seen[kind] = place + 1
        parts.append(_HELD_OUT.get(place % _PERIOD, 'train'))
    return np.array(parts)


def sample_view(
    rng: np.random.Generator,
    joints: np.ndarray,
    pitch_range: Tuple[float, float] = (0.0, 15.0),
    distance_range: Tuple[float, float] = (3.0, 6.0),
) -> Tuple[np.ndarray, np.ndarray]:
    """A camera that stands still and looks at the middle of a motion.

    Args:
        rng (np.random.Generator): Source of randomness.
        joints (np.ndarray): World, metres, y up, (T, J, 3).
        pitch_range (Tuple[float, float]): How far the camera looks down, in
            degrees. Defaults to (0, 15).
        distance_range (Tuple[float, float]): From the camera to the middle,
            in metres; more if somebody came nearer than 1.5 m. Defaults to
            (3, 6).

    Returns:
        Tuple[np.ndarray, np.ndarray]: Rotation R (3, 3) and translation t
        (3,) into camera coordinates R x + t: x right, y down, z depth.
    """
    yaw = rng.uniform(-np.pi, np.pi)
    pitch = np.radians(rng.uniform(*pitch_range))
    distance = rng.uniform(*distance_range)
    turn = np.array(
        [
            [np.cos(yaw), 0, np.sin(yaw)],
            [0, 1, 0],
            [-np.sin(yaw), 0, np.cos(yaw)],
        ]
    )
    # Looking down by the pitch: what is ahead moves up in the picture.
    nod = np.array(
        [
            [1, 0, 0],
            [0, np.cos(pitch), -np.sin(pitch)],
            [0, np.sin(pitch), np.cos(pitch)],
        ]
    )
    rotation = nod @ np.diag([1.0, -1.0, -1.0]) @ turn
    seen = joints.astype(np.float64) @ rotation.T
    middle = 0.5 * (seen.min(axis=(0, 1)) + seen.max(axis=(0, 1)))
    distance = max(distance, _NEAREST + middle[2] - seen[..., 2].min())
    return rotation, np.array([0, 0, distance]) - middle
