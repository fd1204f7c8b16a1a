# Copyright (c) hanet_mm contributors. All rights reserved.
"""Tiny data directories in the layout of the converters, for tests."""

import numpy as np
from mmengine.config import Config
from mmpose.registry import DATASETS

from hanet_mm.apis.benchmark.catalog import CATALOG
from hanet_mm.apis.config_files import config_root
from hanet_mm.core.data.sequences import PoseSequences, save_pose_sequences

UNITS = {'m': 'm', 'px': 'px', 'rot6d': 'axis-angle'}
FOLDERS = {
    'jhmdb': 'jhmdb/jhmdb_simplebaseline_{}.npz',
    'h36m-fcn': 'h36m/h36m_fcn_{}.npz',
    'h36m-mhformer': 'h36m/h36m_mhformer_{}.npz',
    'pw3d': 'pw3d/pw3d_pare_{}.npz',
    'aist': 'aist/aist_spin_{}.npz',
    'pw3d-smpl': 'pw3d/pw3d_pare_smpl_{}.npz',
    'aist-smpl': 'aist/aist_spin_smpl_{}.npz',
    'posetrack17': 'posetrack17/posetrack17_dcpose_{}.npz',
    'posetrack18': 'posetrack18/posetrack18_dcpose_{}.npz',
}


def data_path(root, name, split='test'):
    """Where the converters put a data set."""
    if name.startswith('posetrack') and split == 'test':
        split = 'val'
    return root / FOLDERS[name].format(split)


def make_sequences(name, lengths, seed=0):
    """Smoothly moving people whose estimates are perfect."""
    cfg = Config.fromfile(config_root() / 'hanet' / CATALOG[name].config)
    units = DATASETS.get(cfg.test_dataloader.dataset.type).UNITS
    joints = cfg.model.backbone.num_keypoints
    dims = 2 if units == 'px' else 3
    rng = np.random.default_rng(seed)
    total = sum(lengths)
    scale, middle = (60, 300) if units == 'px' else (0.4, 0)
    pose = rng.normal(middle, scale, (1, joints, dims))
    phase = rng.uniform(0, 6, (joints, dims))
    time = np.arange(total)[:, None, None]
    truth = pose + 0.1 * scale * np.sin(0.2 * time + phase)
    fields, extras = {}, {}
    if units == 'px':
        # Of 100 px in every frame: thresholds are 20, 10 and 5 px.
        corner = truth.min(1)
        fields['bboxes'] = np.concatenate([corner, corner + 100], axis=1)
        fields['image_size'] = np.tile([640, 480], (len(lengths), 1))
    if name.startswith('posetrack'):
        extras = dict(
            frame_number=np.concatenate([np.arange(n) for n in lengths]),
            annotated=np.ones(total, np.float32),
            head_size_gt=np.full(total, 40, np.float32),
        )
    return PoseSequences(
        keypoints_est=truth,
        scores=np.full(truth.shape[:2], 0.9),
        seq_len=np.array(lengths),
        seq_name=[f'clip{i}' for i in range(len(lengths))],
        keypoints_gt=truth,
        visible=np.ones(truth.shape[:2]),
        fps=np.full(len(lengths), 25),
        meta=dict(
            units=UNITS[units],
            estimator='none (truth)',
            protocol=f'made for {name}',
        ),
        extras=extras,
        **fields,
    )


def write(root, name, sequences, split='test'):
    """Write sequences where the catalogue looks for them."""
    path = data_path(root, name, split)
    path.parent.mkdir(parents=True, exist_ok=True)
    save_pose_sequences(path, sequences)
    return path
