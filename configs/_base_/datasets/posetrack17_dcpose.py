# PoseTrack17 with the estimates of DCPose: several people, few annotated
# frames. Tested on the validation set, as the paper's Table 3; the
# checkpoint is selected on videos of the training set.
_base_ = ['pose_sequence.py']

dataset_type = 'PoseTrack17SequenceDataset'
data_root = 'data/posetrack17/'
train_file = 'posetrack17_dcpose_train.npz'
test_file = 'posetrack17_dcpose_val.npz'

codec = dict(type='PoseSequenceCodec', normalization='box')

train_pipeline = [
    dict(type='GenerateTarget', encoder=codec),
    dict(type='PackPoseSequenceInputs'),
]
train_dataloader = dict(
    dataset=dict(
        type=dataset_type,
        data_root=data_root,
        ann_file=train_file,
        window_size=5,
        sparse=True,
        pipeline=train_pipeline,
    )
)
val_dataloader = dict(
    dataset=dict(type=dataset_type, data_root=data_root, ann_file=train_file)
)
test_dataloader = dict(
    dataset=dict(type=dataset_type, data_root=data_root, ann_file=test_file)
)

val_evaluator = dict(type='PoseTrackAP')
test_evaluator = [
    dict(type='PoseTrackAP'),
    dict(type='PoseTrackAP', source='input'),
]
