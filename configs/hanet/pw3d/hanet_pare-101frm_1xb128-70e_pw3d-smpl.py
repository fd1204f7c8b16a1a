# 3DPW, SMPL rotations of PARE; settings as published, no row in the paper.
# Post-norm, where eq. 5 has LayerNorm first.
_base_ = [
    '../../_base_/models/hanet.py',
    '../../_base_/datasets/pw3d_pare_smpl.py',
    '../../_base_/schedules/hanet_70e.py',
]

keypoints = dict(num_keypoints=24, coord_dims=6)

model = dict(
    window_size=101,
    sample_interval=10,
    backbone=dict(embed_dims=128, norm_first=False, **keypoints),
    head=dict(
        embed_dims=128,
        norm_first=False,
        loss=dict(final_weight=5.0),
        decoder={{_base_.codec}},
        **keypoints,
    ),
)

train_dataloader = dict(batch_size=128)
auto_scale_lr = dict(base_batch_size=128)

default_hooks = dict(
    checkpoint=dict(save_best='refined/MPJPE', rule='less', max_keep_ckpts=3)
)
