# AIST++ with the estimates of SPIN, 14 joints, root between the hips.
_base_ = ['joints3d.py']

dataset_type = 'AistSequenceDataset'
data_root = 'data/aist/'
train_file = 'aist_spin_train.npz'
test_file = 'aist_spin_test.npz'

window_size = 101
codec = dict(type='PoseSequenceCodec', normalization='root', root=[2, 3])

train_pipeline = [
    dict(type='GenerateTarget', encoder=codec),
    dict(type='PackPoseSequenceInputs'),
]
train_dataloader = dict(
    dataset=dict(
        type=dataset_type,
        data_root=data_root,
        ann_file=train_file,
        window_size=window_size,
        pipeline=train_pipeline,
    )
)
val_dataloader = dict(
    dataset=dict(type=dataset_type, data_root=data_root, ann_file=train_file)
)
test_dataloader = dict(
    dataset=dict(type=dataset_type, data_root=data_root, ann_file=test_file)
)
