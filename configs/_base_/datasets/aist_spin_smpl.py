# AIST++ with the SMPL fits of SPIN.
_base_ = ['smpl.py']

dataset_type = 'AistSmplSequenceDataset'
data_root = 'data/aist/'
train_file = 'aist_spin_smpl_train.npz'
test_file = 'aist_spin_smpl_test.npz'

train_dataloader = dict(
    dataset=dict(
        type=dataset_type,
        data_root=data_root,
        ann_file=train_file,
        window_size=101,
    )
)
val_dataloader = dict(
    dataset=dict(type=dataset_type, data_root=data_root, ann_file=train_file)
)
test_dataloader = dict(
    dataset=dict(type=dataset_type, data_root=data_root, ann_file=test_file)
)
