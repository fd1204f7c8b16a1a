# Table 1, last row: 320 M parameters, as published;
# post-norm, where eq. 5 has LayerNorm first.
_base_ = [
    '../../_base_/models/hanet.py',
    '../../_base_/datasets/jhmdb_sequence.py',
    '../../_base_/schedules/hanet_70e.py',
]

keypoints = dict(num_keypoints=15, coord_dims=2)

model = dict(
    window_size=11,
    sample_interval=5,
    backbone=dict(embed_dims=256, norm_first=False, **keypoints),
    head=dict(
        embed_dims=256,
        norm_first=False,
        loss=dict(final_weight=5.0),
        decoder={{_base_.codec}},
        **keypoints,
    ),
)

default_hooks = dict(
    checkpoint=dict(
        save_best='refined/PCK@0.05', rule='greater', max_keep_ckpts=3
    )
)
