# 3D on captured motion with a simulated lifter; trains on two CPU cores.
_base_ = [
    '../../_base_/runtime.py',
    '../../_base_/models/hanet.py',
    '../../_base_/datasets/cmu_mocap.py',
]

max_epochs = 15
warmup_epochs = 1
keypoints = dict(num_keypoints=17, coord_dims=3)

model = dict(
    window_size=51,
    sample_interval=5,
    backbone=dict(embed_dims=128, num_levels=3, norm_first=True, **keypoints),
    head=dict(
        embed_dims=128,
        num_layers=3,
        norm_first=True,
        init='identity',
        decoder={{_base_.codec}},
        **keypoints,
    ),
)

train_cfg = dict(max_epochs=max_epochs, val_interval=1)
optim_wrapper = dict(
    optimizer=dict(type='FusedAdamW', lr=1e-3, weight_decay=0.01, amsgrad=True)
)
param_scheduler = [
    dict(
        type='LinearLR',
        start_factor=1e-3,
        end=warmup_epochs,
        convert_to_iter_based=True,
    ),
    dict(
        type='CosineAnnealingLR',
        eta_min=1e-5,
        begin=warmup_epochs,
        end=max_epochs,
        T_max=max_epochs - warmup_epochs,
        convert_to_iter_based=True,
    ),
]

default_hooks = dict(
    checkpoint=dict(save_best='refined/MPJPE', rule='less', max_keep_ckpts=1)
)
