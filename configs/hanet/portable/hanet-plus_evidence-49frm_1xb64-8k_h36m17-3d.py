# The bundled refiner h36m17-3d: 3D joints in metres relative to the pelvis;
# errors of simulated lifters, of what lifters and MediaPipe's world landmarks
# do in video, and of good estimates that are to stay as they are. Left and
# right are put right first, as in use. It begins with what its base made.
_base_ = ['hanet-plus_simulated-49frm_1xb64-6k_h36m17-3d.py']

load_from = (
    'work_dirs/hanet-plus_simulated-49frm_1xb64-6k_h36m17-3d/iter_6000.pth'
)
noise = ['any-lifter', 'real-lifter', 'good-lifter']
num_windows = 49152
max_iters = 8000
codec = {{_base_.codec}}
flip_indices = {{_base_.flip_indices}}

model = dict(
    data_preprocessor=dict(
        batch_augments=[
            {{_base_.drop_some}},
            dict(type='RandomWindowFlip', flip_indices=flip_indices),
            dict(type='RandomTimeReversal'),
            dict(
                type='RandomRotateScale',
                max_angle=20.0,
                scale_range=(0.95, 1.05),
            ),
        ],
    ),
)
train_dataloader = dict(
    dataset=dict(
        noise=noise,
        procedural_share=0.5,
        num_windows=num_windows,
        fps_range=(15.0, 40.0),
        keep=True,
        chunk_pipeline=[
            dict(type='MeasureEvidence'),
            dict(type='GenerateTarget', encoder=codec),
        ],
    )
)
val_dataloader = dict(
    dataset=dict(
        noise=noise,
        chunk_pipeline=[dict(type='MeasureEvidence')],
        fps_range=(15.0, 40.0),
    )
)
test_dataloader = val_dataloader
optim_wrapper = dict(optimizer=dict(lr=6e-4))
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
default_hooks = dict(checkpoint=dict(interval=500))
