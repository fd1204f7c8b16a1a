# The published settings, smaller: width 32, 15 epochs, minutes on a CPU.
_base_ = ['hanet_simplebaseline-11frm_1xb16-70e_jhmdb.py']

max_epochs = 15
warmup_epochs = 1

model = dict(
    backbone=dict(embed_dims=32),
    head=dict(
        embed_dims=32,
        init='published',
        loss=dict(_delete_=True, type='PublishedHANetLoss', final_weight=5.0),
    ),
)

train_cfg = dict(max_epochs=max_epochs)
train_dataloader = dict(batch_size=64)
auto_scale_lr = dict(base_batch_size=64)
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
