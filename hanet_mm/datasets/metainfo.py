# Copyright (c) hanet_mm contributors. All rights reserved.
"""Skeletons that MMPose has no description of, as its ``dataset_info``.

Names and links are those of :mod:`hanet_mm.core.poses.skeleton_data`.
"""

from typing import Any, Collection, Dict, Tuple

from hanet_mm.core.poses.body import SMPL_PARENTS
from hanet_mm.core.poses.skeleton import Skeleton, make_skeleton
from hanet_mm.core.poses.skeleton_data import SKELETONS

_COLORS = {'left': [0, 255, 0], 'right': [255, 128, 0]}
_MIDDLE_COLOR = [51, 153, 255]


def build_metainfo(
    skeleton: Skeleton, paper_info: Dict[str, str], lower: Collection[str]
) -> Dict[str, Any]:
    """Describe a skeleton as MMPose's configs do.

    Keypoints called ``left_*`` and ``right_*`` are green and orange; those in
    the middle are blue.

    Args:
        skeleton (Skeleton): Names, links and mirror pairs.
        paper_info (Dict[str, str]): Author, title, container, year, homepage.
        lower (Collection[str]): Names of the lower body without side, such
            as 'knee'.

    Returns:
        Dict[str, Any]: The ``dataset_info``. ``sigmas`` is empty, as in
        MMPose's Human3.6M: OKS is not defined in 3D.
    """
    mirror = dict(skeleton.flip_pairs)
    mirror.update({b: a for a, b in skeleton.flip_pairs})
    return dict(
        dataset_name=skeleton.name,
        paper_info=paper_info,
        keypoint_info={
            index: dict(
                name=name,
                id=index,
                color=_color(name),
                type='lower' if name.split('_')[-1] in lower else 'upper',
                swap=mirror.get(name, ''),
            )
            for index, name in enumerate(skeleton.keypoint_names)
        },
        skeleton_info={
            index: dict(link=link, id=index, color=_color(*link))
            for index, link in enumerate(skeleton.links)
        },
        joint_weights=[1.0] * len(skeleton),
        sigmas=[],
    )


def keypoint_names(metainfo: Dict[str, Any]) -> Tuple[str, ...]:
    """Names of the keypoints of a ``dataset_info``, in order."""
    info = metainfo['keypoint_info']
    return tuple(info[index]['name'] for index in range(len(info)))


def _color(*names: str) -> list:
    """Colour of a keypoint, or of the link of two."""
    sides = {name.split('_')[0] for name in names} & set(_COLORS)
    return _COLORS[sides.pop()] if len(sides) == 1 else _MIDDLE_COLOR


lsp14 = build_metainfo(
    SKELETONS['lsp14'],
    dict(
        author='Johnson, Sam and Everingham, Mark',
        title='Clustered Pose and Nonlinear Appearance Models for Human '
        'Pose Estimation',
        container='British Machine Vision Conference',
        year='2010',
        homepage='http://sam.johnson.io/research/lsp.html',
    ),
    lower=('ankle', 'knee', 'hip'),
)
"""The 14 joints of Leeds Sports Pose, on which 3DPW and AIST++ are scored."""

posetrack15 = dict(
    build_metainfo(
        SKELETONS['posetrack15'],
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
"""The 15 joints of PoseTrack: those of its files without the two ears.

The ears have a place in the files of 2018 but were never annotated. Weights
and sigmas are those of MMPose's ``posetrack18``.
"""

body23 = build_metainfo(
    SKELETONS['coco_wholebody_body'],
    dict(
        author='Jin, Sheng and Xu, Lumin and Xu, Jin and Wang, Can and '
        'Liu, Wentao and Qian, Chen and Ouyang, Wanli and Luo, Ping',
        title='Whole-Body Human Pose Estimation in the Wild',
        container='Proceedings of the European Conference on Computer '
        'Vision (ECCV)',
        year='2020',
        homepage='https://github.com/jin-s13/COCO-WholeBody/',
    ),
    lower=('hip', 'knee', 'ankle', 'toe', 'heel'),
)
"""Body and feet of COCO-WholeBody: COCO's 17, toes and heels."""

_SMPL_NAMES = (
    *('pelvis', 'left_hip', 'right_hip', 'spine1'),
    *('left_knee', 'right_knee', 'spine2'),
    *('left_ankle', 'right_ankle', 'spine3'),
    *('left_foot', 'right_foot', 'neck'),
    *('left_collar', 'right_collar', 'head'),
    *('left_shoulder', 'right_shoulder'),
    *('left_elbow', 'right_elbow'),
    *('left_wrist', 'right_wrist'),
    *('left_hand', 'right_hand'),
)

smpl24 = build_metainfo(
    make_skeleton(
        'smpl24',
        _SMPL_NAMES,
        [
            (_SMPL_NAMES[parent], _SMPL_NAMES[joint])
            for joint, parent in enumerate(SMPL_PARENTS)
            if parent >= 0
        ],
    ),
    dict(
        author='Loper, Matthew and Mahmood, Naureen and Romero, Javier and '
        'Pons-Moll, Gerard and Black, Michael J.',
        title='SMPL: A Skinned Multi-Person Linear Model',
        container='ACM Transactions on Graphics (SIGGRAPH Asia)',
        year='2015',
        homepage='https://smpl.is.tue.mpg.de',
    ),
    lower=('pelvis', 'hip', 'knee', 'ankle', 'foot'),
)
"""The 24 joints of the SMPL body model, in the order of its rotations."""
