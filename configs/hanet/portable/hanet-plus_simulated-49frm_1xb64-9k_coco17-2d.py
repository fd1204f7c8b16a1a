# Motion of the CMU database and procedural motion before random cameras,
# simulated top-down estimators only; base of the 3D refiner.
_base_ = [
    '../../_base_/models/hanet_plus.py',
    '../../_base_/schedules/hanet_plus.py',
    '../../_base_/metrics/keypoints2d.py',
]

skeleton = 'coco17'
noise = 'any'
data_file = 'data/cmu_mocap/cmu_mocap_train.npz'
window_size = 49
max_iters = 9000
keypoints = dict(num_keypoints=17, coord_dims=2, dropout=0.0)
flip_indices = [0, 2, 1, 4, 3, 6, 5, 8, 7, 10, 9, 12, 11, 14, 13, 16, 15]
codec = dict(
    type='PoseSequenceCodec', normalization='box', supervise_missing=True
)
# Other skeletons lack the face or other keypoints.
drop_some = dict(
    type='DropKeypoints',
    groups=[[0], [1, 2], [3, 4]],
    group_prob=0.2,
    keypoint_prob=0.02,
)
drop_face = dict(
    type='DropKeypoints',
    groups=[[0, 1, 2, 3, 4]],
    group_prob=0.15,
    keypoint_prob=0.0,
)

model = dict(
    window_size=window_size,
    data_preprocessor=dict(
        type='PoseSequenceDataPreprocessor',
        batch_augments=[drop_some, drop_face, dict(type='RefitBox')],
    ),
    test_cfg=dict(stride=24, taper=True),
    backbone=keypoints,
    head=dict(
        flip_indices=flip_indices,
        accel_loss=dict(type='AccelerationLoss'),
        decoder=codec,
        **keypoints,
    ),
)

train_dataloader = dict(
    batch_size=64,
    num_workers=1,
    persistent_workers=True,
    # Windows are random already; in order they come in whole chunks.
    sampler=dict(type='InfiniteSampler', shuffle=False),
    collate_fn=dict(type='collate_windows'),
    dataset=dict(
        type='SimulatedPoseSequenceDataset',
        ann_file=data_file,
        skeleton=skeleton,
        part='train',
        noise=noise,
        num_windows=64 * max_iters,
        window_size=window_size,
        chunk_pipeline=[dict(type='GenerateTarget', encoder=codec)],
        pipeline=[dict(type='PackPoseSequenceInputs')],
    ),
)
auto_scale_lr = dict(base_batch_size=64)
# Recordings, people and estimators unseen in training.
val_dataloader = dict(
    batch_size=64,
    num_workers=1,
    persistent_workers=True,
    drop_last=False,
    sampler=dict(type='DefaultSampler', shuffle=False),
    dataset=dict(
        type='SimulatedPoseSequenceDataset',
        ann_file=data_file,
        skeleton=skeleton,
        part='val',
        noise=noise,
        num_windows=512,
        window_size=80,
        short_share=0.0,
        seed=1,
        test_mode=True,
        pipeline=[dict(type='PackPoseSequenceInputs')],
    ),
)
test_dataloader = dict(
    val_dataloader,
    dataset=dict(
        val_dataloader['dataset'], part='test', num_windows=1024, seed=2
    ),
)

train_cfg = dict(
    _delete_=True,
    type='IterBasedTrainLoop',
    max_iters=max_iters,
    val_interval=1500,
)
param_scheduler = [
    {{_base_.warm_up}},
    dict(
        type='CosineAnnealingLR',
        eta_min=1e-6,
        begin=200,
        end=max_iters,
        T_max=max_iters - 200,
        by_epoch=False,
    ),
]
default_hooks = dict(
    checkpoint=dict(by_epoch=False, interval=1500),
    logger=dict(interval=100),
)
log_processor = dict(by_epoch=False)
custom_hooks = [dict(type='SyncBuffersHook'), {{_base_.ema_hook}}]
