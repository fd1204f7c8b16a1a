# Table 2, Human3.6M, FCN + HANet (T = 51).
_base_ = ['hanet_fcn-101frm_1xb96-70e_h36m.py']

model = dict(window_size=51)
train_dataloader = dict(dataset=dict(window_size=51))
