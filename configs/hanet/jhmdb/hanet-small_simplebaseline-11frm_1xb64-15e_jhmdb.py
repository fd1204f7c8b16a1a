# Trains in minutes on two CPU cores. Unlike the small published settings:
# person-box normalisation, a first width that is not narrower than the 4 K D
# input, the paper's loss.
_base_ = ['hanet-small_simplebaseline-11frm_1xb64-15e_jhmdb_published.py']

codec = dict(type='PoseSequenceCodec', normalization='box')

model = dict(
    backbone=dict(embed_dims=128, num_levels=3),
    head=dict(
        embed_dims=128,
        init='default',
        loss=dict(_delete_=True, type='OMLLoss', final_weight=5.0),
        decoder=codec,
    ),
)

train_pipeline = [
    dict(type='GenerateTarget', encoder=codec),
    dict(type='PackPoseSequenceInputs'),
]
train_dataloader = dict(dataset=dict(pipeline=train_pipeline))
