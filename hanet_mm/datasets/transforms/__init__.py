from .pack_pose_sequence_inputs import PackPoseSequenceInputs

__all__ = ['PackPoseSequenceInputs']
