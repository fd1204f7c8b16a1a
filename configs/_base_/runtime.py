_base_ = ['mmpose::_base_/default_runtime.py']

custom_imports = dict(imports=['hanet_mm'], allow_failed_imports=False)

# TensorBoard beside the log file.
vis_backends = [
    dict(type='LocalVisBackend'),
    dict(type='TensorboardVisBackend'),
]
visualizer = dict(type='PoseSequenceVisualizer', vis_backends=vis_backends)

# Without device ids it wraps models on CPU and GPU alike.
model_wrapper_cfg = dict(
    type='MMDistributedDataParallel', device_ids=None, broadcast_buffers=False
)

default_hooks = dict(
    logger=dict(type='MainProcessLoggerHook'),
    # A run that is killed at any moment goes on from its last checkpoint.
    checkpoint=dict(type='AtomicCheckpointHook'),
    visualization=dict(type='PoseSequenceVisualizationHook'),
    badcase=dict(
        _delete_=True, type='PoseSequenceBadCaseHook', metric_type='accuracy'
    ),
)

randomness = dict(seed=4321)

custom_hooks = [
    dict(type='SyncBuffersHook'),
    # A resumed run gives the same result as an uninterrupted one.
    dict(type='EpochSeedHook'),
]
