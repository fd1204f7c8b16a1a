# Copyright (c) hanet_mm contributors. All rights reserved.
"""Simulated people as a file to measure refiners on."""

import subprocess
import sys

import numpy as np
import pytest
from mmpose.registry import DATASETS
from simulated import simulate

from hanet_mm.core.data.sequences import load_pose_sequences
from hanet_mm.core.poses.skeleton_data import SKELETONS

pytestmark = pytest.mark.mm

SMALL = dict(num_windows=6, window_size=12, chunk_size=4, seed=3)


@pytest.mark.parametrize(
    ('skeleton', 'noise', 'units'),
    [('coco17', 'any', 'px'), ('h36m17', 'any-lifter', 'm')],
)
def test_the_file_holds_the_windows(skeleton, noise, units):
    options = dict(SMALL, skeleton=skeleton, noise=noise)
    sequences = simulate(options)
    names = SKELETONS[skeleton].keypoint_names
    assert tuple(sequences.meta['keypoint_names']) == names
    assert sequences.meta['units'] == units
    assert sequences.seq_len.tolist() == [12] * 6
    dataset = DATASETS.get('SimulatedPoseSequenceDataset')(**options)
    for index, start in enumerate(sequences.starts):
        info, frames = dataset.get_data_info(index), slice(start, start + 12)
        valid = info['keypoints_valid']
        np.testing.assert_array_equal(sequences.valid[frames], valid)
        np.testing.assert_array_equal(
            sequences.keypoints_est[frames][valid], info['keypoints'][valid]
        )
        np.testing.assert_array_equal(
            sequences.keypoints_gt[frames], info['keypoints_gt']
        )
        np.testing.assert_array_equal(
            sequences.scores[frames], info['keypoint_scores']
        )
        assert sequences.fps[index] == pytest.approx(info['fps'])


def test_command_takes_the_data_of_a_config(tmp_path, repo_root):
    config = tmp_path / 'config.py'
    config.write_text(
        'data = dict(type="SimulatedPoseSequenceDataset", num_windows=3,\n'
        '    window_size=9, chunk_size=3, pipeline=[], test_mode=True)\n'
        'test_dataloader = dict(dataset=data)\n'
    )
    out = tmp_path / 'out.npz'
    command = [
        sys.executable,
        str(repo_root / 'tools/dataset_converters/simulated.py'),
        *(str(config), str(out), '--num-windows', '2'),
    ]
    subprocess.run(command, check=True, capture_output=True)
    assert load_pose_sequences(out).seq_len.tolist() == [9, 9]
