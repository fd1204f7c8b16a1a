# Copyright (c) hanet_mm contributors. All rights reserved.
"""Predictions of a video that MMPose wrote as JSON.

Two forms are read: the list of ``{frame_id, instances}`` of an inferencer,
with frames counted from 0, and the ``{meta_info, instance_info}`` of the demo
scripts, with frames counted from 1 and the names of the keypoints.
"""

from dataclasses import dataclass
from typing import Any, Dict, List, Optional, Sequence, Tuple

import numpy as np

from hanet_mm.core.data.files import PathLike, to_lists, write_json
from hanet_mm.core.refine.refiner import RefineResult

from .base import DetectionFile, Detections, Source
from .evidence import decide_dims
from .frame_times import rate_of_entries
from .marks import detection_marks
from .values import add_ids, is_absent, merge_changes, stack_numbers

Instance = Dict[str, Any]


@dataclass
class MMPoseVideo:
    """Content of a file; frames keep their order and occur once."""

    frames: List[Tuple[int, List[Instance]]]  # number as in the file
    first: int  # number of the first frame of a video
    keypoint_names: Optional[Tuple[str, ...]]  # where the file has them
    fps: Optional[float] = None  # where frames have times


def matches(source: Source) -> bool:
    """Whether JSON looks like predictions of MMPose."""
    content = source.content
    if isinstance(content, dict):
        return 'instance_info' in content
    if not isinstance(content, list):
        return False
    first = content[0] if content else {'instances': []}
    if not isinstance(first, dict):
        return False
    # Frames of MediaPipe may have a frame_id too.
    numbered = 'frame_id' in first and not any('andmark' in x for x in first)
    return numbered or bool({'instances', 'keypoint_scores'} & {*first})


def parse_mmpose_video(content: Any, path: PathLike) -> MMPoseVideo:
    """Check the content of a JSON file; messages name ``path``."""
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
                f'{where}: expected each frame_id once and from 0, '
                f'found {frame!r}'
            )
        frames[frame] = parse_instances(
            entry['instances'], f'{path}: frame {frame}'
        )
    rate = rate_of_entries(entries, list(frames))
    return MMPoseVideo(list(frames.items()), first, names, rate)


def parse_instances(instances: Any, where: str) -> List[Instance]:
    """Check that the instances of a frame are a list of dicts; null is an
    empty one.
    """
    if instances is None:
        return []
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


class MMPosePredictions(DetectionFile):
    """Predictions of a video; ``track_id`` identifies persons.

    Refined keypoints replace ``keypoints``; the input is kept as
    ``keypoints_input``, and ``filled`` marks the keypoints that were missing;
    ``swapped`` and ``reason`` are those of :mod:`.marks`.
    NaN, which JSON lacks, is read as missing and written as null.
    """

    def __init__(self, source: Source):
        path, self.content = source.path, source.content
        video = parse_mmpose_video(self.content, path)
        if video.keypoint_names:
            self.keypoint_names = list(video.keypoint_names)
        self.instances = []
        frames, ids = [], []
        for frame, instances in video.frames:
            for instance in instances:
                if is_absent(instance.get('keypoints', 0)):
                    continue
                self.instances.append(instance)
                frames.append(frame)
                ids.append(_track_id(instance, f'{path}: frame {frame}'))
        where = [
            f'{path}: frame {frame}: '
            + ('person' if person is None else f'track_id {person!r}')
            for frame, person in zip(frames, ids)
        ]
        keypoints = np.zeros((0, 0, 2))
        scores = None
        if self.instances:
            keypoints = self._stack('keypoints', '(K, D)', where)
        if any('keypoint_scores' in x for x in self.instances):
            scores = self._stack('keypoint_scores', '(K,)', where)
            if scores.shape != keypoints.shape[:2]:
                raise ValueError(
                    f'{path}: keypoint_scores: expected {keypoints.shape[1]} '
                    f'for each person, found {scores.shape[1]}'
                )
        self.third: Optional[np.ndarray] = None  # scores beside x, y
        if scores is None and keypoints.shape[2] == 3:
            title = f'{path}: keypoints'
            if decide_dims(keypoints, title, source.dims, usual=3) == 2:
                keypoints, scores = keypoints[..., :2], keypoints[..., 2]
                self.third = scores
        numbers = np.array(frames, np.int64)
        found = Detections(
            numbers, keypoints, scores, ids, 'track_id', fps=video.fps
        )
        super().__init__(source, found)

    def save(self, out: PathLike, refined: Sequence[RefineResult]) -> None:
        """See :meth:`PoseFile.save`."""
        write_json(out, self.refined_content(refined), self.path)

    def refined_content(self, refined: Sequence[RefineResult]) -> Any:
        """The content with refined keypoints."""
        keypoints, filled = self.collect(refined)
        if self.third is not None:
            keypoints = np.dstack([keypoints, self.third])
        changes: Dict[int, Dict[str, Any]] = {
            id(instance): dict(
                keypoints=points,
                keypoints_input=instance['keypoints'],
                filled=flags,
            )
            for instance, points, flags in zip(
                self.instances, to_lists(keypoints), filled.tolist()
            )
        }
        for key, marks in detection_marks(self, refined).items():
            for instance, flags in zip(self.instances, marks.tolist()):
                changes[id(instance)][key] = flags
        add_ids(changes, self.instances, 'track_id', self.new_ids)
        keys = ('instance_info', 'instances')
        return merge_changes(self.content, changes, keys)

    def _stack(self, key: str, letters: str, where: List[str]) -> np.ndarray:
        values = [instance.get(key) for instance in self.instances]
        return stack_numbers(values, key, letters, where)


read = MMPosePredictions


def _track_id(instance: Dict[str, Any], where: str) -> Any:
    track_id = instance.get('track_id')
    if type(track_id) not in (int, str, type(None)):
        raise ValueError(
            f'{where}: track_id: expected integers or strings, '
            f'found {track_id!r}'
        )
    return track_id
