# Copyright (c) hanet_mm contributors. All rights reserved.
"""Check whether left and right of 3D joints are what they are called.

A knee bends forward: seen from the line between hip and ankle it lies on the
side to which the person faces. Where the person faces follows from the hips,
so if left and right are exchanged, knees seem to bend backward. This needs
no direction of gravity and no camera, and works for absolute and
root-relative joints alike.
"""

from typing import Dict, List, Sequence

import numpy as np

# The frames looked at are spread over the whole file.
_FRAMES = 50_000
# A bend below this share of the leg's length says nothing.
_CLEAR = 0.01
# Nor does an angle whose cosine is nearer to zero.
_CLEAR_COSINE = 0.3
_ALIASES = {'foot': 'ankle', 'thorax': 'neck'}


def check_sides(
    keypoints: np.ndarray, names: Sequence[str], what: str
) -> List[str]:
    """Report whether left and right of joints (N, K, 3) seem exchanged.

    Hips, knees, ankles (or feet), shoulders and the neck (or thorax) have to
    be among the names. Returns one line, which begins with 'WARNING' if the
    joints seem wrong; none if too few joints are known.
    """
    step = max(1, len(keypoints) // _FRAMES)
    joints = _by_name(keypoints[::step], names)
    hips = joints['left_hip'] - joints['right_hip']
    middle = (joints['left_hip'] + joints['right_hip']) / 2
    forward = np.cross(hips, joints['neck'] - middle)
    length = np.linalg.norm(forward, axis=-1, keepdims=True)
    forward = np.divide(
        forward, length, out=np.zeros_like(forward), where=length > 0
    )
    bends = [_knee_bend(joints, side, forward) for side in ('left', 'right')]
    known = np.concatenate([bend[~np.isnan(bend)] for bend in bends])
    if not len(known):
        return []
    bend = float(known.mean())
    shoulders = joints['left_shoulder'] - joints['right_shoulder']
    along = _agreement(hips, shoulders)
    percent = f'{100 * bend:+.1f} % of the leg'
    if bend < -_CLEAR:
        reason = (
            'the legs are called by the wrong side, the arms are not'
            if along < -_CLEAR_COSINE
            else 'left and right are exchanged, or an axis is mirrored'
        )
        return [
            f'WARNING: {what}: knees bend backward on average ({percent}): '
            f'{reason}'
        ]
    if along < -_CLEAR_COSINE:
        return [
            f'WARNING: {what}: hips and shoulders disagree about which side '
            'is left'
        ]
    if bend < _CLEAR:
        return [f'{what}: knees too straight to tell the sides ({percent})']
    return [f'{what}: knees bend forward on average ({percent})']


def _agreement(a: np.ndarray, b: np.ndarray) -> float:
    """Cosine between vectors (N, 3), averaged with their lengths."""
    a, b = (x[~np.isnan(a + b).any(-1)] for x in (a, b))
    lengths = np.linalg.norm(a, axis=-1) * np.linalg.norm(b, axis=-1)
    return float((a * b).sum() / lengths.sum()) if lengths.any() else 0.0


def _by_name(
    keypoints: np.ndarray, names: Sequence[str]
) -> Dict[str, np.ndarray]:
    joints = {}
    for index, name in enumerate(names):
        *side, part = name.split('_', 1) if '_' in name else [name]
        key = '_'.join([*side, _ALIASES.get(part, part)])
        joints[key] = keypoints[:, index].astype(np.float64)
    return joints


def _knee_bend(
    joints: Dict[str, np.ndarray], side: str, forward: np.ndarray
) -> np.ndarray:
    """Signed distance of the knee from hip-ankle, in lengths of the leg."""
    hip, knee, ankle = (
        joints[f'{side}_{part}'] for part in ('hip', 'knee', 'ankle')
    )
    leg = np.linalg.norm(knee - hip, axis=-1)
    leg = leg + np.linalg.norm(ankle - knee, axis=-1)
    line = ankle - hip
    squared = (line * line).sum(-1, keepdims=True)
    along = ((knee - hip) * line).sum(-1, keepdims=True)
    with np.errstate(divide='ignore', invalid='ignore'):
        off = knee - hip - along / squared * line
        return (off * forward).sum(-1) / leg
