# Copyright (c) hanet_mm contributors. All rights reserved.
"""Skeletons by name, as data: keypoints, links and mirror pairs.

Names and orders are those of MMPose's ``coco``, ``halpe26``,
``coco_wholebody``, ``h36m``, ``jhmdb``, ``posetrack18`` and ``mpii``;
``posetrack15`` is ``posetrack18`` without the ears, ``lsp14`` the joints of
Leeds Sports Pose. ``openpose25`` is BODY_25, ``openpose25b`` BODY_25B and
``openpose18`` COCO of OpenPose, in the orders of its documentation;
``mediapipe33`` are the landmarks of MediaPipe Pose. Keypoints that MMPose has
too are named as there.
"""

from pathlib import Path
from typing import Dict, List, Sequence, Tuple

from hanet_mm.core.data.files import PathLike

from .skeleton import Skeleton, make_skeleton, plain_name, read_skeleton

_NAMES = (
    *('nose', 'left_eye', 'right_eye', 'left_ear', 'right_ear'),
    *('left_shoulder', 'right_shoulder', 'left_elbow', 'right_elbow'),
    *('left_wrist', 'right_wrist', 'left_hip', 'right_hip'),
    *('left_knee', 'right_knee', 'left_ankle', 'right_ankle'),
)
_LEGS = (
    *(('left_hip', 'left_knee'), ('left_knee', 'left_ankle')),
    *(('right_hip', 'right_knee'), ('right_knee', 'right_ankle')),
)
_ARMS = (
    *(('left_shoulder', 'left_elbow'), ('left_elbow', 'left_wrist')),
    *(('right_shoulder', 'right_elbow'), ('right_elbow', 'right_wrist')),
)
_FACE = (
    *(('nose', 'left_eye'), ('nose', 'right_eye'), ('left_eye', 'right_eye')),
    *(('left_eye', 'left_ear'), ('right_eye', 'right_ear')),
    *(('left_ear', 'left_shoulder'), ('right_ear', 'right_shoulder')),
)
_TRUNK = (
    *(('left_hip', 'right_hip'), ('left_shoulder', 'right_shoulder')),
    *(('left_shoulder', 'left_hip'), ('right_shoulder', 'right_hip')),
)
_FEET = tuple(
    (f'{side}_ankle', f'{side}_{part}')
    for side in ('left', 'right')
    for part in ('big_toe', 'small_toe', 'heel')
)
_LINKS = _LEGS + _TRUNK + _ARMS + _FACE

coco17 = make_skeleton('coco17', _NAMES, _LINKS)

halpe26 = make_skeleton(
    'halpe26',
    (
        *_NAMES,
        *('head', 'neck', 'hip', 'left_big_toe', 'right_big_toe'),
        *('left_small_toe', 'right_small_toe', 'left_heel', 'right_heel'),
    ),
    (
        *_LEGS,
        *(('left_hip', 'hip'), ('right_hip', 'hip')),
        *(('head', 'neck'), ('neck', 'hip')),
        *(('neck', 'left_shoulder'), ('neck', 'right_shoulder')),
        *_ARMS,
        *_FACE,
        *_FEET,
    ),
    meanings=dict(head='head_top'),
)

_WHOLEBODY_NAMES = (
    *_NAMES,
    *('left_big_toe', 'left_small_toe', 'left_heel'),
    *('right_big_toe', 'right_small_toe', 'right_heel'),
)
coco_wholebody_body = make_skeleton(
    'coco_wholebody_body', _WHOLEBODY_NAMES, _LINKS + _FEET
)

_FINGERS = (
    *('thumb', 'forefinger', 'middle_finger'),
    *('ring_finger', 'pinky_finger'),
)


def _hand(side: str) -> Tuple[str, ...]:
    joints = (f'{side}_{x}{i}' for x in _FINGERS for i in range(1, 5))
    return (f'{side}_hand_root', *joints)


