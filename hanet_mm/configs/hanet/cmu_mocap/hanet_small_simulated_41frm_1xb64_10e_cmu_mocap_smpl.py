# Copyright (c) hanet_mm contributors. All rights reserved.
# SMPL rotations of captured motion with simulated errors; trains on two CPU
# cores.
from mmengine.config import read_base

with read_base():
    from ..._base_.adamw import *
    from ..._base_.runtime import *
    from ..._base_.small_training import *

from mmpose.datasets.transforms import GenerateTarget

from hanet_mm.codecs import PoseSequenceCodec
from hanet_mm.datasets import CmuMocapSmplSequenceDataset
from hanet_mm.datasets.transforms import (
    PackPoseSequenceInputs,
    SimulateRotationNoise,
)
from hanet_mm.evaluation import SequenceMPJAE, SMPLMetric
from hanet_mm.models import (
    HANet,
    HierarchicalEncoder,
    KinematicHead,
    OMLLoss,
    SkeletonBodyModel,
    SMPLLoss,
)

# runtime
max_epochs = 10
train_cfg.update(max_epochs=max_epochs, val_interval=1)
param_scheduler[1].update(end=max_epochs, T_max=max_epochs - 1)
default_hooks['checkpoint'].update(
    save_best='refined/MPJPE', rule='less', max_keep_ckpts=1
)

# model
window_size = 41
codec = dict(type=PoseSequenceCodec, normalization='rot6d')
# Of mean proportions: it needs no file.
body_model = dict(type=SkeletonBodyModel)
network = dict(
    num_keypoints=24,
    coord_dims=6,
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
        # Rotations, and the joints of the skeleton that they pose.
        loss=dict(
            type=SMPLLoss,
            pose_loss=dict(type=OMLLoss),
            body_model=body_model,
            joint_weight=5.0,
            vertex_weight=0.0,
        ),
        decoder=codec,
        **network,
    ),
    test_cfg=dict(stride=1),
)

# data
data = dict(
    type=CmuMocapSmplSequenceDataset,
    data_root='data/cmu_mocap/',
    ann_file='cmu_mocap_train.npz',
)
# New errors each time a window is drawn.
train_pipeline = [
    dict(type=SimulateRotationNoise),
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

val_evaluator = [
    dict(type=SequenceMPJAE),
    dict(type=SMPLMetric, body_model=body_model),
]
test_evaluator = [
    *val_evaluator,
    dict(type=SequenceMPJAE, source='input'),
    dict(type=SMPLMetric, body_model=body_model, source='input'),
]
