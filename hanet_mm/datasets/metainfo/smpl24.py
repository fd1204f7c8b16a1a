"""The 24 joints of the SMPL body model, in whose order its rotations lie."""

from .skeleton import build_metainfo

smpl24 = build_metainfo(
    'smpl24',
    dict(
        author='Loper, Matthew and Mahmood, Naureen and Romero, Javier and '
        'Pons-Moll, Gerard and Black, Michael J.',
        title='SMPL: A Skinned Multi-Person Linear Model',
        container='ACM Transactions on Graphics (SIGGRAPH Asia)',
        year='2015',
        homepage='https://smpl.is.tue.mpg.de',
    ),
    keypoints=(
        *('pelvis', 'left_hip', 'right_hip', 'spine1'),
        *('left_knee', 'right_knee', 'spine2'),
        *('left_ankle', 'right_ankle', 'spine3'),
        *('left_foot', 'right_foot', 'neck'),
        *('left_collar', 'right_collar', 'head'),
        *('left_shoulder', 'right_shoulder'),
        *('left_elbow', 'right_elbow'),
        *('left_wrist', 'right_wrist'),
        *('left_hand', 'right_hand'),
    ),
    # Each joint with its parent in the model's kinematic tree.
    links=(
        ('pelvis', 'left_hip'),
        ('pelvis', 'right_hip'),
        ('pelvis', 'spine1'),
        ('left_hip', 'left_knee'),
        ('right_hip', 'right_knee'),
        ('spine1', 'spine2'),
        ('left_knee', 'left_ankle'),
        ('right_knee', 'right_ankle'),
        ('spine2', 'spine3'),
        ('left_ankle', 'left_foot'),
        ('right_ankle', 'right_foot'),
        ('spine3', 'neck'),
        ('spine3', 'left_collar'),
        ('spine3', 'right_collar'),
        ('neck', 'head'),
        ('left_collar', 'left_shoulder'),
        ('right_collar', 'right_shoulder'),
        ('left_shoulder', 'left_elbow'),
        ('right_shoulder', 'right_elbow'),
        ('left_elbow', 'left_wrist'),
        ('right_elbow', 'right_wrist'),
        ('left_wrist', 'left_hand'),
        ('right_wrist', 'right_hand'),
    ),
    lower=('pelvis', 'hip', 'knee', 'ankle', 'foot'),
)
