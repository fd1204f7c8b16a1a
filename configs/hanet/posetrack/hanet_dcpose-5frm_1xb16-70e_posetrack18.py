# Table 3, PoseTrack18 validation, DCPose + HANet. The estimates are of
# crops of 384 x 288 px, boxes enlarged by 25 %.
_base_ = [
    '../../_base_/models/hanet.py',
    '../../_base_/datasets/posetrack18_dcpose.py',
    '../../_base_/schedules/hanet_70e.py',
]

keypoints = dict(num_keypoints=15, coord_dims=2)

model = dict(
    window_size=5,
    sample_interval=1,
    backbone=dict(embed_dims=256, norm_first=True, **keypoints),
    head=dict(
        embed_dims=256,
        norm_first=True,
        loss=dict(final_weight=5.0),
        decoder={{_base_.codec}},
        **keypoints,
    ),
)

train_dataloader = dict(batch_size=16)
auto_scale_lr = dict(base_batch_size=16)

default_hooks = dict(
    checkpoint=dict(save_best='refined/AP', rule='greater', max_keep_ckpts=3),
    # AP is of all sequences: --badcase looks at the error of each.
    badcase=dict(metric=dict(type='SequenceMPJPE')),
)
