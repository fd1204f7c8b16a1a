from .jhmdb_sequence_dataset import JhmdbSequenceDataset
from .pose_sequence_dataset import PoseSequenceDataset
from .transforms import *  # noqa: F403

__all__ = ['JhmdbSequenceDataset', 'PoseSequenceDataset']
