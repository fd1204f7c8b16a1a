# Copyright (c) hanet_mm contributors. All rights reserved.
"""Metrics over whole pose sequences."""

from .mean_errors import AccelError, SequenceMPJAE, SequenceMPJPE
from .pose_sequence_metric import PoseSequenceMetric
from .pose_sequence_pck import PoseSequencePCK
from .posetrack_ap import PoseTrackAP
from .smpl_metric import SMPLMetric

__all__ = [
    'AccelError',
    'PoseSequenceMetric',
    'PoseSequencePCK',
    'PoseTrackAP',
    'SMPLMetric',
    'SequenceMPJAE',
    'SequenceMPJPE',
]
