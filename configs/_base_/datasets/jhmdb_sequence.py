# Sub-JHMDB in the flat layout of tools/dataset_converters. The checkpoint is
# selected on held-out sequences of the training file, never on the test file.
dataset_type = 'JhmdbSequenceDataset'
data_root = 'data/jhmdb/'
train_file = 'jhmdb_simplebaseline_train.npz'
test_file = 'jhmdb_simplebaseline_test.npz'

window_size = 11
codec = dict(type='PoseSequenceCodec', normalization='image')

train_pipeline = [
    dict(type='GenerateTarget', encoder=codec),
    dict(type='PackPoseSequenceInputs'),
]
test_pipeline = [dict(type='PackPoseSequenceInputs')]

train_dataloader = dict(
    batch_size=16,
    num_workers=2,
    persistent_workers=True,
    sampler=dict(type='DefaultSampler', shuffle=True),
    dataset=dict(
        type=dataset_type,
        data_root=data_root,
        ann_file=train_file,
        part='train',
        window_size=window_size,
        pipeline=train_pipeline,
    ),
)
val_dataloader = dict(
    batch_size=16,
    num_workers=1,
    persistent_workers=True,
    drop_last=False,
    sampler=dict(type='DefaultSampler', shuffle=False),
    dataset=dict(
        type=dataset_type,
        data_root=data_root,
        ann_file=train_file,
        part='val',
        test_mode=True,
        pipeline=test_pipeline,
    ),
)
test_dataloader = dict(
    batch_size=16,
    num_workers=1,
    persistent_workers=True,
    drop_last=False,
    sampler=dict(type='DefaultSampler', shuffle=False),
    dataset=dict(
        type=dataset_type,
        data_root=data_root,
        ann_file=test_file,
        test_mode=True,
        pipeline=test_pipeline,
    ),
)

val_evaluator = [
    dict(type='PoseSequencePCK'),
    dict(type='SequenceMPJPE'),
    dict(type='AccelError'),
]
test_evaluator = [
    *val_evaluator,
    dict(type='PoseSequencePCK', source='input'),
    dict(type='SequenceMPJPE', source='input'),
    dict(type='AccelError', source='input'),
]
