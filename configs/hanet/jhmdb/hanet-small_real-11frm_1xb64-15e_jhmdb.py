# Table 1 with estimators that exist: the paper's loss, see the base.
_base_ = [
    'hanet-small_simplebaseline-11frm_1xb64-15e_jhmdb.py',
    '../../_base_/datasets/jhmdb_real.py',
]

keypoints = dict(num_keypoints=17)

model = dict(backbone=keypoints, head=keypoints)
train_dataloader = {{_base_.real_train}}
val_dataloader = {{_base_.real_train}}
test_dataloader = {{_base_.real_test}}
