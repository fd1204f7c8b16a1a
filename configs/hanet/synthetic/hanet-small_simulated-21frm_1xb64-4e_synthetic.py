# The demo: trains in about two minutes on two CPU cores.
_base_ = [
    '../../_base_/runtime.py',
    '../../_base_/models/hanet.py',
    '../../_base_/datasets/synthetic_sequence.py',
]

max_epochs = 4
keypoints = dict(num_keypoints=15, coord_dims=2)

model = dict(
    window_size=21,
    sample_interval=5,
    backbone=dict(embed_dims=64, num_levels=3, **keypoints),
    head=dict(
        embed_dims=64,
        num_layers=3,
        decoder={{_base_.codec}},
        **keypoints,
    ),
)

train_cfg = dict(max_epochs=max_epochs, val_interval=1)
optim_wrapper = dict(
    optimizer=dict(type='FusedAdamW', lr=1e-3, weight_decay=0.01, amsgrad=True)
)
param_scheduler = [
    dict(type='LinearLR', start_factor=1e-3, by_epoch=False, end=100),
    dict(
        type='CosineAnnealingLR',
        eta_min=1e-5,
        end=max_epochs,
        T_max=max_epochs,
        convert_to_iter_based=True,
    ),
]

default_hooks = dict(
    logger=dict(interval=50),
    checkpoint=dict(
        interval=1,
        save_best='refined/PCK@0.05',
        rule='greater',
        max_keep_ckpts=1,
    ),
)
