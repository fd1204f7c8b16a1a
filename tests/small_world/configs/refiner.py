# A small HANet for the estimator of the small world. make_refiner.py gives
# the files of estimates and the folder of the run.
_base_ = [
    '../../../configs/_base_/runtime.py',
    '../../../configs/_base_/models/hanet.py',
    '../../../configs/_base_/datasets/pose_sequence.py',
]

max_epochs = 12
window_size = 21
keypoints = dict(num_keypoints=15, coord_dims=2)
codec = dict(type='PoseSequenceCodec', normalization='box')

model = dict(
    type='HANet',
    window_size=window_size,
    sample_interval=2,
    backbone=dict(embed_dims=64, num_levels=2, **keypoints),
    head=dict(embed_dims=64, num_layers=3, decoder=codec, **keypoints),
)

dataset = dict(
    type='JhmdbSequenceDataset', ann_file='train.npz', val_fraction=0.1
)
train_dataloader = dict(
    batch_size=64,
    num_workers=0,
    persistent_workers=False,
    dataset=dict(
        window_size=window_size,
        pipeline=[
            dict(type='GenerateTarget', encoder=codec),
            dict(type='PackPoseSequenceInputs'),
        ],
        **dataset,
    ),
)
val_dataloader = dict(
    num_workers=0, persistent_workers=False, dataset=dict(**dataset)
)
val_evaluator = [
    dict(type='PoseSequencePCK'),
    dict(type='SequenceMPJPE'),
    dict(type='AccelError'),
]
test_dataloader = None
test_cfg = None
test_evaluator = None

train_cfg = dict(max_epochs=max_epochs, val_interval=2)
optim_wrapper = dict(
    optimizer=dict(type='AdamW', lr=1e-3, weight_decay=0.01, amsgrad=True)
)
param_scheduler = [
    dict(type='LinearLR', start_factor=1e-3, by_epoch=False, end=100),
    dict(
        type='CosineAnnealingLR',
        eta_min=1e-5,
        end=max_epochs,
        T_max=max_epochs,
        convert_to_iter_based=True,
    ),
]
default_hooks = dict(
    logger=dict(interval=50),
    checkpoint=dict(
        interval=2, save_best='refined/MPJPE', rule='less', max_keep_ckpts=1
    ),
)
