"""Skeletons of estimators that are programs of their own.

``openpose25`` is BODY_25 and ``openpose18`` COCO of OpenPose, in the orders
of its documentation; ``mediapipe33`` are the landmarks of MediaPipe Pose.
Keypoints that MMPose has too are named as there.
"""

from .skeleton import make_skeleton

_OPENPOSE_ARMS = (
    *('nose', 'neck', 'right_shoulder', 'right_elbow', 'right_wrist'),
    *('left_shoulder', 'left_elbow', 'left_wrist'),
)
_OPENPOSE_LEGS = (
    *('right_hip', 'right_knee', 'right_ankle'),
    *('left_hip', 'left_knee', 'left_ankle'),
)
_OPENPOSE_FACE = ('right_eye', 'left_eye', 'right_ear', 'left_ear')
_FEET = (
    *('left_big_toe', 'left_small_toe', 'left_heel'),
    *('right_big_toe', 'right_small_toe', 'right_heel'),
)


def _both(*links):
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
    (*_OPENPOSE_ARMS, 'mid_hip', *_OPENPOSE_LEGS, *_OPENPOSE_FACE, *_FEET),
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
