"""Keypoints of COCO and Human3.6M on the procedural people."""

from typing import Dict, Tuple

import numpy as np

from ..synthetic.body import JOINT_NAMES

# Places on the head of an adult in metres, relative to the middle of the
# face: forward, to the left, up. Ears 15 cm and eyes 6.4 cm apart.
_FACE: Dict[str, Tuple[float, float, float]] = dict(
    nose=(0.04, 0.0, -0.02),
    left_eye=(0.02, 0.032, 0.02),
    right_eye=(0.02, -0.032, 0.02),
    left_ear=(-0.06, 0.075, 0.0),
    right_ear=(-0.06, -0.075, 0.0),
)
# The face is seen from the neck under this angle before the head's own
# upward direction, at this distance (see body.SEGMENT_FRACTIONS; a person of
# 1.7 m).
_FACE_ANGLE = np.arctan2(0.030, 0.085)
_FACE_DISTANCE = 1.7 * np.hypot(0.030, 0.085)
# Spine between belly and neck; neck base and head between neck and face,
# and beyond.
_SPINE, _NECK_BASE, _HEAD = 0.32, 0.6, 1.2
_SAME = dict(
    root='pelvis', thorax='neck', left_foot='left_ankle',
    right_foot='right_ankle')  # fmt: skip


def _unit(vector: np.ndarray) -> np.ndarray:
    return vector / np.linalg.norm(vector, axis=-1, keepdims=True)


def _face(points: Dict[str, np.ndarray]) -> Dict[str, np.ndarray]:
    """Nose, eyes and ears, (..., 3) each; the head turns with the trunk."""
    way = points['head'] - points['neck']
    distance = np.linalg.norm(way, axis=-1, keepdims=True)
    along = way / distance
    across = points['left_shoulder'] - points['right_shoulder']
    dot = np.sum(across * along, axis=-1, keepdims=True)
    left = _unit(across - dot * along)
    ahead = np.cross(left, along)
    cosine, sine = np.cos(_FACE_ANGLE), np.sin(_FACE_ANGLE)
    forward, up = cosine * ahead + sine * along, cosine * along - sine * ahead
    scale = distance / _FACE_DISTANCE
    return {
        name: points['head'] + scale * (x * forward + y * left + z * up)
        for name, (x, y, z) in _FACE.items()
    }


def _trunk(points: Dict[str, np.ndarray]) -> Dict[str, np.ndarray]:
    """Spine, base of the neck and head of Human3.6M, (..., 3) each."""
    belly, neck, face = points['belly'], points['neck'], points['head']
    return dict(
        spine=belly + _SPINE * (neck - belly),
        neck_base=neck + _NECK_BASE * (face - neck),
        head=neck + _HEAD * (face - neck),
    )


def procedural_keypoints(
    joints: np.ndarray, names: Tuple[str, ...]
) -> np.ndarray:
    """Keypoints by name.

    Args:
        joints (np.ndarray): In the order of ``JOINT_NAMES``, metres, z up,
            (..., 16, 3).
        names (Tuple[str, ...]): K names of COCO's or Human3.6M's keypoints.

    Returns:
        np.ndarray: Metres, y up, (..., K, 3) float32.
    """
    body = {name: joints[..., i, :] for i, name in enumerate(JOINT_NAMES)}
    derived = {**_face(body), **_trunk(body)}
    chosen = np.stack(
        [derived.get(n, body.get(_SAME.get(n, n))) for n in names], axis=-2
    )
    x, y, z = np.moveaxis(chosen, -1, 0)
    return np.stack([x, z, -y], axis=-1).astype(np.float32)
