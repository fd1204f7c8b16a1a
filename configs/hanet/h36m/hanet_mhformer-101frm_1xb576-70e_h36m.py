# Table 2, Human3.6M, MHFormer + HANet (T = 101).
_base_ = [
    '../../_base_/models/hanet.py',
    '../../_base_/datasets/h36m_mhformer.py',
    '../../_base_/schedules/hanet_70e.py',
]

keypoints = dict(num_keypoints=17, coord_dims=3)

model = dict(
    window_size=101,
    sample_interval=2,
    backbone=dict(embed_dims=64, norm_first=True, **keypoints),
    head=dict(
        embed_dims=64,
        norm_first=True,
        loss=dict(final_weight=5.0),
        decoder={{_base_.codec}},
        **keypoints,
    ),
)

train_dataloader = dict(batch_size=576)
auto_scale_lr = dict(base_batch_size=576)

default_hooks = dict(
    checkpoint=dict(save_best='refined/MPJPE', rule='less', max_keep_ckpts=3)
)
