# Copyright (c) hanet_mm contributors. All rights reserved.
from .pose_sequence_codec import PoseSequenceCodec

__all__ = ['PoseSequenceCodec']
