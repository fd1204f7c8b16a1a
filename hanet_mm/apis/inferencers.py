# Copyright (c) hanet_mm contributors. All rights reserved.
"""The inferencer that MMPose finds by name; see :mod:`hanet_mm.apis.video`."""

from .video.inferencer import PoseRefinementInferencer

__all__ = ['PoseRefinementInferencer']
