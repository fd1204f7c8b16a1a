# On top of the runtime, not beside it: both set train_cfg.
_base_ = ['../runtime.py']

# AdamW, 5 epochs of linear warm-up, cosine to 1e-5 at the last of 70 epochs;
# no clipping. Both schedules step with each iteration. The paper does not
# say how many; of the published files one that cannot be read says 100.
max_epochs = 70
warmup_epochs = 5
base_lr = 1e-3

train_cfg = dict(max_epochs=max_epochs, val_interval=1)

optim_wrapper = dict(
    optimizer=dict(
        type='FusedAdamW',
        lr=base_lr,
        weight_decay=0.01,
        amsgrad=True,
    )
)

param_scheduler = [
    dict(
        type='LinearLR',
        start_factor=1e-3,
        end=warmup_epochs,
        convert_to_iter_based=True,
    ),
    dict(
        type='CosineAnnealingLR',
        eta_min=1e-5,
        begin=warmup_epochs,
        end=max_epochs,
        T_max=max_epochs - warmup_epochs,
        convert_to_iter_based=True,
    ),
]
