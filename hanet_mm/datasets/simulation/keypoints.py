# Copyright (c) hanet_mm contributors. All rights reserved.
"""What keypoint names tell, keypoints of procedural people, and other bodies.

To scale bodies joints hang on a tree whose branches are bones; a bone may
begin or end at the midpoint of two joints. Positions are linear in the bones
and these in the positions, so to scale bones is to multiply the joints by a
matrix.
"""

from functools import lru_cache
from typing import Dict, NamedTuple, Tuple

import numpy as np

from hanet_mm.core.poses.skeleton_data import SKELETONS

from .body import JOINT_NAMES
from .feet import FOOT_NAMES, procedural_feet

FOOT_PARTS = ('big_toe', 'small_toe', 'heel')
"""Keypoints of a foot, without their side."""

LIMBS = (('elbow', 'wrist'), ('knee', 'ankle', 'foot', *FOOT_PARTS))
"""Keypoints that are swapped together when left and right limbs are."""

# Errors relative to the whole body; the ends of limbs are hardest, and the
# points of the face easiest (COCO's annotators agree on them within 0.025 to
# 0.035, on others within 0.06 to 0.11).
_ERRORS_2D: Dict[str, float] = dict(
    wrist=1.75, ankle=1.4, foot=1.4, elbow=1.4, knee=1.0, hip=0.7,
    shoulder=0.85, nose=0.5, eye=0.5, ear=0.55,
)  # fmt: skip
# A lifter predicts positions relative to the root, which has no error of its
# own: the further along the body from there, the larger the error.
_ERRORS_3D: Dict[str, float] = dict(
    root=0.0, pelvis=0.0, hip=0.4, spine=0.5, belly=0.5, thorax=0.75,
    neck=0.8, neck_base=0.8, head=1.0, head_top=1.1, shoulder=0.85,
    elbow=1.25, wrist=1.7, knee=0.95, ankle=1.4, foot=1.4,
)  # fmt: skip
_OTHER_ERROR = 0.9
_PARENTS = dict(
    elbow='shoulder', wrist='elbow', knee='hip', ankle='knee', foot='knee'
)
_GROUPS = (
    ('left', ('shoulder', 'elbow', 'wrist')),
    ('right', ('shoulder', 'elbow', 'wrist')),
    ('left', ('hip', 'knee', 'ankle', 'foot', *FOOT_PARTS)),
    ('right', ('hip', 'knee', 'ankle', 'foot', *FOOT_PARTS)),
)

# Points of an adult's head in metres, relative to the middle of the face:
# forward, to the left, up. Ears 15 cm and eyes 6.4 cm apart.
_FACE: Dict[str, Tuple[float, float, float]] = dict(
    nose=(0.04, 0.0, -0.02),
    left_eye=(0.02, 0.032, 0.02),
    right_eye=(0.02, -0.032, 0.02),
    left_ear=(-0.06, 0.075, 0.0),
    right_ear=(-0.06, -0.075, 0.0),
)
# Seen from the neck, the face lies at this angle ahead of the head's upward
# direction and at this distance (body.SEGMENT_FRACTIONS of 1.7 m).
_FACE_ANGLE = np.arctan2(0.030, 0.085)
_FACE_DISTANCE = 1.7 * np.hypot(0.030, 0.085)
# Fractions: spine from belly to neck, neck base and head from neck to face.
_SPINE, _NECK_BASE, _HEAD = 0.32, 0.6, 1.2
_SAME = dict(
    root='pelvis', thorax='neck', left_foot='left_ankle',
    right_foot='right_ankle')  # fmt: skip


class KeypointParts(NamedTuple):
    """Properties of K keypoints that follow from their names, (K,)."""

    difficulty: np.ndarray  # error relative to the whole body's, 0 = none
    mirror: np.ndarray  # index of the mirrored keypoint, or its own
    limb: np.ndarray  # index into LIMBS, -1 = none
    group: np.ndarray  # arms 0 and 1, legs 2 and 3, trunk and head 4
    ankle: np.ndarray  # of toes and heels: index of their ankle, else -1
    parent: np.ndarray  # of arms and legs: index of the joint before, else -1

    @property
    def half(self) -> np.ndarray:
        """Upper half 0 (arms), lower half 1 (legs), neither 2, (K,)."""
        return self.group // 2


