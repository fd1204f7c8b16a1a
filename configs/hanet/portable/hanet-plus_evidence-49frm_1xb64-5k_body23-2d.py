# The bundled refiner body23-2d: COCO's keypoints, toes and heels, as
# coco17-2d, whose weights it begins with:
#   python tools/misc/add_keypoints.py coco17-2d coco_wholebody_body \
#       data/initial/body23-2d.pth
_base_ = ['hanet-plus_evidence-49frm_1xb64-10k_coco17-2d.py']

skeleton = 'coco_wholebody_body'
load_from = 'data/initial/body23-2d.pth'
max_iters = 5000
keypoints = dict(num_keypoints=23)
flip_indices = [
    *(0, 2, 1, 4, 3, 6, 5, 8, 7, 10, 9, 12, 11, 14, 13, 16, 15),
    *(20, 21, 22, 17, 18, 19),
]

model = dict(
    data_preprocessor=dict(
        batch_augments=[
            # Other skeletons lack the face, the feet or parts of them.
            dict(
                type='DropKeypoints',
                groups=[[0], [1, 2], [3, 4], [18, 21]],
                group_prob=0.2,
                keypoint_prob=0.02,
            ),
            dict(
                type='DropKeypoints',
                groups=[
                    [0, 1, 2, 3, 4],
                    [17, 20],
                    [19, 22],
                    [17, 18, 19, 20, 21, 22],
                ],
                group_prob=0.15,
                keypoint_prob=0.0,
            ),
            dict(type='RandomWindowFlip', flip_indices=flip_indices),
            dict(type='RandomTimeReversal'),
            {{_base_.turn}},
            dict(type='RefitBox'),
        ],
    ),
    backbone=keypoints,
    head=dict(flip_indices=flip_indices, **keypoints),
)

train_dataloader = dict(dataset=dict(skeleton=skeleton))
val_dataloader = dict(dataset=dict(skeleton=skeleton))
test_dataloader = val_dataloader

optim_wrapper = dict(optimizer=dict(lr=6e-4))
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
