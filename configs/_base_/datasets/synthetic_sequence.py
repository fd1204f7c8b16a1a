# Procedural people with simulated estimates: no download. Different seeds
# share neither people nor movements.
_base_ = ['../metrics/keypoints2d.py']

dataset_type = 'SyntheticPoseSequenceDataset'

window_size = 21
codec = dict(type='PoseSequenceCodec', normalization='box')

train_pipeline = [
    dict(type='GenerateTarget', encoder=codec),
    dict(type='PackPoseSequenceInputs'),
]
test_pipeline = [dict(type='PackPoseSequenceInputs')]

train_dataloader = dict(
    batch_size=64,
    num_workers=1,
    persistent_workers=True,
    sampler=dict(type='DefaultSampler', shuffle=True),
    dataset=dict(
        type=dataset_type,
        num_sequences=512,
        seed=0,
        window_size=window_size,
        pipeline=train_pipeline,
    ),
)
auto_scale_lr = dict(base_batch_size=64)
val_dataloader = dict(
    batch_size=32,
    num_workers=1,
    persistent_workers=True,
    sampler=dict(type='DefaultSampler', shuffle=False),
    dataset=dict(
        type=dataset_type,
        num_sequences=64,
        seed=1,
        test_mode=True,
        pipeline=test_pipeline,
    ),
)
test_dataloader = dict(
    batch_size=32,
    num_workers=1,
    persistent_workers=True,
    sampler=dict(type='DefaultSampler', shuffle=False),
    dataset=dict(
        type=dataset_type,
        num_sequences=128,
        seed=2,
        test_mode=True,
        pipeline=test_pipeline,
    ),
)
