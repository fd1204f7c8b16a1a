"""Skeletons by name, as data: keypoints, links and mirror pairs."""

from pathlib import Path
from typing import Dict, List, Sequence

from hanet_mm.core.files import PathLike

from .body import h36m17, jhmdb15, lsp14, mpii16, posetrack15, posetrack18
from .coco import coco17, coco_wholebody133, coco_wholebody_body, halpe26
from .skeleton import Skeleton, make_skeleton, plain_name, read_skeleton
from .tools import mediapipe33, openpose18, openpose25

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
        *(openpose25, openpose18, mediapipe33),
    )
}


def find_skeleton(name: PathLike) -> Skeleton:
    """A skeleton by name, or from a file.

    Args:
        name: A key of :data:`SKELETONS`, or a JSON file, see
            :func:`read_skeleton`.

    Raises:
        FileNotFoundError: If there is no such file.
        ValueError: If there is none of that name, or the file is not one.
    """
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
    """The skeleton with these keypoints.

    Args:
        names: Of the keypoints, in their order.
        title: What to call it if it is none of :data:`SKELETONS`.

    Raises:
        ValueError: If a name is there twice.
    """
    for skeleton in SKELETONS.values():
        if skeleton.keypoint_names == tuple(names):
            return skeleton
    return make_skeleton(title, names)


def skeletons_of_size(num_keypoints: int) -> List[Skeleton]:
    """All of :data:`SKELETONS` with so many keypoints."""
    return [x for x in SKELETONS.values() if len(x) == num_keypoints]
