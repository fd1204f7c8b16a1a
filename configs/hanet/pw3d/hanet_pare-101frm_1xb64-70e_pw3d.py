# Table 2, 3DPW, PARE + HANet (T = 101).
_base_ = [
    '../../_base_/models/hanet.py',
    '../../_base_/datasets/pw3d_pare.py',
    '../../_base_/schedules/hanet_70e.py',
]

keypoints = dict(num_keypoints=14, coord_dims=3)

model = dict(
    window_size=101,
    sample_interval=5,
    backbone=dict(embed_dims=128, norm_first=True, **keypoints),
    head=dict(
        embed_dims=128,
        norm_first=True,
        loss=dict(final_weight=1.0),
        decoder={{_base_.codec}},
        **keypoints,
    ),
)

train_dataloader = dict(batch_size=64)
auto_scale_lr = dict(base_batch_size=64)

default_hooks = dict(
    checkpoint=dict(save_best='refined/MPJPE', rule='less', max_keep_ckpts=3)
)