def _hand_links(side: str) -> List[Tuple[str, str]]:
    return [
        (
            f'{side}_{finger}{i - 1}' if i > 1 else f'{side}_hand_root',
            f'{side}_{finger}{i}',
        )
        for finger in _FINGERS
        for i in range(1, 5)
    ]


# Numbers that change places in a mirror, of the 68 points of the face: the
# chin, brows, nostrils, eyes, outer and inner lips.
_FACE_PAIRS = (
    *((i, 16 - i) for i in range(8)),
    *((i, 43 - i) for i in range(17, 22)),
    *((31, 35), (32, 34)),
    *((36, 45), (37, 44), (38, 43), (39, 42), (40, 47), (41, 46)),
    *((48, 54), (49, 53), (50, 52), (55, 59), (56, 58)),
    *((60, 64), (61, 63), (65, 67)),
)

coco_wholebody133 = make_skeleton(
    'coco_wholebody133',
    (
        *_WHOLEBODY_NAMES,
        *(f'face-{i}' for i in range(68)),
        *_hand('left'),
        *_hand('right'),
    ),
    (*_LINKS, *_FEET, *_hand_links('left'), *_hand_links('right')),
    (
        *coco_wholebody_body.flip_pairs,
        *((f'face-{a}', f'face-{b}') for a, b in _FACE_PAIRS),
        *zip(_hand('left'), _hand('right')),
    ),
)


h36m17 = make_skeleton(
    'h36m17',
    (
        *('root', 'right_hip', 'right_knee', 'right_foot'),
        *('left_hip', 'left_knee', 'left_foot'),
        *('spine', 'thorax', 'neck_base', 'head'),
        *('left_shoulder', 'left_elbow', 'left_wrist'),
        *('right_shoulder', 'right_elbow', 'right_wrist'),
    ),
    (
        *(('root', 'left_hip'), ('left_hip', 'left_knee')),
        *(('left_knee', 'left_foot'), ('root', 'right_hip')),
        *(('right_hip', 'right_knee'), ('right_knee', 'right_foot')),
        *(('root', 'spine'), ('spine', 'thorax')),
        *(('thorax', 'neck_base'), ('neck_base', 'head')),
        *(('thorax', 'left_shoulder'), ('thorax', 'right_shoulder')),
        *_ARMS,
    ),
    meanings=dict(
        left_foot='left_ankle',
        right_foot='right_ankle',
        neck_base='upper_neck',
        head='head_top',
    ),
)

# Its neck lies above the line of the shoulders and its head in the middle
# of the face: the parts of a puppet.
jhmdb15 = make_skeleton(
    'jhmdb15',
    (
        *('neck', 'belly', 'head', 'right_shoulder', 'left_shoulder'),
        *('right_hip', 'left_hip', 'right_elbow', 'left_elbow'),
        *('right_knee', 'left_knee', 'right_wrist', 'left_wrist'),
        *('right_ankle', 'left_ankle'),
    ),
    (
        *_LEGS,
        *(('belly', 'left_hip'), ('belly', 'right_hip')),
        *(('belly', 'neck'), ('neck', 'head')),
        *(('neck', 'left_shoulder'), ('neck', 'right_shoulder')),
        *_ARMS,
    ),
    meanings=dict(neck='puppet_neck', head='head_center'),
)

_POSETRACK_LINKS = (
    *_LEGS,
    *(('left_hip', 'right_hip'), ('left_shoulder', 'right_shoulder')),
    *(('left_shoulder', 'left_hip'), ('right_shoulder', 'right_hip')),
    *_ARMS,
    *(('nose', 'head_bottom'), ('nose', 'head_top')),
    *(('head_bottom', 'left_shoulder'), ('head_bottom', 'right_shoulder')),
)
_POSETRACK_LIMBS = (
    *('left_shoulder', 'right_shoulder', 'left_elbow', 'right_elbow'),
    *('left_wrist', 'right_wrist', 'left_hip', 'right_hip'),
    *('left_knee', 'right_knee', 'left_ankle', 'right_ankle'),
)
posetrack18 = make_skeleton(
    'posetrack18',
    (
        *('nose', 'head_bottom', 'head_top', 'left_ear', 'right_ear'),
        *_POSETRACK_LIMBS,
    ),
    _POSETRACK_LINKS,
)
posetrack15 = make_skeleton(
    'posetrack15',
    ('nose', 'head_bottom', 'head_top', *_POSETRACK_LIMBS),
    _POSETRACK_LINKS,
)

