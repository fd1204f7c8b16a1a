"""COCO and the skeletons that begin with its 17 keypoints.

Names and orders are those of MMPose's ``coco``, ``halpe26`` and
``coco_wholebody``.
"""

from typing import List, Tuple

from .skeleton import make_skeleton

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

_FINGERS = ('thumb', 'forefinger', 'middle_finger', 'ring_finger')
_FINGERS += ('pinky_finger',)


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
