# Table 1 with estimators that exist: the bundled refiner coco17-2d, trained
# on with a few hundred clips, and where their annotators put the joints.
# Number of iterations and learning rate were chosen by cross-validation over
# films of the training file, all of which is trained on.
_base_ = [
    '../portable/hanet-plus_evidence-49frm_1xb64-10k_coco17-2d.py',
    '../../_base_/datasets/jhmdb_real.py',
]

max_iters = 300
codec = {{_base_.codec}}

model = dict(
    init_cfg=dict(type='Pretrained', checkpoint='hanet_mm://coco17-2d'),
    backbone=dict(dropout=0.1),
    head=dict(dropout=0.1, joint_definitions=True),
)

train_dataloader = dict(
    num_workers=0,
    persistent_workers=False,
    sampler=dict(shuffle=True),
    dataset=dict(
        _delete_=True,
        type='PoseSequenceDataset',
        data_root='data/jhmdb_real/',
        ann_file='train.npz',
        metainfo={{_base_.real.metainfo}},
        window_size={{_base_.window_size}},
        keep=True,
        pipeline=[
            dict(type='MeasureEvidence'),
            dict(type='GenerateTarget', encoder=codec),
            dict(type='PackPoseSequenceInputs'),
        ],
    ),
)
val_dataloader = dict(
    dataset=dict(
        _delete_=True,
        type='PoseSequenceDataset',
        data_root='data/jhmdb_real/',
        ann_file='train.npz',
        metainfo={{_base_.real.metainfo}},
        part='val',
        test_mode=True,
        pipeline=[dict(type='PackPoseSequenceInputs')],
    ),
)
test_dataloader = dict(
    dataset=dict(
        _delete_=True,
        type='PoseSequenceDataset',
        data_root='data/jhmdb_real/',
        ann_file='val.npz',
        metainfo={{_base_.real.metainfo}},
        test_mode=True,
        pipeline=[dict(type='PackPoseSequenceInputs')],
    ),
)

# Weights as they were, all but those of the definitions, change slowly.
optim_wrapper = dict(
    optimizer=dict(lr=3e-4, weight_decay=0.05),
    paramwise_cfg=dict(custom_keys=dict(definitions=dict(lr_mult=10.0))),
)
train_cfg = dict(max_iters=max_iters, val_interval=max_iters)
param_scheduler = [
    dict(type='LinearLR', start_factor=1e-2, end=40, by_epoch=False),
    dict(
        type='CosineAnnealingLR',
        eta_min_ratio=1e-2,
        begin=40,
        end=max_iters,
        T_max=max_iters - 40,
        by_epoch=False,
    ),
]
default_hooks = dict(checkpoint=dict(interval=100))
custom_hooks = [
    dict(type='SyncBuffersHook'),
    dict(
        type='EMAHook',
        ema_type='ExpMomentumEMA',
        momentum=0.02,
        gamma=50,
        priority=49,
    ),
]
