"""Procedural people with simulated estimates: needs no files."""

from typing import ClassVar, Optional, Tuple

from mmpose.registry import DATASETS

from hanet_mm.core.data.sequences import PoseSequences

from .pose_sequence_dataset import PoseSequenceDataset
from .synthetic import EstimatorNoise, generate_synthetic_sequences


@DATASETS.register_module()
class SyntheticPoseSequenceDataset(PoseSequenceDataset):
    """People who walk, turn, reach, jump and squat before a camera.

    Made when the dataset is initialised, from the seed alone, at tens of
    thousands of frames per second. Two seeds share neither people nor
    movements, cameras and errors: give train, val and test their own.
    Keypoints and skeleton are those of JHMDB.

    Args:
        num_sequences (int): Number of sequences. Defaults to 256.
        seq_len_range (Tuple[int, int]): Shortest and longest sequence in
            frames. Defaults to (40, 80).
        seed (int): Seed >= 0. Defaults to 0.
        noise (dict, optional): Arguments of :class:`EstimatorNoise`.
            Defaults to None: its defaults.
        **kwargs: Of :class:`PoseSequenceDataset`.
    """

    METAINFO: ClassVar[dict] = dict(
        from_file='configs/_base_/datasets/jhmdb.py'
    )

    def __init__(
        self,
        num_sequences: int = 256,
        seq_len_range: Tuple[int, int] = (40, 80),
        seed: int = 0,
        noise: Optional[dict] = None,
        **kwargs,
    ):
        self.num_sequences = num_sequences
        self.seq_len_range = seq_len_range
        self.seed = seed
        self.noise = EstimatorNoise(**(noise or {}))
        super().__init__(**kwargs)

    def load_sequences(self) -> PoseSequences:
        """Generate the sequences."""
        return generate_synthetic_sequences(
            self.num_sequences,
            self.seq_len_range,
            self.seed,
            noise=self.noise,
        )
