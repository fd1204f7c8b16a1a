# Sub-JHMDB with the estimates of SimpleBaseline, 15 joints.
_base_ = ['pose_sequence.py', '../metrics/keypoints2d.py']

dataset_type = 'JhmdbSequenceDataset'
data_root = 'data/jhmdb/'
train_file = 'jhmdb_simplebaseline_train.npz'
test_file = 'jhmdb_simplebaseline_test.npz'

window_size = 11
codec = dict(type='PoseSequenceCodec', normalization='image')

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
