# Captured motion of the CMU database with simulated estimates of a 3D
# lifter; parts are whole recordings.
_base_ = ['joints3d.py']

dataset_type = 'CmuMocapSequenceDataset'
data_root = 'data/cmu_mocap/'
ann_file = 'cmu_mocap_train.npz'

window_size = 51
codec = dict(type='PoseSequenceCodec', normalization='root', root=[0])

keypoint_names = [
    'root',
    'right_hip',
    'right_knee',
    'right_foot',
    'left_hip',
    'left_knee',
    'left_foot',
    'spine',
    'thorax',
    'neck_base',
    'head',
    'left_shoulder',
    'left_elbow',
    'left_wrist',
    'right_shoulder',
    'right_elbow',
    'right_wrist',
]

# A new direction and new errors each time a window is drawn.
train_pipeline = [
    dict(type='RandomYaw'),
    dict(type='RandomPoseFlip'),
    dict(
        type='SimulateEstimatorNoise',
        noise='lifter',
        keypoint_names=keypoint_names,
    ),
    dict(type='GenerateTarget', encoder=codec),
    dict(type='PackPoseSequenceInputs'),
]

# Workers restart with each epoch: their random numbers depend on it.
train_dataloader = dict(
    batch_size=64,
    persistent_workers=False,
    worker_init_fn=dict(type='hanet_mm.engine.keep_worker_seed'),
    dataset=dict(
        type=dataset_type,
        data_root=data_root,
        ann_file=ann_file,
        window_size=window_size,
        pipeline=train_pipeline,
    ),
)
auto_scale_lr = dict(base_batch_size=64)
val_dataloader = dict(
    dataset=dict(type=dataset_type, data_root=data_root, ann_file=ann_file)
)
test_dataloader = dict(
    dataset=dict(
        type=dataset_type, data_root=data_root, ann_file=ann_file, part='test'
    )
)
