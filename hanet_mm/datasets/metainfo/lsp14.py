"""The 14 joints of Leeds Sports Pose, as 3DPW and AIST++ are scored on."""

from .skeleton import build_metainfo

lsp14 = build_metainfo(
    'lsp14',
    dict(
        author='Johnson, Sam and Everingham, Mark',
        title='Clustered Pose and Nonlinear Appearance Models for Human '
        'Pose Estimation',
        container='British Machine Vision Conference',
        year='2010',
        homepage='http://sam.johnson.io/research/lsp.html',
    ),
    keypoints=(
        *('right_ankle', 'right_knee', 'right_hip'),
        *('left_hip', 'left_knee', 'left_ankle'),
        *('right_wrist', 'right_elbow', 'right_shoulder'),
        *('left_shoulder', 'left_elbow', 'left_wrist'),
        *('neck', 'head_top'),
    ),
    links=(
        ('right_ankle', 'right_knee'),
        ('right_knee', 'right_hip'),
        ('right_hip', 'left_hip'),
        ('left_hip', 'left_knee'),
        ('left_knee', 'left_ankle'),
        ('right_wrist', 'right_elbow'),
        ('right_elbow', 'right_shoulder'),
        ('right_shoulder', 'neck'),
        ('neck', 'left_shoulder'),
        ('left_shoulder', 'left_elbow'),
        ('left_elbow', 'left_wrist'),
        ('right_hip', 'right_shoulder'),
        ('left_hip', 'left_shoulder'),
        ('neck', 'head_top'),
    ),
    lower=('ankle', 'knee', 'hip'),
)
