from .pose_sequence_codec import PoseSequenceCodec

__all__ = ['PoseSequenceCodec']
