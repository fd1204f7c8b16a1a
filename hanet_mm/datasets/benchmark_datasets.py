# Copyright (c) hanet_mm contributors. All rights reserved.
"""Data sets of the paper's benchmarks.

Each is a :class:`PoseSequenceDataset` with the metainfo, root and units of
its data, a few lines long, so they share a file. Data files come from the
converters of hanet_mm (``tools/dataset_converters``).
"""

from mmpose.registry import DATASETS

from hanet_mm.core.data.sequences import PoseSequences, load_pose_sequences

from .metainfo import lsp14, posetrack15, smpl24
from .pose_sequence_dataset import PoseSequenceDataset


@DATASETS.register_module()
class JhmdbSequenceDataset(PoseSequenceDataset):
    """Estimated and annotated 2D poses of JHMDB clips, 15 joints, in pixels.

    Keypoints and skeleton are those of MMPose's JHMDB data sets.
    """

    METAINFO = dict(from_file='configs/_base_/datasets/jhmdb.py')


@DATASETS.register_module()
class Human36mSequenceDataset(PoseSequenceDataset):
    """Estimated and recorded 3D poses of Human3.6M, 17 joints, in metres.

    Keypoints and skeleton are those of MMPose's Human3.6M data sets.
    """

    METAINFO = dict(from_file='configs/_base_/datasets/h36m.py')
    ROOT = (0,)
    UNITS = 'm'


@DATASETS.register_module()
class MpiInf3dhpSequenceDataset(PoseSequenceDataset):
    """Estimated and captured 3D poses of MPI-INF-3DHP, 17 joints, in metres.

    Keypoints and skeleton are those of MMPose's ``mpi_inf_3dhp``.
    """

    METAINFO = dict(from_file='configs/_base_/datasets/mpi_inf_3dhp.py')
    ROOT = (14,)
    UNITS = 'm'


@DATASETS.register_module()
class AistSequenceDataset(PoseSequenceDataset):
    """Estimated and reconstructed 3D joints of AIST++, in metres.

    The 14 joints are those of Leeds Sports Pose, the root is the midpoint of
    the hips.
    """

    METAINFO = lsp14
    ROOT = (2, 3)
    UNITS = 'm'


@DATASETS.register_module()
class AistSmplSequenceDataset(PoseSequenceDataset):
    """Estimated and reconstructed SMPL rotations of AIST++.

    Call the converter with ``--smpl``.
    """

    METAINFO = smpl24
    UNITS = 'rot6d'


@DATASETS.register_module()
class Pw3dSequenceDataset(PoseSequenceDataset):
    """Estimated and recorded 3D joints of 3DPW, in metres.

    The 14 joints are those of Leeds Sports Pose, the root is the midpoint of
    the hips.
    """

    METAINFO = lsp14
    ROOT = (2, 3)
    UNITS = 'm'


@DATASETS.register_module()
class Pw3dSmplSequenceDataset(PoseSequenceDataset):
    """Estimated and recorded SMPL rotations of 3DPW.

    Call the converter with ``--smpl``.
    """

    METAINFO = smpl24
    UNITS = 'rot6d'


class _PoseTrackSequenceDataset(PoseSequenceDataset):
    """Sparsely annotated videos of several people, one person a sequence.

    Persons who were annotated but never found stay in tests, where they count
    as misses.

    In tests the metainfo has ``ignore_regions``, ``{video: {frame number:
    polygons}}``, for the metrics. In training it has not: nothing needs them
    there, and MMEngine writes the metainfo into each checkpoint.

    Raises:
        ValueError: If the file declares another data set.
    """

    METAINFO = posetrack15
    # The data set that the field 'meta' of a file names, if any.
    DATASET = ''

    def load_sequences(self, path: str) -> PoseSequences:
        """Read a file, also of persons who were never found."""
        sequences = load_pose_sequences(
            path, require=('keypoints_gt',), allow_empty=True
        )
        found = sequences.meta.get('dataset', self.DATASET)
        if found != self.DATASET:
            raise ValueError(
                f"{path}: field 'meta': expected the dataset "
                f'{self.DATASET!r}, found {found!r}'
            )
        if self.test_mode:
            regions = self._metainfo.setdefault('ignore_regions', {})
            regions.update(sequences.meta.get('ignore_regions', {}))
        return sequences


@DATASETS.register_module()
class PoseTrack17SequenceDataset(_PoseTrackSequenceDataset):
    """Estimated and annotated 2D poses of PoseTrack 2017, in pixels."""

    DATASET = 'posetrack17'


@DATASETS.register_module()
class PoseTrack18SequenceDataset(_PoseTrackSequenceDataset):
    """Estimated and annotated 2D poses of PoseTrack 2018, in pixels."""

    DATASET = 'posetrack18'
