from .pose_sequence_data_preprocessor import PoseSequenceDataPreprocessor

__all__ = ['PoseSequenceDataPreprocessor']
