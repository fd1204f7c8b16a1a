"""Real motion of the CMU database, seen by a simulated 3D estimator."""

from typing import ClassVar, Dict, Optional, Tuple, Union

import numpy as np
from mmpose.registry import DATASETS

from hanet_mm.core.data.sequences import PoseSequences

from .cmu_mocap import (
    RECORDING_PARTS,
    Recordings,
    load_recordings,
    recording_parts,
    sample_view,
)
from .pose_sequence_dataset import PoseSequenceDataset
from .synthetic import estimator_noise, simulate_estimator_noise

# Metainfo and root of the skeletons.
SKELETONS: Dict[str, Tuple[str, Tuple[int, ...]]] = {
    'h36m17': ('configs/_base_/datasets/h36m.py', (0,)),
    'coco17': ('configs/_base_/datasets/coco.py', (11, 12)),
}


@DATASETS.register_module()
class CmuMocapSequenceDataset(PoseSequenceDataset):
    """Captured 3D poses in camera coordinates with simulated estimates.

    The motion is real, the camera and the errors of the estimates are drawn
    from the seed when the data are loaded: the same seed gives the same
    data in every part. Give training the transform
    :class:`SimulateEstimatorNoise` as well, which draws errors anew for each
    window. Frames that the file marks as not clean get weight 0.

    The data were obtained from mocap.cs.cmu.edu; the database was created
    with funding from NSF EIA-0196217.

    Args:
        ann_file (str): File, see
            :func:`hanet_mm.datasets.cmu_mocap.load_recordings`.
        skeleton (str): 'h36m17' or 'coco17'.
        part (str, optional): 'train', 'val' or 'test': disjoint sets of
            recordings, see
            :func:`hanet_mm.datasets.cmu_mocap.recording_parts`. A person
            may be in several. Defaults to None: all recordings.
        noise (str or dict, optional): Errors of the estimates: the name of
            a preset or arguments of :class:`EstimatorNoise`. Defaults to
            'lifter'.
        seed (int): Of the cameras and errors, >= 0. Defaults to 0.
        metainfo (dict, optional): Defaults to that of the skeleton.
        **kwargs: Of :class:`PoseSequenceDataset`.

    Raises:
        ValueError: For an unknown skeleton or part, a part without
            recordings, or a file that does not fit.
    """

    METAINFO: ClassVar[dict] = dict(from_file=SKELETONS['h36m17'][0])
    ROOT = SKELETONS['h36m17'][1]
    UNITS = 'm'

    def __init__(
        self,
        ann_file: str = '',
        skeleton: str = 'h36m17',
        part: Optional[str] = None,
        noise: Union[str, dict, None] = 'lifter',
        seed: int = 0,
        metainfo: Optional[dict] = None,
        **kwargs,
    ):
        if skeleton not in SKELETONS:
            raise ValueError(
                f'skeleton has to be one of {tuple(SKELETONS)}, '
                f'got {skeleton!r}'
            )
        self.skeleton = skeleton
        self.recording_part = check_recording_part(part)
        self.noise = estimator_noise(noise)
        self.seed = seed
        source, root = SKELETONS[skeleton]
        # The parts are made of whole recordings below, not by the parent.
        super().__init__(
            ann_file=ann_file,
            metainfo=metainfo or dict(from_file=source),
            **kwargs,
        )
        self._metainfo['root_indices'] = list(root)

    def load_sequences(self) -> PoseSequences:
        """Read the recordings, place cameras and simulate estimates."""
        recordings, numbers = load_recording_part(
            self.ann_file, self.skeleton, self.recording_part
        )
        shape = recordings.joints.shape
        truth = np.empty(shape, dtype=np.float32)
        estimates = np.empty(shape, dtype=np.float32)
        scores = np.empty(shape[:2], dtype=np.float32)
        ends = np.cumsum(recordings.seq_len)
        for number, end, length in zip(numbers, ends, recordings.seq_len):
            frames = slice(end - length, end)
            truth[frames], estimates[frames], scores[frames] = self._observe(
                recordings.joints[frames], recordings.names, int(number)
            )
        visible = np.repeat(recordings.clean[:, None], shape[1], axis=1)
        return PoseSequences(
            keypoints_est=estimates,
            scores=scores,
            seq_len=recordings.seq_len,
            seq_name=recordings.seq_name,
            keypoints_gt=truth,
            visible=visible.astype(np.float32),
            fps=recordings.fps,
            meta=dict(
                dataset='cmu_mocap',
                estimator='simulated',
                units='m',
                keypoint_names=list(recordings.names),
            ),
        )

    def _observe(
        self, joints: np.ndarray, names: Tuple[str, ...], number: int
    ) -> Tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Truth before the camera, estimates and scores of a recording."""
        seeds = np.random.SeedSequence((self.seed, number)).spawn(2)
        view_rng, noise_rng = map(np.random.default_rng, seeds)
        rotation, shift = sample_view(view_rng, joints)
        truth = (joints @ rotation.T + shift).astype(np.float32)
        size = np.ptp(truth, axis=1).max(axis=-1)
        estimates, scores = simulate_estimator_noise(
            truth, size, noise_rng, self.noise, names
        )
        return truth, estimates, scores


def check_recording_part(part: Optional[str]) -> Optional[str]:
    """Raise a ValueError unless ``part`` is one of the recordings' parts."""
    if part is not None and part not in RECORDING_PARTS:
        raise ValueError(
            f'part has to be one of {RECORDING_PARTS}, got {part!r}'
        )
    return part


def load_recording_part(
    path: str, skeleton: str, part: Optional[str]
) -> Tuple[Recordings, np.ndarray]:
    """The recordings of a part, and their numbers in the file, (S,).

    Raises:
        ValueError: If the file does not fit or the part is empty.
    """
    recordings = load_recordings(path, skeleton)
    parts = recording_parts(recordings.seq_name)
    chosen = np.ones(len(parts), bool) if part is None else parts == part
    if not chosen.any():
        raise ValueError(
            f'{path}: no recording for the part {part!r} among '
            f'{len(parts)}: every kind of recording needs at least 5'
        )
    return recordings.select(chosen), np.flatnonzero(chosen)
