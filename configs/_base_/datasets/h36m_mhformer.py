# Human3.6M with the estimates of MHFormer, 17 joints.
_base_ = ['h36m_fcn.py']

train_file = 'h36m_mhformer_train.npz'
test_file = 'h36m_mhformer_test.npz'

train_dataloader = dict(dataset=dict(ann_file=train_file))
val_dataloader = dict(dataset=dict(ann_file=train_file))
test_dataloader = dict(dataset=dict(ann_file=test_file))
