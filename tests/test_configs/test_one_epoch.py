# Copyright (c) hanet_mm contributors. All rights reserved.
"""Each config trains for an epoch and is tested, on files of its layout."""

import json
from pathlib import Path

import mmpose
import numpy as np
import pytest
from mmengine.config import Config
from mmengine.registry import DefaultScope, init_default_scope
from mmengine.runner import Runner
from mmpose.registry import DATASETS

import hanet_mm
from hanet_mm.core.data.sequences import PoseSequences, save_pose_sequences
from hanet_mm.datasets.simulation.error_bank import ErrorBank, save_error_bank

pytestmark = [pytest.mark.mm, pytest.mark.slow]

PACKAGE = Path(hanet_mm.__file__).parent
CONFIGS = Path(__file__).parents[2] / 'configs'
# In the pure Python style, which has classes in place of their names.
PYTHON = sorted((PACKAGE / 'configs/hanet').rglob('hanet*.py'))
HANET = sorted((CONFIGS / 'hanet').rglob('*.py')) + PYTHON
TRAIN = Path(mmpose.__file__).parent / '.mim/tools/train.py'
# The joints of the CMU skeleton that SMPL has too.
CMU_JOINTS = (
    'root lhipjoint rhipjoint lowerback lfemur rfemur upperback ltibia '
    'rtibia thorax lfoot rfoot ltoes rtoes lowerneck upperneck head '
    'lclavicle rclavicle lhumerus rhumerus lradius rradius lwrist rwrist '
    'lhand rhand lfingers rfingers lthumb rthumb'
).split()
COCO_NAMES = (
    'nose left_eye right_eye left_ear right_ear left_shoulder right_shoulder '
    'left_elbow right_elbow left_wrist right_wrist left_hip right_hip '
    'left_knee right_knee left_ankle right_ankle'
).split()
UNITS = {'m': 'm', 'px': 'px', 'rot6d': 'axis-angle'}


def smooth(rng, frames, *shape):
    """A slow random movement."""
    steps = rng.normal(0, 1, (frames, *shape)).cumsum(0)
    return steps / (1 + np.abs(steps).max())


def make_sequences(units, joints, window):
    """Ten sequences, shorter and longer than a window."""
    rng = np.random.default_rng(0)
    length = np.array([window + 2, 3] * 5)
    total = length.sum()
    dims = {'px': 2, 'm': 3, 'rot6d': 3}[units]
    scale = 100 if units == 'px' else 0.3
    pose = rng.normal(0, scale, (1, joints, dims))
    truth = pose + 0.1 * scale * smooth(rng, total, joints, dims)
    noise = rng.normal(0, 0.05 * scale, truth.shape)
    fields = {}
    if units == 'px':
        low, high = truth.min(1), truth.max(1)
        fields = dict(
            bboxes=np.concatenate([low, high], axis=1),
            image_size=np.tile([640, 480], (10, 1)),
        )
    return PoseSequences(
        keypoints_est=truth + noise,
        scores=rng.uniform(0.2, 1, truth.shape[:2]),
        seq_len=length,
        seq_name=[f'sequence{i}' for i in range(10)],
        keypoints_gt=truth,
        visible=np.ones(truth.shape[:2]),
        meta=dict(units=UNITS[units]),
        **fields,
    )


def make_sparse(sequences):
    """Every third frame is annotated, as in PoseTrack."""
    labelled = np.arange(len(sequences.scores)) % 3 == 0
    sequences.visible = sequences.visible * labelled[:, None]
    sequences.visible = sequences.visible.astype(np.float32)
    sequences.extras = dict(
        frame_number=np.arange(len(labelled)),
        annotated=labelled.astype(np.float32),
        head_size_gt=np.full(len(labelled), 50, np.float32),
    )
    return sequences


def write_mocap(path):
    """Recordings in the layout of the captured motion."""
    rng = np.random.default_rng(0)
    length = np.full(18, 55)
    total = length.sum()
    meta = CONFIGS / '_base_/datasets/cmu_mocap.py'
    names = Config.fromfile(meta).keypoint_names
    points = rng.normal(0, 0.4, (1, len(CMU_JOINTS), 3))
    joints = points + 0.2 * smooth(rng, total, len(CMU_JOINTS), 3)
    joints = joints.astype(np.float32)
    np.savez(
        path,
        h36m17=joints[:, :17],
        h36m17_names=np.array(names),
        coco17=joints[:, :17],
        coco17_names=np.array(COCO_NAMES),
        joints_3d=joints,
        joint_names=np.array(CMU_JOINTS),
        joint_parents=np.arange(len(CMU_JOINTS)) - 1,
        clean=np.ones(total, bool),
        seq_len=length,
        seq_name=np.array([f'walk_{i}' for i in range(18)]),
        fps=np.full(18, 30, np.float32),
        meta=np.array(json.dumps(dict(units='m', up='y'))),
    )


