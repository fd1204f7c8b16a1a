# Copyright (c) hanet_mm contributors. All rights reserved.
# 3D on captured motion with a simulated lifter; trains on two CPU cores.
from mmengine.config import read_base

with read_base():
    from ..._base_.adamw import *
    from ..._base_.runtime import *
    from ..._base_.small_training import *

from mmpose.datasets.transforms import GenerateTarget

from hanet_mm.codecs import PoseSequenceCodec
from hanet_mm.datasets import CmuMocapSequenceDataset
from hanet_mm.datasets.transforms import (
    PackPoseSequenceInputs,
    RandomPoseFlip,
    RandomYaw,
    SimulateEstimatorNoise,
)
from hanet_mm.evaluation import AccelError, SequenceMPJPE
from hanet_mm.models import (
    HANet,
    HierarchicalEncoder,
    KinematicHead,
    OMLLoss,
)

# runtime
max_epochs = 15
train_cfg.update(max_epochs=max_epochs, val_interval=1)
param_scheduler[1].update(end=max_epochs, T_max=max_epochs - 1)
default_hooks['checkpoint'].update(
    save_best='refined/MPJPE', rule='less', max_keep_ckpts=1
)

# model
window_size = 51
codec = dict(type=PoseSequenceCodec, normalization='root', root=[0])
network = dict(
    num_keypoints=17,
    coord_dims=3,
    norm_first=True,
    **size,
)
model = dict(
    type=HANet,
    window_size=window_size,
    sample_interval=5,
    backbone=dict(type=HierarchicalEncoder, num_levels=3, **network),
    head=dict(
        type=KinematicHead,
        num_layers=3,
        init='identity',
        loss=dict(type=OMLLoss),
        decoder=codec,
        **network,
    ),
    test_cfg=dict(stride=1),
)

# data
data = dict(
    type=CmuMocapSequenceDataset,
    data_root='data/cmu_mocap/',
    ann_file='cmu_mocap_train.npz',
)
keypoint_names = [
    'root',
    'right_hip',
    'right_knee',
    'right_foot',
    'left_hip',
    'left_knee',
    'left_foot',
    'spine',
    'thorax',
    'neck_base',
    'head',
    'left_shoulder',
    'left_elbow',
    'left_wrist',
    'right_shoulder',
    'right_elbow',
    'right_wrist',
]
# A new direction and new errors each time a window is drawn.
train_pipeline = [
    dict(type=RandomYaw),
    dict(type=RandomPoseFlip),
    dict(
        type=SimulateEstimatorNoise,
        noise='lifter',
        keypoint_names=keypoint_names,
    ),
    dict(type=GenerateTarget, encoder=codec),
    dict(type=PackPoseSequenceInputs),
]

train_dataloader = dict(
    dataset=dict(
        part='train',
        window_size=window_size,
        pipeline=train_pipeline,
        **data,
    ),
    **training,
    **restarts,
)
val_dataloader = dict(
    dataset=dict(part='val', test_mode=True, pipeline=test_pipeline, **data),
    **evaluation,
)
test_dataloader = dict(
    dataset=dict(part='test', test_mode=True, pipeline=test_pipeline, **data),
    **evaluation,
)

# In millimetres, by the published protocol: each relative to its own root.
of_root = dict(alignment='root', unit_scale=1000)
of_shape = dict(alignment='similarity', unit_scale=1000)
val_evaluator = [
    dict(type=SequenceMPJPE, **of_root),
    dict(type=SequenceMPJPE, **of_shape),
    dict(type=AccelError, **of_root),
]
test_evaluator = [
    *val_evaluator,
    dict(type=SequenceMPJPE, source='input', **of_root),
    dict(type=SequenceMPJPE, source='input', **of_shape),
    dict(type=AccelError, source='input', **of_root),
]
