# Copyright (c) hanet_mm contributors. All rights reserved.
"""``PoseDataSample`` of MMPose, a list of them for the people of one frame,
and what ``MMPoseInferencer`` yields: a dict with ``predictions`` of one frame
or, with a batch size, of several.

Ids are ``track_ids`` of the instances, or ``track_id`` of a sample or an
instance. A sample names its data set, and so its keypoints.
"""

import copy
from typing import Any, Dict, List, Optional, Sequence

import numpy as np

from hanet_mm.core.poses.skeleton_data import SKELETONS as KNOWN

from ..formats.coco import COCO_SKELETONS
from .base import NO_PEOPLE, People, replace_coordinates, to_numpy
from .instances import are_instances, read_instances, write_instances

TITLE = 'mmpose results'
SKELETONS = COCO_SKELETONS
# Skeletons of MMPose's data sets.
_DATASETS = dict(
    coco='coco17',
    coco_wholebody='coco_wholebody133',
    halpe26='halpe26',
    h36m='h36m17',
    jhmdb='jhmdb15',
    posetrack18='posetrack18',
    mpii='mpii16',
)


def matches(result: Any) -> bool:
    """Whether it is a sample, a list of samples, or an inferencer's dict."""
    if isinstance(result, dict):
        frames = result.get('predictions')
        return isinstance(frames, list) and all(
            not x or matches(x) or are_instances(x) for x in frames
        )
    if isinstance(result, (list, tuple)):
        return bool(result) and all(_is_sample(x) for x in result)
    return _is_sample(result)


def read(result: Any) -> People:
    """Read keypoints, scores, ids, names and the size of the picture."""
    if isinstance(result, dict):
        return _join([_read_frame(x) for x in result['predictions']])
    return _read_frame(result)


def write(result: Any, keypoints: np.ndarray) -> Any:
    """Copy a result with other keypoints."""
    if isinstance(result, dict):
        frames = result['predictions']
        counts = [len(_read_frame(x)) for x in frames]
        parts = _split(keypoints, counts)
        copies = [_write_frame(*pair) for pair in zip(frames, parts)]
        new = copy.copy(result)
        new['predictions'] = copies
        return new
    return _write_frame(result, keypoints)


def _is_sample(value: Any) -> bool:
    return hasattr(value, 'pred_instances')


def _read_frame(frame: Any) -> People:
    if _is_sample(frame):
        return _read_sample(frame)
    if not len(frame):
        return NO_PEOPLE
    if are_instances(frame):
        return read_instances(frame)
    people = _join([_read_sample(x) for x in frame])
    people.frames, people.num_frames = None, 1
    return people


def _write_frame(frame: Any, keypoints: np.ndarray) -> Any:
    if _is_sample(frame):
        return _write_sample(frame, keypoints)
    if are_instances(frame):
        return write_instances(frame, keypoints)
    parts = _split(keypoints, [len(_read_sample(x)) for x in frame])
    return type(frame)(_write_sample(*pair) for pair in zip(frame, parts))


def _read_sample(sample: Any) -> People:
    found = sample.pred_instances
    points = to_numpy(found.keypoints)
    if not points.size:
        return NO_PEOPLE
    ids = getattr(found, 'track_ids', None)
    if ids is None and getattr(sample, 'track_id', None) is not None:
        ids = [sample.track_id] * len(points)
    scores = getattr(found, 'keypoint_scores', None)
    about: Dict[str, Any] = getattr(sample, 'metainfo', {})
    shape = about.get('ori_shape') or about.get('img_shape')
    return People(
        points,
        None if scores is None else to_numpy(scores),
        None if ids is None else [int(x) for x in ids],
        _names(points, about.get('dataset_name')),
        None if shape is None else (shape[1], shape[0]),
    )


def _write_sample(sample: Any, keypoints: np.ndarray) -> Any:
    new = copy.copy(sample)
    found = copy.copy(sample.pred_instances)
    if len(keypoints):
        found.keypoints = replace_coordinates(found.keypoints, keypoints)
    new.pred_instances = found
    return new


def _names(
    keypoints: np.ndarray, dataset: Optional[str]
) -> Optional[Sequence[str]]:
    """Names by the data set, or those of lifted poses; None: by number."""
    skeleton = KNOWN.get(_DATASETS.get(dataset or '', ''))
    if skeleton is None and keypoints.shape[1:] == (17, 3):
        skeleton = KNOWN['h36m17']
    if skeleton is None or len(skeleton) != keypoints.shape[1]:
        return None
    return skeleton.keypoint_names


def _join(parts: List[People]) -> People:
    """The people of several frames, or of several samples, in one."""
    some = [x for x in parts if len(x)]
    if not some:
        return People(NO_PEOPLE.keypoints, num_frames=len(parts))
    scores = [x.scores for x in some if x.scores is not None]
    counts = [len(x) for x in parts]
    return People(
        np.concatenate([x.keypoints for x in some]),
        np.concatenate(scores) if len(scores) == len(some) else None,
        [person for x in some for person in x.known_ids],
        some[0].names,
        some[0].image_size,
        frames=np.repeat(np.arange(len(parts)), counts),
        num_frames=len(parts),
    )


def _split(keypoints: np.ndarray, counts: List[int]) -> List[np.ndarray]:
    return np.split(keypoints, np.cumsum(counts)[:-1])