def write_data(cfg, folder):
    """Files of the layout and with the names that the config asks for."""
    dataset = cfg.train_dataloader.dataset
    kind = dataset.type
    if isinstance(kind, str):
        kind = DATASETS.get(kind)
    if kind.__name__.startswith(('CmuMocap', 'Simulated')):
        path = folder / dataset.ann_file
        path.parent.mkdir(parents=True, exist_ok=True)
        write_mocap(path)
        return
    units = kind.UNITS
    joints = cfg.model.backbone.num_keypoints
    for loader in (cfg.train_dataloader, cfg.test_dataloader):
        sequences = make_sequences(units, joints, cfg.model.window_size)
        if dataset.get('sparse'):
            sequences = make_sparse(sequences)
        path = folder / loader.dataset.ann_file
        save_pose_sequences(path, sequences)


def write_bank(path):
    """A bank of small random errors of COCO's keypoints."""
    rng = np.random.default_rng(0)
    bank = ErrorBank(
        errors=rng.normal(0, 0.01, (80, 17, 2)).astype(np.float32),
        scores=rng.uniform(0.3, 1, (80, 17)).astype(np.float32),
        swapped=np.zeros((80, 17), bool),
        seq_len=np.full(2, 40),
        estimator=np.array(['one'] * 2),
        film=np.array(['film 0', 'film 1']),
        fps=np.full(2, 30.0),
        biases=np.zeros((1, 17, 2)),
        keypoint_names=np.array(COCO_NAMES),
    )
    save_error_bank(path, bank)
    return str(path)


def shrink(cfg, folder):
    """One epoch of a narrow model on the data in a folder."""
    for part in ('backbone', 'head'):
        cfg.model[part].embed_dims = 16
    cfg.model.backbone.num_levels = cfg.model.head.num_layers = 1
    if 'max_iters' in cfg.train_cfg:
        cfg.train_cfg.update(max_iters=2, val_interval=2)
    else:
        cfg.train_cfg.update(max_epochs=1, val_interval=1)
    for name in ('train', 'val', 'test'):
        loader = cfg[f'{name}_dataloader']
        loader.update(batch_size=8, num_workers=0, persistent_workers=False)
        dataset = loader.dataset
        if 'num_sequences' in dataset:
            dataset.update(num_sequences=4, seq_len_range=(22, 24))
        else:
            dataset.data_root = str(folder)
        if 'num_windows' in dataset:
            dataset.update(num_windows=16, chunk_size=8)
        if dataset.get('bank'):
            dataset.bank = write_bank(folder / 'bank.npz')
    # The schedules of 70 epochs end with the first.
    cfg.param_scheduler = [dict(type='ConstantLR', factor=1.0)]
    cfg.load_from = None  # weights that a step before made
    cfg.visualizer.vis_backends = [dict(type='LocalVisBackend')]
    cfg.work_dir = str(folder / 'work')
    cfg.experiment_name = f'{folder.name}'
    return cfg


@pytest.mark.parametrize('path', HANET, ids=lambda path: path.stem)
def test_one_epoch(path, tmp_path):
    cfg = Config.fromfile(path)
    init_default_scope('mmpose')
    if 'ann_file' in cfg.train_dataloader.dataset:
        write_data(cfg, tmp_path)
    runner = Runner.from_cfg(shrink(cfg, tmp_path))
    before = {k: v.clone() for k, v in runner.model.state_dict().items()}
    runner.train()
    changed = sum(
        not v.equal(before[k]) for k, v in runner.model.state_dict().items()
    )
    assert changed > 0.9 * len(before) - 2
    best = cfg.default_hooks.checkpoint.save_best
    assert list((tmp_path / 'work').glob(f'best_{best.replace("/", "_")}*'))
    metrics = runner.test()
    assert best in metrics
    assert best.replace('refined', 'input') in metrics
    assert all(np.isfinite(list(metrics.values())))
    DefaultScope._instance_dict.popitem()


def test_two_processes_train_a_config_of_classes(tmp_path, run_python):
    """On the CPU, through MMPose's own tool."""
    (path,) = (x for x in PYTHON if 'jhmdb' in x.stem)
    cfg = Config.fromfile(path)
    write_data(cfg, tmp_path / cfg.train_dataloader.dataset.data_root)
    narrow = 'embed_dims=16'
    run_python(
        *('-m', 'torch.distributed.run', '--standalone'),
        *('--nproc-per-node=2', TRAIN, path, '--launcher', 'pytorch'),
        *('--work-dir', 'run', '--cfg-options', 'train_cfg.max_epochs=1'),
        *(f'model.backbone.{narrow}', f'model.head.{narrow}'),
        *(f'{x}_dataloader.num_workers=0' for x in ('train', 'val')),
        *(
            f'{x}_dataloader.persistent_workers=False'
            for x in ('train', 'val')
        ),
        cwd=tmp_path,
    )
    assert (tmp_path / 'run' / 'epoch_1.pth').is_file()
