"""PoseTrack: several people in a video, of which few frames are annotated."""

from mmpose.registry import DATASETS

from hanet_mm.core.data.sequences import PoseSequences, load_pose_sequences

from .metainfo.posetrack15 import posetrack15
from .pose_sequence_dataset import PoseSequenceDataset


class _PoseTrackSequenceDataset(PoseSequenceDataset):
    """What the releases of PoseTrack have in common.

    A sequence is one person of a video. Persons who were annotated but never
    found stay in tests, where they count as misses.

    In tests the metainfo has ``ignore_regions``, ``{video: {frame number:
    polygons}}``, for the metrics. In training it has not: nothing needs them
    there, and MMEngine writes the metainfo into each checkpoint.

    Raises:
        ValueError: If the file says that it is of another data set.
    """

    METAINFO = posetrack15
    # What the field 'meta' of a file has to say, where it says anything.
    DATASET = ''

    def load_sequences(self) -> PoseSequences:
        """Read all sequences, with those of persons who were never found."""
        sequences = load_pose_sequences(
            self.ann_file, require=('keypoints_gt',), allow_empty=True
        )
        found = sequences.meta.get('dataset', self.DATASET)
        if found != self.DATASET:
            raise ValueError(
                f"{self.ann_file}: field 'meta': expected the dataset "
                f'{self.DATASET!r}, found {found!r}'
            )
        if self.test_mode:
            self._metainfo['ignore_regions'] = sequences.meta.get(
                'ignore_regions', {}
            )
        return sequences


@DATASETS.register_module()
class PoseTrack17SequenceDataset(_PoseTrackSequenceDataset):
    """Estimated and annotated 2D poses of PoseTrack 2017, in pixels.

    Files come from ``tools/dataset_converters/posetrack.py``.
    """

    DATASET = 'posetrack17'


@DATASETS.register_module()
class PoseTrack18SequenceDataset(_PoseTrackSequenceDataset):
    """Estimated and annotated 2D poses of PoseTrack 2018, in pixels.

    Files come from ``tools/dataset_converters/posetrack.py``.
    """

    DATASET = 'posetrack18'