mpii16 = make_skeleton(
    'mpii16',
    (
        *('right_ankle', 'right_knee', 'right_hip'),
        *('left_hip', 'left_knee', 'left_ankle'),
        *('pelvis', 'thorax', 'upper_neck', 'head_top'),
        *('right_wrist', 'right_elbow', 'right_shoulder'),
        *('left_shoulder', 'left_elbow', 'left_wrist'),
    ),
    (
        *_LEGS,
        *(('left_hip', 'pelvis'), ('right_hip', 'pelvis')),
        *(('pelvis', 'thorax'), ('thorax', 'upper_neck')),
        ('upper_neck', 'head_top'),
        *(('upper_neck', 'left_shoulder'), ('upper_neck', 'right_shoulder')),
        *_ARMS,
    ),
)

lsp14 = make_skeleton(
    'lsp14',
    (
        *('right_ankle', 'right_knee', 'right_hip'),
        *('left_hip', 'left_knee', 'left_ankle'),
        *('right_wrist', 'right_elbow', 'right_shoulder'),
        *('left_shoulder', 'left_elbow', 'left_wrist'),
        *('neck', 'head_top'),
    ),
    (
        *_LEGS,
        ('left_hip', 'right_hip'),
        *(('left_shoulder', 'left_hip'), ('right_shoulder', 'right_hip')),
        *(('neck', 'left_shoulder'), ('neck', 'right_shoulder')),
        *_ARMS,
        ('neck', 'head_top'),
    ),
    meanings=dict(neck='upper_neck'),
)


_OPENPOSE_ARMS = (
    *('nose', 'neck', 'right_shoulder', 'right_elbow', 'right_wrist'),
    *('left_shoulder', 'left_elbow', 'left_wrist'),
)
_OPENPOSE_LEGS = (
    *('right_hip', 'right_knee', 'right_ankle'),
    *('left_hip', 'left_knee', 'left_ankle'),
)
_OPENPOSE_FACE = ('right_eye', 'left_eye', 'right_ear', 'left_ear')
_OPENPOSE_FEET = (
    *('left_big_toe', 'left_small_toe', 'left_heel'),
    *('right_big_toe', 'right_small_toe', 'right_heel'),
)


def _both(*links: Tuple[str, str]) -> List[Tuple[str, ...]]:
    """Links of the left side and of the right side."""
    sides = ('left', 'right')
    return [
        tuple(name.replace('*', side) for name in link)
        for side in sides
        for link in links
    ]


_OPENPOSE_LINKS = (
    ('neck', 'nose'),
    *_both(
        ('neck', '*_shoulder'),
        ('*_shoulder', '*_elbow'),
        ('*_elbow', '*_wrist'),
        ('*_hip', '*_knee'),
        ('*_knee', '*_ankle'),
        ('nose', '*_eye'),
        ('*_eye', '*_ear'),
    ),
)

openpose25 = make_skeleton(
    'openpose25',
    (
        *_OPENPOSE_ARMS,
        'mid_hip',
        *_OPENPOSE_LEGS,
        *_OPENPOSE_FACE,
        *_OPENPOSE_FEET,
    ),
    (
        *_OPENPOSE_LINKS,
        ('neck', 'mid_hip'),
        *_both(
            ('mid_hip', '*_hip'),
            ('*_ankle', '*_big_toe'),
            ('*_big_toe', '*_small_toe'),
            ('*_ankle', '*_heel'),
        ),
    ),
)

