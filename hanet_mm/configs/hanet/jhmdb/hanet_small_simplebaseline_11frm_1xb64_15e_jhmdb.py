# Copyright (c) hanet_mm contributors. All rights reserved.
# Trains in minutes on two CPU cores. Person-box normalisation, a first width
# that is not narrower than the 4 K D input, the paper's loss.
from mmengine.config import read_base

with read_base():
    from ..._base_.adamw import *
    from ..._base_.runtime import *
    from ..._base_.small_training import *

from mmpose.datasets.transforms import GenerateTarget

from hanet_mm.codecs import PoseSequenceCodec
from hanet_mm.datasets import JhmdbSequenceDataset
from hanet_mm.datasets.transforms import PackPoseSequenceInputs
from hanet_mm.evaluation import AccelError, PoseSequencePCK, SequenceMPJPE
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
    save_best='refined/PCK@0.05', rule='greater', max_keep_ckpts=3
)

# model
window_size = 11
codec = dict(type=PoseSequenceCodec, normalization='box')
network = dict(
    num_keypoints=15,
    coord_dims=2,
    norm_first=False,
    **size,
)
model = dict(
    type=HANet,
    window_size=window_size,
    sample_interval=5,
    backbone=dict(type=HierarchicalEncoder, num_levels=3, **network),
    head=dict(
        type=KinematicHead,
        num_layers=5,
        init='default',
        loss=dict(type=OMLLoss, final_weight=5.0),
        decoder=codec,
        **network,
    ),
    test_cfg=dict(stride=1),
)

# data
data = dict(type=JhmdbSequenceDataset, data_root='data/jhmdb/')
train_file = 'jhmdb_simplebaseline_train.npz'
test_file = 'jhmdb_simplebaseline_test.npz'
train_pipeline = [
    dict(type=GenerateTarget, encoder=codec),
    dict(type=PackPoseSequenceInputs),
]

train_dataloader = dict(
    persistent_workers=True,
    dataset=dict(
        ann_file=train_file,
        part='train',
        window_size=window_size,
        pipeline=train_pipeline,
        **data,
    ),
    **training,
)
# The checkpoint is selected on a held-out part of the training file.
val_dataloader = dict(
    dataset=dict(
        ann_file=train_file,
        part='val',
        test_mode=True,
        pipeline=test_pipeline,
        **data,
    ),
    **evaluation,
)
test_dataloader = dict(
    dataset=dict(
        ann_file=test_file, test_mode=True, pipeline=test_pipeline, **data
    ),
    **evaluation,
)

val_evaluator = [
    dict(type=PoseSequencePCK),
    dict(type=SequenceMPJPE),
    dict(type=AccelError),
]
test_evaluator = [
    *val_evaluator,
    dict(type=PoseSequencePCK, source='input'),
    dict(type=SequenceMPJPE, source='input'),
    dict(type=AccelError, source='input'),
]
