"""Rotations from real motion, seen by a simulated estimator of SMPL."""

from typing import Optional

import numpy as np
from mmpose.registry import DATASETS

from hanet_mm.core.data.sequences import PoseSequences
from hanet_mm.core.poses.body import mean_adult_offsets

from .cmu_mocap import sample_view
from .cmu_mocap_sequence_dataset import (
    check_recording_part,
    load_recording_part,
)
from .joints_to_smpl import (
    CMU_UNKNOWN,
    cmu_to_smpl_joints,
    rotations_from_joints,
)
from .metainfo.smpl24 import smpl24
from .pose_sequence_dataset import PoseSequenceDataset
from .synthetic.rotation_noise import rotation_noise, simulate_rotation_noise


@DATASETS.register_module()
class CmuMocapSmplSequenceDataset(PoseSequenceDataset):
    """Rotations of SMPL's joints from captured places of joints.

    The rotations turn the bones of a mean adult into the captured
    directions, see
    :func:`hanet_mm.datasets.joints_to_smpl.rotations_from_joints`; they are
    no fit of SMPL. Cameras and errors of the estimates are drawn from the
    seed when the data are loaded; give training the transform
    :class:`SimulateRotationNoise` as well. Frames that the file marks as not
    clean get weight 0. Parts are those of :class:`CmuMocapSequenceDataset`.

    The data were obtained from mocap.cs.cmu.edu; the database was created
    with funding from NSF EIA-0196217.

    Args:
        ann_file (str): File, see
            :func:`hanet_mm.datasets.cmu_mocap.load_recordings`; of it the
            full skeleton ``joints_3d`` is read.
        part (str, optional): 'train', 'val' or 'test'. Defaults to None: all
            recordings.
        noise (dict, optional): Arguments of :class:`RotationNoise`. Defaults
            to None: its defaults.
        seed (int): Of the cameras and errors, >= 0. Defaults to 0.
        **kwargs: Of :class:`PoseSequenceDataset`.

    Raises:
        ValueError: For an unknown part, a part without recordings, or a file
            that does not fit.
    """

    METAINFO = smpl24
    ROOT = None
    UNITS = 'rot6d'

    def __init__(
        self,
        ann_file: str = '',
        part: Optional[str] = None,
        noise: Optional[dict] = None,
        seed: int = 0,
        **kwargs,
    ):
        self.recording_part = check_recording_part(part)
        self.noise = rotation_noise(noise)
        self.seed = seed
        # The parts are made of whole recordings below, not by the parent.
        super().__init__(ann_file=ann_file, **kwargs)

    def load_sequences(self) -> PoseSequences:
        """Read the recordings, turn them and simulate estimates."""
        recordings, numbers = load_recording_part(
            self.ann_file, 'joints_3d', self.recording_part
        )
        try:
            joints = cmu_to_smpl_joints(recordings.joints, recordings.names)
        except ValueError as error:
            raise ValueError(f'{self.ann_file}: {error}') from None
        truth = rotations_from_joints(
            joints, mean_adult_offsets().numpy(), unknown=CMU_UNKNOWN
        )
        estimates = np.empty(truth.shape, dtype=np.float32)
        scores = np.empty(truth.shape[:2], dtype=np.float32)
        ends = np.cumsum(recordings.seq_len)
        for number, end, length in zip(numbers, ends, recordings.seq_len):
            frames = slice(end - length, end)
            seeds = np.random.SeedSequence((self.seed, int(number))).spawn(2)
            view_rng, noise_rng = map(np.random.default_rng, seeds)
            turn, _ = sample_view(view_rng, joints[frames])
            truth[frames, 0] = turn @ truth[frames, 0]
            estimates[frames], scores[frames] = simulate_rotation_noise(
                truth[frames], noise_rng, self.noise
            )
        visible = np.repeat(recordings.clean[:, None], truth.shape[1], axis=1)
        return PoseSequences(
            keypoints_est=_rot6d(estimates),
            scores=scores,
            seq_len=recordings.seq_len,
            seq_name=recordings.seq_name,
            keypoints_gt=_rot6d(truth),
            visible=visible.astype(np.float32),
            fps=recordings.fps,
            meta=dict(
                dataset='cmu_mocap',
                estimator='simulated',
                units='rot6d',
                keypoint_names=[
                    self._metainfo['keypoint_id2name'][i]
                    for i in range(truth.shape[1])
                ],
            ),
        )


def _rot6d(matrices: np.ndarray) -> np.ndarray:
    """First two columns row by row, (N, K, 3, 3) -> (N, K, 6) float32."""
    flat = matrices[..., :2].reshape(*matrices.shape[:2], 6)
    return flat.astype(np.float32)
