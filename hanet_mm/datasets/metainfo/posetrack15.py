"""The 15 joints of PoseTrack: those of its files without the two ears.

The ears have a place in the files of 2018 but were never annotated. Order,
weights and sigmas are those of MMPose's ``posetrack18``.
"""

from .skeleton import build_metainfo

posetrack15 = dict(
    build_metainfo(
        'posetrack15',
        dict(
            author='Andriluka, Mykhaylo and Iqbal, Umar and '
            'Insafutdinov, Eldar and Pishchulin, Leonid and '
            'Milan, Anton and Gall, Juergen and Schiele, Bernt',
            title='PoseTrack: A Benchmark for Human Pose Estimation and '
            'Tracking',
            container='Proceedings of the IEEE Conference on Computer '
            'Vision and Pattern Recognition',
            year='2018',
            homepage='https://posetrack.net',
        ),
        keypoints=(
            *('nose', 'head_bottom', 'head_top'),
            *('left_shoulder', 'right_shoulder'),
            *('left_elbow', 'right_elbow'),
            *('left_wrist', 'right_wrist'),
            *('left_hip', 'right_hip'),
            *('left_knee', 'right_knee'),
            *('left_ankle', 'right_ankle'),
        ),
        links=(
            ('head_top', 'nose'),
            ('nose', 'head_bottom'),
            ('head_bottom', 'left_shoulder'),
            ('head_bottom', 'right_shoulder'),
            ('left_shoulder', 'right_shoulder'),
            ('left_shoulder', 'left_elbow'),
            ('right_shoulder', 'right_elbow'),
            ('left_elbow', 'left_wrist'),
            ('right_elbow', 'right_wrist'),
            ('left_shoulder', 'left_hip'),
            ('right_shoulder', 'right_hip'),
            ('left_hip', 'right_hip'),
            ('left_hip', 'left_knee'),
            ('right_hip', 'right_knee'),
            ('left_knee', 'left_ankle'),
            ('right_knee', 'right_ankle'),
        ),
        lower=('hip', 'knee', 'ankle'),
    ),
    joint_weights=[
        *(1.0, 1.0, 1.0, 1.0, 1.0, 1.2, 1.2, 1.5),
        *(1.5, 1.0, 1.0, 1.2, 1.2, 1.5, 1.5),
    ],
    sigmas=[
        *(0.026, 0.025, 0.025, 0.079, 0.079, 0.072, 0.072, 0.062),
        *(0.062, 0.107, 0.107, 0.087, 0.087, 0.089, 0.089),
    ],
)