@lru_cache(maxsize=16)
def keypoint_parts(names: Tuple[str, ...], dims: int) -> KeypointParts:
    """Look up K names such as ``left_wrist``, of 2D or 3D keypoints."""
    errors = _ERRORS_3D if dims == 3 else _ERRORS_2D
    place = {name: i for i, name in enumerate(names)}
    opposite = {'left': 'right', 'right': 'left'}
    rows = []
    for name in names:
        side, _, part = name.partition('_')
        if side not in opposite:
            side, part = '', name
        mirrored = f'{opposite[side]}_{part}' if side else name
        limbs = [i for i, limb in enumerate(LIMBS) if part in limb]
        groups = [
            i for i, (s, x) in enumerate(_GROUPS) if side == s and part in x
        ]
        rows.append(
            (
                errors.get(part, _OTHER_ERROR),
                place.get(mirrored, place[name]),
                *(limbs or [-1]),
                *(groups or [len(_GROUPS)]),
                place.get(f'{side}_ankle', -1) if part in FOOT_PARTS else -1,
                place.get(f'{side}_{_PARENTS.get(part)}', -1),
            )
        )
    return KeypointParts(*map(np.array, zip(*rows)))


def procedural_keypoints(
    joints: np.ndarray, names: Tuple[str, ...]
) -> np.ndarray:
    """Derive K keypoints of COCO or Human3.6M from procedural joints.

    From metres, z up, in the order of ``JOINT_NAMES``, (..., 16, 3), to
    metres, y up, (..., K, 3) float32.
    """
    body = {name: joints[..., i, :] for i, name in enumerate(JOINT_NAMES)}
    derived = {**_face(body), **_trunk(body)}
    if set(names) & set(FOOT_NAMES):
        derived.update(procedural_feet(body))
    chosen = np.stack(
        [derived.get(n, body.get(_SAME.get(n, n))) for n in names], axis=-2
    )
    x, y, z = np.moveaxis(chosen, -1, 0)
    return np.stack([x, z, -y], axis=-1).astype(np.float32)


def _face(points: Dict[str, np.ndarray]) -> Dict[str, np.ndarray]:
    """Nose, eyes and ears, (..., 3) each; the head turns with the trunk."""
    upward = points['head'] - points['neck']
    distance = np.linalg.norm(upward, axis=-1, keepdims=True)
    along = upward / distance
    across = points['left_shoulder'] - points['right_shoulder']
    left = across - np.sum(across * along, axis=-1, keepdims=True) * along
    left = left / np.linalg.norm(left, axis=-1, keepdims=True)
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
# Factor on all bones: from children to tall people. Of a child of half the
# stature the head is relatively larger and the legs are shorter: powers of
# the factor on all.
_OVERALL = (0.55, 1.15)
_GROWTH = dict(head=-0.6, neck=-0.3, thigh=0.2, shank=0.25)

_LIMBS = (
    ('{}_shoulder', '{}_elbow', 'upper_arm'),
    ('{}_elbow', '{}_wrist', 'forearm'),
    ('{}_hip', '{}_knee', 'thigh'),
)
# Start, end, kind; each start is the end of a bone above. '+' is a midpoint.
_COCO_TREE = (
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
)  # fmt: skip
_TREES = {
    'coco17': _COCO_TREE,
    # A foot is about as long as a forearm.
    'coco_wholebody_body': (
        *_COCO_TREE,
        *((f'{side}_ankle', f'{side}_{part}', 'forearm')
          for side in ('left', 'right') for part in FOOT_PARTS),
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
    overall = rng.uniform(*_OVERALL, num)
    for kind, power in _GROWTH.items():
        factors[kind] = factors[kind] * overall**power
    return factors, overall


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
    return scaled.transpose(0, 2, 1, 3)


def mirror_bodies(
    joints: np.ndarray, skeleton: str, chosen: np.ndarray
) -> np.ndarray:
    """Mirror the chosen people, bool (S,), of joints (S, T, K, 3)."""
    order = keypoint_parts(SKELETONS[skeleton].keypoint_names, 3).mirror
    num, frames, count, _ = joints.shape
    by_joint = np.empty((num, count, frames, 3), joints.dtype)
    # Three times as fast as at once.
    for axis in range(3):
        by_joint[..., axis] = joints[..., axis].swapaxes(1, 2)
    order = np.where(chosen[:, None], order, np.arange(count))
    mirrored = by_joint[np.arange(num)[:, None], order]
    mirrored[chosen, ..., 0] *= -1
    return mirrored.swapaxes(1, 2)
