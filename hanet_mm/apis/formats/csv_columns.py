# Copyright (c) hanet_mm contributors. All rights reserved.
"""What the columns of a table of keypoints are, by their names."""

import re
from dataclasses import dataclass, field
from typing import Dict, List, Optional, Sequence, Tuple

from hanet_mm.core.poses.skeleton_data import SKELETONS

from .frame_times import TIME

FRAME = (
    *('frame', 'frame_id', 'frame_idx', 'frame_index', 'frame_number'),
    *('frame_num', 'frame_no', 'frameid', 'frames', 'image_id'),
)
PERSON = (
    *('person', 'person_id', 'track', 'track_id', 'idx', 'individual'),
    *('individuals', 'subject', 'pose_id', 'person_idx'),
)
KEYPOINT = (
    *('landmark_name', 'keypoint_name', 'joint_name', 'landmark', 'keypoint'),
    *('joint', 'bodypart', 'body_part', 'name', 'landmark_id', 'keypoint_id'),
    *('landmark_index', 'landmark_idx', 'joint_id', 'index', 'id'),
)
# In order of preference.
_SCORES = (
    *('score', 'confidence', 'conf', 'likelihood', 'probability', 'prob'),
    *('c', 'p', 's'),
)
_VISIBILITY = ('visibility', 'visible', 'vis', 'v')
_AXES = ('x', 'y', 'z')
_ALL = '|'.join((*_AXES, *_SCORES, *_VISIBILITY))
_AFTER = re.compile(rf'(.*[^\s_.:/-])[\s_.:/-]+({_ALL})', re.IGNORECASE)
_CAPITAL = re.compile(r'(.*[a-z0-9])([XYZ])')
_BEFORE = re.compile(rf'({_ALL})(?:[\s_.:-]*(\d+)|[\s_.:-]+(.+))', re.I)
# What is not a keypoint: what hanet-mm wrote, and boxes.
_NONE = re.compile(r'(.*_)?(input|filled|bbox|box)', re.IGNORECASE)
# Of MediaPipe's holistic models: the pose comes first.
_POSE_FIRST = (501, 543)
_POSE = SKELETONS['mediapipe33'].keypoint_names


@dataclass
class Columns:
    """Columns of the keypoints, by name: K names and those of each axis.

    ``keypoint`` is the column that names the keypoint of a row, where each
    row is a keypoint; names are then those in the cells.
    """

    names: List[str]
    axes: Dict[str, List[str]] = field(default_factory=dict)
    scores: Optional[List[Optional[str]]] = None
    is_visibility: bool = False
    frame: Optional[str] = None
    time: Optional[str] = None
    person: Optional[str] = None
    keypoint: Optional[str] = None


def find_columns(header: Sequence[str]) -> Optional[Columns]:
    """The columns of a table; None if it has no keypoints.

    Names of keypoints in rows are left empty.
    """
    found = _find_wide(header)
    plain = {
        re.sub(r'[\W_]+', '_', x.lower()).strip('_'): x
        for x in reversed(header)
    }
    if found is None:
        found = _find_long(plain)
    if found is None:
        return None

    def first(names: Sequence[str]) -> Optional[str]:
        return next((plain[x] for x in names if x in plain), None)

    found.frame, found.time = first(FRAME), first(TIME)
    found.person = first(PERSON)
    return found


def name_numbered(numbers: Sequence[str]) -> Optional[List[str]]:
    """Names of keypoints that are numbered from 0 or 1, if they are those of
    MediaPipe.
    """
    if len(numbers) == len(_POSE):
        return list(_POSE)
    return None


def _find_wide(header: Sequence[str]) -> Optional[Columns]:
    """Columns for each axis of each keypoint."""
    best: Dict[str, Dict[str, str]] = {}
    for split in (_split_after, _split_before):
        found: Dict[str, Dict[str, str]] = {}
        for column in header:
            name, axis = split(column)
            if name and not _NONE.fullmatch(name):
                found.setdefault(name, {}).setdefault(axis, column)
        found = {k: v for k, v in found.items() if {'x', 'y'} <= {*v}}
        if len(found) > len(best):
            best = found
    if not best:
        return None
    names = list(best)
    if len(names) in _POSE_FIRST and all(x.isdecimal() for x in names):
        names = names[: len(_POSE)]
    axes = {
        axis: [best[name][axis] for name in names]
        for axis in _AXES
        if all(axis in best[name] for name in names)
    }
    result = Columns(names, axes)
    for kinds, is_visibility in ((_SCORES, False), (_VISIBILITY, True)):
        for kind in kinds:
            columns = [best[name].get(kind) for name in names]
            if any(columns):
                result.scores = columns
                result.is_visibility = is_visibility
                return result
    return result


def _find_long(plain: Dict[str, str]) -> Optional[Columns]:
    """Columns of a table with a row for each keypoint."""
    keypoint = next((plain[x] for x in KEYPOINT if x in plain), None)
    if keypoint is None or not {'x', 'y'} <= {*plain}:
        return None
    axes = {axis: [plain[axis]] for axis in _AXES if axis in plain}
    result = Columns([], axes, keypoint=keypoint)
    kind = next((x for x in (*_SCORES, *_VISIBILITY) if x in plain), None)
    if kind is not None:
        result.scores = [plain[kind]]
        result.is_visibility = kind in _VISIBILITY
    return result


def _split_after(column: str) -> Tuple[str, str]:
    """Name and axis of ``nose_x``, ``nose.x``, ``NoseX``; '' for others."""
    match = _AFTER.fullmatch(column) or _CAPITAL.fullmatch(column)
    return (match[1], match[2].lower()) if match else ('', '')


def _split_before(column: str) -> Tuple[str, str]:
    """Name and axis of ``x1``, ``x_0``, ``x_nose``; '' for others."""
    match = _BEFORE.fullmatch(column)
    return (match[2] or match[3], match[1].lower()) if match else ('', '')
