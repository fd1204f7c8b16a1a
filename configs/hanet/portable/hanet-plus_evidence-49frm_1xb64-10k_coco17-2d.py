# The bundled refiner coco17-2d: motion of the CMU database and procedural
# motion before random cameras; errors of real estimators from a bank and of
# simulated ones; trained inside the limit that it is used with.
_base_ = ['hanet-plus_simulated-49frm_1xb64-9k_coco17-2d.py']

bank_file = 'data/error_bank/hmdb51.npz'
num_windows = 16384
max_iters = 10000
codec = {{_base_.codec}}
flip_indices = {{_base_.flip_indices}}
turn = dict(type='RandomRotateScale', max_angle=20.0, scale_range=(0.85, 1.15))

model = dict(
    data_preprocessor=dict(
        batch_augments=[
            {{_base_.drop_some}},
            {{_base_.drop_face}},
            dict(type='RandomWindowFlip', flip_indices=flip_indices),
            dict(type='RandomTimeReversal'),
            turn,
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
default_hooks = dict(checkpoint=dict(interval=500))
