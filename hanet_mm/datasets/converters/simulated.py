"""Simulated people and estimators as a file, to measure refiners on."""

from typing import Any, Dict

import numpy as np

from hanet_mm.core.data.files import PathLike
from hanet_mm.core.data.sequences import PoseSequences, save_pose_sequences

from ..simulated_pose_sequence_dataset import SimulatedPoseSequenceDataset
from .progress import track


def write_simulated(
    out: PathLike, dataset: Dict[str, Any], progress: bool = False
) -> PoseSequences:
    """Write the windows of a data set of simulated people as sequences.

    Args:
        out (PathLike): The flat ``.npz`` to write.
        dataset (dict): Arguments of :class:`SimulatedPoseSequenceDataset`,
            but for the pipeline.
        progress (bool): Whether to show a progress bar. Defaults to False.

    Returns:
        PoseSequences: What was written.

    Raises:
        ValueError: If an argument or the file of motion is wrong.
    """
    source = SimulatedPoseSequenceDataset(**dataset)
    source.full_init()
    infos = [
        source.get_data_info(index)
        for index in track(range(len(source)), 'simulating', progress)
    ]

    def flat(key: str) -> np.ndarray:
        return np.concatenate([info[key] for info in infos])

    missing = ~flat('keypoints_valid')[..., None]
    optional = {}
    if 'bboxes' in infos[0]:
        optional = dict(
            bboxes=flat('bboxes'),
            image_size=np.stack([info['image_size'] for info in infos]),
        )
    sequences = PoseSequences(
        keypoints_est=np.where(missing, np.nan, flat('keypoints')),
        scores=flat('keypoint_scores'),
        seq_len=[len(info['keypoints']) for info in infos],
        seq_name=[info['seq_name'] for info in infos],
        keypoints_gt=flat('keypoints_gt'),
        visible=flat('keypoints_visible'),
        fps=[info['fps'] for info in infos],
        meta=dict(
            dataset='simulated',
            estimator='simulated',
            units='px' if optional else 'm',
            keypoint_names=list(infos[0]['keypoint_names']),
        ),
        **optional,
    )
    save_pose_sequences(out, sequences)
    return sequences
