# SMPL rotations in 6D. Joint errors are measured on a skeleton of mean
# proportions, which needs no file; for the published protocol use SMPL:
#   --cfg-options test_evaluator.1.body_model.type=SMPLBodyModel \
#       test_evaluator.1.body_model.model_path=data/smpl/SMPL_NEUTRAL.npz
# (and test_evaluator.3 for the input), which also adds MPVPE.
_base_ = ['pose_sequence.py']

codec = dict(type='PoseSequenceCodec', normalization='rot6d')
body_model = dict(type='SkeletonBodyModel')

train_pipeline = [
    dict(type='GenerateTarget', encoder=codec),
    dict(type='PackPoseSequenceInputs'),
]
train_dataloader = dict(dataset=dict(pipeline=train_pipeline))

val_evaluator = [
    dict(type='SequenceMPJAE'),
    dict(type='SMPLMetric', body_model=body_model),
]
test_evaluator = [
    *val_evaluator,
    dict(type='SequenceMPJAE', source='input'),
    dict(type='SMPLMetric', body_model=body_model, source='input'),
]
