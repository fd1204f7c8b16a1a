"""Sub-JHMDB: one person, 15 joints, 2D."""

from mmpose.registry import DATASETS

from .pose_sequence_dataset import PoseSequenceDataset


@DATASETS.register_module()
class JhmdbSequenceDataset(PoseSequenceDataset):
    """Estimated and annotated poses of JHMDB clips.

    Keypoints and skeleton are those of MMPose's JHMDB data sets; files come
    from the converters of ``tools/dataset_converters``.
    """

    METAINFO = dict(from_file='configs/_base_/datasets/jhmdb.py')
