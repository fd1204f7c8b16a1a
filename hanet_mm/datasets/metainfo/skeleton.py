"""Metainfo of a skeleton, in MMPose's form, from its names and links."""

from typing import Any, Collection, Dict, Sequence, Tuple

_LEFT, _RIGHT = 'left_', 'right_'
_COLORS = {
    _LEFT: [0, 255, 0],
    _RIGHT: [255, 128, 0],
    '': [51, 153, 255],
}


def build_metainfo(
    name: str,
    paper_info: Dict[str, str],
    keypoints: Sequence[str],
    links: Sequence[Tuple[str, str]],
    lower: Collection[str],
) -> Dict[str, Any]:
    """Write out a ``dataset_info`` as MMPose's configs have it.

    Keypoints called ``left_*`` and ``right_*`` are swapped when a pose is
    flipped, and are green and orange; those in the middle are blue.

    Args:
        name: Of the skeleton.
        paper_info: Author, title, container, year and homepage.
        keypoints: Their names, in order.
        links: Pairs of names that are drawn as a bone.
        lower: Names without side, such as 'knee', of the lower body.

    Returns:
        The ``dataset_info``. ``sigmas`` is empty, as in MMPose's Human3.6M:
        OKS is not defined in 3D.
    """
    return dict(
        dataset_name=name,
        paper_info=dict(paper_info),
        keypoint_info={
            index: dict(
                name=keypoint,
                id=index,
                color=_COLORS[_side(keypoint)],
                type='lower' if _without_side(keypoint) in lower else 'upper',
                swap=_swap(keypoint),
            )
            for index, keypoint in enumerate(keypoints)
        },
        skeleton_info={
            index: dict(
                link=tuple(link), id=index, color=_COLORS[_link_side(link)]
            )
            for index, link in enumerate(links)
        },
        joint_weights=[1.0] * len(keypoints),
        sigmas=[],
    )


def keypoint_names(metainfo: Dict[str, Any]) -> Tuple[str, ...]:
    """The names of a ``dataset_info``, in order."""
    info = metainfo['keypoint_info']
    return tuple(info[index]['name'] for index in range(len(info)))


def _side(keypoint: str) -> str:
    for side in (_LEFT, _RIGHT):
        if keypoint.startswith(side):
            return side
    return ''


def _without_side(keypoint: str) -> str:
    return keypoint[len(_side(keypoint)) :]


def _swap(keypoint: str) -> str:
    other = {_LEFT: _RIGHT, _RIGHT: _LEFT}.get(_side(keypoint))
    return other + _without_side(keypoint) if other else ''


def _link_side(link: Tuple[str, str]) -> str:
    sides = {_side(keypoint) for keypoint in link} - {''}
    return sides.pop() if len(sides) == 1 else ''
