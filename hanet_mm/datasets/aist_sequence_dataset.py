"""AIST++: one dancer, 14 joints in 3D or 24 SMPL rotations."""

from mmpose.registry import DATASETS

from .metainfo.lsp14 import lsp14
from .metainfo.smpl24 import smpl24
from .pose_sequence_dataset import PoseSequenceDataset


@DATASETS.register_module()
class AistSequenceDataset(PoseSequenceDataset):
    """Estimated and reconstructed 3D joints of AIST++, in metres.

    The 14 joints are those of Leeds Sports Pose, the root is the middle of
    the hips; files come from the converters of ``tools/dataset_converters``.
    """

    METAINFO = lsp14
    ROOT = (2, 3)
    UNITS = 'm'


@DATASETS.register_module()
class AistSmplSequenceDataset(PoseSequenceDataset):
    """Estimated and reconstructed SMPL rotations of AIST++.

    Files come from the converters of ``tools/dataset_converters``, called
    with ``--smpl``.
    """

    METAINFO = smpl24
    ROOT = None
    UNITS = 'rot6d'
