# Changes of the loaders for what a real estimator said of JHMDB clips, beside
# their annotation: flat layout, COCO's keypoints, px. In seq_name clips of one
# film have one name, so that neither film is in both parts.
real = dict(
    type='PoseSequenceDataset',
    data_root='data/jhmdb_real/',
    metainfo=dict(from_file='configs/_base_/datasets/coco.py'),
)
real_train = dict(dataset=dict(**real, ann_file='train.npz'))
real_test = dict(dataset=dict(**real, ann_file='val.npz'))
