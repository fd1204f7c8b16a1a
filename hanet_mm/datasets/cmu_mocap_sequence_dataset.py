# Copyright (c) hanet_mm contributors. All rights reserved.
"""Real motion of the CMU database with simulated estimates: joints, SMPL.

Both classes share how recordings are chosen and seen, so they share a file.
"""

from typing import ClassVar, Dict, Iterator, Optional, Sequence, Tuple, Union

import numpy as np
from mmpose.registry import DATASETS

from hanet_mm.core.data.sequences import PoseSequences
from hanet_mm.core.poses.body import mean_adult_offsets
from hanet_mm.core.poses.boxes import box_sizes, boxes_around

from .cmu_mocap import (
    Recordings,
    check_recording_part,
    load_recordings_of_part,
)
from .joints_to_smpl import (
    CMU_UNKNOWN,
    cmu_to_smpl_joints,
    rotations_from_joints,
)
from .metainfo import smpl24
from .pose_sequence_dataset import PoseSequenceDataset, keypoint_names
from .simulation import (
    RotationNoise,
    noise_source,
    simulate_estimator_noise,
    simulate_rotation_noise,
)
from .simulation.cameras import sample_view

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
        noise (str or dict, optional): Errors of the estimates, see
            :func:`hanet_mm.datasets.simulation.noise_source`.
        seed (int): Of the cameras and errors, >= 0.
        metainfo (dict, optional): Defaults to that of the skeleton.
        **kwargs: Of :class:`PoseSequenceDataset`.

    Raises:
        ValueError: If skeleton, part or noise are unknown, the part has no
            recordings, or the file does not fit.
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
        self.noise = noise_source(noise)
        self.seed = seed
        source, root = SKELETONS[skeleton]
        # The parts are made of whole recordings below, not by the parent.
        super().__init__(
            ann_file=ann_file,
            metainfo=metainfo or dict(from_file=source),
            **kwargs,
        )
        self._metainfo['root_indices'] = list(root)

    def load_sequences(self, path: str) -> PoseSequences:
        """Read the recordings, place cameras and simulate estimates."""
        recordings, numbers = load_recordings_of_part(
            path, self.skeleton, self.recording_part
        )
        joints, names = recordings.joints, recordings.names
        truth, estimates = np.empty_like(joints), np.empty_like(joints)
        scores = np.empty(joints.shape[:2], dtype=np.float32)
        views = _views(recordings, joints, numbers, self.seed)
        for frames, rotation, shift, rng in views:
            seen = joints[frames] @ rotation.T + shift
            truth[frames] = seen = seen.astype(np.float32)
            estimates[frames], scores[frames] = simulate_estimator_noise(
                seen,
                box_sizes(boxes_around(seen)),
                rng,
                self.noise.draw(rng, 1),
                names,
            )
        return _as_sequences(recordings, truth, estimates, scores, 'm', names)


@DATASETS.register_module()
class CmuMocapSmplSequenceDataset(PoseSequenceDataset):
    """SMPL rotations from captured joint positions, simulated estimates.

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
        seed (int): Of the cameras and errors, >= 0.
        **kwargs: Of :class:`PoseSequenceDataset`.

    Raises:
        ValueError: If the part is unknown or has no recordings, or the file
            does not fit.
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
        self.noise = RotationNoise(**(noise or {}))
        self.seed = seed
        # The parts are made of whole recordings below, not by the parent.
        super().__init__(ann_file=ann_file, **kwargs)

    def load_sequences(self, path: str) -> PoseSequences:
        """Read the recordings, turn them and simulate estimates."""
        recordings, numbers = load_recordings_of_part(
            path, 'joints_3d', self.recording_part
        )
        try:
            joints = cmu_to_smpl_joints(recordings.joints, recordings.names)
        except ValueError as error:
            raise ValueError(f'{path}: {error}') from None
        truth = rotations_from_joints(
            joints, mean_adult_offsets().numpy(), unknown=CMU_UNKNOWN
        )
        estimates = np.empty(truth.shape, dtype=np.float32)
        scores = np.empty(truth.shape[:2], dtype=np.float32)
        views = _views(recordings, joints, numbers, self.seed)
        for frames, rotation, _, rng in views:
            truth[frames, 0] = rotation @ truth[frames, 0]
            estimates[frames], scores[frames] = simulate_rotation_noise(
                truth[frames], rng, self.noise
            )
        return _as_sequences(
            recordings,
            _rot6d(truth),
            _rot6d(estimates),
            scores,
            'rot6d',
            keypoint_names(self._metainfo),
        )


def _views(
    recordings: Recordings, joints: np.ndarray, numbers: np.ndarray, seed: int
) -> Iterator[Tuple[slice, np.ndarray, np.ndarray, np.random.Generator]]:
    """Frames of each recording, rotation and shift to its camera, noise rng.

    They depend on the seed and the number of the recording in the file.
    """
    ends = np.cumsum(recordings.seq_len)
    for number, end, length in zip(numbers, ends, recordings.seq_len):
        frames = slice(end - length, end)
        seeds = np.random.SeedSequence((seed, int(number))).spawn(2)
        view_rng, noise_rng = map(np.random.default_rng, seeds)
        rotation, shift = sample_view(view_rng, joints[frames])
        yield frames, rotation, shift, noise_rng


def _as_sequences(
    recordings: Recordings,
    truth: np.ndarray,
    estimates: np.ndarray,
    scores: np.ndarray,
    units: str,
    names: Sequence[str],
) -> PoseSequences:
    visible = np.repeat(recordings.clean[:, None], scores.shape[1], axis=1)
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
            units=units,
            keypoint_names=list(names),
        ),
    )


def _rot6d(matrices: np.ndarray) -> np.ndarray:
    """First two columns row by row, (N, K, 3, 3) -> (N, K, 6) float32."""
    flat = matrices[..., :2].reshape(*matrices.shape[:2], 6)
    return flat.astype(np.float32)
