# 3DPW with the estimates of PARE, 14 joints, root between the hips.
_base_ = ['joints3d.py']

dataset_type = 'Pw3dSequenceDataset'
data_root = 'data/pw3d/'
train_file = 'pw3d_pare_train.npz'
test_file = 'pw3d_pare_test.npz'

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
