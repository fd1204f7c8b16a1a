# Copyright (c) hanet_mm contributors. All rights reserved.
"""Data sets joined by MMEngine's own ``ConcatDataset``."""

import numpy as np
import pytest
from mmengine.dataset import pseudo_collate
from mmengine.registry import init_default_scope
from mmpose.registry import DATASETS
from torch.utils.data import DataLoader

import hanet_mm  # noqa: F401
from hanet_mm.core.data.sequences import PoseSequences, save_pose_sequences

pytestmark = pytest.mark.mm

WINDOW = 11


def write(path, value):
    """Twelve clips of a window each, all of whose values are one number."""
    total = 12 * WINDOW
    points = np.full((total, 15, 2), value, np.float32)
    save_pose_sequences(
        path,
        PoseSequences(
            keypoints_est=points,
            scores=np.ones(points.shape[:2]),
            keypoints_gt=points,
            bboxes=np.tile([0.0, 0.0, 10.0, 20.0], (total, 1)),
            seq_len=np.full(12, WINDOW),
            seq_name=[f'clip{i}' for i in range(12)],
            meta=dict(units='px'),
        ),
    )
    return str(path)


def test_windows_of_both_are_loaded_and_parts_stay_apart(tmp_path):
    init_default_scope('mmpose')
    options = dict(
        type='JhmdbSequenceDataset',
        window_size=WINDOW,
        pipeline=[dict(type='PackPoseSequenceInputs')],
    )
    one = dict(ann_file=write(tmp_path / 'a.npz', 3.0), **options)
    two = dict(ann_file=write(tmp_path / 'b.npz', 7.0), **options)
    joined = DATASETS.build(
        dict(
            type='ConcatDataset', datasets=[dict(one, part='train'), dict(two)]
        )
    )
    # Every tenth clip of the first is for selection: of twelve, one.
    assert len(joined) == 11 + 12
    batch = next(
        iter(DataLoader(joined, len(joined), collate_fn=pseudo_collate))
    )
    values = [float(x.mean()) for x in batch['inputs']]
    assert values == [3.0] * 11 + [7.0] * 12
    assert joined.metainfo['dataset_name'] == 'jhmdb'
