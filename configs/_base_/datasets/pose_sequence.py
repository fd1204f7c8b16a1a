# Loaders and test pipeline of all pose sequence data sets. The checkpoint is
# selected on a held-out part of the training file, never on the test file.
test_pipeline = [dict(type='PackPoseSequenceInputs')]

train_dataloader = dict(
    batch_size=16,
    num_workers=2,
    persistent_workers=True,
    sampler=dict(type='DefaultSampler', shuffle=True),
    dataset=dict(part='train'),
)
# The batch size that learning rates are for, see --auto-scale-lr.
auto_scale_lr = dict(base_batch_size=16)
val_dataloader = dict(
    batch_size=16,
    num_workers=1,
    persistent_workers=True,
    drop_last=False,
    sampler=dict(type='DefaultSampler', shuffle=False),
    dataset=dict(part='val', test_mode=True, pipeline=test_pipeline),
)
test_dataloader = dict(
    batch_size=16,
    num_workers=1,
    persistent_workers=True,
    drop_last=False,
    sampler=dict(type='DefaultSampler', shuffle=False),
    dataset=dict(test_mode=True, pipeline=test_pipeline),
)