openpose18 = make_skeleton(
    'openpose18',
    (*_OPENPOSE_ARMS, *_OPENPOSE_LEGS, *_OPENPOSE_FACE),
    (*_OPENPOSE_LINKS, *_both(('neck', '*_hip'))),
)

openpose25b = make_skeleton(
    'openpose25b',
    (*_NAMES, 'upper_neck', 'head_top', *_OPENPOSE_FEET),
    (*_LINKS, *_FEET, ('nose', 'upper_neck'), ('upper_neck', 'head_top')),
)

mediapipe33 = make_skeleton(
    'mediapipe33',
    (
        'nose',
        *('left_eye_inner', 'left_eye', 'left_eye_outer'),
        *('right_eye_inner', 'right_eye', 'right_eye_outer'),
        *('left_ear', 'right_ear', 'mouth_left', 'mouth_right'),
        *('left_shoulder', 'right_shoulder', 'left_elbow', 'right_elbow'),
        *('left_wrist', 'right_wrist', 'left_pinky', 'right_pinky'),
        *('left_index', 'right_index', 'left_thumb', 'right_thumb'),
        *('left_hip', 'right_hip', 'left_knee', 'right_knee'),
        *('left_ankle', 'right_ankle', 'left_heel', 'right_heel'),
        *('left_foot_index', 'right_foot_index'),
    ),
    (
        *(('mouth_left', 'mouth_right'), ('left_hip', 'right_hip')),
        ('left_shoulder', 'right_shoulder'),
        *_both(
            ('nose', '*_eye_inner'),
            ('*_eye_inner', '*_eye'),
            ('*_eye', '*_eye_outer'),
            ('*_eye_outer', '*_ear'),
            ('*_shoulder', '*_elbow'),
            ('*_elbow', '*_wrist'),
            ('*_wrist', '*_pinky'),
            ('*_wrist', '*_index'),
            ('*_wrist', '*_thumb'),
            ('*_pinky', '*_index'),
            ('*_shoulder', '*_hip'),
            ('*_hip', '*_knee'),
            ('*_knee', '*_ankle'),
            ('*_ankle', '*_heel'),
            ('*_heel', '*_foot_index'),
            ('*_ankle', '*_foot_index'),
        ),
    ),
)


__all__ = [
    'SKELETONS',
    'Skeleton',
    'find_skeleton',
    'make_skeleton',
    'plain_name',
    'read_skeleton',
    'skeleton_of_names',
    'skeletons_of_size',
]

SKELETONS: Dict[str, Skeleton] = {
    skeleton.name: skeleton
    for skeleton in (
        *(coco17, halpe26, coco_wholebody_body, coco_wholebody133),
        *(h36m17, jhmdb15, posetrack15, posetrack18, mpii16, lsp14),
        *(openpose25, openpose25b, openpose18, mediapipe33),
    )
}


def find_skeleton(name: PathLike) -> Skeleton:
    """A skeleton of :data:`SKELETONS` or of a JSON file, or an error."""
    text = str(name)
    if text in SKELETONS:
        return SKELETONS[text]
    if not text.lower().endswith('.json'):
        raise ValueError(
            f'skeleton {text!r}: expected a file ending in .json or one of '
            f'{", ".join(SKELETONS)}'
        )
    if not Path(text).is_file():
        raise FileNotFoundError(f'{text}: no such file of a skeleton')
    return read_skeleton(text)


def skeleton_of_names(names: Sequence[str], title: str) -> Skeleton:
    """The skeleton with these keypoints, called ``title`` if it is new."""
    for skeleton in SKELETONS.values():
        if skeleton.keypoint_names == tuple(names):
            return skeleton
    return make_skeleton(title, names)


def skeletons_of_size(num_keypoints: int) -> List[Skeleton]:
    """All of :data:`SKELETONS` with so many keypoints."""
    return [x for x in SKELETONS.values() if len(x) == num_keypoints]
