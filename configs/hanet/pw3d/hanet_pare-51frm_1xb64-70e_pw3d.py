# Table 2, 3DPW, PARE + HANet (T = 51).
_base_ = ['hanet_pare-101frm_1xb64-70e_pw3d.py']

model = dict(window_size=51)
train_dataloader = dict(dataset=dict(window_size=51))
