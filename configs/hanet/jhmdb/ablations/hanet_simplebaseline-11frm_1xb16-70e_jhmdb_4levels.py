# Table 4, row 5: 4 levels.
_base_ = ['../hanet_simplebaseline-11frm_1xb16-70e_jhmdb.py']

model = dict(backbone=dict(num_levels=4), head=dict(num_layers=4))
