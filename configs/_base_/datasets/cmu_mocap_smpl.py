# Captured motion of the CMU database as SMPL rotations, with simulated
# errors; parts are whole recordings.
_base_ = ['smpl.py']

dataset_type = 'CmuMocapSmplSequenceDataset'
data_root = 'data/cmu_mocap/'
ann_file = 'cmu_mocap_train.npz'

window_size = 41

# New errors each time a window is drawn.
train_pipeline = [
    dict(type='SimulateRotationNoise'),
    dict(type='GenerateTarget', encoder={{_base_.codec}}),
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
