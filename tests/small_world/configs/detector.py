# CenterNet in small: a thin ResNet-18 of three stages, people only.
_base_ = ['mmdet::_base_/default_runtime.py']

classes = ('person',)
mean, std = [114.0, 114.0, 114.0], [60.0, 60.0, 60.0]

model = dict(
    type='CenterNet',
    data_preprocessor=dict(
        type='DetDataPreprocessor',
        mean=mean,
        std=std,
        bgr_to_rgb=False,
        pad_size_divisor=16,
    ),
    backbone=dict(
        type='ResNet',
        depth=18,
        base_channels=16,
        stem_channels=16,
        num_stages=3,
        strides=(1, 2, 2),
        dilations=(1, 1, 1),
        out_indices=(2,),
        norm_eval=False,
    ),
    neck=dict(
        type='CTResNetNeck',
        in_channels=64,
        num_deconv_filters=(48, 32),
        num_deconv_kernels=(4, 4),
        use_dcn=False,
    ),
    bbox_head=dict(
        type='CenterNetHead',
        num_classes=len(classes),
        in_channels=32,
        feat_channels=32,
        loss_center_heatmap=dict(type='GaussianFocalLoss', loss_weight=1.0),
        loss_wh=dict(type='L1Loss', loss_weight=0.1),
        loss_offset=dict(type='L1Loss', loss_weight=1.0),
    ),
    train_cfg=None,
    test_cfg=dict(
        topk=50,
        local_maximum_kernel=3,
        max_per_img=50,
        nms=dict(type='nms', iou_threshold=0.7),
    ),
)

# People need not be seen finely to be found.
image_scale = (160, 120)

test_pipeline = [
    dict(type='LoadImageFromFile', to_float32=True),
    dict(type='Resize', scale=image_scale, keep_ratio=True),
    dict(
        type='RandomCenterCropPad',
        ratios=None,
        border=None,
        mean=mean,
        std=std,
        to_rgb=False,
        test_mode=True,
        test_pad_mode=['size_divisor', 16],
    ),
    dict(
        type='PackDetInputs',
        meta_keys=(
            'img_id',
            'img_path',
            'ori_shape',
            'img_shape',
            'scale_factor',
            'border',
        ),
    ),
]
test_dataloader = dict(
    batch_size=8,
    dataset=dict(
        type='CocoDataset',
        ann_file='',
        metainfo=dict(classes=classes, palette=[(220, 20, 60)]),
        test_mode=True,
        pipeline=test_pipeline,
    ),
)
test_evaluator = dict(type='CocoMetric', metric='bbox')
test_cfg = dict(type='TestLoop')
