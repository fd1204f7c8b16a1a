# The bundled refiner coco17-2d: motion of the CMU database and procedural
# motion before random cameras; errors of real estimators from a bank and of
# simulated ones; trained inside the limit that it is used with.
_base_ = ['hanet-plus_simulated-49frm_1xb64-9k_coco17-2d.py']

bank_file = 'data/error_bank/hmdb51.npz'
num_windows = 16384
max_iters = 10000
flip_indices = [0, 2, 1, 4, 3, 6, 5, 8, 7, 10, 9, 12, 11, 14, 13, 16, 15]
codec = dict(
    type='PoseSequenceCodec', normalization='box', supervise_missing=True
)

model = dict(
    data_preprocessor=dict(
        batch_augments=[
            # Other skeletons lack the face or other keypoints.
            dict(
                type='DropKeypoints',
                groups=[[0], [1, 2], [3, 4]],
                group_prob=0.2,
                keypoint_prob=0.02,
            ),
            dict(
                type='DropKeypoints',
                groups=[[0, 1, 2, 3, 4]],
                group_prob=0.15,
                keypoint_prob=0.0,
            ),
            dict(type='RandomWindowFlip', flip_indices=flip_indices),
            dict(type='RandomTimeReversal'),
            dict(
                type='RandomRotateScale',
                max_angle=20.0,
                scale_range=(0.85, 1.15),
            ),
            dict(type='RefitBox'),
        ],
    ),
    head=dict(limited_loss=dict(type='WeightedKeypointLoss', loss_weight=5.0)),
)

train_dataloader = dict(
    dataset=dict(
        procedural_share=0.5,
        bank=dict(path=bank_file, part='train'),
        bank_share=0.5,
        num_windows=num_windows,
        short_share=0.25,
        fps_range=(22.0, 38.0),
        keep=True,
        chunk_pipeline=[
            dict(type='MeasureEvidence'),
            dict(type='GenerateTarget', encoder=codec),
        ],
    ),
)
auto_scale_lr = dict(base_batch_size=64)

train_cfg = dict(max_iters=max_iters, val_interval=2500)
param_scheduler = [
    dict(type='LinearLR', start_factor=1e-3, end=200, by_epoch=False),
    dict(
        type='CosineAnnealingLR',
        eta_min=1e-6,
        begin=200,
        end=max_iters,
        T_max=max_iters - 200,
        by_epoch=False,
    ),
]
default_hooks = dict(checkpoint=dict(interval=500))
