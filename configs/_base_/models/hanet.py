# Settings that are the same for all data sets of the paper.
model = dict(
    type='HANet',
    backbone=dict(
        type='HierarchicalEncoder',
        num_levels=5,
        num_heads=4,
        dropout=0.1,
    ),
    head=dict(
        type='KinematicHead',
        num_layers=5,
        num_heads=4,
        dropout=0.1,
        loss=dict(type='OMLLoss'),
    ),
    test_cfg=dict(stride=1),
)
