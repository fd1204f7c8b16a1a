# Human3.6M with the estimates of FCN, 17 joints.
_base_ = ['joints3d.py']

dataset_type = 'Human36mSequenceDataset'
data_root = 'data/h36m/'
train_file = 'h36m_fcn_train.npz'
test_file = 'h36m_fcn_test.npz'

window_size = 101
codec = dict(type='PoseSequenceCodec', normalization='root', root=[0])

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
