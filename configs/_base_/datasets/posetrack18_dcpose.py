# PoseTrack18 with the estimates of DCPose.
_base_ = ['posetrack17_dcpose.py']

dataset_type = 'PoseTrack18SequenceDataset'
data_root = 'data/posetrack18/'
train_file = 'posetrack18_dcpose_train.npz'
test_file = 'posetrack18_dcpose_val.npz'

train_dataloader = dict(
    dataset=dict(type=dataset_type, data_root=data_root, ann_file=train_file)
)
val_dataloader = dict(
    dataset=dict(type=dataset_type, data_root=data_root, ann_file=train_file)
)
test_dataloader = dict(
    dataset=dict(type=dataset_type, data_root=data_root, ann_file=test_file)
)
