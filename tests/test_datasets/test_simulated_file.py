# Copyright (c) hanet_mm contributors. All rights reserved.
"""Simulated people as a file to measure refiners on."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from mmpose.registry import DATASETS
from simulated import simulate

from hanet_mm.core.data.sequences import load_pose_sequences
from hanet_mm.core.poses.skeleton_data import SKELETONS

pytestmark = pytest.mark.mm

REPO = Path(__file__).parents[2]
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


def run_command(config, out, *options):
    command = [
        sys.executable,
        str(REPO / 'tools/dataset_converters/simulated.py'),
        *(str(config), str(out), *options),
    ]
    subprocess.run(command, check=True, capture_output=True)
    return load_pose_sequences(out)


def write_config(path, **options):
    options = dict(
        type='SimulatedPoseSequenceDataset', skeleton='h36m17', **options
    )
    path.write_text(f'test_dataloader = dict(dataset={options!r})\n')
    return path


def test_command_changes_errors_and_rate(tmp_path):
    config = write_config(
        tmp_path / 'config.py',
        **dict(SMALL, noise='any-lifter', short_share=0.0),
    )
    out = tmp_path / 'out.npz'
    options = ('--noise', 'clean', '--fps', '25', '--num-windows', '2')
    clean = run_command(config, out, *options)
    assert clean.fps.tolist() == [25.0] * 2
    error = np.linalg.norm(clean.keypoints_est - clean.keypoints_gt, axis=-1)
    # 0.05 % of a person, times about 1.
    assert 0.0003 < error.mean() < 0.003
    other = run_command(config, out, *options, '--seed', '4')
    assert (other.keypoints_gt != clean.keypoints_gt).any()


def test_command_takes_whole_recordings(tmp_path):
    rng = np.random.default_rng(0)
    names = SKELETONS['h36m17'].keypoint_names
    seq_len = np.array([70, 40, 90, 50, 60, 30, 80, 20])
    joints = rng.normal(0, 0.3, (seq_len.sum(), 17, 3)).astype(np.float32)
    np.savez(
        tmp_path / 'mocap.npz',
        joints_3d=joints,
        joint_names=np.array(names),
        h36m17=joints,
        h36m17_names=np.array(names),
        clean=np.ones(len(joints), bool),
        seq_len=seq_len,
        seq_name=np.array([f'{i:02d}_01' for i in range(len(seq_len))]),
        fps=np.full(len(seq_len), 30.0),
        meta='{}',
    )
    config = write_config(
        tmp_path / 'config.py', ann_file=str(tmp_path / 'mocap.npz')
    )
    whole = run_command(
        config, tmp_path / 'out.npz', '--recordings', '--noise', 'clean'
    )
    np.testing.assert_array_equal(whole.seq_len, seq_len)
    np.testing.assert_array_equal(whole.fps, 30.0)
    # Before a camera: bones are as long as they were.
    found = np.linalg.norm(np.diff(whole.keypoints_gt, axis=1), axis=-1)
    given = np.linalg.norm(np.diff(joints, axis=1), axis=-1)
    np.testing.assert_allclose(found, given, atol=1e-4)
