"""Predictions of a video, as MMPose writes them to JSON.

Two forms are read: the list of ``{frame_id, instances}`` of an inferencer,
with frames counted from 0, and the ``{meta_info, instance_info}`` of the demo
scripts, with frames counted from 1 and the names of the keypoints.
"""

from dataclasses import dataclass
from typing import Any, Dict, List, Optional, Tuple

from .data.files import PathLike

Instance = Dict[str, Any]


@dataclass
class MMPoseVideo:
    """What is in a file.

    Attributes:
        frames: Number of each frame as the file has it, each once, and its
            instances, in the order of the file.
        first: Number of the first frame of a video.
        keypoint_names: Of the K keypoints, where the file has them.
    """

    frames: List[Tuple[int, List[Instance]]]
    first: int
    keypoint_names: Optional[Tuple[str, ...]]


def is_mmpose_video(content: Any) -> bool:
    """Whether a JSON file seems to be such predictions."""
    if isinstance(content, dict):
        return 'instance_info' in content
    if not isinstance(content, list):
        return False
    first = content[0] if content else {'instances': []}
    return isinstance(first, dict) and bool(
        {'frame_id', 'instances', 'keypoint_scores'} & {*first}
    )


def parse_mmpose_video(content: Any, path: PathLike) -> MMPoseVideo:
    """Check the predictions of a video.

    Args:
        content: Of the JSON file.
        path: The file, for messages.

    Raises:
        ValueError: One line naming the file, the entry and the field.
    """
    names, first, entries = None, 0, content
    if isinstance(content, dict):
        names = _parse_names(content.get('meta_info'), path)
        entries, first = content.get('instance_info'), 1
    if not isinstance(entries, list):
        raise ValueError(
            f'{path}: expected a list of frames or a dict with '
            f"'instance_info', found {type(entries).__name__}"
        )
    frames: Dict[int, List[Instance]] = {}
    for position, entry in enumerate(entries):
        where = f'{path}: entry {position}'
        if not isinstance(entry, dict) or not {'frame_id', 'instances'} <= {
            *entry
        }:
            raise ValueError(
                f'{where}: expected a dict with frame_id and instances, as '
                'for a video'
            )
        frame = entry['frame_id']
        if type(frame) is not int or not 0 <= frame < 2**31 or frame in frames:
            raise ValueError(
                f'{where}: expected each frame_id once and from 0 on, '
                f'found {frame!r}'
            )
        frames[frame] = parse_instances(
            entry['instances'], f'{path}: frame {frame}'
        )
    return MMPoseVideo(list(frames.items()), first, names)


def parse_instances(instances: Any, where: str) -> List[Instance]:
    """Check that the instances of a frame are a list of dicts."""
    if not isinstance(instances, list) or not all(
        isinstance(instance, dict) for instance in instances
    ):
        found = type(instances).__name__
        raise ValueError(
            f'{where}: expected a list of instances {{keypoints, ...}}, '
            f'found {found}'
        )
    return instances


def _parse_names(meta: Any, path: PathLike) -> Optional[Tuple[str, ...]]:
    names = meta.get('keypoint_id2name') if isinstance(meta, dict) else None
    if not names:
        return None
    try:
        by_id = {int(index): str(name) for index, name in names.items()}
    except (AttributeError, ValueError):
        raise ValueError(
            f'{path}: meta_info: keypoint_id2name: expected names by number, '
            f'found {type(names).__name__}'
        ) from None
    return tuple(by_id[index] for index in sorted(by_id))
