# 3DPW with the SMPL fits of PARE.
_base_ = ['smpl.py']

dataset_type = 'Pw3dSmplSequenceDataset'
data_root = 'data/pw3d/'
train_file = 'pw3d_pare_smpl_train.npz'
test_file = 'pw3d_pare_smpl_test.npz'

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
