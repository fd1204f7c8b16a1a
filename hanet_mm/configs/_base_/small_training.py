# Copyright (c) hanet_mm contributors. All rights reserved.
# What trainings of minutes on two CPU cores have in common: size of the
# network, and loaders, to which a config adds data set and window.
from mmengine.dataset import DefaultSampler

from hanet_mm.datasets.transforms import PackPoseSequenceInputs
from hanet_mm.engine import keep_worker_seed

size = dict(embed_dims=128, num_heads=4, dropout=0.1)

training = dict(
    batch_size=64,
    num_workers=2,
    sampler=dict(type=DefaultSampler, shuffle=True),
)
auto_scale_lr = dict(base_batch_size=64)
# For errors that are drawn with the windows: workers restart with each epoch,
# on which their random numbers depend.
restarts = dict(
    persistent_workers=False, worker_init_fn=dict(type=keep_worker_seed)
)
evaluation = dict(
    batch_size=16,
    num_workers=1,
    persistent_workers=True,
    drop_last=False,
    sampler=dict(type=DefaultSampler, shuffle=False),
)
test_pipeline = [dict(type=PackPoseSequenceInputs)]
