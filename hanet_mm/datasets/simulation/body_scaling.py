# Copyright (c) hanet_mm contributors. All rights reserved.
"""Other people with the same motion: mirrored, and with other bone lengths.

Joints hang on a tree whose branches are bones; a bone may begin or end at
the midpoint of two joints. Positions are linear in the bones and these in the
positions, so to scale bones is to multiply the joints by a matrix.
"""

from functools import lru_cache
from typing import Dict, NamedTuple, Tuple

import numpy as np

from hanet_mm.core.poses.skeleton_data import SKELETONS

from .keypoints import keypoint_parts

# Range of the factor on the bones of each kind. Recordings are of few
# adults; the hips of COCO lie further out than the hip joints.
SEGMENTS: Dict[str, Tuple[float, float]] = dict(
    hips=(0.85, 1.4),
    thigh=(0.85, 1.15),
    shank=(0.85, 1.15),
    trunk=(0.85, 1.15),
    shoulders=(0.8, 1.15),
    upper_arm=(0.8, 1.2),
    forearm=(0.8, 1.25),
    neck=(0.8, 1.2),
    head=(0.85, 1.2),
)
# Factor on all bones: from children to tall people.
_OVERALL = (0.7, 1.1)

_LIMBS = (
    ('{}_shoulder', '{}_elbow', 'upper_arm'),
    ('{}_elbow', '{}_wrist', 'forearm'),
    ('{}_hip', '{}_knee', 'thigh'),
)
# Start, end, kind; each start is the end of a bone above. '+' is a midpoint.
_TREES = {
    'coco17': (
        ('left_hip+right_hip', 'left_shoulder+right_shoulder', 'trunk'),
        ('left_shoulder+right_shoulder', 'left_ear+right_ear', 'neck'),
        *(('left_ear+right_ear', name, 'head') for name in (
            'nose', 'left_eye', 'right_eye', 'left_ear', 'right_ear')),
        *((start, end.format(side), kind)
          for side in ('left', 'right')
          for start, end, kind in (
              ('left_shoulder+right_shoulder', '{}_shoulder', 'shoulders'),
              ('left_hip+right_hip', '{}_hip', 'hips'))),
        *((start.format(side), end.format(side), kind)
          for side in ('left', 'right')
          for start, end, kind in (*_LIMBS, ('{}_knee', '{}_ankle', 'shank'))),
    ),
    'h36m17': (
        ('root', 'spine', 'trunk'),
        ('spine', 'thorax', 'trunk'),
        ('thorax', 'neck_base', 'neck'),
        ('neck_base', 'head', 'head'),
        *((start, end.format(side), kind)
          for side in ('left', 'right')
          for start, end, kind in (
              ('thorax', '{}_shoulder', 'shoulders'),
              ('root', '{}_hip', 'hips'))),
        *((start.format(side), end.format(side), kind)
          for side in ('left', 'right')
          for start, end, kind in (*_LIMBS, ('{}_knee', '{}_foot', 'shank'))),
    ),
}  # fmt: skip


class BoneMap(NamedTuple):
    """Joints = root + sum over kinds of factor x ``by_kind`` x joints."""

    root: np.ndarray  # the root of the tree as a mixture of joints, (K,)
    by_kind: np.ndarray  # of the kinds in SEGMENTS, (M, K, K)


@lru_cache(maxsize=4)
def bone_map(skeleton: str) -> BoneMap:
    """The matrices of a skeleton, float64."""
    names = SKELETONS[skeleton].keypoint_names
    tree = _TREES[skeleton]
    count, kinds = len(names), tuple(SEGMENTS)

    def place(node: str) -> np.ndarray:
        """A node as a mixture of the joints, (K,)."""
        row = np.zeros(count)
        joints = [names.index(name) for name in node.split('+')]
        row[joints] = 1 / len(joints)
        return row

    top = tree[0][0]
    # Of each node: the bones between the root and it, by kind.
    chain = {top: np.zeros((len(kinds), count))}
    for start, end, kind in tree:
        chain[end] = chain[start].copy()
        chain[end][kinds.index(kind)] += place(end) - place(start)
    by_kind = np.zeros((len(kinds), count, count))
    for joint, name in enumerate(names):
        if name in chain:
            by_kind[:, joint] = chain[name]
    return BoneMap(place(top), by_kind)


def sample_factors(
    rng: np.random.Generator, num: int
) -> Tuple[Dict[str, np.ndarray], np.ndarray]:
    """Draw factors on the kinds of ``SEGMENTS`` and on all bones, (S,)."""
    factors = {k: rng.uniform(*ends, num) for k, ends in SEGMENTS.items()}
    return factors, rng.uniform(*_OVERALL, num)


def scale_bodies(
    joints: np.ndarray,
    skeleton: str,
    factors: Dict[str, np.ndarray],
    overall: np.ndarray,
) -> np.ndarray:
    """Scale the bones of people, (S, T, K, 3) float32; directions stay.

    The path of the root is scaled like the legs. ``factors`` and ``overall``
    are those of :func:`sample_factors`.
    """
    num, frames, count, _ = joints.shape
    root, by_kind = bone_map(skeleton)
    bones = np.stack([factors[kind] for kind in SEGMENTS], axis=1)
    matrix = np.tensordot(bones, by_kind, 1)
    leg = 0.5 * (factors['thigh'] + factors['shank'])
    matrix += leg[:, None, None] * root
    matrix = (matrix * overall[:, None, None]).astype(np.float32)
    flat = joints.transpose(0, 2, 1, 3).reshape(num, count, frames * 3)
    scaled = np.matmul(matrix, flat).reshape(num, count, frames, 3)
    return np.ascontiguousarray(scaled.transpose(0, 2, 1, 3))


def mirror_bodies(
    joints: np.ndarray, skeleton: str, chosen: np.ndarray
) -> np.ndarray:
    """Mirror the chosen people, bool (S,), of joints (S, T, K, 3)."""
    order = keypoint_parts(SKELETONS[skeleton].keypoint_names, 3).mirror
    mirrored = joints[chosen][:, :, order]
    mirrored[..., 0] *= -1
    joints = joints.copy()
    joints[chosen] = mirrored
    return joints
