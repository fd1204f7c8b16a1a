"""3DPW: one track a person, 14 joints in 3D or 24 SMPL rotations."""

from mmpose.registry import DATASETS

from .metainfo.lsp14 import lsp14
from .metainfo.smpl24 import smpl24
from .pose_sequence_dataset import PoseSequenceDataset


@DATASETS.register_module()
class Pw3dSequenceDataset(PoseSequenceDataset):
    """Estimated and recorded 3D joints of 3DPW, in metres.

    The 14 joints are those of Leeds Sports Pose, the root is the middle of
    the hips; files come from the converters of ``tools/dataset_converters``.
    """

    METAINFO = lsp14
    ROOT = (2, 3)
    UNITS = 'm'


@DATASETS.register_module()
class Pw3dSmplSequenceDataset(PoseSequenceDataset):
    """Estimated and recorded SMPL rotations of 3DPW.

    Files come from the converters of ``tools/dataset_converters``, called
    with ``--smpl``.
    """

    METAINFO = smpl24
    ROOT = None
    UNITS = 'rot6d'
