"""Skeletons of data sets of bodies.

Names and orders are those of MMPose's ``h36m``, ``jhmdb``, ``posetrack18``
and ``mpii``; ``posetrack15`` is ``posetrack18`` without the ears, ``lsp14``
the joints of Leeds Sports Pose.
"""

from .skeleton import make_skeleton

_LEGS = (
    *(('left_hip', 'left_knee'), ('left_knee', 'left_ankle')),
    *(('right_hip', 'right_knee'), ('right_knee', 'right_ankle')),
)
_ARMS = (
    *(('left_shoulder', 'left_elbow'), ('left_elbow', 'left_wrist')),
    *(('right_shoulder', 'right_elbow'), ('right_elbow', 'right_wrist')),
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
