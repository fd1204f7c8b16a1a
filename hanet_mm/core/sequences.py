# Copyright (c) hanet_mm contributors. All rights reserved.
"""The documented path of :mod:`hanet_mm.core.data.sequences`."""

from .data.sequences import (
    PoseSequences,
    load_pose_sequences,
    save_pose_sequences,
)

__all__ = ['PoseSequences', 'load_pose_sequences', 'save_pose_sequences']
