"""Human3.6M: one person, 17 joints, 3D."""

from mmpose.registry import DATASETS

from .pose_sequence_dataset import PoseSequenceDataset


@DATASETS.register_module()
class Human36mSequenceDataset(PoseSequenceDataset):
    """Estimated and recorded 3D poses of Human3.6M, in metres.

    Keypoints and skeleton are those of MMPose's Human3.6M data sets; files
    come from ``tools/dataset_converters/published_3d.py``.
    """

    METAINFO = dict(from_file='configs/_base_/datasets/h36m.py')
    ROOT = (0,)
    UNITS = 'm'
