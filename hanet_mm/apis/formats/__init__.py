# Copyright (c) hanet_mm contributors. All rights reserved.
"""Readers and writers of pose files.

A format is one module of this package and one line in
:data:`hanet_mm.apis.formats.registry.FORMATS`. To add a format:

1. Write ``formats/<name>.py`` with ``matches(source) -> bool``, whether a
   :class:`Source` looks like the format, and ``read(source) -> PoseFile``.
2. Subclass :class:`PoseFile`: ``tracks`` holds the persons, ``save`` writes
   the same format. Files that list the persons of each frame subclass
   :class:`hanet_mm.apis.formats.base.DetectionFile`, which links them
   over time and brings refined keypoints back to them.
3. Add ``'<name>': (endings, ...)`` to ``FORMATS``, before the formats that
   would match the file too.

Missing keypoints are NaN or have score 0. A format without scores gives None:
no reader and no writer invents a score.
"""

from .base import PersonTrack, PoseFile, Source
from .registry import (
    FORMATS,
    KINDS,
    check_no_address,
    is_pose_folder,
    open_poses,
)

__all__ = [
    'FORMATS',
    'KINDS',
    'PersonTrack',
    'PoseFile',
    'Source',
    'check_no_address',
    'is_pose_folder',
    'open_poses',
]
