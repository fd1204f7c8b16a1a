# A top-down estimator in small: thin ResNet-18 of three stages, SimCC head.
_base_ = ['mmpose::_base_/default_runtime.py']

input_size = (64, 96)
codec = dict(
    type='SimCCLabel',
    input_size=input_size,
    sigma=(3.0, 3.5),
    simcc_split_ratio=2.0,
    normalize=False,
)

model = dict(
    type='TopdownPoseEstimator',
    data_preprocessor=dict(
        type='PoseDataPreprocessor',
        mean=[114.0, 114.0, 114.0],
        std=[60.0, 60.0, 60.0],
        bgr_to_rgb=False,
    ),
    backbone=dict(
        type='ResNet',
        depth=18,
        base_channels=24,
        stem_channels=24,
        num_stages=3,
        strides=(1, 2, 2),
        dilations=(1, 1, 1),
        out_indices=(2,),
    ),
    head=dict(
        type='RTMCCHead',
        in_channels=96,
        out_channels=15,
        input_size=input_size,
        in_featuremap_size=tuple(x // 16 for x in input_size),
        simcc_split_ratio=codec['simcc_split_ratio'],
        final_layer_kernel_size=3,
        gau_cfg=dict(
            hidden_dims=64,
            s=32,
            expansion_factor=2,
            dropout_rate=0.0,
            drop_path=0.0,
            act_fn='SiLU',
            use_rel_bias=False,
            pos_enc=False,
        ),
        loss=dict(
            type='KLDiscretLoss',
            use_target_weight=True,
            beta=10.0,
            label_softmax=True,
        ),
        decoder=codec,
    ),
    test_cfg=dict(flip_test=False),
)

train_pipeline = [
    dict(type='GetBBoxCenterScale'),
    dict(type='RandomFlip', direction='horizontal'),
    dict(
        type='RandomBBoxTransform',
        shift_factor=0.08,
        scale_factor=(0.85, 1.2),
        rotate_factor=20,
    ),
    dict(type='TopdownAffine', input_size=input_size),
    dict(type='PhotometricDistortion'),
    dict(type='GenerateTarget', encoder=codec),
    dict(type='PackPoseInputs'),
]
test_pipeline = [
    dict(type='LoadImage'),
    dict(type='GetBBoxCenterScale'),
    dict(type='TopdownAffine', input_size=input_size),
    dict(type='PackPoseInputs'),
]

# The names of the keypoints: what inference reads from here.
dataset_type, data_mode = 'JhmdbDataset', 'topdown'
_dataset = dict(
    type=dataset_type,
    data_mode=data_mode,
    metainfo=dict(from_file='configs/_base_/datasets/jhmdb.py'),
)
train_dataloader = dict(batch_size=64, dataset=_dataset)
test_dataloader = dict(
    batch_size=32,
    dataset=dict(_dataset, test_mode=True, pipeline=test_pipeline),
)
test_evaluator = dict(type='PCKAccuracy', thr=0.1)
test_cfg = dict()
