# Copyright (c) hanet_mm contributors. All rights reserved.
"""The rows of captured motion, and filters of rotations."""

import json

import numpy as np
import pytest
import torch
from mmengine.registry import DefaultScope
from mmpose.registry import DATASETS
from paper_data import make_sequences, write

from hanet_mm.apis.benchmark.catalog import (
    CATALOG,
    DataSource,
    build_dataset,
    training_sequences,
)
from hanet_mm.apis.benchmark.methods import Method
from hanet_mm.apis.benchmark.paper import PaperRequest, reproduce
from hanet_mm.apis.benchmark.protocols import PaperProtocol, Windows, predict
from hanet_mm.core.poses.rotations import axis_angle_to_rot6d
from hanet_mm.datasets.cmu_mocap import recording_parts
from hanet_mm.filters import GaussianFilter

pytestmark = pytest.mark.mm


def run(root, name):
    request = PaperRequest(root, catalog={name: CATALOG[name]})
    (data_set,) = [*reproduce(request)][-1]['data_sets']
    assert data_set['error'] is None
    assert data_set['failures'] == []
    return data_set


def write_mocap(root, recordings=18, frames=55):
    """Recordings in the layout of the captured motion."""
    rng = np.random.default_rng(0)
    meta = DATASETS.get('Human36mSequenceDataset')._load_metainfo()
    names = [meta['keypoint_id2name'][i] for i in range(17)]
    time = np.arange(recordings * frames)[:, None, None]
    pose = rng.normal(0, 0.4, (1, 17, 3))
    joints = pose + 0.1 * np.sin(0.1 * time + rng.uniform(0, 6, (17, 3)))
    path = root / 'cmu_mocap/cmu_mocap_train.npz'
    path.parent.mkdir(parents=True)
    np.savez(
        path,
        h36m17=joints.astype(np.float32),
        h36m17_names=np.array(names),
        clean=np.ones(len(joints), bool),
        seq_len=np.full(recordings, frames),
        seq_name=np.array([f'walk_{i}' for i in range(recordings)]),
        fps=np.full(recordings, 30, np.float32),
        meta=np.array(json.dumps(dict(units='m', up='y'))),
    )
    return path


def test_captured_motion_is_tested_on_its_test_part(tmp_path):
    path = write_mocap(tmp_path)
    names = np.load(path)['seq_name']
    parts = recording_parts(names)
    data_set = run(tmp_path, 'cmu-mocap')
    expected = {x: int((parts == x).sum()) for x in ('train', 'val', 'test')}
    assert data_set['sequences'] == expected['test'] > 0
    assert data_set['about']['estimator'] == 'simulated'
    assert data_set['about']['protocol'].endswith("part 'test' of it")
    assert data_set['paper'] == []
    rows = data_set['rows']
    for row in rows[1:6]:
        assert row['tuned_on']['part'] == 'train'
        assert row['tuned_on']['sequences'] == expected['train']
    # A smooth movement under jitter: filtering helps.
    assert rows[3]['method'].startswith('Gaussian')
    for key in ('MPJPE', 'Accel'):
        assert rows[3]['metrics'][key] < rows[0]['metrics'][key]

    source = DataSource('cmu-mocap', CATALOG['cmu-mocap'], tmp_path)
    tuned = training_sequences(build_dataset(source.train_cfg))
    assert sorted(tuned.seq_name) == sorted(names[parts == 'train'])


def test_rotations_are_filtered_as_rotations(tmp_path):
    # All joints turn about x by half a degree more in each frame.
    for split, seed in (('train', 0), ('test', 1)):
        rng = np.random.default_rng(seed)
        sequences = make_sequences('pw3d-smpl', [40])
        angle = np.zeros((40, 24, 3), np.float32)
        angle[..., 0] = np.deg2rad(0.5) * np.arange(40)[:, None]
        noise = rng.normal(0, 0.1, angle.shape).astype(np.float32)
        sequences.keypoints_gt = angle
        sequences.keypoints_est = angle + noise
        write(tmp_path, 'pw3d-smpl', sequences, split)
    rows = run(tmp_path, 'pw3d-smpl')['rows']
    assert len(rows) == 2 * 6
    first, *filters = rows[:6]
    for row in filters[:3]:
        for key in ('MPJAE', 'MPJPE', 'Accel'):
            assert row['metrics'][key] < 0.6 * first['metrics'][key]


def test_filters_are_tuned_on_poses_relative_to_their_root(tmp_path):
    # Whole people jump: relative to their roots nothing is to be mended.
    for split, seed in (('train', 0), ('test', 1)):
        sequences = make_sequences('pw3d', [40], seed)
        rng = np.random.default_rng(seed)
        jump = rng.normal(0, 0.2, (40, 1, 3)).astype(np.float32)
        sequences.keypoints_est += jump
        write(tmp_path, 'pw3d', sequences, split)
    rows = run(tmp_path, 'pw3d')['rows']
    assert rows[0]['metrics']['MPJPE'] == pytest.approx(0, abs=1e-2)
    assert rows[3]['method'].startswith('Gaussian')
    smallest = min(GaussianFilter.GRID['sigma'])
    assert rows[3]['arguments']['sigma'] == smallest


def test_long_training_data_are_thinned_evenly(tmp_path):
    sequences = make_sequences('pw3d-smpl', [10] * 20)
    sequences.scores[3, 5] = 0
    write(tmp_path, 'pw3d-smpl', sequences, 'train')
    source = DataSource('pw3d-smpl', CATALOG['pw3d-smpl'], tmp_path)
    dataset = build_dataset(source.train_cfg)
    # 18 of the 20 are in the part; every fourth of them has 50 frames.
    found = training_sequences(dataset, max_frames=50)
    names = [dataset[i]['seq_name'] for i in range(0, 18, 4)]
    assert found.seq_name.tolist() == names
    whole = training_sequences(dataset)
    assert len(whole) == 18
    np.testing.assert_array_equal(np.argwhere(~whole.valid), [[3, 5]])
    assert np.isnan(whole.keypoints_est[3, 5]).all()
    expected = axis_angle_to_rot6d(torch.from_numpy(sequences.keypoints_gt))
    np.testing.assert_allclose(
        whole.keypoints_gt[:90], expected[:90], atol=1e-6
    )
    assert whole.fps.tolist() == [25] * 18
    assert whole.meta['units'] == 'rot6d'


def test_filters_give_nothing_for_people_who_were_never_found(tmp_path):
    sequences = make_sequences('posetrack17', [6, 6])
    sequences.keypoints_est[6:] = np.nan
    sequences.scores[6:] = 0
    write(tmp_path, 'posetrack17', sequences)
    source = DataSource('posetrack17', CATALOG['posetrack17'], tmp_path)
    with DefaultScope.overwrite_default_scope('mmpose'):
        dataset = build_dataset(source.test_cfg)
    method = Method('filter', GaussianFilter(1))
    ours = PaperProtocol('ours', Windows(1, 5, 1))
    samples = predict(dataset, method, ours, range(2))
    found, nobody = (x.pred_instances.keypoints for x in samples)
    assert np.isfinite(found).all()
    assert np.isnan(nobody).all()
