# Beyond the paper: scores weigh keypoints, robust initial pose, swaps
# corrected, person box, augmentation. Less than an hour on two CPU cores,
# 0.34 M parameters.
_base_ = [
    '../../_base_/models/hanet_plus.py',
    '../../_base_/datasets/jhmdb_sequence.py',
    '../../_base_/schedules/hanet_plus.py',
]

window_size = 32
max_epochs = 300
keypoints = dict(num_keypoints=15, coord_dims=2, dropout=0.05)
flip_indices = [0, 1, 2, 4, 3, 6, 5, 8, 7, 10, 9, 12, 11, 14, 13]
codec = dict(
    type='PoseSequenceCodec', normalization='box', supervise_missing=True
)

model = dict(
    window_size=window_size,
    data_preprocessor=dict(
        type='PoseSequenceDataPreprocessor',
        batch_augments=[
            dict(type='ExchangeErrors', window_prob=0.3, joint_prob=0.3),
            dict(type='RandomSpeed', prob=0.5, speed_range=(0.6, 1.5)),
            dict(type='RandomWindowFlip', flip_indices=flip_indices),
            dict(type='RandomTimeReversal'),
            dict(
                type='RandomRotateScale',
                max_angle=23.0,
                scale_range=(0.88, 1.12),
            ),
            dict(type='RefitBox'),
        ],
    ),
    backbone=keypoints,
    head=dict(flip_indices=flip_indices, decoder=codec, **keypoints),
    test_cfg=dict(flip_test=True),
)

train_dataloader = dict(
    batch_size=64,
    # Loading is faster than starting a process for each short epoch.
    num_workers=0,
    persistent_workers=False,
    dataset=dict(
        window_size=window_size,
        pipeline=[
            dict(type='GenerateTarget', encoder=codec),
            dict(type='PackPoseSequenceInputs'),
        ],
    ),
)
auto_scale_lr = dict(base_batch_size=64)

train_cfg = dict(max_epochs=max_epochs, val_interval=50)
optim_wrapper = dict(optimizer=dict(weight_decay=0.02))
param_scheduler = [
    {{_base_.warm_up}},
    dict(
        type='CosineAnnealingLR',
        eta_min=1e-6,
        end=max_epochs,
        T_max=max_epochs,
        convert_to_iter_based=True,
    ),
]
default_hooks = dict(checkpoint=dict(interval=50))
custom_hooks = [
    dict(type='SyncBuffersHook'),
    dict(type='EpochSeedHook'),
    {{_base_.ema_hook}},
]
