# AdamW, gradient clipping, and an average of the weights over the last
# iterations.
_base_ = ['../runtime.py']

warmup_iters = 200

# For param_scheduler, which has to know how many iterations there are.
warm_up = dict(
    type='LinearLR', start_factor=1e-3, end=warmup_iters, by_epoch=False
)
optim_wrapper = dict(
    optimizer=dict(type='FusedAdamW', lr=1e-3, weight_decay=0.01),
    clip_grad=dict(max_norm=1.0),
    # The few parameters that set how smooth the result is.
    paramwise_cfg=dict(
        custom_keys={'smoother': dict(lr_mult=3.0, decay_mult=0.0)}
    ),
)
# For custom_hooks.
ema_hook = dict(
    type='EMAHook',
    ema_type='ExpMomentumEMA',
    momentum=0.002,
    gamma=1000,
    priority=49,
)
default_hooks = dict(
    checkpoint=dict(save_best='refined/MPJPE', rule='less', max_keep_ckpts=1)
)
