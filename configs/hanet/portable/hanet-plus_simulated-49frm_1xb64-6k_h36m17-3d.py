# 3D joints in metres relative to the pelvis, simulated lifters: what the
# bundled refiner h36m17-3d begins with.
_base_ = [
    'hanet-plus_simulated-49frm_1xb64-9k_coco17-2d.py',
    '../../_base_/metrics/joints3d.py',
]

skeleton = 'h36m17'
noise = 'any-lifter'
max_iters = 6000
keypoints = dict(coord_dims=3)
flip_indices = [0, 4, 5, 6, 1, 2, 3, 7, 8, 9, 10, 14, 15, 16, 11, 12, 13]
codec = dict(
    type='PoseSequenceCodec',
    normalization='root',
    root=(0,),
    supervise_missing=True,
)
drop_some = dict(
    type='DropKeypoints',
    # Not the root: all others are relative to it.
    groups=[[7], [8, 9], [10]],
    group_prob=0.15,
    keypoint_prob=0.0,
)

model = dict(
    data_preprocessor=dict(batch_augments=[drop_some]),
    backbone=keypoints,
    head=dict(flip_indices=flip_indices, decoder=codec, **keypoints),
)
train_dataloader = dict(
    dataset=dict(
        skeleton=skeleton,
        noise=noise,
        num_windows=64 * max_iters,
        chunk_pipeline=[dict(type='GenerateTarget', encoder=codec)],
    )
)
val_dataloader = dict(dataset=dict(skeleton=skeleton, noise=noise))
test_dataloader = val_dataloader
val_evaluator = {{_base_.joint_metrics}}
test_evaluator = {{_base_.joint_metrics_of_test}}

train_cfg = dict(max_iters=max_iters, val_interval=2000)
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
