# Copyright (c) hanet_mm contributors. All rights reserved.
from mmengine.hooks import (
    DistSamplerSeedHook,
    IterTimerHook,
    ParamSchedulerHook,
    SyncBuffersHook,
)
from mmengine.runner import LogProcessor
from mmengine.visualization import LocalVisBackend, TensorboardVisBackend

from hanet_mm.engine import (
    AtomicCheckpointHook,
    EpochSeedHook,
    MainProcessLoggerHook,
    PoseSequenceBadCaseHook,
    PoseSequenceVisualizationHook,
)
from hanet_mm.visualization import PoseSequenceVisualizer

default_scope = 'mmpose'
custom_imports = dict(imports=['hanet_mm'], allow_failed_imports=False)
# MMEngine 0.10 imports them for configs of the other style only, and here the
# classes above when they are first used: after it has made the process group,
# for which we have to be there where there is no accelerator.
__import__('hanet_mm')

default_hooks = dict(
    timer=dict(type=IterTimerHook),
    logger=dict(type=MainProcessLoggerHook, interval=50),
    param_scheduler=dict(type=ParamSchedulerHook),
    # A run that is killed at any moment goes on from its last checkpoint.
    checkpoint=dict(type=AtomicCheckpointHook, interval=10),
    sampler_seed=dict(type=DistSamplerSeedHook),
    visualization=dict(type=PoseSequenceVisualizationHook, enable=False),
    badcase=dict(type=PoseSequenceBadCaseHook, metric_type='accuracy'),
)
custom_hooks = [
    dict(type=SyncBuffersHook),
    # A resumed run gives the same result as an uninterrupted one.
    dict(type=EpochSeedHook),
]

env_cfg = dict(
    cudnn_benchmark=False,
    mp_cfg=dict(mp_start_method='fork', opencv_num_threads=0),
    dist_cfg=dict(backend='nccl'),
)
# Without device ids it wraps models on CPU and GPU alike. The one type that
# MMEngine 0.10 looks up by name only.
model_wrapper_cfg = dict(
    type='MMDistributedDataParallel', device_ids=None, broadcast_buffers=False
)

# TensorBoard beside the log file.
vis_backends = [dict(type=LocalVisBackend), dict(type=TensorboardVisBackend)]
visualizer = dict(
    type=PoseSequenceVisualizer, vis_backends=vis_backends, name='visualizer'
)

log_processor = dict(
    type=LogProcessor, window_size=50, by_epoch=True, num_digits=6
)
log_level = 'INFO'
load_from = None
resume = False
randomness = dict(seed=4321)
backend_args = dict(backend='local')

train_cfg = dict(by_epoch=True)
val_cfg = dict()
test_cfg = dict()
