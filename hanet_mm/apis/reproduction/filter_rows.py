"""Classical filters, tuned on the training sequences of a data set."""

from typing import Any, Dict

import numpy as np

from hanet_mm.core.data.sequences import PoseSequences
from hanet_mm.datasets.pose_sequence_dataset import PoseSequenceDataset
from hanet_mm.filters.tuning import tune_filter

from .methods import FilterMethod
from .protocols import Windows

FILTER_TITLES: Dict[str, str] = {
    'savgol': 'Savitzky-Golay',
    'butterworth': 'Butterworth',
    'gaussian': 'Gaussian',
    'one_euro': 'One-Euro',
    'kalman': 'Kalman',
}
# Enough for one or two parameters; Human3.6M has 1.6 million to train on.
MAX_TUNING_FRAMES = 200_000


def training_sequences(
    dataset: PoseSequenceDataset, max_frames: int = MAX_TUNING_FRAMES
) -> PoseSequences:
    """Training sequences to tune with, spread evenly over the data set.

    Args:
        dataset (PoseSequenceDataset): Of whole sequences.
        max_frames (int): About so many frames are taken, or one sequence.
            Defaults to 200000.

    Returns:
        PoseSequences: In the units that the network gets; sequences without
        any estimate are left out.
    """
    items = [dataset.get_data_info(i) for i in range(len(dataset))]
    items = [x for x in items if x['keypoints_valid'].any()]
    if not items:
        raise ValueError(f'{dataset.ann_file}: no estimate in any sequence')
    frames = sum(len(x['frame_ids']) for x in items)
    items = items[:: -(-frames // max_frames)]
    arrays = {
        name: np.concatenate([x[key] for x in items])
        for name, key in (
            ('keypoints_est', 'keypoints'),
            ('scores', 'keypoint_scores'),
            ('keypoints_gt', 'keypoints_gt'),
            ('visible', 'keypoints_visible'),
        )
    }
    valid = np.concatenate([x['keypoints_valid'] for x in items])
    arrays['keypoints_est'] = np.where(
        valid[..., None], arrays['keypoints_est'], np.float32(np.nan)
    )
    rates = [x.get('fps') for x in items]
    return PoseSequences(
        **arrays,
        seq_len=np.array([len(x['frame_ids']) for x in items]),
        seq_name=np.array([x['seq_name'] for x in items]),
        fps=None if None in rates else np.array(rates),
        meta=dict(units=dataset.UNITS),
    )


def tuned_filter(
    name: str,
    sequences: PoseSequences,
    dataset: PoseSequenceDataset,
    published: Windows,
    progress: bool,
) -> FilterMethod:
    """Tune a filter.

    Args:
        name (str): Of :data:`FILTER_TITLES`.
        sequences (PoseSequences): See :func:`training_sequences`.
        dataset (PoseSequenceDataset): Where they are from.
        published (Windows): See :class:`.methods.Method`.
        progress (bool): Whether to show a progress bar.

    Returns:
        FilterMethod: With the parameters of the least mean error.
    """
    smoother, report = tune_filter(
        name,
        sequences,
        root=dataset.metainfo.get('root_indices'),
        progress=progress,
    )
    settings = ', '.join(
        f'{key} {value:.4g}' for key, value in smoother.settings.items()
    )
    details: Dict[str, Any] = dict(
        arguments=report.arguments,
        tuned_on=dict(
            file=str(dataset.ann_file),
            part=getattr(dataset, 'recording_part', dataset.part),
            sequences=len(sequences),
            frames=len(sequences.keypoints_est),
            objective=report.objective,
        ),
    )
    return FilterMethod(
        name=f'{FILTER_TITLES[name]} ({settings})',
        published=published,
        details=details,
        filter=smoother,
    )
