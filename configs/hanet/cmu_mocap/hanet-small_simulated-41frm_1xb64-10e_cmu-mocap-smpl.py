# SMPL rotations of captured motion with simulated errors; trains on two CPU
# cores.
_base_ = [
    '../../_base_/runtime.py',
    '../../_base_/models/hanet.py',
    '../../_base_/datasets/cmu_mocap_smpl.py',
]

max_epochs = 10
warmup_epochs = 1
rotations = dict(num_keypoints=24, coord_dims=6)

model = dict(
    window_size=41,
    sample_interval=5,
    backbone=dict(embed_dims=128, num_levels=3, norm_first=True, **rotations),
    head=dict(
        embed_dims=128,
        num_layers=3,
        norm_first=True,
        init='identity',
        # Rotations, and the joints of the skeleton that they pose.
        loss=dict(
            _delete_=True,
            type='SMPLLoss',
            pose_loss=dict(type='OMLLoss'),
            body_model=dict(type='SkeletonBodyModel'),
            joint_weight=5.0,
            vertex_weight=0.0,
        ),
        decoder={{_base_.codec}},
        **rotations,
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
