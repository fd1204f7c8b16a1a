# Table 2, AIST++, SPIN + HANet (T = 51).
_base_ = ['hanet_spin-101frm_1xb256-70e_aist.py']

model = dict(window_size=51)
train_dataloader = dict(dataset=dict(window_size=51))
